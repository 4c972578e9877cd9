//! What is sent again by command. Promise: a span of time that says nothing is refused by the name
//! of its field.

use chrono::{DateTime, Utc};
use shared_events::{
    AccountId,
    ids::DeliveryId,
    notifications::{Channel, RecoverDeliveries},
};
use uuid::Uuid;

/// Which failed deliveries are sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recovery {
    pub(crate) account_id: Option<AccountId>,
    pub(crate) channel: Option<Channel>,
    /// The first one that may be meant, and the first one that is not any more.
    pub(crate) since: DeliveryId,
    pub(crate) until: DeliveryId,
}

/// The end of a span of time that does not come after its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be later than since")]
pub(crate) struct InvalidSpan;

impl Recovery {
    /// Checks what is asked for. Without an end, it is the whole time until now and after.
    pub(crate) fn try_new(asked: &RecoverDeliveries) -> Result<Self, InvalidSpan> {
        let since = first_id_of(asked.since);
        let until = asked.until.map_or(Uuid::max(), first_id_of);
        if until <= since {
            return Err(InvalidSpan);
        }
        let (account_id, channel) = (asked.account_id, asked.channel);
        let (since, until) = (DeliveryId(since), DeliveryId(until));
        Ok(Self { account_id, channel, since, until })
    }
}

/// The least id that what is made of an event of this time can have.
pub(crate) fn first_id_of(time: DateTime<Utc>) -> Uuid {
    let millis = u128::try_from(time.timestamp_millis()).unwrap_or_default();
    // An id has 48 bits for the time.
    Uuid::from_u128(millis.min(0xffff_ffff_ffff) << 80)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_time_is_a_span_of_ids() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect(text);
        let id = Uuid::now_v7();
        let (seconds, nanos) = id.get_timestamp().expect("a time").to_unix();
        let made = DateTime::from_timestamp(i64::try_from(seconds).expect("small"), nanos);
        let made = made.expect("an instant");
        assert!(
            first_id_of(made) <= id && id < first_id_of(made + chrono::TimeDelta::milliseconds(1))
        );
        let asked = |since: &str, until: Option<&str>| RecoverDeliveries {
            account_id: None,
            channel: None,
            since: at(since),
            until: until.map(at),
        };
        for (since, until, fits) in [
            ("2026-11-22T10:00:00Z", None, true),
            ("2026-11-22T10:00:00Z", Some("2026-11-22T10:00:01Z"), true),
            ("2026-11-22T10:00:00Z", Some("2026-11-22T10:00:00Z"), false),
            ("2026-11-22T10:00:00Z", Some("2026-11-21T10:00:00Z"), false),
            ("1900-01-01T00:00:00Z", Some("2026-11-21T10:00:00Z"), true),
            ("+262142-01-01T00:00:00Z", None, true),
        ] {
            assert_eq!(Recovery::try_new(&asked(since, until)).is_ok(), fits, "{since} {until:?}");
        }
    }
}
