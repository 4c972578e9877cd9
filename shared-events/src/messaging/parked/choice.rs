//! Which parked messages a command means. Promise: every name is either found or reported.

use chrono::{DateTime, Utc};

use super::entry::ParkedEntry;
use crate::parked::ChosenParked;

/// The choice of a command, while the queue is looked through.
#[derive(Debug)]
pub(super) struct Choice<'c> {
    /// The names, and whether a message was found by each; all messages without names.
    names: Option<Vec<(&'c str, bool)>>,
    before: Option<DateTime<Utc>>,
    /// Whether the first message by a name is enough.
    only_first: bool,
    /// The service that returns messages: all means all that it can return.
    returning: Option<&'c str>,
}

impl<'c> Choice<'c> {
    pub(super) fn new(chosen: &'c ChosenParked, before: Option<DateTime<Utc>>) -> Self {
        let names = match chosen {
            ChosenParked::All {} => None,
            ChosenParked::Named(names) => {
                Some(names.iter().map(|name| (name.as_str(), false)).collect())
            }
        };
        Self { names, before, only_first: false, returning: None }
    }

    /// A choice for a replay by `service`: all messages are those that go back; a message that is
    /// named and does not is refused by name.
    pub(super) fn returnable(self, service: &'c str) -> Self {
        Self { returning: Some(service), ..self }
    }

    /// The first message with this name.
    pub(super) fn first(name: &'c str) -> Self {
        Self { names: Some(vec![(name, false)]), before: None, only_first: true, returning: None }
    }

    pub(super) fn has(&self, entry: &ParkedEntry) -> bool {
        let is_named = match &self.names {
            None => self.returning.is_none_or(|service| entry.returnable(service).is_ok()),
            Some(names) => names.iter().any(|(name, _)| entry.is_called(name)),
        };
        is_named && self.before.is_none_or(|before| entry.is_before(before))
    }

    /// Notes that a message was found.
    pub(super) fn found(&mut self, entry: &ParkedEntry) {
        for (name, is_found) in self.names.iter_mut().flatten() {
            *is_found |= entry.is_called(name);
        }
    }

    /// Whether no further message is wanted.
    pub(super) fn is_complete(&self) -> bool {
        self.only_first && self.names.iter().flatten().all(|(_, is_found)| *is_found)
    }

    /// The names that no message has.
    pub(super) fn missing(self) -> Vec<String> {
        let names = self.names.into_iter().flatten();
        names.filter(|(_, is_found)| !is_found).map(|(name, _)| name.to_owned()).collect()
    }
}
