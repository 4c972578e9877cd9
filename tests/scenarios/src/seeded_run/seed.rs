//! Numbers and ids that follow from a seed. Promise: the same seed gives the same numbers with
//! every version of every library.

use uuid::{Builder, Uuid};

/// The generator SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Clone, Debug)]
pub(super) struct Seed(pub(super) u64);

impl Seed {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A place in a list that is not empty.
    pub(super) fn place<T>(&mut self, list: &[T]) -> usize {
        usize::try_from(self.below(list.len() as u64)).expect("a place is less than the length")
    }

    /// Whether one of so many cases has occurred.
    pub(super) fn one_in(&mut self, cases: u64) -> bool {
        self.below(cases) == 0
    }

    /// A UUID of version 4. Read as one of version 7, it would be of a year to come: no service
    /// takes a message with this id for an old one.
    pub(super) fn id(&mut self) -> Uuid {
        let (high, low) = (u128::from(self.next()), u128::from(self.next()));
        let bits = (high << 64) | low | (1 << 127);
        Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
    }
}
