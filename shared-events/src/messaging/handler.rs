//! What a service writes for each of its queues. Promise: a handler decides and stores, and cannot
//! commit, acknowledge, publish or park, because it is never handed the means.

use std::future::Future;

use serde_json::value::RawValue;

use super::database::{Tx, is_transient};
use crate::{
    envelope::Envelope,
    ids::MessageId,
    message::{Message, MessageSet},
    topology::RETRY_TIERS,
};

/// A message as it came, read.
#[derive(Clone, Debug)]
pub struct Received<M> {
    /// The message in its envelope.
    pub envelope: Envelope<M>,
    /// How many times it was tried and sent to wait.
    pub attempt: u32,
    /// Whether it came back from where it had waited, or was parked: a command has had no effect.
    pub(crate) returned: bool,
}

impl<M> Received<M> {
    /// The message's id.
    #[must_use]
    pub const fn id(&self) -> MessageId {
        self.envelope.id
    }

    /// The message itself.
    #[must_use]
    pub const fn message(&self) -> &M {
        &self.envelope.data
    }

    /// Whether it has waited as often as a message may: who lets it wait once more parks it.
    #[must_use]
    pub fn has_waited_long_enough(&self) -> bool {
        usize::try_from(self.attempt).map_or(true, |attempt| attempt >= RETRY_TIERS.len())
    }
}

/// An event to announce, with its data already written.
#[derive(Clone, Debug)]
pub struct Event {
    pub(crate) kind: &'static str,
    pub(crate) subject: String,
    pub(crate) partition_key: Option<String>,
    pub(crate) data: Box<RawValue>,
}

impl Event {
    /// Writes `message` down as an event.
    pub fn new<M: Message>(message: &M) -> Self {
        let data = serde_json::value::to_raw_value(message);
        Self {
            kind: M::TYPE,
            subject: message.subject(),
            partition_key: message.partition_key(),
            data: data.expect("a message's type writes plain JSON"),
        }
    }
}

/// What became of one message.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is done, or refused: both are answers.
    Done {
        /// Events to announce; whoever waits for a reply is told them too.
        announce: Vec<Event>,
        /// What was announced before, for whoever asks again: in the reply only.
        told: Vec<Event>,
    },
    /// It cannot be handled yet: it waits, and is parked when it has waited often enough. What was
    /// stored for it stays, and must be stored once only however often it comes.
    Later {
        /// What it waits for.
        why: String,
    },
    /// It can never be handled: it is parked. Nothing may have been stored for it.
    Hopeless {
        /// Why not.
        why: String,
    },
}

impl Outcome {
    /// Done, with nothing to say.
    #[must_use]
    pub const fn silent() -> Self {
        Self::Done { announce: vec![], told: vec![] }
    }

    /// Done, with one event to announce.
    pub fn announce<M: Message>(message: &M) -> Self {
        Self::Done { announce: vec![Event::new(message)], told: vec![] }
    }
}

/// Why a whole batch could not be handled: what the bus shall do about it.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// Try the same again, as often as it takes.
    #[error("could not be handled now")]
    Transient(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It would fail again. Messages are tried one by one, and the one that fails alone is parked.
    #[error("cannot be handled")]
    Hopeless(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<sqlx::Error> for HandleError {
    fn from(error: sqlx::Error) -> Self {
        match is_transient(&error) {
            true => Self::Transient(error.into()),
            false => Self::Hopeless(error.into()),
        }
    }
}

/// What tells that a message was handled before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// The bus's inbox: the handler sees each message id once.
    Inbox,
    /// A key of the domain, such as a transfer's id: the handler sees duplicates, and answers with
    /// the stored outcome.
    NaturalKey,
}

/// Handles the messages of one subscription.
pub trait Handler: Send + Sync + 'static {
    /// What the subscription carries.
    type Message: MessageSet;
    /// What makes duplicates harmless.
    const IDEMPOTENCY: Idempotency = Idempotency::Inbox;

    /// Handles a batch, in order, and returns one outcome for each message. All that it stores
    /// through `tx` is committed together with the outcomes, or not at all.
    fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<Self::Message>],
    ) -> impl Future<Output = Result<Vec<Outcome>, HandleError>> + Send;

    /// The answer to a message whose id came before with other content (inbox only).
    fn conflict(&self, received: &Received<Self::Message>) -> Outcome {
        Outcome::Hopeless {
            why: format!("message id {} came before with other content", received.id()),
        }
    }
}
