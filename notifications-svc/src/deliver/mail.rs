//! One e-mail by SMTP. Promise: every attempt sends the same message, with the same `Message-ID`,
//! so that a mail server or reader can drop what comes twice.

use std::time::Duration;

use lettre::{
    AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{Error as SmtpError, PoolConfig},
};
use secrecy::ExposeSecret;
use shared_events::envelope::chain;

use crate::{
    domain::{Answer, Letter, Parcel, Told, write_letter},
    settings::Smtp,
};

/// How long the mail server may take for one step of the conversation.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);
/// How many connections are kept; as many as a courier uses at once.
const CONNECTIONS_MAX: u32 = 16;
/// Mail servers end idle connections after some minutes; ours go before.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// What a mail server says when it has taken a message.
const SMTP_TAKEN: u16 = 250;

/// Sends e-mail.
pub(crate) struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// Connects when the first e-mail is sent.
    pub(crate) fn new(settings: Smtp) -> Result<Self, SmtpError> {
        let mut url = settings.url;
        if let Some(password) = &settings.password {
            // A URL that can have no password has no host either, and is refused below.
            let _ = url.set_password(Some(password.expose_secret()));
        }
        let pool = PoolConfig::new().max_size(CONNECTIONS_MAX).idle_timeout(IDLE_MAX);
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str())?
            .timeout(Some(STEP_TIMEOUT))
            .pool_config(pool)
            .build();
        Ok(Self { transport, from: settings.from })
    }

    /// Makes one attempt.
    pub(super) async fn send(&self, parcel: &Parcel, told: &Told) -> Answer {
        let Some(address) = &parcel.recipient.email else {
            return Answer::unsendable("the holder has no e-mail address, or wants none");
        };
        let Ok(address) = address.parse() else {
            return Answer::unsendable("the e-mail address is none");
        };
        let letter = write_letter(told, &parcel.recipient);
        let message = match self.message(parcel, Mailbox::new(None, address), letter) {
            Ok(message) => message,
            Err(error) => return Answer::unsendable(&chain(&error).to_string()),
        };
        match self.transport.send(message).await {
            Ok(taken) => {
                Answer::of_smtp(SMTP_TAKEN, &taken.message().collect::<Vec<_>>().join(" "))
            }
            Err(error) => refusal(&error),
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

/// Keeps absence notes and other machines from answering (RFC 3834).
fn written_by_a_machine() -> HeaderValue {
    let name = HeaderName::new_from_ascii_str("Auto-Submitted");
    HeaderValue::new(name, "auto-generated".to_owned())
}

/// What a mail server said, or why it said nothing.
fn refusal(error: &SmtpError) -> Answer {
    let said = std::error::Error::source(error).map(ToString::to_string);
    match error.status() {
        Some(code) => Answer::of_smtp(code.into(), &said.unwrap_or_default()),
        None => Answer::unreachable(&error.to_string()),
    }
}
