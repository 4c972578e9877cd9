//! Debtors and creditors. Promise: the same accounts in every run, and the same draws from the same
//! seed; cheap enough that the load generator does not measure itself.

use clap::ValueEnum;
use serde::Serialize;
use uuid::{Builder, Uuid};

/// Accounts that are credited now and then, so that looking at them shows how far the bank is
/// (see `load`). They pay nothing.
pub(crate) const WATCHED: u32 = 16;
/// The time in the accounts' ids, like ids of accounts opened one after another long ago.
const OPENED_MILLIS: u64 = 1_700_000_000_000;

/// The id of an account of the benchmark.
pub(crate) fn account(index: u32) -> Uuid {
    let mut bits = [0; 10];
    let hashed = Random::new(u64::from(index)).next().to_be_bytes();
    bits[..8].copy_from_slice(&hashed);
    Builder::from_unix_timestamp_millis(OPENED_MILLIS + u64::from(index), &bits).into_uuid()
}

/// How payments are spread over accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shape {
    /// Each account as often as any other.
    Uniform,
    /// The second half as often as the first, the third a third as often, and so on.
    Zipf,
    /// All debits on one account.
    Hot,
}

/// SplitMix64 (Steele, Lea, Flood 2014).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `end`.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        let scaled = (u128::from(self.next()) * u128::from(end)) >> 64;
        u32::try_from(scaled).expect("less than `end`")
    }

    /// A new UUIDv7 of this time.
    pub(crate) fn id(&mut self, millis: u64) -> Uuid {
        let bits = (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes();
        let bits = bits.first_chunk().expect("16 bytes begin with 10");
        Builder::from_unix_timestamp_millis(millis, bits).into_uuid()
    }
}

/// Draws the two sides of payments.
pub(crate) struct Draw {
    pub(crate) random: Random,
    shape: Shape,
    accounts: u32,
    /// Of Zipf: for each account the share of it and all before it, scaled to all of `u64`.
    shares: Vec<u64>,
}

impl Draw {
    /// Among `accounts` accounts, the watched ones included.
    pub(crate) fn new(shape: Shape, accounts: u32, seed: u64) -> Self {
        let payers = accounts.saturating_sub(WATCHED).max(2);
        let shares = if shape == Shape::Zipf { zipf(payers) } else { vec![] };
        Self { random: Random::new(seed), shape, accounts: payers, shares }
    }

    /// A debtor and another one as creditor.
    pub(crate) fn pair(&mut self) -> (u32, u32) {
        let debtor = match self.shape {
            Shape::Hot => 0,
            Shape::Uniform | Shape::Zipf => self.one(),
        };
        loop {
            let creditor = self.one();
            if creditor != debtor {
                return (WATCHED + debtor, WATCHED + creditor);
            }
        }
    }

    fn one(&mut self) -> u32 {
        match self.shape {
            Shape::Uniform | Shape::Hot => self.random.below(self.accounts),
            Shape::Zipf => {
                let drawn = self.random.next();
                let index = self.shares.partition_point(|share| *share < drawn);
                u32::try_from(index).map_or(self.accounts - 1, |index| index.min(self.accounts - 1))
            }
        }
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn zipf(accounts: u32) -> Vec<u64> {
    let total: f64 = (1..=accounts).map(|rank| 1.0 / f64::from(rank)).sum();
    let mut sum = 0.0;
    let share = (1..=accounts).map(|rank| {
        sum += 1.0 / f64::from(rank) / total;
        (sum * u64::MAX as f64) as u64
    });
    share.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    fn debtors(shape: Shape) -> BTreeMap<u32, u32> {
        let mut draw = Draw::new(shape, 1_016, 7);
        let mut debtors = BTreeMap::new();
        for _ in 0..100_000 {
            let (debtor, creditor) = draw.pair();
            assert_ne!(debtor, creditor);
            assert!((WATCHED..1_016).contains(&debtor) && (WATCHED..1_016).contains(&creditor));
            *debtors.entry(debtor).or_default() += 1;
        }
        debtors
    }

    #[test]
    fn uniform_debits_everybody_alike() {
        let debtors = debtors(Shape::Uniform);
        assert_eq!(debtors.len(), 1_000);
        assert!(debtors.values().all(|count| (40..=170).contains(count)), "{debtors:?}");
    }

    #[test]
    fn zipf_debits_the_first_twice_as_often_as_the_second() {
        let debtors = debtors(Shape::Zipf);
        let (first, second) = (f64::from(debtors[&16]), f64::from(debtors[&17]));
        assert!((1.8..2.2).contains(&(first / second)), "{first} {second}");
        // The harmonic number of 1,000 is 7.485.
        assert!((12_500.0..14_200.0).contains(&first), "{first}");
    }

    #[test]
    fn hot_debits_one() {
        assert_eq!(debtors(Shape::Hot).into_keys().collect::<Vec<_>>(), [WATCHED]);
    }

    #[test]
    fn accounts_are_the_same_in_every_run_and_all_different() {
        assert_eq!(account(7), account(7));
        let ids: BTreeSet<Uuid> = (0..10_000).map(account).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(account(1) < account(2));
    }

    #[test]
    fn ids_are_uuids_of_version_7_of_their_time() {
        let mut random = Random::new(1);
        let (one, two) = (random.id(1_764_000_000_123), random.id(1_764_000_000_123));
        assert_ne!(one, two);
        assert_eq!(one.get_version_num(), 7);
        assert_eq!(one.as_u128() >> 80, 1_764_000_000_123);
    }
}
