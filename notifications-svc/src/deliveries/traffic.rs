//! Who may be written to at the moment. Promise: a receiver that is slow, or that hangs, holds up
//! nobody but itself: each host and each account has a cap, and hosts that are slow, or that nobody
//! knows yet, share a part of the slots that they cannot leave.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    time::{Duration, Instant},
};

use shared_events::{AccountId, ids::DeliveryId};

/// An attempt that took longer was slow, however it ended.
const SLOW_ATTEMPT: Duration = Duration::from_secs(3);
/// A host that was fast before may be slow so many times in a row before it is set apart.
const SLOW_IN_A_ROW_MAX: u32 = 3;
/// A host that is slow is sent one delivery at a time.
const PER_SLOW_PLACE_MAX: usize = 1;
/// How many hosts and pauses are remembered. Whoever is forgotten is new again, and loses nothing.
const REMEMBERED_MAX: usize = 10_000;

/// How many deliveries of one channel may be under way at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) in_all: usize,
    /// To hosts that are new or slow, together.
    pub(crate) apart: usize,
    /// To hosts that are slow, together.
    pub(crate) slow: usize,
    pub(crate) per_place: usize,
    pub(crate) per_account: usize,
}

/// A delivery that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) delivery_id: DeliveryId,
    pub(crate) account_id: AccountId,
    /// The host of the webhook, the domain of the address; empty where there is none.
    pub(crate) place: String,
}

/// What not to look for, because it could not be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Closed {
    pub(crate) places: Vec<String>,
    pub(crate) accounts: Vec<AccountId>,
    /// Where given, only these hosts have slots left.
    pub(crate) all_but: Option<Vec<String>>,
}

/// How well a host is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Standing {
    /// It has never answered, or was forgotten.
    #[default]
    New,
    /// It answers in time.
    Proven,
    /// It does not.
    Slow,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    standing: Standing,
    slow_in_a_row: u32,
}

/// The deliveries of one channel that are under way in this process.
#[derive(Debug)]
pub(crate) struct Traffic {
    limits: Limits,
    /// By host, and by account: those that have any.
    to_places: HashMap<String, usize>,
    to_accounts: HashMap<AccountId, usize>,
    known: HashMap<String, Known>,
    /// Accounts whose receiver has asked for a pause.
    pauses: HashMap<AccountId, Instant>,
}

impl Traffic {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            to_places: HashMap::new(),
            to_accounts: HashMap::new(),
            known: HashMap::new(),
            pauses: HashMap::new(),
        }
    }

    /// How many more deliveries may be under way.
    pub(crate) fn room(&self) -> usize {
        self.limits.in_all.saturating_sub(self.to_places.values().sum())
    }

    /// What is not worth looking for.
    pub(crate) fn closed(&mut self, now: Instant) -> Closed {
        self.pauses.retain(|_, until| *until > now);
        let full = self.to_accounts.iter().filter(|(_, count)| **count >= self.limits.per_account);
        let accounts: HashSet<AccountId> =
            full.map(|(account, _)| *account).chain(self.pauses.keys().copied()).collect();
        let busy = self.to_places.keys().chain(self.known.keys());
        let full: HashSet<&String> = busy.filter(|place| !self.has_slot(place)).collect();
        let proven = || {
            let known = self.known.iter().filter(|(_, it)| it.standing == Standing::Proven);
            known.map(|(place, _)| place.clone()).collect()
        };
        Closed {
            places: full.into_iter().cloned().collect(),
            accounts: accounts.into_iter().collect(),
            all_but: (self.apart() >= self.limits.apart).then(proven),
        }
    }

    /// Takes a delivery on, unless its host or account has as many under way as it may.
    pub(crate) fn admit(&mut self, candidate: &Candidate, now: Instant) -> bool {
        let Candidate { account_id, place, .. } = candidate;
        let of_account = self.to_accounts.get(account_id).copied().unwrap_or_default();
        let is_paused = self.pauses.get(account_id).is_some_and(|until| *until > now);
        let admitted = self.room() > 0
            && !is_paused
            && of_account < self.limits.per_account
            && self.has_slot(place)
            && (self.standing(place) == Standing::Proven || self.apart() < self.limits.apart);
        if admitted {
            *self.to_places.entry(place.clone()).or_default() += 1;
            *self.to_accounts.entry(*account_id).or_default() += 1;
        }
        admitted
    }

    /// A delivery that was taken on is not under way, or not any more.
    pub(crate) fn release(&mut self, candidate: &Candidate) {
        count_down(&mut self.to_places, &candidate.place);
        count_down(&mut self.to_accounts, &candidate.account_id);
    }

    /// An attempt has ended after this time.
    pub(crate) fn ended(&mut self, candidate: &Candidate, took: Duration) {
        self.release(candidate);
        self.forget_some();
        let known = self.known.entry(candidate.place.clone()).or_default();
        if took < SLOW_ATTEMPT {
            *known = Known { standing: Standing::Proven, slow_in_a_row: 0 };
            return;
        }
        known.slow_in_a_row += 1;
        if known.standing == Standing::New || known.slow_in_a_row >= SLOW_IN_A_ROW_MAX {
            known.standing = Standing::Slow;
        }
    }

    /// The receiver of an account asks for nothing more until then.
    pub(crate) fn pause(&mut self, account: AccountId, until: Instant) {
        if self.pauses.len() < REMEMBERED_MAX {
            self.pauses.insert(account, until);
        }
    }

    fn standing(&self, place: &str) -> Standing {
        self.known.get(place).map(|known| known.standing).unwrap_or_default()
    }

    /// Whether one more may be under way to this host, as far as it alone is concerned.
    fn has_slot(&self, place: &str) -> bool {
        let under_way = self.to_places.get(place).copied().unwrap_or_default();
        match self.standing(place) {
            Standing::New | Standing::Proven => under_way < self.limits.per_place,
            Standing::Slow => under_way < PER_SLOW_PLACE_MAX && self.slow() < self.limits.slow,
        }
    }

    /// Deliveries under way to hosts that are new or slow.
    fn apart(&self) -> usize {
        self.under_way_to(|standing| standing != Standing::Proven)
    }

    fn slow(&self) -> usize {
        self.under_way_to(|standing| standing == Standing::Slow)
    }

    fn under_way_to(&self, wanted: impl Fn(Standing) -> bool) -> usize {
        let places = self.to_places.iter().filter(|(place, _)| wanted(self.standing(place)));
        places.map(|(_, under_way)| under_way).sum()
    }

    /// Keeps memory bounded: the slow hosts go last.
    fn forget_some(&mut self) {
        if self.known.len() >= REMEMBERED_MAX {
            self.known.retain(|_, known| known.standing == Standing::Slow);
        }
        if self.known.len() >= REMEMBERED_MAX {
            self.known.clear();
        }
    }
}

fn count_down<K: Eq + Hash>(counts: &mut HashMap<K, usize>, of: &K) {
    if let Some(count) = counts.get_mut(of) {
        *count -= 1;
    }
    counts.retain(|_, count| *count > 0);
}

#[cfg(test)]
mod tests;
