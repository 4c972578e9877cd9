//! The cause of a mail server's refusal (RFC 5321, RFC 3463 and its registry). Promise: a letter is
//! given up at the first attempt only where its recipient cannot receive mail; a refusal of the
//! bank itself costs no letter: the letter is tried again, and operators see it.

use crate::deliveries::{AttemptOutcome, AttemptResult};

/// The step of the conversation that a reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SmtpStep {
    /// The banner, EHLO, STARTTLS and the login.
    Greeting,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA, and the end of the letter.
    Content,
}

/// The party that has to change something before the same letter can be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RefusalCause {
    /// The bank, or the operator of its mail server.
    Bank,
    /// The recipient, whose address has changed or is gone.
    Recipient,
    /// None: the cause is temporary.
    Temporary,
}

/// Words of replies that are about the bank although they answer a recipient or a letter. They
/// count only where a reply has no status code of RFC 3463.
const ABOUT_THE_BANK: [&str; 12] = [
    "relay",
    "spam",
    "block",
    "blacklist",
    "denylist",
    "policy",
    "spf",
    "dkim",
    "dmarc",
    "reputation",
    "authentic",
    "sender",
];

/// The result of an attempt that got this reply at this step. 2xx: the server has the letter. 5xx:
/// the cause decides.
pub(super) fn attempt_result(step: SmtpStep, code: u16, text: &str) -> AttemptResult {
    let cause = cause(step, code, text);
    let outcome = match (code, cause) {
        (200..=299, _) => AttemptOutcome::Delivered,
        (_, RefusalCause::Recipient) => AttemptOutcome::Permanent,
        (_, RefusalCause::Bank | RefusalCause::Temporary) => AttemptOutcome::Retryable,
    };
    let refuses_bank = cause == RefusalCause::Bank;
    AttemptResult { refuses_bank, ..AttemptResult::new(outcome, Some(code), text) }
}

/// The cause of a refusal.
fn cause(step: SmtpStep, code: u16, text: &str) -> RefusalCause {
    match (code, step) {
        (500..=599, SmtpStep::Greeting | SmtpStep::Sender) => RefusalCause::Bank,
        (500..=599, SmtpStep::Recipient | SmtpStep::Content) => match status(code, text) {
            Some(status) => cause_of_status(status),
            None => cause_of_code(step, code, text),
        },
        _ => RefusalCause::Temporary,
    }
}

/// By subject and detail of the status code (RFC 3463, 3; IANA's SMTP enhanced status codes).
const fn cause_of_status(status: (u16, u16)) -> RefusalCause {
    match status {
        // The sender's address is wrong, or has no mail exchanger.
        (1, 7 | 8) => RefusalCause::Bank,
        // No such mailbox or domain; disabled; moved.
        (1, _) => RefusalCause::Recipient,
        // Full: "a persistent transient error" by RFC 3463, in any class.
        (2, 2) => RefusalCause::Temporary,
        (2, _) => RefusalCause::Recipient,
        // Too long for that mailbox's server.
        (3, 4) => RefusalCause::Recipient,
        // Routing.
        (4, _) => RefusalCause::Temporary,
        // The address needs SMTPUTF8, and a server on the way has none (RFC 6531).
        (6, 7..=9) => RefusalCause::Recipient,
        // The mailbox is disabled, or has another owner (RFC 5248, RFC 7293).
        (7, 13 | 17 | 18) => RefusalCause::Recipient,
        // Systems, protocol, content, policy, authentication, SPF.
        _ => RefusalCause::Bank,
    }
}

/// By the code alone (RFC 5321, 4.2.3).
fn cause_of_code(step: SmtpStep, code: u16, text: &str) -> RefusalCause {
    let text = text.to_ascii_lowercase();
    let is_about_the_bank = ABOUT_THE_BANK.iter().any(|word| text.contains(word));
    match (step, code) {
        // Treated as 452 (RFC 5321, 4.5.3.1.10).
        (_, 552) => RefusalCause::Temporary,
        (SmtpStep::Recipient, 521 | 550 | 551 | 553 | 556) if !is_about_the_bank => {
            RefusalCause::Recipient
        }
        _ => RefusalCause::Bank,
    }
}

/// Subject and detail of the status code at the beginning of a reply. `None` for a code without
/// meaning, such as `5.0.0`.
fn status(code: u16, text: &str) -> Option<(u16, u16)> {
    let mut numbers = text.split_whitespace().next()?.splitn(3, '.').map(str::parse::<u16>);
    let (class, subject, detail) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let (subject, detail) = (subject.ok()?, detail.ok()?);
    (class.ok()? == code / 100 && subject > 0).then_some((subject, detail))
}

#[cfg(test)]
mod tests {
    use super::{
        RefusalCause::{Bank, Recipient, Temporary},
        *,
    };

    #[test]
    fn replies_are_sorted_by_their_cause() {
        for (step, reply, then) in [
            // The bank is refused before anybody's address was named.
            (SmtpStep::Greeting, "554 no SMTP service here", Bank),
            (SmtpStep::Greeting, "521 this host takes no mail", Bank),
            (SmtpStep::Greeting, "550 5.7.1 your address is listed", Bank),
            (SmtpStep::Greeting, "530 5.7.0 must issue a STARTTLS command first", Bank),
            (SmtpStep::Greeting, "535 5.7.8 wrong password", Bank),
            (SmtpStep::Greeting, "502 no", Bank),
            (SmtpStep::Greeting, "421 4.3.2 too many connections", Temporary),
            (SmtpStep::Sender, "550 sender rejected", Bank),
            (SmtpStep::Sender, "550 5.1.8 no such domain", Bank),
            (SmtpStep::Sender, "553 5.7.1 not owned by user", Bank),
            (SmtpStep::Sender, "530 5.7.0 authentication required", Bank),
            (SmtpStep::Sender, "451 4.3.0 later", Temporary),
            // The recipient's mailbox.
            (SmtpStep::Recipient, "550 no such user", Recipient),
            (SmtpStep::Recipient, "550 5.1.1 no such user", Recipient),
            (SmtpStep::Recipient, "550 5.1.10 null MX", Recipient),
            (SmtpStep::Recipient, "550 5.0.0 no such user", Recipient),
            (SmtpStep::Recipient, "550 5.2.1 disabled", Recipient),
            (SmtpStep::Recipient, "550 5.7.17 owner has changed", Recipient),
            (SmtpStep::Recipient, "551 user not local", Recipient),
            (SmtpStep::Recipient, "553 mailbox name not allowed", Recipient),
            (SmtpStep::Recipient, "556 domain takes no mail", Recipient),
            (SmtpStep::Recipient, "553 5.6.7 SMTPUTF8 is needed", Recipient),
            // The bank again, although a recipient is answered.
            (SmtpStep::Recipient, "554 5.7.1 relay access denied", Bank),
            (SmtpStep::Recipient, "550 relaying denied", Bank),
            (SmtpStep::Recipient, "550 5.7.1 message refused", Bank),
            (SmtpStep::Recipient, "550 5.7.23 SPF validation failed", Bank),
            (SmtpStep::Recipient, "550 5.1.7 bad sender", Bank),
            (SmtpStep::Recipient, "550 your host is on a block list", Bank),
            (SmtpStep::Recipient, "530 authentication required", Bank),
            (SmtpStep::Recipient, "503 5.5.1 need MAIL before RCPT", Bank),
            (SmtpStep::Recipient, "554 transaction failed", Bank),
            // Temporary causes.
            (SmtpStep::Recipient, "450 4.7.1 greylisted", Temporary),
            (SmtpStep::Recipient, "452 4.2.2 mailbox full", Temporary),
            (SmtpStep::Recipient, "552 5.2.2 mailbox full", Temporary),
            (SmtpStep::Recipient, "552 too much mail", Temporary),
            (SmtpStep::Recipient, "550 5.4.4 no route", Temporary),
            // The letter as a whole.
            (SmtpStep::Content, "550 5.1.1 no such user", Recipient),
            (SmtpStep::Content, "552 5.3.4 too long", Recipient),
            (SmtpStep::Content, "554 5.7.1 this looks like spam", Bank),
            (SmtpStep::Content, "554 refused", Bank),
            (SmtpStep::Content, "550 no", Bank),
            (SmtpStep::Content, "554 5.6.0 a header is wrong", Bank),
            (SmtpStep::Content, "451 4.7.1 try again", Temporary),
        ] {
            let (code, text) = reply.split_once(' ').expect("a code and a text");
            let code = code.parse().expect(reply);
            assert_eq!(cause(step, code, text), then, "{step:?} {reply}");
            let outcome = match then {
                Recipient => AttemptOutcome::Permanent,
                Bank | Temporary => AttemptOutcome::Retryable,
            };
            let result = attempt_result(step, code, text);
            assert_eq!((result.outcome, result.refuses_bank), (outcome, then == Bank), "{reply}");
        }
        let accepted = attempt_result(SmtpStep::Content, 250, "2.0.0 queued");
        let then = (AttemptOutcome::Delivered, false);
        assert_eq!((accepted.outcome, accepted.refuses_bank), then);
    }

    #[test]
    fn a_status_code_belongs_to_its_reply() {
        assert_eq!(status(550, "5.1.1 no"), Some((1, 1)));
        assert_eq!(status(550, "5.1.10\nno"), Some((1, 10)));
        for none in ["4.1.1 no", "5.0.0 no", "5.1 no", "5.1.1.1 no", "1.2.3.4", "no", ""] {
            assert_eq!(status(550, none), None, "{none}");
        }
    }
}
