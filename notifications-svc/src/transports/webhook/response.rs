//! A webhook's answer as the result of an attempt.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::deliveries::{AttemptOutcome, AttemptResult};

/// A receiver that asks for a longer pause gets this one: a notification that is older is history.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3_600);

/// The result of an answer. 2xx: the receiver has the notification. 410 Gone: the receiver wants no
/// more, ever.
pub(super) fn attempt_result(status: u16, retry_after: Option<Duration>) -> AttemptResult {
    let outcome = match status {
        200..=299 => AttemptOutcome::Delivered,
        410 => AttemptOutcome::Permanent,
        _ => AttemptOutcome::Retryable,
    };
    let retry_after = retry_after.filter(|_| outcome == AttemptOutcome::Retryable);
    let is_gone = status == 410;
    AttemptResult { retry_after, is_gone, ..AttemptResult::new(outcome, Some(status), "") }
}

/// The header `Retry-After` (RFC 9110, 10.2.3): seconds, or a date. `None` for any
/// other value.
pub(super) fn retry_after(header: &str, now: DateTime<Utc>) -> Option<Duration> {
    let header = header.trim();
    let pause = match header.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        // Seconds of more digits than a number can have are still seconds.
        Err(_) if !header.is_empty() && header.bytes().all(|b| b.is_ascii_digit()) => Duration::MAX,
        Err(_) => {
            let date = DateTime::<Utc>::from(httpdate::parse_http_date(header).ok()?);
            (date - now).to_std().unwrap_or_default()
        }
    };
    Some(pause.min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_webhook_that_is_gone_is_given_up_at_once() {
        use AttemptOutcome::{Delivered, Permanent, Retryable};
        for (status, then) in [
            (200, Delivered),
            (204, Delivered),
            (301, Retryable),
            (400, Retryable),
            (404, Retryable),
            (410, Permanent),
            (429, Retryable),
            (503, Retryable),
        ] {
            let result = attempt_result(status, None);
            assert_eq!((result.outcome, result.is_gone), (then, status == 410), "HTTP {status}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_bounded() {
        let now = DateTime::from_timestamp(784_111_777, 0).expect("an instant");
        let seconds = |count| Some(Duration::from_secs(count));
        for (header, then) in [
            ("120", seconds(120)),
            (" 0 ", seconds(0)),
            ("99999999", Some(RETRY_AFTER_MAX)),
            ("99999999999999999999999999", Some(RETRY_AFTER_MAX)),
            ("Sun, 06 Nov 1994 08:50:37 GMT", seconds(60)),
            ("Sunday, 06-Nov-94 08:50:37 GMT", seconds(60)),
            ("Sun Nov  6 08:50:37 1994", seconds(60)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", seconds(0)),
            ("Fri, 06 Nov 2093 08:00:00 GMT", Some(RETRY_AFTER_MAX)),
            ("soon", None),
            ("-5", None),
            ("1.5", None),
            ("", None),
        ] {
            assert_eq!(retry_after(header, now), then, "{header:?}");
        }
    }
}
