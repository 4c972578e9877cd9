//! Lists the access log. Promise: a page is in the order of time, and a reader that follows `next`
//! sees each entry once, but for those of the last seconds: an entry has the time at which its
//! query was taken up, and is stored when the query is answered.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{
    AccessLogRequest,
    repo::{self, Between},
};
use crate::{
    access_log::{ACCESS_LOG_PAGE_MAX, AccessLogListed, ListAccessLog},
    ids::AccessEntryId,
    messaging::handler::Event,
    page::page,
};

/// The items of a page, if the query names no number.
const PAGE_DEFAULT: u32 = 100;
/// The milliseconds that an id has room for.
const MILLISECONDS_MAX: i64 = (1 << 48) - 1;

/// Handles the queries about the access log of one service.
pub(crate) struct AccessLogHandler {
    pub(crate) service: &'static str,
}

/// The entries that a query means, by their ids.
fn between(query: &ListAccessLog) -> Between {
    let since = query.since.map_or(Uuid::nil(), first_id);
    let after = query.after.map_or(Uuid::nil(), AccessEntryId::uuid);
    Between { after: since.max(after), before: query.until.map_or(Uuid::max(), first_id) }
}

/// An id before all that entries of this time or later have, and after all earlier ones.
fn first_id(time: DateTime<Utc>) -> Uuid {
    let whole = time.timestamp_millis();
    let is_whole = time.timestamp_subsec_nanos().is_multiple_of(1_000_000);
    let milliseconds = if is_whole { whole } else { whole.saturating_add(1) };
    let milliseconds = milliseconds.clamp(0, MILLISECONDS_MAX).unsigned_abs();
    Uuid::from_u128(u128::from(milliseconds) << 80)
}

impl AccessLogHandler {
    pub(crate) async fn handle(
        &self,
        connection: &mut PgConnection,
        AccessLogRequest::List(query): &AccessLogRequest,
    ) -> sqlx::Result<Event> {
        let limit = query.limit.unwrap_or(PAGE_DEFAULT).clamp(1, ACCESS_LOG_PAGE_MAX);
        let (between, principal) = (between(query), query.principal.as_deref());
        // One more than the page has room for.
        let rows = i64::from(limit) + 1;
        let found = match (&query.subject, principal) {
            (Some(subject), principal) => {
                repo::about_in_tx(connection, between, (subject, principal), rows).await?
            }
            (None, Some(principal)) => {
                repo::of_principal_in_tx(connection, between, principal, rows).await?
            }
            (None, None) => repo::all_in_tx(connection, between, rows).await?,
        };
        let (entries, more) = page(found, limit as usize);
        let next = entries.last().filter(|_| more).map(|entry| entry.entry_id);
        Ok(Event::owned(self.service, &AccessLogListed { entries, next }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    /// An id of this time, as the service makes it.
    fn id_at(text: &str) -> Uuid {
        let milliseconds = time(text).timestamp_millis().unsigned_abs();
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0; 10]).into_uuid()
    }

    #[test]
    fn a_time_lies_between_the_ids_before_it_and_its_own() {
        for (bound, before, own) in [
            ("2026-11-22T10:00:00Z", "2026-11-22T09:59:59.999Z", "2026-11-22T10:00:00Z"),
            ("2026-11-22T10:00:00.0005Z", "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.001Z"),
        ] {
            let bound = first_id(time(bound));
            assert!(id_at(before) < bound && bound < id_at(own), "{bound}");
        }
        assert_eq!(first_id(time("1900-01-01T00:00:00Z")), Uuid::nil());
        assert!(first_id(DateTime::<Utc>::MAX_UTC) > id_at("9999-12-31T23:59:59Z"));
    }

    #[test]
    fn a_page_begins_after_the_last_one_and_within_the_time() {
        let (early, late) = (id_at("2026-11-22T10:00:00Z"), id_at("2026-11-23T10:00:00Z"));
        let noon = time("2026-11-22T12:00:00Z");
        let query = |since, after: Uuid| ListAccessLog {
            since,
            after: Some(AccessEntryId(after)),
            ..ListAccessLog::default()
        };
        assert_eq!(between(&query(Some(noon), late)).after, late);
        assert_eq!(between(&query(Some(noon), early)).after, first_id(noon));
        assert_eq!(between(&query(None, early)).after, early);
        let all = Between { after: Uuid::nil(), before: Uuid::max() };
        assert_eq!(between(&ListAccessLog::default()), all);
    }
}
