//! Whose fault a mail server's refusal is (RFC 5321, RFC 3463 and its registry). Promise: a letter
//! is given up at the first try only where its recipient cannot be written to; what refuses the
//! bank, whoever the letter is for, costs no letter: it is tried again, and operators are told.

/// The step of the conversation that a reply answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The banner, EHLO, STARTTLS and the login.
    Greeting,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA, and the end of the letter.
    Content,
}

/// Who has to change something before the same letter can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The bank, or whoever keeps its mail server.
    Bank,
    /// The recipient, who has another address by now, or none.
    Recipient,
    /// Nobody: it passes.
    Nobody,
}

/// What replies say that are about the bank although they answer a recipient or a letter. Looked
/// for only where a reply has no status code of RFC 3463.
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

/// Whose fault a reply is that does not take a letter.
pub(crate) fn fault(step: Step, code: u16, text: &str) -> Fault {
    match (code, step) {
        (500..=599, Step::Greeting | Step::Sender) => Fault::Bank,
        (500..=599, Step::Recipient | Step::Content) => match status(code, text) {
            Some(status) => fault_of_status(status),
            None => fault_of_code(step, code, text),
        },
        _ => Fault::Nobody,
    }
}

/// By subject and detail of the status code (RFC 3463, 3; IANA's SMTP enhanced status codes).
const fn fault_of_status(status: (u16, u16)) -> Fault {
    match status {
        // The sender's address is wrong, or has no mail exchanger.
        (1, 7 | 8) => Fault::Bank,
        // No such mailbox or domain; disabled; moved.
        (1, _) => Fault::Recipient,
        // Full: "a persistent transient error" in the words of RFC 3463, whatever its class.
        (2, 2) => Fault::Nobody,
        (2, _) => Fault::Recipient,
        // Too long for that mailbox's server.
        (3, 4) => Fault::Recipient,
        // Routing.
        (4, _) => Fault::Nobody,
        // The address needs SMTPUTF8, and a server on the way has none (RFC 6531).
        (6, 7..=9) => Fault::Recipient,
        // The mailbox is disabled, or has another owner (RFC 5248, RFC 7293).
        (7, 13 | 17 | 18) => Fault::Recipient,
        // Systems, protocol, content, policy, authentication, SPF.
        _ => Fault::Bank,
    }
}

/// By the code alone (RFC 5321, 4.2.3).
fn fault_of_code(step: Step, code: u16, text: &str) -> Fault {
    let text = text.to_ascii_lowercase();
    let is_about_the_bank = ABOUT_THE_BANK.iter().any(|word| text.contains(word));
    match (step, code) {
        // To be taken for 452 (RFC 5321, 4.5.3.1.10).
        (_, 552) => Fault::Nobody,
        (Step::Recipient, 521 | 550 | 551 | 553 | 556) if !is_about_the_bank => Fault::Recipient,
        _ => Fault::Bank,
    }
}

/// Subject and detail of the status code that a reply begins with, if it has one that says
/// anything: `5.0.0` does not.
fn status(code: u16, text: &str) -> Option<(u16, u16)> {
    let mut numbers = text.split_whitespace().next()?.splitn(3, '.').map(str::parse::<u16>);
    let (class, subject, detail) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let (subject, detail) = (subject.ok()?, detail.ok()?);
    (class.ok()? == code / 100 && subject > 0).then_some((subject, detail))
}

#[cfg(test)]
mod tests {
    use super::{
        Fault::{Bank, Nobody, Recipient},
        *,
    };
    use crate::domain::{Answer, Verdict};

    #[test]
    fn replies_are_sorted_by_whose_fault_they_are() {
        for (step, reply, then) in [
            // The bank is refused before anybody's address was named.
            (Step::Greeting, "554 no SMTP service here", Bank),
            (Step::Greeting, "521 this host takes no mail", Bank),
            (Step::Greeting, "550 5.7.1 your address is listed", Bank),
            (Step::Greeting, "530 5.7.0 must issue a STARTTLS command first", Bank),
            (Step::Greeting, "535 5.7.8 wrong password", Bank),
            (Step::Greeting, "502 no", Bank),
            (Step::Greeting, "421 4.3.2 too many connections", Nobody),
            (Step::Sender, "550 sender rejected", Bank),
            (Step::Sender, "550 5.1.8 no such domain", Bank),
            (Step::Sender, "553 5.7.1 not owned by user", Bank),
            (Step::Sender, "530 5.7.0 authentication required", Bank),
            (Step::Sender, "451 4.3.0 later", Nobody),
            // The recipient's mailbox.
            (Step::Recipient, "550 no such user", Recipient),
            (Step::Recipient, "550 5.1.1 no such user", Recipient),
            (Step::Recipient, "550 5.1.10 null MX", Recipient),
            (Step::Recipient, "550 5.0.0 no such user", Recipient),
            (Step::Recipient, "550 5.2.1 disabled", Recipient),
            (Step::Recipient, "550 5.7.17 owner has changed", Recipient),
            (Step::Recipient, "551 user not local", Recipient),
            (Step::Recipient, "553 mailbox name not allowed", Recipient),
            (Step::Recipient, "556 domain takes no mail", Recipient),
            (Step::Recipient, "553 5.6.7 SMTPUTF8 is needed", Recipient),
            // The bank again, although a recipient is answered.
            (Step::Recipient, "554 5.7.1 relay access denied", Bank),
            (Step::Recipient, "550 relaying denied", Bank),
            (Step::Recipient, "550 5.7.1 message refused", Bank),
            (Step::Recipient, "550 5.7.23 SPF validation failed", Bank),
            (Step::Recipient, "550 5.1.7 bad sender", Bank),
            (Step::Recipient, "550 your host is on a block list", Bank),
            (Step::Recipient, "530 authentication required", Bank),
            (Step::Recipient, "503 5.5.1 need MAIL before RCPT", Bank),
            (Step::Recipient, "554 transaction failed", Bank),
            // What passes.
            (Step::Recipient, "450 4.7.1 greylisted", Nobody),
            (Step::Recipient, "452 4.2.2 mailbox full", Nobody),
            (Step::Recipient, "552 5.2.2 mailbox full", Nobody),
            (Step::Recipient, "552 too much mail", Nobody),
            (Step::Recipient, "550 5.4.4 no route", Nobody),
            // The letter as a whole.
            (Step::Content, "550 5.1.1 no such user", Recipient),
            (Step::Content, "552 5.3.4 too long", Recipient),
            (Step::Content, "554 5.7.1 this looks like spam", Bank),
            (Step::Content, "554 refused", Bank),
            (Step::Content, "550 no", Bank),
            (Step::Content, "554 5.6.0 a header is wrong", Bank),
            (Step::Content, "451 4.7.1 try again", Nobody),
        ] {
            let (code, text) = reply.split_once(' ').expect("a code and a text");
            let code = code.parse().expect(reply);
            assert_eq!(fault(step, code, text), then, "{step:?} {reply}");
            let verdict = if then == Recipient { Verdict::Never } else { Verdict::NotNow };
            let answer = Answer::of_smtp(step, code, text);
            assert_eq!((answer.verdict, answer.refuses_bank), (verdict, then == Bank), "{reply}");
        }
        let taken = Answer::of_smtp(Step::Content, 250, "2.0.0 queued");
        assert_eq!((taken.verdict, taken.refuses_bank), (Verdict::Arrived, false));
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
