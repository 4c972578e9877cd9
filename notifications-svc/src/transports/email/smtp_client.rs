//! The SMTP client. Promise: each step and the whole are bounded; a refusal names the step that it
//! answers; a connection is used again only after a letter that was accepted.

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
use secrecy::ExposeSecret;
use shared_events::{
    envelope::chain,
    secret::{Secret, SecretError},
};
use tokio::time::timeout;
use tracing::error;

use super::smtp_replies::SmtpStep;

/// The time limit of one step of the conversation.
const STEP_MAX: Duration = Duration::from_secs(10);
/// The time limit of ending a connection.
const QUIT_MAX: Duration = Duration::from_secs(1);
/// Mail servers end idle connections after some minutes; this client ends them before.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// The most idle connections: as many as the delivery worker uses at once.
const IDLE_CONNECTIONS_MAX: usize = 16;

/// The mail server did not accept a letter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SendError {
    /// The server refused at this step.
    Refused { step: SmtpStep, code: u16, text: String },
    /// The server gave no answer, or none that is SMTP.
    Unreachable(String),
    /// The address needs SMTPUTF8, which this server does not offer.
    NeedsSmtpUtf8,
}

impl SendError {
    fn of(step: SmtpStep, error: &SmtpError) -> Self {
        match error.status() {
            Some(code) => {
                let text = std::error::Error::source(error).map(ToString::to_string);
                Self::Refused { step, code: code.into(), text: text.unwrap_or_default() }
            }
            None => Self::Unreachable(chain(error).to_string()),
        }
    }
}

/// The bank's user at the mail server.
pub(super) struct SmtpLogin {
    pub(super) user: String,
    /// Read again for each connection; without one, or with an empty one, nobody logs in.
    pub(super) password: Option<Secret>,
}

impl SmtpLogin {
    /// The login as it is now.
    pub(super) fn credentials(&self) -> Result<Option<Credentials>, SecretError> {
        let password = self.password.as_ref().map(Secret::read).transpose()?;
        let password = password.filter(|password| !password.expose_secret().is_empty());
        Ok(password.map(|password| {
            Credentials::new(self.user.clone(), password.expose_secret().to_owned())
        }))
    }
}

/// The bank's mail server.
pub(super) struct MailServer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
    pub(super) hello_name: ClientId,
    pub(super) login: SmtpLogin,
    pub(super) idle: Mutex<Vec<(AsyncSmtpConnection, Instant)>>,
}

impl MailServer {
    /// Sends a letter. Returns the reply of the server that accepted it.
    pub(super) async fn send(
        &self,
        from: &Address,
        to: &Address,
        letter: &[u8],
    ) -> Result<String, SendError> {
        let mut connection = self.connection().await?;
        match converse(&mut connection, from, to, letter).await {
            Ok(reply) => {
                self.keep(connection);
                Ok(reply)
            }
            Err(error) => {
                end(connection).await;
                Err(error)
            }
        }
    }

    /// An idle connection that still answers, else a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, SendError> {
        while let Some((mut connection, since)) = self.pop_idle() {
            let is_young = since.elapsed() < IDLE_MAX;
            if is_young && timeout(STEP_MAX, connection.test_connected()).await == Ok(true) {
                return Ok(connection);
            }
            end(connection).await;
        }
        self.connect().await
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, SendError> {
        let wrapped = match &self.tls {
            Tls::Wrapper(tls) => Some(tls.clone()),
            Tls::None | Tls::Opportunistic(_) | Tls::Required(_) => None,
        };
        let credentials = self.login.credentials().map_err(|fault| {
            error!(error = %chain(&fault), "the bank cannot log in to its mail server");
            SendError::Unreachable("the bank cannot log in to its mail server now".to_owned())
        })?;
        let server = (self.host.as_str(), self.port);
        let hello = &self.hello_name;
        let connecting =
            AsyncSmtpConnection::connect_tokio1(server, Some(STEP_MAX), hello, wrapped, None);
        let mut connection = bounded(SmtpStep::Greeting, connecting).await?;
        let upgrade = match &self.tls {
            Tls::Required(tls) => Some(tls),
            Tls::Opportunistic(tls) if connection.can_starttls() => Some(tls),
            Tls::None | Tls::Opportunistic(_) | Tls::Wrapper(_) => None,
        };
        if let Some(tls) = upgrade {
            bounded(SmtpStep::Greeting, connection.starttls(tls.clone(), hello)).await?;
        }
        if let Some(credentials) = &credentials {
            bounded(SmtpStep::Greeting, connection.auth(DEFAULT_MECHANISMS, credentials)).await?;
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

async fn converse(
    connection: &mut AsyncSmtpConnection,
    from: &Address,
    to: &Address,
    letter: &[u8],
) -> Result<String, SendError> {
    let offers = |extension| connection.server_info().supports_feature(extension);
    let mut parameters = Vec::new();
    if ![from, to].iter().all(|address| AsRef::<str>::as_ref(address).is_ascii()) {
        if !offers(Extension::SmtpUtfEight) {
            return Err(SendError::NeedsSmtpUtf8);
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !letter.is_ascii() && offers(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    bounded(SmtpStep::Sender, connection.command(Mail::new(Some(from.clone()), parameters)))
        .await?;
    bounded(SmtpStep::Recipient, connection.command(Rcpt::new(to.clone(), vec![]))).await?;
    bounded(SmtpStep::Content, connection.command(Data)).await?;
    let accepted: Response = bounded(SmtpStep::Content, connection.message(letter)).await?;
    Ok(accepted.message().collect::<Vec<_>>().join(" "))
}

async fn bounded<T>(
    step: SmtpStep,
    reply: impl Future<Output = Result<T, SmtpError>>,
) -> Result<T, SendError> {
    match timeout(STEP_MAX, reply).await {
        Ok(reply) => reply.map_err(|error| SendError::of(step, &error)),
        Err(_) => Err(SendError::Unreachable("no answer in time".to_owned())),
    }
}

/// Ends a connection politely. A server that does not answer in time is left without a QUIT.
async fn end(mut connection: AsyncSmtpConnection) {
    let _ = timeout(QUIT_MAX, connection.abort()).await;
}
