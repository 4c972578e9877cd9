//! The messages of a client's own queues. Promise: a reply reaches every caller that still waits
//! for its message id; a caller that stops waiting leaves nothing behind; an event is believed from
//! the service that owns it, a reply from a service, and nothing from anybody else.
//!
//! Tests: `an_event_is_believed_from_its_owner_and_a_reply_from_a_service`.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lapin::{
    Channel, ConsumerDelegate,
    message::{Delivery, DeliveryResult},
};
use tokio::sync::{mpsc, oneshot, watch};
use tracing::warn;

use crate::amqp::{connection::discard, publish::text};
use crate::{
    envelope::{RawEnvelope, chain, read_envelopes},
    ids::MessageId,
    topology::{EVENTS, PERSONAL, REPLIES, SERVICES, owner_of},
};

/// The callers that wait for a reply, by message id.
pub(crate) type ReplyWaiters = Arc<Mutex<WaitersById>>;
type WaitersById = HashMap<MessageId, Vec<oneshot::Sender<Vec<RawEnvelope>>>>;

fn lock(pending: &ReplyWaiters) -> MutexGuard<'_, WaitersById> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for one reply. A dropped waiter is removed from the waiting ones.
#[derive(Debug)]
pub(crate) struct ReplyWaiter {
    id: MessageId,
    pending: ReplyWaiters,
    pub(crate) answer: oneshot::Receiver<Vec<RawEnvelope>>,
}

impl ReplyWaiter {
    pub(crate) fn new(id: MessageId, pending: &ReplyWaiters) -> Self {
        let (answered, answer) = oneshot::channel();
        lock(pending).entry(id).or_default().push(answered);
        Self { id, pending: Arc::clone(pending), answer }
    }
}

impl Drop for ReplyWaiter {
    fn drop(&mut self) {
        self.answer.close();
        let mut pending = lock(&self.pending);
        if let Some(waiting) = pending.get_mut(&self.id) {
            waiting.retain(|waiter| !waiter.is_closed());
            if waiting.is_empty() {
                pending.remove(&self.id);
            }
        }
    }
}

/// The number of the last lost session. Sessions are numbered from one, in order.
pub(crate) type LastLost = Arc<watch::Sender<u64>>;

/// Signals that a session is lost, and with it the replies on their way to its queue.
#[derive(Clone, Debug)]
pub(crate) struct SessionEnd {
    pub(crate) number: u64,
    pub(crate) last_lost: LastLost,
}

impl SessionEnd {
    pub(crate) fn signal(&self) {
        self.last_lost.send_modify(|last| *last = self.number.max(*last));
    }

    pub(crate) fn has_come(&self) -> bool {
        *self.last_lost.borrow() >= self.number
    }
}

/// The receiver of the messages of a client's own queue.
pub(crate) enum Incoming {
    /// Replies go to their waiters; the end of the queue is signalled to all.
    Replies(ReplyWaiters, SessionEnd),
    Watched(mpsc::UnboundedSender<RawEnvelope>),
}

impl ConsumerDelegate for Incoming {
    fn on_new_delivery(
        &self,
        delivery: DeliveryResult,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match delivery {
            Ok(Some(delivery)) => self.receive(&delivery),
            Ok(None) | Err(_) => self.end(),
        }
        Box::pin(std::future::ready(()))
    }
}

impl Incoming {
    fn receive(&self, delivery: &Delivery) {
        let properties = &delivery.properties;
        let content_type = text(properties.content_type().as_ref());
        let events = match read_envelopes(content_type, &delivery.data) {
            Ok(events) => events,
            Err(error) => {
                warn!(error = %chain(&error), "unreadable message");
                return;
            }
        };
        let (exchange, user) = (delivery.exchange.as_str(), text(properties.user_id().as_ref()));
        let is_believed = match self {
            Self::Replies(..) => exchange == REPLIES && SERVICES.contains(&user),
            Self::Watched(_) => {
                let is_own = |event: &RawEnvelope| owner_of(&event.kind) == Some(user);
                [EVENTS, PERSONAL].contains(&exchange) && events.iter().all(is_own)
            }
        };
        match is_believed {
            true => self.accept(text(properties.correlation_id().as_ref()), events),
            false => warn!(exchange, user, "a message of wrong origin is disregarded"),
        }
    }

    /// The queue has ended.
    fn end(&self) {
        if let Self::Replies(_, session_end) = self {
            session_end.signal();
        }
    }

    fn accept(&self, correlation_id: &str, events: Vec<RawEnvelope>) {
        match self {
            Self::Replies(pending, _) => {
                let waiting =
                    correlation_id.parse().ok().and_then(|id: MessageId| lock(pending).remove(&id));
                // Without a waiter, the message was sent twice and answered twice.
                for waiter in waiting.into_iter().flatten() {
                    let _ = waiter.send(events.clone());
                }
            }
            Self::Watched(sender) => {
                for event in events {
                    let _ = sender.send(event);
                }
            }
        }
    }
}

/// Live events, until the connection is lost.
#[derive(Debug)]
pub struct Watch {
    pub(crate) events: mpsc::UnboundedReceiver<RawEnvelope>,
    pub(crate) channel: Channel,
}

impl Drop for Watch {
    /// The queue ends with its consumer's channel; a dropped handle alone would keep both.
    fn drop(&mut self) {
        discard(self.channel.clone());
    }
}

impl Watch {
    /// The next event; `None` when the connection is lost.
    pub async fn next(&mut self) -> Option<RawEnvelope> {
        self.events.recv().await
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use lapin::BasicProperties;

    use super::*;
    use crate::{
        accounts::{AccountFrozen, Blocks},
        envelope::{CONTENT_TYPE, Envelope},
        ids::AccountId,
        topology::{COMMANDS, RETRY},
    };

    /// An event of the accounts service, as a delivery by this way.
    fn delivery(exchange: &str, user: &str) -> Delivery {
        let event = AccountFrozen {
            account_id: AccountId::new(),
            reason: String::new(),
            blocks: Blocks::Both,
            previous_blocks: None,
            version: 2,
        };
        let id = MessageId::new();
        let body = Envelope::start(id, "/accounts".to_owned(), Utc::now(), event).to_json();
        let mut delivery = Delivery::mock(1, exchange.into(), "client.acme.1".into(), false, body);
        delivery.properties = BasicProperties::default()
            .with_content_type(CONTENT_TYPE.into())
            .with_correlation_id(id.to_string().into())
            .with_user_id(user.into());
        delivery
    }

    #[test]
    fn an_event_is_believed_from_its_owner_and_a_reply_from_a_service() {
        let table = [
            (EVENTS, "accounts", (true, false)),
            (EVENTS, "ledger", (false, false)),
            (EVENTS, "", (false, false)),
            (REPLIES, "accounts", (false, true)),
            (REPLIES, "ledger", (false, true)),
            (REPLIES, "eve", (false, false)),
            (REPLIES, "", (false, false)),
            (COMMANDS, "accounts", (false, false)),
            (RETRY, "accounts", (false, false)),
            ("", "accounts", (false, false)),
        ];
        for (exchange, user, expected) in table {
            let delivery = delivery(exchange, user);
            let (sender, mut watched) = mpsc::unbounded_channel();
            Incoming::Watched(sender).receive(&delivery);
            let pending = ReplyWaiters::default();
            let id = text(delivery.properties.correlation_id().as_ref()).parse();
            let mut waiter = ReplyWaiter::new(id.expect("an id"), &pending);
            let session_end = SessionEnd { number: 1, last_lost: LastLost::default() };
            Incoming::Replies(Arc::clone(&pending), session_end).receive(&delivery);
            let found = (watched.try_recv().is_ok(), waiter.answer.try_recv().is_ok());
            assert_eq!(found, expected, "{exchange} {user}");
        }
    }
}
