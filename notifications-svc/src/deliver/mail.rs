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
use secrecy::{ExposeSecret, SecretString};
use shared_events::{address::Address as ServerAddress, envelope::chain};
use tracing::{info, warn};
use url::Host;

use super::smtp::{MailServer, NotTaken};
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
    /// The URL asks for TLS in a way that is not known.
    #[error("must be smtp://, smtp://...?tls=required, smtp://...?tls=opportunistic or smtps://")]
    Kind,
    /// The URL names the folder of a socket.
    #[error("the mail server's URL names a socket instead of a host")]
    Socket,
    /// There is a password and nobody whose it is.
    #[error("there is a password for the mail server, and its URL names no user")]
    NoUser,
    /// What stands behind the host is no name that the bank can greet a mail server with.
    #[error("the bank's own name behind the mail server's host is no domain and no IP address")]
    HelloName,
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
        let server = mail_server(&settings.url, settings.password)?;
        Ok(Self { server, from: Mailbox::new(name, email), is_refused: AtomicBool::new(false) })
    }

    /// Makes one attempt.
    pub(super) async fn send(&self, parcel: &Parcel) -> Answer {
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

/// What the mail server's URL says of it. A password that is given apart goes before one in the
/// URL.
fn mail_server(
    address: &ServerAddress,
    password: Option<SecretString>,
) -> Result<MailServer, InvalidSmtp> {
    let host = address.host.clone();
    if host.starts_with('/') {
        return Err(InvalidSmtp::Socket);
    }
    let parameters = || TlsParameters::new(host.clone()).map_err(InvalidSmtp::Tls);
    let asked: Vec<&str> = address.parameters.iter().map(|(_, value)| value.as_str()).collect();
    let (tls, port) = match (address.scheme, asked.as_slice()) {
        ("smtp", []) => (Tls::None, SMTP_PORT),
        ("smtp", ["required"]) => (Tls::Required(parameters()?), SUBMISSION_PORT),
        ("smtp", ["opportunistic"]) => (Tls::Opportunistic(parameters()?), SUBMISSION_PORT),
        ("smtps", [] | ["required"]) => (Tls::Wrapper(parameters()?), SUBMISSIONS_PORT),
        _ => return Err(InvalidSmtp::Kind),
    };
    let password = password.or_else(|| address.password.clone());
    let password = password.filter(|password| !password.expose_secret().is_empty());
    let credentials = match (address.user.as_str(), password) {
        (_, None) => None,
        ("", Some(_)) => return Err(InvalidSmtp::NoUser),
        (user, Some(password)) => {
            Some(Credentials::new(user.to_owned(), password.expose_secret().to_owned()))
        }
    };
    let hello_name = hello_name(address.path.as_deref().unwrap_or_default().trim_matches('/'))?;
    let port = address.url.port().unwrap_or(port);
    Ok(MailServer { host, port, tls, hello_name, credentials, idle: Mutex::default() })
}

/// The name that the bank greets a mail server with: this machine's where none is given.
fn hello_name(name: &str) -> Result<ClientId, InvalidSmtp> {
    if name.is_empty() {
        return Ok(ClientId::default());
    }
    match Host::parse(name) {
        Ok(Host::Domain(domain)) => Ok(ClientId::Domain(domain)),
        Ok(Host::Ipv4(address)) => Ok(ClientId::Ipv4(address)),
        Ok(Host::Ipv6(address)) => Ok(ClientId::Ipv6(address)),
        Err(_) => Err(InvalidSmtp::HelloName),
    }
}

/// Keeps absence notes and other machines from answering (RFC 3834).
fn written_by_a_machine() -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    HeaderValue::new(name, "auto-generated".to_owned())
}

#[cfg(test)]
mod tests;
