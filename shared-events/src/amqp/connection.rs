//! Supervised connections. Promise: a caller gets a working channel or an error within a bound; a
//! lost connection is replaced at the next call.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt, future::BoxFuture};
use lapin::{
    Channel, Connection, Event,
    options::{BasicQosOptions, ConfirmSelectOptions},
};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    answer::{BusError, in_time},
    connection_parameters::ConnectionParameters,
    health::Health,
};

/// The first and the longest pause between two attempts. Short, since a waiting client waits for
/// this pause, too.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// One supervised connection, shared by the tasks of one role.
#[derive(Debug)]
pub(crate) struct Link {
    amqp: ConnectionParameters,
    pub(crate) name: String,
    health: Health,
    pub(crate) current: Mutex<Option<Open>>,
}

/// An open connection, and the token that ends the connection without the broker's help.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub(crate) connection: Arc<Connection>,
    pub(crate) given_up: CancellationToken,
}

impl Open {
    fn is_alive(&self) -> bool {
        self.connection.status().connected() && !self.given_up.is_cancelled()
    }
}

impl Link {
    /// A connection named `<program>/<role>@<host>`, for the management UI. Connects when first
    /// used.
    pub(crate) fn new(
        amqp: ConnectionParameters,
        program: &str,
        role: &str,
        health: Health,
    ) -> Self {
        let name = format!("{program}/{role}@{}", host_name());
        Self { amqp, name, health, current: Mutex::new(None) }
    }

    /// The user of the login; the broker checks a message's `user_id` against that name.
    pub(crate) fn user(&self) -> &str {
        self.amqp.user()
    }

    /// A new channel, over a new connection where the last one is gone.
    pub(crate) fn channel(&self) -> BoxFuture<'_, Result<Channel, BusError>> {
        Box::pin(async {
            let open = self.connection().await?;
            self.channel_on(&open).await
        })
    }

    /// A channel on which every publish is confirmed.
    pub(crate) fn confirming_channel(&self) -> BoxFuture<'_, Result<Channel, BusError>> {
        Box::pin(async {
            let open = self.connection().await?;
            let channel = self.channel_on(&open).await?;
            let asking = channel.confirm_select(ConfirmSelectOptions::default());
            self.answered(&open, "asking for confirms", asking).await?;
            Ok(channel)
        })
    }

    /// A channel whose consumers get at most `prefetch` unacknowledged messages each.
    pub(crate) async fn consuming_channel(&self, prefetch: u16) -> Result<Channel, BusError> {
        let open = self.connection().await?;
        let channel = self.channel_on(&open).await?;
        let setting = channel.basic_qos(prefetch, BasicQosOptions::default());
        self.answered(&open, "setting the prefetch", setting).await?;
        Ok(channel)
    }

    async fn channel_on(&self, open: &Open) -> Result<Channel, BusError> {
        self.answered(open, "opening a channel", open.connection.create_channel()).await
    }

    /// The connection in use, or a new one. A caller waits for another caller's attempt no longer
    /// than for an answer.
    async fn connection(&self) -> Result<Open, BusError> {
        let mut current = in_time("connecting", async { Ok(self.current.lock().await) }).await?;
        match current.as_ref().filter(|open| open.is_alive()) {
            Some(open) => Ok(open.clone()),
            None => Ok(current.insert(self.connect().await?).clone()),
        }
    }

    /// Waits for an answer on a connection. Without an answer in time the connection is ended for
    /// all its users, and the next call opens another.
    async fn answered<T>(
        &self,
        open: &Open,
        doing: &'static str,
        asked: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, BusError> {
        let answer = in_time(doing, async { Ok(asked.await?) }).await;
        if let Err(BusError::Timeout { .. }) = answer {
            warn!(connection = self.name, doing, "no answer; the connection is given up");
            open.given_up.cancel();
        }
        answer
    }

    async fn connect(&self) -> Result<Open, BusError> {
        let given_up = CancellationToken::new();
        let connection = Arc::new(self.amqp.open(&self.name, given_up.clone()).await?);
        info!(connection = self.name, "connected to the broker");
        self.watch(&connection);
        Ok(Open { connection, given_up })
    }

    /// Shows operators when and why the broker blocks publishers: it is short of memory or disk.
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

/// Closes an unused channel without waiting: its deliveries go back to their queues. A dropped
/// handle alone would keep the channel open, and the broker would go on delivering.
pub(crate) fn discard(channel: Channel) {
    // Without a runtime the process ends, and its connections with it.
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
    if channel.status().connected() {
        let closing = async move { Ok(channel.close(200, "done".into()).await?) };
        runtime.spawn(in_time("closing a channel", closing));
    }
}

/// Pauses that grow from attempt to attempt, with jitter so that instances do not return at once.
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
}

/// This machine's name, or `unknown`.
pub(crate) fn host_name() -> String {
    match hostname::get() {
        Ok(name) => name.to_string_lossy().into_owned(),
        Err(_) => "unknown".to_owned(),
    }
}
