//! What the statements of each service say together. Promise: of all statements that are more than
//! 5 seconds apart the later one has no shorter chain, and a place of a chain has one hash in all
//! statements, in whatever order they arrive.
//!
//! Statements are compared by their own instants and not by their arrival: the event of an instance
//! that died is announced by another one, later. Instances have clocks of their own, so statements
//! within a few seconds may be of either order.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use shared_events::evidence::{ChainEnds, Hash256, StatedEnd};

/// How far the clocks of a service's instances may differ.
const CLOCKS_DIFFER_MAX: TimeDelta = TimeDelta::seconds(5);

/// All that each service has stated.
#[derive(Debug, Default)]
pub(super) struct StatedHistory(BTreeMap<String, OfService>);

#[derive(Debug)]
struct OfService {
    latest: DateTime<Utc>,
    chains: BTreeMap<i16, Chain>,
}

/// The places of a chain at which it was stated to end.
#[derive(Debug, Default)]
struct Chain(BTreeMap<i64, Stated>);

/// What was stated of one place.
#[derive(Clone, Copy, Debug)]
struct Stated {
    hash: Hash256,
    /// The earliest statement of it: later ones have no shorter chain.
    first: DateTime<Utc>,
    /// The latest statement of it: earlier ones have no longer chain.
    last: DateTime<Utc>,
}

impl StatedHistory {
    /// Adds a statement. Returns whether it is later than all before of its service, or what it
    /// contradicts.
    pub(super) fn add(&mut self, stated: &ChainEnds) -> Result<bool, String> {
        let at = stated.at();
        let Some(known) = self.0.get_mut(stated.service()) else {
            let mut new = OfService { latest: at, chains: BTreeMap::new() };
            new.keep(stated);
            self.0.insert(stated.service().to_owned(), new);
            return Ok(true);
        };
        known.check(stated)?;
        known.keep(stated);
        let is_latest = at > known.latest;
        known.latest = known.latest.max(at);
        Ok(is_latest)
    }
}

impl OfService {
    fn check(&self, stated: &ChainEnds) -> Result<(), String> {
        let at = stated.at();
        for (chain, known) in &self.chains {
            match stated.ends().iter().find(|end| end.chain == *chain) {
                Some(end) => known.check(end, at)?,
                None => known.check_gone(*chain, at)?,
            }
        }
        Ok(())
    }

    fn keep(&mut self, stated: &ChainEnds) {
        for end in stated.ends() {
            self.chains.entry(end.chain).or_default().keep(end, stated.at());
        }
    }
}

impl Chain {
    /// Checks the end of a statement against all before. Places next to it are enough: those
    /// beyond fit them.
    fn check(&self, end: &StatedEnd, at: DateTime<Utc>) -> Result<(), String> {
        let &StatedEnd { chain, place, hash } = end;
        if let Some(known) = self.0.get(&place)
            && known.hash != hash
        {
            return Err(format!(
                "chain {chain} has another record at place {place}: its hash was {} at {}, and is \
                 {hash} at {}",
                known.hash,
                known.first.to_rfc3339(),
                at.to_rfc3339()
            ));
        }
        for (longer, known) in self.0.range(place.saturating_add(1)..) {
            if at > known.first + CLOCKS_DIFFER_MAX {
                return Err(became_shorter(chain, (*longer, known.first), (place, at)));
            }
            if at <= known.last {
                break;
            }
        }
        for (shorter, known) in self.0.range(..place).rev() {
            if known.last > at + CLOCKS_DIFFER_MAX {
                return Err(became_shorter(chain, (place, at), (*shorter, known.last)));
            }
            if known.first <= at {
                break;
            }
        }
        Ok(())
    }

    /// Checks a statement that does not have the chain: the chain may have been added after it.
    fn check_gone(&self, chain: i16, at: DateTime<Utc>) -> Result<(), String> {
        match self.0.values().map(|known| known.first).min() {
            Some(first) if at > first + CLOCKS_DIFFER_MAX => Err(format!(
                "chain {chain} was there at {}, and is gone at {}",
                first.to_rfc3339(),
                at.to_rfc3339()
            )),
            _ => Ok(()),
        }
    }

    fn keep(&mut self, end: &StatedEnd, at: DateTime<Utc>) {
        let new = Stated { hash: end.hash, first: at, last: at };
        let known = self.0.entry(end.place).or_insert(new);
        known.first = known.first.min(at);
        known.last = known.last.max(at);
    }
}

/// A chain's places and when each was stated, the earlier one first.
fn became_shorter(
    chain: i16,
    (early, earlier): (i64, DateTime<Utc>),
    (late, later): (i64, DateTime<Utc>),
) -> String {
    let (earlier, later) = (earlier.to_rfc3339(), later.to_rfc3339());
    format!(
        "chain {chain} became shorter: it had {early} records at {earlier}, and has {late} at \
         {later}"
    )
}
