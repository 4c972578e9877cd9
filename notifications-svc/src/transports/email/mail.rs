//! One e-mail by SMTP. Promise: every attempt sends the same message, with the same `Message-ID`,
//! so that a mail server or reader can drop what comes twice; an address that can never work is
//! said to be one at the first attempt.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

use lettre::{
    Address, Message,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        Error as SmtpError, SMTP_PORT, SUBMISSION_PORT, SUBMISSIONS_PORT,
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};
use metrics::gauge;
use secrecy::ExposeSecret;
use shared_events::envelope::chain;
use tracing::{info, warn};
use url::{Host, Url};

use super::smtp_client::{MailServer, NotTaken};
use crate::{
    domain::{Answer, Letter, Parcel, Step, write_letter},
    settings::Smtp,
};

/// What a mail server says when it has taken a message.
const SMTP_TAKEN: u16 = 250;

/// Sends e-mail.
pub(crate) struct Mailer {
    server: MailServer,
    from: Mailbox,
    /// Whether the mail server refused the bank the last time it answered.
    is_refused: AtomicBool,
}

/// Why no e-mail can be sent with these settings.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSmtp {
    /// The URL has no host.
    #[error("the URL has no host")]
    NoHost,
    /// The URL is of no kind that is known.
    #[error("must be smtp://, smtp://...?tls=required, smtp://...?tls=opportunistic or smtps://")]
    Kind,
    /// The sender's address cannot be one.
    #[error("the domain of the sender's address cannot be one")]
    From,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] SmtpError),
}

impl Mailer {
    /// Connects when the first e-mail is sent.
    pub(crate) fn new(settings: Smtp) -> Result<Self, InvalidSmtp> {
        let Mailbox { name, email } = settings.from;
        let email = ascii_domain(email.user(), email.domain()).ok_or(InvalidSmtp::From)?;
        let password = settings.password.as_ref().map(|it| it.expose_secret().to_owned());
        let server = mail_server(&settings.url, password)?;
        Ok(Self { server, from: Mailbox::new(name, email), is_refused: AtomicBool::new(false) })
    }

    /// Makes one attempt.
    pub(crate) async fn send(&self, parcel: &Parcel) -> Answer {
        let Some(address) = &parcel.recipient.email else {
            return Answer::unsendable("the holder has no e-mail address, or wants none");
        };
        let Some(to) =
            address.rsplit_once('@').and_then(|(user, domain)| ascii_domain(user, domain))
        else {
            return Answer::unsendable("the e-mail address cannot be one");
        };
        let letter = write_letter(&parcel.told, &parcel.recipient);
        let message = match self.message(parcel, Mailbox::new(None, to.clone()), letter) {
            Ok(message) => message,
            Err(error) => return Answer::unsendable(&chain(&error).to_string()),
        };
        let answer = match self.server.take(&self.from.email, &to, &message.formatted()).await {
            Ok(said) => Answer::of_smtp(Step::Content, SMTP_TAKEN, &said),
            Err(NotTaken::Refused { step, code, text }) => Answer::of_smtp(step, code, &text),
            Err(NotTaken::Unreachable(why)) => Answer::unreachable(&why),
            Err(NotTaken::NeedsSmtpUtf8) => {
                let why = "the e-mail address has characters before the @ that the mail server \
                           cannot send to (no SMTPUTF8)";
                Answer::unsendable(why)
            }
        };
        self.show(&answer);
        answer
    }

    /// Tells operators when the mail server begins or ceases to refuse the bank as such.
    fn show(&self, answer: &Answer) {
        if answer.status.is_none() {
            return;
        }
        let was = self.is_refused.swap(answer.refuses_bank, Ordering::Relaxed);
        gauge!("notifications_mail_server_refuses_bank").set(u8::from(answer.refuses_bank));
        match (was, answer.refuses_bank) {
            // What it said may name an address: it stands with the delivery.
            (false, true) => warn!(
                status = answer.status,
                "the mail server refuses the bank; letters wait and are tried again"
            ),
            (true, false) => info!("the mail server takes letters of the bank again"),
            (true, true) | (false, false) => {}
        }
    }

    fn message(
        &self,
        parcel: &Parcel,
        to: Mailbox,
        letter: Letter,
    ) -> Result<Message, lettre::error::Error> {
        let domain = self.from.email.domain();
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject)
            .date(parcel.created_at.into())
            .message_id(Some(format!("<{}@{domain}>", parcel.delivery_id)))
            .raw_header(written_by_a_machine())
            .header(ContentType::TEXT_PLAIN)
            .body(letter.body)
    }
}

/// An address whose domain is written as DNS knows it: `müller.example` is `xn--mller-kva.example`
/// (UTS 46). None where it is no domain.
fn ascii_domain(user: &str, domain: &str) -> Option<Address> {
    match Host::parse(domain) {
        Ok(Host::Domain(domain)) => Address::new(user, domain).ok(),
        Ok(Host::Ipv4(_) | Host::Ipv6(_)) | Err(_) => None,
    }
}

/// Reads the mail server's URL.
fn mail_server(url: &Url, password: Option<String>) -> Result<MailServer, InvalidSmtp> {
    // Without the brackets that an IPv6 address has in a URL. The parser of other schemes than
    // those of the web takes every host for a name.
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if host.is_empty() {
        return Err(InvalidSmtp::NoHost);
    }
    let parameters = || TlsParameters::new(host.clone()).map_err(InvalidSmtp::Tls);
    let kind = url.query_pairs().find(|(key, _)| key == "tls").map(|(_, value)| value);
    let (tls, port) = match (url.scheme(), kind.as_deref()) {
        ("smtp", None) => (Tls::None, SMTP_PORT),
        ("smtp", Some("required")) => (Tls::Required(parameters()?), SUBMISSION_PORT),
        ("smtp", Some("opportunistic")) => (Tls::Opportunistic(parameters()?), SUBMISSION_PORT),
        ("smtps", _) => (Tls::Wrapper(parameters()?), SUBMISSIONS_PORT),
        _ => return Err(InvalidSmtp::Kind),
    };
    let decoded =
        |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let password = password.or_else(|| url.password().map(decoded));
    let credentials = password.map(|it| Credentials::new(decoded(url.username()), it));
    let hello_name = match url.path().trim_matches('/') {
        "" => ClientId::default(),
        name => ClientId::Domain(name.to_owned()),
    };
    let port = url.port().unwrap_or(port);
    Ok(MailServer { host, port, tls, hello_name, credentials, idle: Mutex::default() })
}

/// Keeps absence notes and other machines from answering (RFC 3834).
fn written_by_a_machine() -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    HeaderValue::new(name, "auto-generated".to_owned())
}

#[cfg(test)]
mod tests;
