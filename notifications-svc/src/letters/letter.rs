//! A letter, line by line. Promise: every line and the subject went through [`visible`], so no text
//! of a stranger adds a line or a header, reverses a figure, or hides anything.

use shared_events::text::visible;

/// A composed e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    subject: String,
    body: String,
}

impl Letter {
    /// A letter without a body.
    pub(super) fn about(subject: &str) -> Self {
        Self { subject: visible(subject).into_owned(), body: String::new() }
    }

    /// The letter with one more line.
    pub(super) fn line(mut self, line: &str) -> Self {
        self.body.push_str(&visible(line));
        self.body.push('\n');
        self
    }

    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    pub(crate) fn body(&self) -> &str {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        for (given, then) in [
            ("Rent", "Rent"),
            ("a\r\nBcc: b@c.cz", "a  Bcc: b@c.cz"),
            ("a\u{2028}b\u{2029}c\u{85}d", "a b c d"),
            ("100\u{202e}00.1\u{2066}", "100\u{fffd}00.1\u{fffd}"),
            ("\u{1b}[2J\u{9b}31m\u{7f}\0", "\u{fffd}[2J\u{fffd}31m\u{fffd}\u{fffd}"),
        ] {
            let letter = Letter::about(given).line(given).line(given);
            assert_eq!(letter.subject(), then, "{given:?}");
            assert_eq!(letter.body(), format!("{then}\n{then}\n"), "{given:?}");
        }
    }
}
