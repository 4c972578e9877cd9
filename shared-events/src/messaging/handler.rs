//! The interface between a service and its queues. Promise: a handler decides and stores; it has no
//! means to commit, acknowledge, publish or park.

use std::future::Future;

use serde_json::value::RawValue;

use super::{
    database::Tx, database_fault::is_transient, message_source::Delivered, origin::Principal,
    outbox::actor,
};
use crate::{
    access::Rights,
    approvals::NeededApproval,
    envelope::Envelope,
    evidence::Authorship,
    ids::MessageId,
    message::{Message, MessageSet},
    owned::Shape,
    refusal::MessageRefused,
    topology::{RETRY_TIERS, SERVICES},
};

/// A decoded message.
#[derive(Clone, Debug)]
pub struct Received<M> {
    /// The message in its envelope.
    pub envelope: Envelope<M>,
    /// The author: the user of the broker who has sent the message.
    pub principal: Principal,
    /// What the author may do with the message.
    pub rights: Rights,
    /// The operator that has edited the message while it was parked.
    pub(crate) edited_by: Option<Principal>,
    /// How many earlier attempts ended in a retry queue.
    pub attempt: u32,
    /// Whether the message comes from a retry queue or a replay: the command has had no effect.
    pub(crate) returned: bool,
    /// Whether the broker has delivered the message before, perhaps to a process that died.
    pub(crate) redelivered: bool,
    /// The delivery, of an author whose grants may ask for an approval.
    pub(crate) delivered: Option<Delivered>,
    /// What earlier decisions about its approval say.
    pub(crate) standing: Standing,
}

impl<M> Received<M> {
    /// The message's id.
    #[must_use]
    pub const fn id(&self) -> MessageId {
        self.envelope.id
    }

    /// The message without its envelope.
    #[must_use]
    pub const fn message(&self) -> &M {
        &self.envelope.data
    }

    /// The principal that has approved the message, where its author needed that.
    #[must_use]
    pub const fn approved_by(&self) -> Option<&Principal> {
        match &self.standing {
            Standing::Approved(approver) => Some(approver),
            Standing::None | Standing::Answered(_) | Standing::OtherContent => None,
        }
    }

    /// The author of the message, with the person behind it, its editor and its approver.
    #[must_use]
    pub fn authorship(&self) -> Authorship {
        let name = |principal: &Principal| principal.as_str().to_owned();
        Authorship {
            principal: name(&self.principal),
            actor: self.envelope.actor.as_deref().map(actor),
            edited_by: self.edited_by.as_ref().map(name),
            approved_by: self.approved_by().map(name),
        }
    }

    /// Whether the message waits for an approval, or was not approved.
    pub(crate) const fn is_standing(&self) -> bool {
        matches!(self.standing, Standing::Answered(_))
    }

    /// Whether all retry tiers are used: one more `Outcome::Later` parks the message.
    #[must_use]
    pub fn has_waited_long_enough(&self) -> bool {
        usize::try_from(self.attempt).map_or(true, |attempt| attempt >= RETRY_TIERS.len())
    }
}

/// An event to announce, with its data already serialised.
#[derive(Clone, Debug)]
pub struct Event {
    pub(crate) kind: &'static str,
    pub(crate) subject: String,
    pub(crate) partition_key: Option<String>,
    pub(crate) data: Box<RawValue>,
}

impl Event {
    /// Serialises `message` as an event.
    pub fn new<M: Message>(message: &M) -> Self {
        let subject = message.subject();
        Self { partition_key: message.partition_key(), ..Self::of_type(M::TYPE, subject, message) }
    }

    /// Serialises `content` as an event of this type, without a partition key.
    pub(crate) fn of_type(
        kind: &'static str,
        subject: String,
        content: &impl serde::Serialize,
    ) -> Self {
        let data = serde_json::value::to_raw_value(content);
        let data = data.expect("a message's type writes plain JSON");
        Self { kind, subject, partition_key: None, data }
    }

    /// Serialises `content` as an event of the service's own type.
    pub(crate) fn owned<T: Shape>(service: &str, content: &T) -> Self {
        let place = SERVICES.iter().position(|name| *name == service);
        let kind = T::TYPES[place.expect("a service is in the topology")];
        Self::of_type(kind, T::SUBJECT.to_owned(), content)
    }
}

/// The outcome of one message.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The message is done, or refused by the domain: both are answers.
    Done {
        /// Events to announce; the reply to the sender contains them, too.
        announce: Vec<Event>,
        /// Events that were announced earlier: only the reply to the sender contains them.
        told: Vec<Event>,
    },
    /// The message needs the approval of another principal, and waits for it. The handler must have
    /// stored nothing for it.
    NeedsApproval(Vec<NeededApproval>),
    /// The message cannot be handled yet: it waits in a retry queue, and is parked after the last
    /// tier. The handler's changes for it stay, and must be harmless to repeat.
    Later {
        /// The missing precondition.
        why: String,
    },
    /// The message can never be handled: it is parked. The handler must have stored nothing for it.
    Hopeless {
        /// The reason.
        why: String,
    },
}

impl Outcome {
    /// Done, without any event.
    #[must_use]
    pub const fn silent() -> Self {
        Self::Done { announce: vec![], told: vec![] }
    }

    /// Refused, with a reply and no event.
    #[must_use]
    pub fn refused(refusal: &MessageRefused) -> Self {
        Self::Done { announce: vec![], told: vec![Event::new(refusal)] }
    }

    /// Done, with one event to announce.
    pub fn announce<M: Message>(message: &M) -> Self {
        Self::Done { announce: vec![Event::new(message)], told: vec![] }
    }

    /// Done, with these events to announce, in this order.
    #[must_use]
    pub const fn announce_all(announce: Vec<Event>) -> Self {
        Self::Done { announce, told: vec![] }
    }
}

/// The fault of a whole batch, by the reaction of the bus.
#[derive(Debug, thiserror::Error)]
pub enum HandleError {
    /// A later attempt can succeed: the batch is attempted again until it does.
    #[error("could not be handled now")]
    Transient(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Each attempt would fail. Messages are attempted one by one, and the one that fails is
    /// parked.
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

/// How a duplicate of a message is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// The bus's inbox: the handler sees each message id once.
    Inbox,
    /// A key of the domain, such as a transfer's id: the handler sees duplicates, and returns the
    /// stored outcome.
    NaturalKey,
}

/// What earlier decisions say about a message.
#[derive(Clone, Debug, Default)]
pub(crate) enum Standing {
    /// Nothing: the message was not set aside.
    #[default]
    None,
    /// This principal has approved it. It may have been handled since.
    Approved(Principal),
    /// It waits, or was declined, or has expired: this is the answer.
    Answered(Outcome),
    /// A message with the same id and other content was set aside.
    OtherContent,
}

/// Handles the messages of one subscription.
pub trait Handler: Send + Sync + 'static {
    /// The messages of the subscription.
    type Message: MessageSet;
    /// How duplicates are made harmless.
    const IDEMPOTENCY: Idempotency = Idempotency::Inbox;
    /// Whether the handler gets commands that no grant permits, too. A handler that finds
    /// duplicates by a key of its own must: it repeats an outcome also where the right was lost.
    const REFUSES_ITSELF: bool = false;

    /// Handles a batch, in order, and returns one outcome for each message. All changes through
    /// `tx` are committed together with the outcomes, or not at all.
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

    /// The answer to a message that no grant of its author permits; `why` names the missing right.
    fn not_permitted(&self, received: &Received<Self::Message>, why: &str) -> Outcome {
        let _ = received;
        Outcome::refused(&MessageRefused::not_permitted(why))
    }
}
