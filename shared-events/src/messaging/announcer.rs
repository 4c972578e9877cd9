//! The events of a service, as it announces them. Promise: no handler and no job announces a
//! version that the configuration has retired, and each retired version has a successor.

use std::{collections::BTreeSet, sync::Arc};

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;

use super::{handler::Event, outbox::Cause};
use crate::{
    catalogue::{self, PUBLISHED},
    envelope::Envelope,
    message::Kind,
    topology::owner_of,
};

/// The versions of events that a service does not announce any more.
#[derive(Clone, Debug, Default)]
pub struct RetiredEvents(Arc<BTreeSet<&'static str>>);

/// A type that cannot be retired.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind:?} is no event of this service with a later version")]
pub struct NotRetirable {
    /// The type.
    pub kind: String,
}

impl RetiredEvents {
    /// The types of a list, as the configuration of `service` names them, separated by spaces.
    ///
    /// # Errors
    /// The first type that is no event of the service, or the latest version of one: without it
    /// nobody would hear of the fact.
    pub fn parse(service: &str, list: &str) -> Result<Self, NotRetirable> {
        let retired = list.split_whitespace().map(|kind| {
            let found = catalogue::find(kind).filter(|entry| {
                let is_own = owner_of(kind) == Some(service) && entry.kind == Kind::Event;
                is_own && has_successor(kind)
            });
            found.map(|entry| entry.kind_name).ok_or(NotRetirable { kind: kind.to_owned() })
        });
        Ok(Self(Arc::new(retired.collect::<Result<_, _>>()?)))
    }
}

/// Whether a later version of a type is published.
fn has_successor(kind: &str) -> bool {
    let parts = |kind: &'_ str| {
        let (stem, version) = kind.rsplit_once(".v")?;
        Some((stem.to_owned(), version.parse::<u32>().ok()?))
    };
    let Some((stem, version)) = parts(kind) else { return false };
    let later = |(other, later): (String, u32)| other == stem && later > version;
    PUBLISHED.iter().filter_map(|entry| parts(entry.kind_name)).any(later)
}

/// Puts the events of one service into envelopes.
#[derive(Clone, Debug)]
pub(crate) struct Announcer {
    /// The service as the source of events: `/ledger`.
    pub(crate) source: String,
    pub(crate) retired: RetiredEvents,
}

impl Announcer {
    /// The event to announce; none of a retired version.
    pub(crate) fn announce(
        &self,
        cause: &Cause,
        now: DateTime<Utc>,
        event: Event,
    ) -> Option<Envelope<Box<RawValue>>> {
        let is_retired = self.retired.0.contains(event.kind);
        (!is_retired).then(|| cause.wrap(&self.source, now, event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        accounts::{AccountOpened, v1},
        ids::{CorrelationId, MessageId},
        message::Message as _,
    };

    #[test]
    fn versions_with_a_successor_are_retired_and_no_others() {
        let old = v1::AccountOpened::TYPE;
        let retired = RetiredEvents::parse("accounts", &format!(" {old}\n")).expect("a successor");
        assert!(retired.0.contains(old));
        assert!(RetiredEvents::parse("accounts", "").expect("nothing").0.is_empty());
        for (service, kind) in [
            ("accounts", AccountOpened::TYPE),
            ("accounts", "accounts.account.closed.v1"),
            ("accounts", "accounts.account.opened.v0"),
            ("accounts", "accounts.account.open.v1"),
            ("ledger", old),
        ] {
            let refused = RetiredEvents::parse(service, kind).expect_err(kind);
            assert_eq!(refused, NotRetirable { kind: kind.to_owned() });
        }
    }

    #[test]
    fn a_retired_version_is_not_announced() {
        let retired = RetiredEvents::parse("accounts", v1::HolderUpdated::TYPE).expect("retired");
        let announcer = Announcer { source: "/accounts".to_owned(), retired };
        let id = MessageId::new();
        let correlation = CorrelationId(id.uuid());
        let cause = Cause { id, correlation, traceparent: None, actor: None };
        let announced = |kind: &'static str| {
            let event = Event::of_type(kind, String::new(), &serde_json::json!({}));
            announcer.announce(&cause, Utc::now(), event).map(|envelope| envelope.kind)
        };
        assert_eq!(announced(v1::HolderUpdated::TYPE), None);
        assert_eq!(announced(v1::AccountOpened::TYPE).as_deref(), Some(v1::AccountOpened::TYPE));
    }
}
