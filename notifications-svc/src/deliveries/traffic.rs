//! Caps for the deliveries under way on one channel. Promise: a receiver that is slow, or that
//! hangs, delays nobody but itself: each host and each account has a cap, and hosts that are new or
//! slow share a part of the slots.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    time::{Duration, Instant},
};

use shared_events::{AccountId, ids::DeliveryId};

/// An attempt that took longer was slow, also where it succeeded.
const SLOW_ATTEMPT: Duration = Duration::from_secs(3);
/// A proven host becomes slow after so many slow attempts in a row.
const SLOW_IN_A_ROW_MAX: u32 = 3;
/// A slow host gets one delivery at a time.
const PER_SLOW_HOST_MAX: usize = 1;
/// The most hosts and pauses in memory. A forgotten host is new again, and loses nothing.
const REMEMBERED_MAX: usize = 10_000;

/// The most deliveries of one channel under way at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TrafficLimits {
    pub(crate) total: usize,
    /// To hosts that are new or slow, together.
    pub(crate) unproven: usize,
    /// To hosts that are slow, together.
    pub(crate) slow: usize,
    pub(crate) per_host: usize,
    pub(crate) per_account: usize,
}

/// A delivery that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DueDelivery {
    pub(crate) id: DeliveryId,
    pub(crate) account_id: AccountId,
    /// The host of the webhook, the domain of the address; empty where there is none.
    pub(crate) host: String,
}

/// The hosts and accounts that a search leaves out, because they have no slot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exclusions {
    pub(crate) hosts: Vec<String>,
    pub(crate) accounts: Vec<AccountId>,
    /// Where set, only these hosts have slots left.
    pub(crate) only_hosts: Option<Vec<String>>,
}

/// The experience with a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum HostStanding {
    /// The host has never answered, or was forgotten.
    #[default]
    New,
    /// The host answers in time.
    Proven,
    /// The host does not answer in time.
    Slow,
}

#[derive(Clone, Copy, Debug, Default)]
struct HostRecord {
    standing: HostStanding,
    slow_in_a_row: u32,
}

/// The deliveries of one channel that are under way in this process.
#[derive(Debug)]
pub(crate) struct TrafficControl {
    limits: TrafficLimits,
    /// The number of deliveries under way, by host and by account. Zero has no entry.
    to_hosts: HashMap<String, usize>,
    to_accounts: HashMap<AccountId, usize>,
    records: HashMap<String, HostRecord>,
    /// Accounts whose receiver has asked for a pause.
    pauses: HashMap<AccountId, Instant>,
}

impl TrafficControl {
    pub(crate) fn new(limits: TrafficLimits) -> Self {
        Self {
            limits,
            to_hosts: HashMap::new(),
            to_accounts: HashMap::new(),
            records: HashMap::new(),
            pauses: HashMap::new(),
        }
    }

    /// The number of free slots.
    pub(crate) fn free_slots(&self) -> usize {
        self.limits.total.saturating_sub(self.to_hosts.values().sum())
    }

    /// The hosts and accounts that have no slot now.
    pub(crate) fn exclusions(&mut self, now: Instant) -> Exclusions {
        self.pauses.retain(|_, until| *until > now);
        let full = self.to_accounts.iter().filter(|(_, count)| **count >= self.limits.per_account);
        let accounts: HashSet<AccountId> =
            full.map(|(account, _)| *account).chain(self.pauses.keys().copied()).collect();
        let busy = self.to_hosts.keys().chain(self.records.keys());
        let full: HashSet<&String> = busy.filter(|host| !self.has_slot(host)).collect();
        let proven = || {
            let is_proven = |record: &HostRecord| record.standing == HostStanding::Proven;
            let records = self.records.iter().filter(|(_, record)| is_proven(record));
            records.map(|(host, _)| host.clone()).collect()
        };
        Exclusions {
            hosts: full.into_iter().cloned().collect(),
            accounts: accounts.into_iter().collect(),
            only_hosts: (self.unproven() >= self.limits.unproven).then(proven),
        }
    }

    /// Takes a slot for a delivery, unless its host or account has no slot left.
    pub(crate) fn admit(&mut self, delivery: &DueDelivery, now: Instant) -> bool {
        let DueDelivery { account_id, host, .. } = delivery;
        let of_account = self.to_accounts.get(account_id).copied().unwrap_or_default();
        let is_paused = self.pauses.get(account_id).is_some_and(|until| *until > now);
        let admitted = self.free_slots() > 0
            && !is_paused
            && of_account < self.limits.per_account
            && self.has_slot(host)
            && (self.standing(host) == HostStanding::Proven
                || self.unproven() < self.limits.unproven);
        if admitted {
            *self.to_hosts.entry(host.clone()).or_default() += 1;
            *self.to_accounts.entry(*account_id).or_default() += 1;
        }
        admitted
    }

    /// Gives back the slot of a delivery that is not under way any more, or never was.
    pub(crate) fn release(&mut self, delivery: &DueDelivery) {
        count_down(&mut self.to_hosts, &delivery.host);
        count_down(&mut self.to_accounts, &delivery.account_id);
    }

    /// Notes the end of an attempt that took this time.
    pub(crate) fn end(&mut self, delivery: &DueDelivery, took: Duration) {
        self.release(delivery);
        self.forget_some();
        let record = self.records.entry(delivery.host.clone()).or_default();
        if took < SLOW_ATTEMPT {
            *record = HostRecord { standing: HostStanding::Proven, slow_in_a_row: 0 };
            return;
        }
        record.slow_in_a_row += 1;
        if record.standing == HostStanding::New || record.slow_in_a_row >= SLOW_IN_A_ROW_MAX {
            record.standing = HostStanding::Slow;
        }
    }

    /// Notes that the receiver of an account wants a pause until then.
    pub(crate) fn pause(&mut self, account: AccountId, until: Instant) {
        if self.pauses.len() < REMEMBERED_MAX {
            self.pauses.insert(account, until);
        }
    }

    fn standing(&self, host: &str) -> HostStanding {
        self.records.get(host).map(|record| record.standing).unwrap_or_default()
    }

    /// Whether the host itself has a slot left.
    fn has_slot(&self, host: &str) -> bool {
        let under_way = self.to_hosts.get(host).copied().unwrap_or_default();
        match self.standing(host) {
            HostStanding::New | HostStanding::Proven => under_way < self.limits.per_host,
            HostStanding::Slow => under_way < PER_SLOW_HOST_MAX && self.slow() < self.limits.slow,
        }
    }

    /// The number of deliveries under way to hosts that are new or slow.
    fn unproven(&self) -> usize {
        self.under_way_to(|standing| standing != HostStanding::Proven)
    }

    fn slow(&self) -> usize {
        self.under_way_to(|standing| standing == HostStanding::Slow)
    }

    fn under_way_to(&self, wanted: impl Fn(HostStanding) -> bool) -> usize {
        let hosts = self.to_hosts.iter().filter(|(host, _)| wanted(self.standing(host)));
        hosts.map(|(_, under_way)| under_way).sum()
    }

    /// Keeps memory bounded. Slow hosts are forgotten last.
    fn forget_some(&mut self) {
        if self.records.len() >= REMEMBERED_MAX {
            self.records.retain(|_, record| record.standing == HostStanding::Slow);
        }
        if self.records.len() >= REMEMBERED_MAX {
            self.records.clear();
        }
    }
}

fn count_down<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
    }
    counts.retain(|_, count| *count > 0);
}

#[cfg(test)]
mod tests;
