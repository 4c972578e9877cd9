//! What the statements of each service say together. Promise: of two statements the later one has
//! no shorter chain, and a place of a chain has one hash.
//!
//! Statements are compared by their own instants and not by their arrival: the event of an instance
//! that died is announced by another one, later. Instances have clocks of their own, so statements
//! within a few seconds may be of either order.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use shared_events::evidence::{ChainEnds, StatedEnd};

/// How far the clocks of a service's instances may differ.
const CLOCKS_DIFFER_MAX: TimeDelta = TimeDelta::seconds(5);

/// The latest statement of each service.
#[derive(Debug, Default)]
pub(super) struct StatedHistory(BTreeMap<String, Latest>);

#[derive(Debug)]
struct Latest {
    at: DateTime<Utc>,
    /// The farthest end of each chain.
    ends: BTreeMap<i16, StatedEnd>,
}

impl StatedHistory {
    /// Adds a statement. Returns whether it is the latest of its service, or what it contradicts.
    pub(super) fn add(&mut self, stated: &ChainEnds) -> Result<bool, String> {
        let Some(latest) = self.0.get_mut(stated.service()) else {
            let ends = stated.ends().iter().map(|end| (end.chain, *end)).collect();
            self.0.insert(stated.service().to_owned(), Latest { at: stated.at(), ends });
            return Ok(true);
        };
        latest.check(stated)?;
        latest.advance(stated);
        Ok(latest.at == stated.at())
    }
}

impl Latest {
    fn check(&self, stated: &ChainEnds) -> Result<(), String> {
        let is_later = stated.at() > self.at + CLOCKS_DIFFER_MAX;
        let is_earlier = stated.at() < self.at - CLOCKS_DIFFER_MAX;
        let (at, before) = (stated.at().to_rfc3339(), self.at.to_rfc3339());
        for known in self.ends.values() {
            let chain = known.chain;
            let Some(end) = stated.ends().iter().find(|end| end.chain == chain) else {
                return Err(format!("chain {chain} was there at {before}, and is gone at {at}"));
            };
            let (place, known_place) = (end.place, known.place);
            if place == known_place && end.hash != known.hash {
                return Err(format!(
                    "chain {chain} has another record at place {place}: its hash was {} at \
                     {before}, and is {} at {at}",
                    known.hash, end.hash
                ));
            }
            if is_later && place < known_place || is_earlier && place > known_place {
                let [(early, earlier), (late, later)] = match is_later {
                    true => [(known_place, before), (place, at)],
                    false => [(place, at), (known_place, before)],
                };
                return Err(format!(
                    "chain {chain} became shorter: it had {early} records at {earlier}, and has \
                     {late} at {later}"
                ));
            }
        }
        Ok(())
    }

    fn advance(&mut self, stated: &ChainEnds) {
        self.at = self.at.max(stated.at());
        for end in stated.ends() {
            let known = self.ends.entry(end.chain).or_insert(*end);
            if end.place > known.place {
                *known = *end;
            }
        }
    }
}
