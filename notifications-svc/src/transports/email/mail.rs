//! One e-mail by SMTP. Promise: every attempt sends the same message, with the same `Message-ID`,
//! so that a mail server or reader can drop a duplicate; an address that can never work is given up
//! at the first attempt.

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
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};
use metrics::gauge;
use shared_events::{
    address::Address as ServerAddress,
    envelope::chain,
    secret::{Secret, SecretError},
    text::is_visible_line,
};
use tracing::{info, warn};
use url::Host;

use super::{
    smtp_client::{MailServer, SendError, SmtpLogin},
    smtp_replies::{SmtpStep, attempt_result},
};
use crate::{
    deliveries::{AttemptResult, PendingDelivery, TrafficLimits, Transport, without_address},
    letters::{Letter, compose},
    recipients::Channel,
    settings::Smtp,
};

/// The reply code of a mail server that has accepted a message.
const SMTP_ACCEPTED: u16 = 250;

/// The transport of e-mail.
pub(crate) struct Mailer {
    server: MailServer,
    from: Mailbox,
    /// Whether the mail server refused the bank the last time it answered.
    is_refused: AtomicBool,
}

/// The settings allow no e-mail.
#[derive(Debug, thiserror::Error)]
pub enum InvalidSmtp {
    /// The URL has an unknown scheme or kind of TLS.
    #[error("must be smtps://, smtp:// (with TLS), smtp://...?tls=opportunistic or ...?tls=none")]
    Kind,
    /// A password would be sent to whoever answers.
    #[error("there is a password for the mail server, and its URL does not require TLS")]
    PlainPassword,
    /// The URL names the folder of a socket.
    #[error("the mail server's URL names a socket instead of a host")]
    Socket,
    /// There is a password without a user.
    #[error("there is a password for the mail server, and its URL names no user")]
    NoUser,
    /// The password cannot be read.
    #[error("there is no login for the mail server")]
    Password(#[from] SecretError),
    /// The bank's own name in the URL is not usable in a greeting.
    #[error("the bank's own name behind the mail server's host is no domain and no IP address")]
    HelloName,
    /// The sender's address cannot be one.
    #[error("the domain of the sender's address cannot be one")]
    From,
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] SmtpError),
}

impl Transport for Mailer {
    const CHANNEL: Channel = Channel::Email;
    /// All e-mail goes to one server, which does not like more connections than these.
    const LIMITS: TrafficLimits =
        TrafficLimits { total: 16, unproven: 12, slow: 4, per_host: 8, per_account: 4 };

    async fn send(&self, delivery: &PendingDelivery) -> AttemptResult {
        self.send_letter(delivery).await
    }
}

impl Mailer {
    /// Connects when the first e-mail is sent.
    pub(crate) fn new(settings: Smtp) -> Result<Self, InvalidSmtp> {
        let Mailbox { name, email } = settings.from;
        let email = ascii_domain(email.user(), email.domain()).ok_or(InvalidSmtp::From)?;
        let server = mail_server(&settings.url, settings.password)?;
        Ok(Self { server, from: Mailbox::new(name, email), is_refused: AtomicBool::new(false) })
    }

    async fn send_letter(&self, delivery: &PendingDelivery) -> AttemptResult {
        let Some(address) = &delivery.recipient.email else {
            return AttemptResult::unsendable("the holder has no e-mail address, or wants none");
        };
        let Some(to) =
            address.rsplit_once('@').and_then(|(user, domain)| ascii_domain(user, domain))
        else {
            return AttemptResult::unsendable("the e-mail address cannot be one");
        };
        let letter = compose(&delivery.payload, &delivery.recipient);
        let message = match self.message(delivery, Mailbox::new(None, to.clone()), &letter) {
            Ok(message) => message,
            Err(error) => return AttemptResult::unsendable(&chain(&error).to_string()),
        };
        let quoted = |text: &str| without_address(text, address);
        let result = match self.server.send(&self.from.email, &to, &message.formatted()).await {
            Ok(reply) => attempt_result(SmtpStep::Content, SMTP_ACCEPTED, &quoted(&reply)),
            Err(SendError::Refused { step, code, text }) => {
                attempt_result(step, code, &quoted(&text))
            }
            Err(SendError::Unreachable(reason)) => AttemptResult::unreachable(&quoted(&reason)),
            Err(SendError::NeedsSmtpUtf8) => {
                let reason = "the e-mail address has characters before the @ that the mail server \
                           cannot send to (no SMTPUTF8)";
                AttemptResult::unsendable(reason)
            }
        };
        self.report(&result);
        result
    }

    /// Shows operators when the mail server begins or ceases to refuse the bank as such.
    fn report(&self, result: &AttemptResult) {
        if result.status.is_none() {
            return;
        }
        let was = self.is_refused.swap(result.refuses_bank, Ordering::Relaxed);
        gauge!("notifications_mail_server_refuses_bank").set(u8::from(result.refuses_bank));
        match (was, result.refuses_bank) {
            // The server's text is kept with the delivery.
            (false, true) => warn!(
                status = result.status,
                "the mail server refuses the bank; letters are tried again later"
            ),
            (true, false) => info!("the mail server accepts letters of the bank again"),
            (true, true) | (false, false) => {}
        }
    }

    fn message(
        &self,
        delivery: &PendingDelivery,
        to: Mailbox,
        letter: &Letter,
    ) -> Result<Message, lettre::error::Error> {
        let domain = self.from.email.domain();
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject())
            .date(delivery.created_at.into())
            .message_id(Some(format!("<{}@{domain}>", delivery.id)))
            .raw_header(auto_submitted())
            .header(ContentType::TEXT_PLAIN)
            .body(letter.body().to_owned())
    }
}

/// An address with its domain in the form of DNS: `müller.example` is `xn--mller-kva.example`
/// (UTS 46). `None` where the domain cannot be one, or where the user's name has characters that
/// cannot be seen: the header `To` would carry them into the reader's program.
fn ascii_domain(user: &str, domain: &str) -> Option<Address> {
    if !is_visible_line(user) {
        return None;
    }
    match Host::parse(domain) {
        Ok(Host::Domain(domain)) => Address::new(user, domain).ok(),
        Ok(Host::Ipv4(_) | Host::Ipv6(_)) | Err(_) => None,
    }
}

/// The mail server of an address. A password of its own setting wins over a password in the URL.
fn mail_server(
    address: &ServerAddress,
    password: Option<Secret>,
) -> Result<MailServer, InvalidSmtp> {
    let host = address.host.clone();
    if host.starts_with('/') {
        return Err(InvalidSmtp::Socket);
    }
    let parameters = || TlsParameters::new(host.clone()).map_err(InvalidSmtp::Tls);
    let kinds_of_tls: Vec<&str> =
        address.parameters.iter().map(|(_, value)| value.as_str()).collect();
    let (tls, port) = match (address.scheme, kinds_of_tls.as_slice()) {
        ("smtp", ["none"]) => (Tls::None, SMTP_PORT),
        ("smtp", [] | ["required"]) => (Tls::Required(parameters()?), SUBMISSION_PORT),
        ("smtp", ["opportunistic"]) => (Tls::Opportunistic(parameters()?), SUBMISSION_PORT),
        ("smtps", [] | ["required"]) => (Tls::Wrapper(parameters()?), SUBMISSIONS_PORT),
        _ => return Err(InvalidSmtp::Kind),
    };
    let password = password.or_else(|| address.password.clone());
    let login = SmtpLogin { user: address.user.clone(), password };
    if login.credentials()?.is_some() && login.user.is_empty() {
        return Err(InvalidSmtp::NoUser);
    }
    if login.credentials()?.is_some() && matches!(tls, Tls::None | Tls::Opportunistic(_)) {
        return Err(InvalidSmtp::PlainPassword);
    }
    let hello_name = hello_name(address.path.as_deref().unwrap_or_default().trim_matches('/'))?;
    let port = address.url.port().unwrap_or(port);
    Ok(MailServer { host, port, tls, hello_name, login, idle: Mutex::default() })
}

/// The name of the bank in its greeting to the mail server: the name of this machine by default.
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

/// Keeps absence notes and other automatic answers away (RFC 3834).
fn auto_submitted() -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    HeaderValue::new(name, "auto-generated".to_owned())
}

#[cfg(test)]
mod tests;
