//! The failed deliveries that a command sends again.

use chrono::{DateTime, Utc};
use shared_events::{AccountId, ids::DeliveryId};
use uuid::Uuid;

use crate::{ids::first_id_of, recipients::Channel};

/// The filters of a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recovery {
    pub(crate) account_id: Option<AccountId>,
    pub(crate) channel: Option<Channel>,
    /// The first delivery id of the time span, and the first one after the span.
    pub(crate) since: DeliveryId,
    pub(crate) until: DeliveryId,
}

/// The end of a time span does not come after its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be later than since")]
pub(crate) struct InvalidSpan;

impl Recovery {
    /// Checks the time span. Without an end, the span has no bound.
    pub(crate) fn try_new(
        account_id: Option<AccountId>,
        channel: Option<Channel>,
        since: DateTime<Utc>,
        until: Option<DateTime<Utc>>,
    ) -> Result<Self, InvalidSpan> {
        let since = first_id_of(since);
        let until = until.map_or(Uuid::max(), first_id_of);
        if until <= since {
            return Err(InvalidSpan);
        }
        let (since, until) = (DeliveryId(since), DeliveryId(until));
        Ok(Self { account_id, channel, since, until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_span_ends_after_its_start() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect(text);
        for (since, until, fits) in [
            ("2026-11-22T10:00:00Z", None, true),
            ("2026-11-22T10:00:00Z", Some("2026-11-22T10:00:01Z"), true),
            ("2026-11-22T10:00:00Z", Some("2026-11-22T10:00:00Z"), false),
            ("2026-11-22T10:00:00Z", Some("2026-11-21T10:00:00Z"), false),
            ("1900-01-01T00:00:00Z", Some("2026-11-21T10:00:00Z"), true),
            ("+262142-01-01T00:00:00Z", None, true),
        ] {
            let recovery = Recovery::try_new(None, None, at(since), until.map(at));
            assert_eq!(recovery.is_ok(), fits, "{since} {until:?}");
        }
    }
}
