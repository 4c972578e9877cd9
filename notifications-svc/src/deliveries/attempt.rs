//! The result of an attempt, and the step that follows. Promise: a delivery is given up at once
//! only where the receiver says that another attempt is of no use, and never for a fault of the
//! bank.

use std::time::Duration;

use shared_events::text::visible;

use super::schedule::Schedule;

/// The most characters of a receiver's text that are kept.
const TEXT_CHARS_MAX: usize = 200;
/// The word in place of an address.
const ADDRESS: &str = "(address)";

/// The outcome of one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptOutcome {
    /// The receiver has the notification.
    Delivered,
    /// A later attempt may succeed.
    Retryable,
    /// No later attempt can succeed.
    Permanent,
}

impl AttemptOutcome {
    /// The name in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "succeeded",
            Self::Retryable => "failed",
            Self::Permanent => "refused",
        }
    }
}

/// The result of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AttemptResult {
    pub(crate) outcome: AttemptOutcome,
    /// The HTTP status or SMTP code, where there was an answer.
    pub(crate) status: Option<u16>,
    /// The text of a mail server, or the reason for a missing answer: one line, shortened. Empty
    /// for a webhook: people who list deliveries must not read answers from inside the bank's
    /// network.
    pub(crate) text: String,
    /// The least pause that the receiver asks for.
    pub(crate) retry_after: Option<Duration>,
    /// The receiver does not exist any more.
    pub(crate) is_gone: bool,
    /// The mail server refuses the bank as such, for any recipient.
    pub(crate) refuses_bank: bool,
}

impl AttemptResult {
    /// A result without special circumstances.
    pub(crate) fn new(outcome: AttemptOutcome, status: Option<u16>, text: &str) -> Self {
        Self {
            outcome,
            status,
            text: shortened(text),
            retry_after: None,
            is_gone: false,
            refuses_bank: false,
        }
    }

    /// The receiver did not answer, for this reason.
    pub(crate) fn unreachable(reason: &str) -> Self {
        Self::new(AttemptOutcome::Retryable, None, reason)
    }

    /// The notification cannot be sent at all, for this reason.
    pub(crate) fn unsendable(reason: &str) -> Self {
        Self::new(AttemptOutcome::Permanent, None, reason)
    }

    /// The text that is kept as the delivery's last error.
    pub(crate) fn error(&self) -> String {
        match self.status {
            Some(status) => format!("{status} {}", self.text).trim_end().to_owned(),
            None => self.text.clone(),
        }
    }
}

/// The step after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NextStep {
    Succeeded,
    Retry { after: Duration },
    Failed,
}

/// The step after attempt `number` of the schedule, from 1. `chance` is -1 to 1.
pub(crate) fn next_step(
    result: &AttemptResult,
    number: i32,
    schedule: &Schedule,
    chance: f64,
) -> NextStep {
    match result.outcome {
        AttemptOutcome::Delivered => NextStep::Succeeded,
        AttemptOutcome::Permanent => NextStep::Failed,
        AttemptOutcome::Retryable => {
            match schedule.delay_before(number.saturating_add(1), chance) {
                Some(delay) => {
                    let least = result.retry_after.unwrap_or_default();
                    NextStep::Retry { after: delay.max(least) }
                }
                None => NextStep::Failed,
            }
        }
    }
}

/// A mail server's text without this e-mail address and without any other: the text is announced to
/// everybody who may hear of deliveries.
pub(crate) fn without_address(text: &str, address: &str) -> String {
    let user = address.rsplit_once('@').map_or(address, |(user, _)| user).to_lowercase();
    let words = text.split_whitespace().map(|word| match quotes(word, &user) {
        true => ADDRESS,
        false => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether a word is an address, or has the part before the `@` of one: as a whole, or without what
/// follows a `+` (RFC 5233).
fn quotes(word: &str, user: &str) -> bool {
    let base = user.split('+').next().unwrap_or(user);
    let is_part = |c: char| c.is_alphanumeric() || "._~-".contains(c);
    let lower = word.to_lowercase();
    let mut parts = lower.split(|c: char| !is_part(c)).map(|part| part.trim_end_matches('.'));
    lower.contains('@')
        || lower.contains(user) && user.contains('+')
        || parts.any(|part| part == base)
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
    fn after_the_last_attempt_a_delivery_has_failed() {
        let schedule = Schedule::default();
        let retry = |seconds| NextStep::Retry { after: Duration::from_secs(seconds) };
        for (outcome, number, then) in [
            (AttemptOutcome::Delivered, 3, NextStep::Succeeded),
            (AttemptOutcome::Retryable, 1, retry(5)),
            (AttemptOutcome::Retryable, 7, retry(50_400)),
            (AttemptOutcome::Retryable, 8, NextStep::Failed),
            (AttemptOutcome::Retryable, i32::MAX, NextStep::Failed),
            (AttemptOutcome::Permanent, 1, NextStep::Failed),
        ] {
            let result = AttemptResult::new(outcome, None, "");
            assert_eq!(next_step(&result, number, &schedule, 0.0), then, "{outcome:?} {number}");
        }
    }

    #[test]
    fn the_pause_that_a_receiver_asks_for_is_the_least() {
        let schedule = Schedule::default();
        let step = |number| {
            let retry_after = Some(AN_HOUR);
            let result = AttemptResult { retry_after, ..AttemptResult::unreachable("") };
            next_step(&result, number, &schedule, 0.0)
        };
        assert_eq!(step(1), NextStep::Retry { after: AN_HOUR });
        assert_eq!(step(7), NextStep::Retry { after: Duration::from_secs(50_400) });
        assert_eq!(step(8), NextStep::Failed, "the pause adds no attempt");
    }

    #[test]
    fn a_text_quotes_no_address() {
        for (text, then) in [
            ("5.1.1 <Zdenka@example.com>: user unknown", "5.1.1 (address) user unknown"),
            ("5.1.1 no such user: zdenka.", "5.1.1 no such user: (address)"),
            ("no mailbox for 'ZDENKA' here", "no mailbox for (address) here"),
            ("relayed for postmaster@other.example", "relayed for (address)"),
            ("4.2.2 mailbox zdenka-old full", "4.2.2 mailbox zdenka-old full"),
            ("bounce+zdenka=example.com rejected", "(address) rejected"),
            ("", ""),
        ] {
            assert_eq!(without_address(text, "zdenka@example.com"), then);
            assert_eq!(without_address(text, "zdenka+bank@example.com"), then);
        }
        let plain = without_address("no mailbox zdenka+bank", "zdenka+bank@example.com");
        assert_eq!(plain, "no mailbox (address)");
    }

    #[test]
    fn a_text_is_one_short_line_of_visible_characters() {
        let text = "a\0b\r\n\t c\u{2028}d\u{202e}";
        let error = AttemptResult::new(AttemptOutcome::Retryable, Some(451), text).error();
        assert!(error.starts_with("451 a"), "{error}");
        assert!(!error.contains(['\0', '\r', '\n', '\t', '\u{7}', '\u{2028}', '\u{202e}']));
        assert_eq!(AttemptResult::unreachable(&"x".repeat(1_000)).text.len(), TEXT_CHARS_MAX);
        let empty = AttemptResult::new(AttemptOutcome::Retryable, Some(502), "");
        assert_eq!(empty.error(), "502");
    }
}
