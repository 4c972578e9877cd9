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

    /// The same result, whose text quotes neither this e-mail address nor another: texts are
    /// announced to everybody who may hear of deliveries.
    pub(crate) fn without_address(self, address: &str) -> Self {
        let user = address.rsplit_once('@').map_or(address, |(user, _)| user).to_lowercase();
        let text = self.text.split(' ').map(|word| match quotes(word, &user) {
            true => ADDRESS,
            false => word,
        });
        Self { text: shortened(&text.collect::<Vec<_>>().join(" ")), ..self }
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

/// Whether a word of a mail server's text is an address, or the part before the `@` of one.
fn quotes(word: &str, user: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || ".!#$%&*+/=?^_{}|~-".contains(c);
    let mut parts = word.split(|c: char| !is_part(c)).map(|part| part.trim_end_matches('.'));
    word.contains('@') || parts.any(|part| part.to_lowercase() == user)
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
            ("", ""),
        ] {
            let result = AttemptResult::new(AttemptOutcome::Permanent, Some(550), text);
            assert_eq!(result.without_address("zdenka@example.com").text, then);
        }
        let many = AttemptResult::unreachable(&"a@b ".repeat(75));
        assert_eq!(many.without_address("a@b").text.chars().count(), TEXT_CHARS_MAX);
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
