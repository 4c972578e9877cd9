//! Commands and queries of a client. Promise: a command is sent until its outcome is known or the
//! deadline has passed, under one id, so that the command has one effect; each send is confirmed.

use std::{sync::Arc, time::Duration};

use chrono::Utc;
use lapin::Channel;
use tokio::{sync::watch, time::Instant};
use tracing::{debug, warn};

use super::incoming::{Incoming, LastLost, ReplyWaiter, ReplyWaiters, SessionEnd};
use crate::amqp::{
    ConnectionParameters,
    answer::{BusError, is_refusal_of},
    connection::{Backoff, Link, discard},
    health::Health,
    publish::{Outgoing, partition_headers, properties, publish_confirmed, short},
};
use crate::{
    envelope::{Envelope, RawEnvelope, chain},
    ids::MessageId,
    message::{Kind, Message, Query, Undecodable},
    refusal::MessageRefused,
    topology::{COMMANDS, QUERY_AGE_MAX},
};

/// A message without a reply is sent again after this time: the reply may have been lost with a
/// connection of the service. A service with a backlog must not get ever more messages, so the time
/// grows to a quarter of the whole wait.
const RESEND_AFTER: Duration = Duration::from_secs(3);
const RESEND_SHARE: u32 = 4;

/// A request without an outcome. The command may still be carried out: send it again with its id.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// No outcome by the deadline.
    #[error(
        "no outcome for message {id} in {} s; it may still come: send it again with the same id",
        .after.as_secs()
    )]
    NoOutcome {
        /// The command's or query's id.
        id: MessageId,
        /// The deadline.
        after: Duration,
        /// The last fault, if any.
        #[source]
        last: Option<BusError>,
    },
    /// The service could not read the message, or refused to answer.
    #[error("refused: {}", .0.message)]
    Refused(MessageRefused),
    /// No role of the client's user includes this type of message.
    #[error(transparent)]
    NotPermitted(BusError),
    /// This client cannot decode the reply.
    #[error("the reply cannot be read")]
    Reply(#[source] Undecodable),
}

/// A query without an answer.
pub type AskError = RequestError;

/// The circumstances of a send, apart from the message itself.
#[derive(Clone, Debug)]
pub struct SendOptions {
    /// Messages with the same key are handled in the order of sending. The default is the message's
    /// own key.
    pub partition_key: Option<String>,
    /// The person or system on whose behalf the message is sent.
    pub actor: Option<String>,
    /// The time after which the client gives up waiting for the outcome.
    pub deadline: Duration,
}

impl Default for SendOptions {
    fn default() -> Self {
        Self { partition_key: None, actor: None, deadline: Duration::from_secs(30) }
    }
}

/// A client of the bank. Cheap to clone; its requests share one connection.
#[derive(Clone, Debug)]
pub struct Client {
    pub(super) name: Arc<str>,
    pub(super) link: Arc<Link>,
    session: Arc<tokio::sync::Mutex<Option<Session>>>,
    pending: ReplyWaiters,
    last_lost: LastLost,
}

/// A channel, and the reply queue that lives as long as its connection.
#[derive(Clone, Debug)]
struct Session {
    channel: Channel,
    reply_to: String,
    end: SessionEnd,
}

impl Session {
    fn is_alive(&self) -> bool {
        self.channel.status().connected() && !self.end.has_come()
    }
}

impl Client {
    /// A client with this name, for `source` and for the connection's name. Connects when first
    /// used.
    #[must_use]
    pub fn new(amqp: ConnectionParameters, name: &str) -> Self {
        Self {
            name: name.into(),
            link: Arc::new(Link::new(amqp, name, "client", Health::default())),
            session: Arc::default(),
            pending: Arc::default(),
            last_lost: LastLost::default(),
        }
    }

    /// Connects now, to report a fault early.
    pub async fn connect(&self) -> Result<(), BusError> {
        self.session().await.map(|_| ())
    }

    /// Sends a command and waits for its outcome: the events that answer it. `id` is the command's:
    /// the same id with the same content has one effect and one outcome, however often it is sent.
    pub async fn request<C: Message>(
        &self,
        id: MessageId,
        command: C,
        options: &SendOptions,
    ) -> Result<Vec<RawEnvelope>, RequestError> {
        self.deliver(id, command, options).await?.outcome().await
    }

    /// Sends a command until the broker has confirmed it. Commands with the same partition key that
    /// are delivered one after another keep their order, even where one is sent again later.
    pub async fn deliver<C: Message>(
        &self,
        id: MessageId,
        command: C,
        options: &SendOptions,
    ) -> Result<Delivered<C>, RequestError> {
        let mut envelope = Envelope::start(id, self.source(), Utc::now(), command);
        envelope.actor.clone_from(&options.actor);
        let key = options.partition_key.clone().or_else(|| envelope.data.partition_key());
        let waiter = ReplyWaiter::new(id, &self.pending);
        let (began, deadline) = (Instant::now(), options.deadline);
        let (sent, until, last) = (began, began + deadline, None);
        let (client, last_lost) = (self.clone(), self.last_lost.subscribe());
        let mut sending = Delivered {
            client,
            envelope,
            key,
            waiter,
            last_lost,
            session: 0,
            began,
            sent,
            until,
            deadline,
            last,
        };
        sending.send().await?;
        Ok(sending)
    }

    /// Sends a query and waits for its answer.
    pub async fn ask<Q: Query>(&self, query: Q) -> Result<Q::Reply, AskError> {
        let options = SendOptions::default();
        let reply = self.request(MessageId::new(), query, &options).await?;
        let first = reply.first().ok_or_else(|| {
            RequestError::Refused(MessageRefused::unavailable("the reply was empty"))
        })?;
        first.read().map_err(RequestError::Reply)
    }

    fn source(&self) -> String {
        format!("/clients/{}", self.name)
    }

    /// Publishes a message, and returns the number of the session whose queue the reply goes to.
    async fn send<D: Message>(
        &self,
        envelope: &Envelope<D>,
        key: Option<&str>,
    ) -> Result<u64, BusError> {
        let session = self.session().await?;
        let mut properties = properties(envelope, self.link.user())
            .with_headers(partition_headers(key))
            .with_reply_to(short(&session.reply_to));
        if D::KIND == Kind::Query {
            properties = properties.with_expiration(short(&QUERY_AGE_MAX.as_millis().to_string()));
        }
        let body = envelope.to_json();
        let key = D::TYPE.to_owned();
        let outgoing = Outgoing { exchange: COMMANDS, key, properties, body };
        match publish_confirmed(&session.channel, &[outgoing]).await {
            Ok(()) => Ok(session.end.number),
            // A refusal closes the channel under all requests on it, and names the refused type.
            Err(BusError::Broker(error)) if is_refusal_of(&error, D::TYPE) => {
                session.end.signal();
                Err(self.not_permitted(&format!("send {}", D::TYPE)))
            }
            Err(error @ BusError::Timeout { .. }) => {
                // The channel may be broken: the next attempt opens another.
                session.end.signal();
                discard(session.channel);
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn not_permitted(&self, to: &str) -> BusError {
        BusError::NotPermitted { user: self.link.user().to_owned(), to: to.to_owned() }
    }

    /// The channel and reply queue in use, or new ones where the last were lost.
    async fn session(&self) -> Result<Session, BusError> {
        let mut current = self.session.lock().await;
        if let Some(session) = current.as_ref().filter(|session| session.is_alive()) {
            return Ok(session.clone());
        }
        if let Some(lost) = current.take() {
            lost.end.signal();
            discard(lost.channel);
        }
        let number = *self.last_lost.borrow() + 1;
        let end = SessionEnd { number, last_lost: Arc::clone(&self.last_lost) };
        let replies = Incoming::Replies(Arc::clone(&self.pending), end.clone());
        let channel = self.link.confirming_channel().await?;
        let reply_to = self.receive_replies(&channel, replies).await?;
        Ok(current.insert(Session { channel, reply_to, end }).clone())
    }
}

/// A command that the broker has confirmed, and whose outcome is not known yet.
#[derive(Debug)]
pub struct Delivered<C> {
    client: Client,
    envelope: Envelope<C>,
    key: Option<String>,
    waiter: ReplyWaiter,
    last_lost: watch::Receiver<u64>,
    /// The number of the session of the last send.
    session: u64,
    began: Instant,
    sent: Instant,
    until: Instant,
    deadline: Duration,
    last: Option<BusError>,
}

impl<C: Message> Delivered<C> {
    /// Waits for the outcome: the events that answer the command. Without a reply, sends the
    /// command again.
    pub async fn outcome(mut self) -> Result<Vec<RawEnvelope>, RequestError> {
        loop {
            let again = self.until.min(self.sent + resend_after(self.sent - self.began));
            tokio::select! {
                biased;
                answer = &mut self.waiter.answer => match answer {
                    Ok(events) => return refused_or(events),
                    Err(_) => unreachable!("a waiter keeps its sender until the answer"),
                },
                _ = self.last_lost.wait_for(|last| *last >= self.session) => {
                    debug!(message.id = %self.envelope.id, "replies are lost; sending again");
                }
                () = tokio::time::sleep_until(again) => {
                    debug!(message.id = %self.envelope.id, "no outcome yet; sending again");
                }
            }
            if Instant::now() >= self.until {
                return Err(self.no_outcome());
            }
            self.send().await?;
        }
    }

    /// Publishes until the broker confirms.
    async fn send(&mut self) -> Result<(), RequestError> {
        let mut backoff = Backoff::new();
        loop {
            let sending = self.client.send(&self.envelope, self.key.as_deref());
            match tokio::time::timeout_at(self.until, sending).await {
                Ok(Ok(session)) => {
                    (self.session, self.sent) = (session, Instant::now());
                    return Ok(());
                }
                Ok(Err(error @ BusError::NotPermitted { .. })) => {
                    return Err(RequestError::NotPermitted(error));
                }
                Ok(Err(error)) => {
                    warn!(message.id = %self.envelope.id, error = %chain(&error), "sending again");
                    self.last = Some(error);
                }
                Err(_) => return Err(self.no_outcome()),
            }
            let resume = self.until.min(Instant::now() + backoff.next_pause());
            tokio::time::sleep_until(resume).await;
        }
    }

    fn no_outcome(&mut self) -> RequestError {
        let (id, after) = (self.envelope.id, self.deadline);
        RequestError::NoOutcome { id, after, last: self.last.take() }
    }
}

/// The wait for a reply before the next send, given the time from the first send to the last one.
fn resend_after(waited: Duration) -> Duration {
    RESEND_AFTER.max(waited / RESEND_SHARE)
}

/// Turns a refusal into an error.
fn refused_or(events: Vec<RawEnvelope>) -> Result<Vec<RawEnvelope>, RequestError> {
    match events.first() {
        Some(first) if first.kind == MessageRefused::TYPE => {
            Err(first.read().map_or_else(RequestError::Reply, RequestError::Refused))
        }
        _ => Ok(events),
    }
}
