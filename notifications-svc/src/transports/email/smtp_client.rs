//! The conversation with the mail server. Promise: each step and the whole are bounded; a refusal
//! says which step it answers; a connection is used again only after a letter that was taken.

use std::{
    future::Future,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use lettre::{
    Address,
    transport::smtp::{
        Error as SmtpError,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Tls},
        commands::{Data, Mail, Rcpt},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
        response::Response,
    },
};
use shared_events::envelope::chain;
use tokio::time::timeout;

use crate::domain::Step;

/// How long the mail server may take for one step of the conversation.
const STEP_MAX: Duration = Duration::from_secs(10);
/// How long it may take to say goodbye.
const GOODBYE_MAX: Duration = Duration::from_secs(1);
/// Mail servers end idle connections after some minutes; ours go before.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// How many idle connections are kept; as many as a courier uses at once.
const IDLE_CONNECTIONS_MAX: usize = 16;

/// Why a letter was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// The server said no.
    Refused { step: Step, code: u16, text: String },
    /// It said nothing, or nothing that is SMTP.
    Unreachable(String),
    /// The address needs what this server does not offer.
    NeedsSmtpUtf8,
}

impl NotTaken {
    fn of(step: Step, error: &SmtpError) -> Self {
        match error.status() {
            Some(code) => {
                let text = std::error::Error::source(error).map(ToString::to_string);
                Self::Refused { step, code: code.into(), text: text.unwrap_or_default() }
            }
            None => Self::Unreachable(chain(error).to_string()),
        }
    }
}

/// The bank's mail server.
pub(crate) struct MailServer {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: Tls,
    pub(crate) hello_name: ClientId,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl MailServer {
    /// Hands a letter over. Returns what the server said when it took it.
    pub(crate) async fn take(
        &self,
        from: &Address,
        to: &Address,
        letter: &[u8],
    ) -> Result<String, NotTaken> {
        let mut connection = self.connection().await?;
        match hand_over(&mut connection, from, to, letter).await {
            Ok(said) => {
                self.keep(connection);
                Ok(said)
            }
            Err(not_taken) => {
                end(connection).await;
                Err(not_taken)
            }
        }
    }

    /// An idle connection that still answers, else a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, NotTaken> {
        while let Some((mut connection, since)) = self.pop_idle() {
            let is_young = since.elapsed() < IDLE_MAX;
            if is_young && timeout(STEP_MAX, connection.test_connected()).await == Ok(true) {
                return Ok(connection);
            }
            end(connection).await;
        }
        self.connect().await
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, NotTaken> {
        let wrapped = match &self.tls {
            Tls::Wrapper(tls) => Some(tls.clone()),
            Tls::None | Tls::Opportunistic(_) | Tls::Required(_) => None,
        };
        let server = (self.host.as_str(), self.port);
        let hello = &self.hello_name;
        let connecting =
            AsyncSmtpConnection::connect_tokio1(server, Some(STEP_MAX), hello, wrapped, None);
        let mut connection = bounded(Step::Greeting, connecting).await?;
        let upgrade = match &self.tls {
            Tls::Required(tls) => Some(tls),
            Tls::Opportunistic(tls) if connection.can_starttls() => Some(tls),
            Tls::None | Tls::Opportunistic(_) | Tls::Wrapper(_) => None,
        };
        if let Some(tls) = upgrade {
            bounded(Step::Greeting, connection.starttls(tls.clone(), hello)).await?;
        }
        if let Some(credentials) = &self.credentials {
            bounded(Step::Greeting, connection.auth(DEFAULT_MECHANISMS, credentials)).await?;
        }
        Ok(connection)
    }

    fn pop_idle(&self) -> Option<(AsyncSmtpConnection, Instant)> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_CONNECTIONS_MAX {
            idle.push((connection, Instant::now()));
        }
    }
}

async fn hand_over(
    connection: &mut AsyncSmtpConnection,
    from: &Address,
    to: &Address,
    letter: &[u8],
) -> Result<String, NotTaken> {
    let offers = |extension| connection.server_info().supports_feature(extension);
    let mut parameters = Vec::new();
    if ![from, to].iter().all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
        if !offers(Extension::SmtpUtfEight) {
            return Err(NotTaken::NeedsSmtpUtf8);
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !letter.is_ascii() && offers(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    bounded(Step::Sender, connection.command(Mail::new(Some(from.clone()), parameters))).await?;
    bounded(Step::Recipient, connection.command(Rcpt::new(to.clone(), vec![]))).await?;
    bounded(Step::Content, connection.command(Data)).await?;
    let taken: Response = bounded(Step::Content, connection.message(letter)).await?;
    Ok(taken.message().collect::<Vec<_>>().join(" "))
}

async fn bounded<T>(
    step: Step,
    reply: impl Future<Output = Result<T, SmtpError>>,
) -> Result<T, NotTaken> {
    match timeout(STEP_MAX, reply).await {
        Ok(reply) => reply.map_err(|error| NotTaken::of(step, &error)),
        Err(_) => Err(NotTaken::Unreachable("no answer in time".to_owned())),
    }
}

/// A server that does not even take a goodbye is left without one.
async fn end(mut connection: AsyncSmtpConnection) {
    let _ = timeout(GOODBYE_MAX, connection.abort()).await;
}
