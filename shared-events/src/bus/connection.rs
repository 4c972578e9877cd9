//! Connections that come back. Promise: whoever asks for a channel gets a working one or an error
//! now; a lost connection is replaced on the next call, never waited for in silence.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use lapin::{
    Channel, Connection, ConnectionProperties, Event,
    options::{BasicQosOptions, ConfirmSelectOptions},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tracing::{info, warn};
use url::Url;

use super::health::Health;

/// A broker that takes longer to greet is treated as away.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The first and the longest pause between two tries.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

/// Where the broker is and who we are to it.
#[derive(Clone, Debug)]
pub struct Amqp {
    /// `amqp://user@host:5672/bank` or `amqps://...`; a password in it is used if no other is set.
    pub url: Url,
    /// The password, apart from the URL so that logs never show it.
    pub password: Option<SecretString>,
}

/// Why the broker cannot be used now.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The AMQP layer failed.
    #[error("the broker refused or was lost")]
    Broker(#[from] lapin::Error),
    /// No answer in time.
    #[error("the broker did not answer within {} s while {doing}", .after.as_secs())]
    Timeout {
        /// What it was asked.
        doing: &'static str,
        /// How long we waited.
        after: Duration,
    },
    /// The broker did not confirm a message.
    #[error("the broker did not confirm message {message_id}: {answer}")]
    Unconfirmed {
        /// The message.
        message_id: String,
        /// What it said instead.
        answer: String,
    },
    /// The consumer was cancelled or its channel closed.
    #[error("the broker ended the consumer of {queue}")]
    ConsumerEnded {
        /// The queue.
        queue: String,
    },
    /// Something that must stand on the broker does not.
    #[error("the broker lacks what this service needs: {0}")]
    Topology(String),
}

/// One supervised connection, shared by the tasks of one role.
#[derive(Debug)]
pub(crate) struct Link {
    amqp: Amqp,
    name: String,
    health: Health,
    current: Mutex<Option<Arc<Connection>>>,
}

impl Link {
    /// A link named `<who>/<role>@<host>`, as the management UI shows it. Connects when first used.
    pub(crate) fn new(amqp: Amqp, who: &str, role: &str, health: Health) -> Self {
        let name = format!("{who}/{role}@{}", host_name());
        Self { amqp, name, health, current: Mutex::new(None) }
    }

    #[cfg(feature = "bus")]
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The user that the broker knows us by; it checks a message's `user_id` against it.
    pub(crate) fn user(&self) -> &str {
        self.amqp.url.username()
    }

    /// A new channel, over a new connection where the last one is gone.
    pub(crate) async fn channel(&self) -> Result<Channel, BusError> {
        let mut current = self.current.lock().await;
        let alive = current.as_ref().filter(|connection| connection.status().connected());
        let connection = match alive {
            Some(connection) => Arc::clone(connection),
            None => Arc::clone(current.insert(Arc::new(self.connect().await?))),
        };
        in_time("opening a channel", async { Ok(connection.create_channel().await?) }).await
    }

    /// A channel on which every publish is confirmed.
    pub(crate) async fn confirming_channel(&self) -> Result<Channel, BusError> {
        let channel = self.channel().await?;
        in_time("asking for confirms", async {
            Ok(channel.confirm_select(ConfirmSelectOptions::default()).await?)
        })
        .await?;
        Ok(channel)
    }

    /// A channel that is sent at most `prefetch` unacknowledged messages for each consumer.
    pub(crate) async fn consuming_channel(&self, prefetch: u16) -> Result<Channel, BusError> {
        let channel = self.channel().await?;
        in_time("setting the prefetch", async {
            Ok(channel.basic_qos(prefetch, BasicQosOptions::default()).await?)
        })
        .await?;
        Ok(channel)
    }

    /// Says goodbye, so that the broker gives what we held to others at once.
    #[cfg(feature = "bus")]
    pub(crate) async fn close(&self) {
        if let Some(connection) = self.current.lock().await.take() {
            let goodbye = connection.close(200, "shutting down".into());
            if let Ok(Err(error)) = tokio::time::timeout(CONNECT_TIMEOUT, goodbye).await {
                info!(connection = self.name, %error, "the connection was gone already");
            }
        }
    }

    async fn connect(&self) -> Result<Connection, BusError> {
        let mut url = self.amqp.url.clone();
        if let Some(password) = &self.amqp.password {
            // A URL that cannot carry a password fails to connect below, with its own error.
            let _ = url.set_password(Some(password.expose_secret()));
        }
        let properties =
            ConnectionProperties::default().with_connection_name(self.name.clone().into());
        let connection = in_time("connecting", async {
            Ok(Connection::connect(url.as_str(), properties).await?)
        })
        .await?;
        info!(connection = self.name, "connected to the broker");
        self.watch(&connection);
        Ok(connection)
    }

    /// A broker short of memory or disk blocks publishers; operators must see that, and why.
    fn watch(&self, connection: &Connection) {
        let (health, name) = (self.health.clone(), self.name.clone());
        let mut events = connection.events_listener();
        tokio::spawn(async move {
            let part = format!("{name} blocked");
            while let Some(event) = events.next().await {
                match event {
                    Event::ConnectionBlocked(reason) => {
                        warn!(connection = name, reason, "the broker blocks publishing");
                        health.bad(&part, reason);
                    }
                    Event::ConnectionUnblocked => {
                        info!(connection = name, "the broker takes publishes again");
                        health.forget(&part);
                    }
                    _ => {}
                }
            }
            health.forget(&part);
        });
    }
}

/// A broker that is blocked or gone answers nothing; nobody waits for it in silence.
pub(crate) async fn in_time<T>(
    doing: &'static str,
    asked: impl Future<Output = Result<T, BusError>>,
) -> Result<T, BusError> {
    let timeout = BusError::Timeout { doing, after: CONNECT_TIMEOUT };
    tokio::time::timeout(CONNECT_TIMEOUT, asked).await.unwrap_or(Err(timeout))
}

/// Pauses that grow from try to try, with jitter so that many instances do not come back as one.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Backoff {
    pub(crate) const fn new() -> Self {
        Self(BACKOFF_FIRST)
    }

    pub(crate) fn next_pause(&mut self) -> Duration {
        let pause = self.0.mul_f64(rand::random_range(0.5..1.0));
        self.0 = (self.0 * 2).min(BACKOFF_MAX);
        pause
    }

    #[cfg(feature = "bus")]
    pub(crate) async fn pause(&mut self) {
        tokio::time::sleep(self.next_pause()).await;
    }
}

/// This machine's name, or `unknown`.
pub(crate) fn host_name() -> String {
    match hostname::get() {
        Ok(name) => name.to_string_lossy().into_owned(),
        Err(_) => "unknown".to_owned(),
    }
}
