//! What the other side said to one attempt, and what follows. Promise: a delivery is given up at
//! once only where the other side says that trying again is no use, and never for our own fault.

use std::time::Duration;

use chrono::{DateTime, Utc};
use shared_events::text::visible;

use crate::domain::{
    schedule::Schedule,
    smtp::{Fault, Step, fault},
};

/// The most characters of an answer that are kept.
const TEXT_CHARS_MAX: usize = 200;
/// A receiver that asks for a longer pause is asked again after this one all the same: news that
/// are older are history.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3_600);

/// How one attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The other side has it.
    Arrived,
    /// It may have it later.
    NotNow,
    /// It never will.
    Never,
}

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) verdict: Verdict,
    /// The HTTP status or SMTP code, where there was an answer.
    pub(crate) status: Option<u16>,
    /// What a mail server said, or why nobody said anything: one line, shortened. Empty for a
    /// webhook: what a server inside the bank's network answers is for nobody who lists deliveries.
    pub(crate) text: String,
    /// The least wait that the other side asks for.
    pub(crate) retry_after: Option<Duration>,
    /// The receiver says that it is gone for good.
    pub(crate) is_gone: bool,
    /// The mail server refuses the bank, whoever the letter is for.
    pub(crate) refuses_bank: bool,
}

impl Answer {
    fn new(verdict: Verdict, status: Option<u16>, text: &str) -> Self {
        Self {
            verdict,
            status,
            text: shortened(text),
            retry_after: None,
            is_gone: false,
            refuses_bank: false,
        }
    }

    /// What a webhook answered. 2xx: it has it. 410 Gone: it wants no more, ever.
    pub(crate) fn of_http(status: u16, retry_after: Option<Duration>) -> Self {
        let verdict = match status {
            200..=299 => Verdict::Arrived,
            410 => Verdict::Never,
            _ => Verdict::NotNow,
        };
        let retry_after = retry_after.filter(|_| verdict == Verdict::NotNow);
        Self { retry_after, is_gone: status == 410, ..Self::new(verdict, Some(status), "") }
    }

    /// What a mail server replied at this step. 2xx: it has it. 5xx: whose fault it is decides.
    pub(crate) fn of_smtp(step: Step, code: u16, text: &str) -> Self {
        let fault = fault(step, code, text);
        let verdict = match (code, fault) {
            (200..=299, _) => Verdict::Arrived,
            (_, Fault::Recipient) => Verdict::Never,
            (_, Fault::Bank | Fault::Nobody) => Verdict::NotNow,
        };
        let refuses_bank = fault == Fault::Bank;
        Self { refuses_bank, ..Self::new(verdict, Some(code), text) }
    }

    /// There was no answer, for this reason.
    pub(crate) fn unreachable(why: &str) -> Self {
        Self::new(Verdict::NotNow, None, why)
    }

    /// It cannot even be sent, for this reason.
    pub(crate) fn unsendable(why: &str) -> Self {
        Self::new(Verdict::Never, None, why)
    }

    /// What is kept as the delivery's last error.
    pub(crate) fn error(&self) -> String {
        match self.status {
            Some(status) => format!("{status} {}", self.text).trim_end().to_owned(),
            None => self.text.clone(),
        }
    }
}

/// The header `Retry-After` (RFC 9110, 10.2.3): seconds, or a date. Nothing where it is neither.
pub(crate) fn retry_after(header: &str, now: DateTime<Utc>) -> Option<Duration> {
    let header = header.trim();
    let asked = match header.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        // Seconds of more digits than a number can have are still seconds.
        Err(_) if !header.is_empty() && header.bytes().all(|b| b.is_ascii_digit()) => Duration::MAX,
        Err(_) => {
            let date = DateTime::<Utc>::from(httpdate::parse_http_date(header).ok()?);
            (date - now).to_std().unwrap_or_default()
        }
    };
    Some(asked.min(RETRY_AFTER_MAX))
}

/// What becomes of a delivery after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Succeeded,
    Again { after: Duration },
    Failed,
}

/// What follows attempt `number` of the schedule, from 1. `chance` is -1 to 1.
pub(crate) fn next(answer: &Answer, number: i32, schedule: &Schedule, chance: f64) -> Next {
    match answer.verdict {
        Verdict::Arrived => Next::Succeeded,
        Verdict::Never => Next::Failed,
        Verdict::NotNow => match schedule.delay_before(number.saturating_add(1), chance) {
            Some(delay) => Next::Again { after: delay.max(answer.retry_after.unwrap_or_default()) },
            None => Next::Failed,
        },
    }
}

/// One line of bounded length and visible characters, which a database and a log can hold.
fn shortened(text: &str) -> String {
    let text = visible(text);
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AN_HOUR: Duration = Duration::from_secs(3_600);

    #[test]
    fn of_webhooks_only_one_that_is_gone_is_given_up_at_once() {
        use Verdict::{Arrived, Never, NotNow};
        for (status, then) in [
            (200, Arrived),
            (204, Arrived),
            (301, NotNow),
            (400, NotNow),
            (404, NotNow),
            (410, Never),
            (429, NotNow),
            (503, NotNow),
        ] {
            let answer = Answer::of_http(status, None);
            assert_eq!((answer.verdict, answer.is_gone), (then, status == 410), "HTTP {status}");
        }
    }

    #[test]
    fn after_the_last_attempt_a_delivery_has_failed() {
        let schedule = Schedule::default();
        let again = |seconds| Next::Again { after: Duration::from_secs(seconds) };
        for (verdict, number, then) in [
            (Verdict::Arrived, 3, Next::Succeeded),
            (Verdict::NotNow, 1, again(5)),
            (Verdict::NotNow, 7, again(50_400)),
            (Verdict::NotNow, 8, Next::Failed),
            (Verdict::NotNow, i32::MAX, Next::Failed),
            (Verdict::Never, 1, Next::Failed),
        ] {
            let answer = Answer::new(verdict, None, "");
            assert_eq!(next(&answer, number, &schedule, 0.0), then, "{verdict:?} {number}");
        }
    }

    #[test]
    fn the_wait_that_a_receiver_asks_for_is_the_least() {
        let schedule = Schedule::default();
        let wait = |number, asked| next(&Answer::of_http(503, Some(asked)), number, &schedule, 0.0);
        assert_eq!(wait(1, AN_HOUR), Next::Again { after: AN_HOUR });
        assert_eq!(wait(7, AN_HOUR), Next::Again { after: Duration::from_secs(50_400) });
        assert_eq!(wait(8, AN_HOUR), Next::Failed, "it adds no attempt");
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

    #[test]
    fn an_answer_is_one_short_line_of_visible_characters() {
        let answer = Answer::of_smtp(Step::Content, 451, "a\0b\r\n\t c\u{2028}d\u{202e}");
        let error = answer.error();
        assert!(error.starts_with("451 a"), "{error}");
        assert!(!error.contains(['\0', '\r', '\n', '\t', '\u{7}', '\u{2028}', '\u{202e}']));
        assert_eq!(Answer::unreachable(&"x".repeat(1_000)).text.len(), TEXT_CHARS_MAX);
        assert_eq!(Answer::of_http(502, None).error(), "502");
    }
}
