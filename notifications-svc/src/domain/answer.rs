//! What the other side said to one attempt, and what follows. Promise: a delivery is given up at
//! once only where the other side says that trying again is no use, and never for our own fault.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::schedule::Schedule;

/// The most characters of an answer that are kept.
const TEXT_CHARS_MAX: usize = 200;
/// SMTP codes that refuse us, not the recipient: a wrong password is ours to mend (RFC 4954).
const SMTP_OUR_FAULT: [u16; 4] = [530, 534, 535, 538];

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
    /// What was said, or why nothing was: one line, shortened.
    pub(crate) text: String,
}

impl Answer {
    /// What a webhook answered. 2xx: it has it. 410 Gone: it wants no more.
    pub(crate) fn of_http(status: u16, body: &str) -> Self {
        let verdict = match status {
            200..=299 => Verdict::Arrived,
            410 => Verdict::Never,
            _ => Verdict::NotNow,
        };
        Self { verdict, status: Some(status), text: shortened(body) }
    }

    /// What a mail server answered. 2xx: it has it. 5xx: it refuses this mail for good.
    pub(crate) fn of_smtp(code: u16, text: &str) -> Self {
        let verdict = match code {
            200..=299 => Verdict::Arrived,
            500..=599 if !SMTP_OUR_FAULT.contains(&code) => Verdict::Never,
            _ => Verdict::NotNow,
        };
        Self { verdict, status: Some(code), text: shortened(text) }
    }

    /// There was no answer, for this reason.
    pub(crate) fn unreachable(why: &str) -> Self {
        Self { verdict: Verdict::NotNow, status: None, text: shortened(why) }
    }

    /// It cannot even be sent, for this reason.
    pub(crate) fn unsendable(why: &str) -> Self {
        Self { verdict: Verdict::Never, status: None, text: shortened(why) }
    }

    /// What is kept as the delivery's last error.
    pub(crate) fn error(&self) -> String {
        match self.status {
            Some(status) => format!("{status} {}", self.text).trim_end().to_owned(),
            None => self.text.clone(),
        }
    }
}

/// What becomes of a delivery after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Succeeded,
    Again { at: DateTime<Utc> },
    Failed,
}

/// What follows attempt `number` (from 1) that ended at `now`. `chance` is -1 to 1.
pub(crate) fn next(
    verdict: Verdict,
    number: i32,
    schedule: &Schedule,
    now: DateTime<Utc>,
    chance: f64,
) -> Next {
    match verdict {
        Verdict::Arrived => Next::Succeeded,
        Verdict::Never => Next::Failed,
        Verdict::NotNow => match schedule.delay_before(number.saturating_add(1), chance) {
            Some(delay) => Next::Again { at: after(now, delay) },
            None => Next::Failed,
        },
    }
}

/// The instant `delay` after `now`.
fn after(now: DateTime<Utc>, delay: Duration) -> DateTime<Utc> {
    now + TimeDelta::from_std(delay).expect("a schedule's delays are at most some weeks")
}

/// One line of bounded length, which a database and a log can hold.
fn shortened(text: &str) -> String {
    let line = text.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = line.filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(TEXT_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gone_and_refused_mail_are_given_up_at_once() {
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
            assert_eq!(Answer::of_http(status, "").verdict, then, "HTTP {status}");
        }
        for (code, then) in
            [(250, Arrived), (421, NotNow), (450, NotNow), (535, NotNow), (550, Never)]
        {
            assert_eq!(Answer::of_smtp(code, "").verdict, then, "SMTP {code}");
        }
    }

    #[test]
    fn after_the_last_attempt_a_delivery_has_failed() {
        let (now, schedule) = (DateTime::UNIX_EPOCH, Schedule::default());
        let again = |seconds| Next::Again { at: now + TimeDelta::seconds(seconds) };
        for (verdict, number, then) in [
            (Verdict::Arrived, 3, Next::Succeeded),
            (Verdict::NotNow, 1, again(5)),
            (Verdict::NotNow, 7, again(50_400)),
            (Verdict::NotNow, 8, Next::Failed),
            (Verdict::NotNow, i32::MAX, Next::Failed),
            (Verdict::Never, 1, Next::Failed),
        ] {
            assert_eq!(next(verdict, number, &schedule, now, 0.0), then, "{verdict:?} {number}");
        }
    }

    #[test]
    fn an_answer_is_one_short_line() {
        let answer = Answer::of_http(500, "a\0b\r\n\t c  d\u{7}");
        assert_eq!(answer.error(), "500 a b c d");
        assert_eq!(Answer::unreachable(&"x".repeat(1_000)).text.len(), TEXT_CHARS_MAX);
        assert_eq!(Answer::of_http(502, "").error(), "502");
    }
}
