//! What comes to a client's own queues. Promise: a reply finds whoever still waits for it, and
//! whoever stopped waiting is forgotten.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lapin::{Channel, ConsumerDelegate, message::DeliveryResult};
use tokio::sync::{mpsc, oneshot, watch};
use tracing::warn;

use crate::amqp::{connection::discard, publish::text};
use crate::{
    envelope::{RawEnvelope, chain, read_envelopes},
    ids::MessageId,
};

/// Who waits for the reply to which message.
pub(crate) type ReplyWaiters = Arc<Mutex<Waiting>>;
type Waiting = HashMap<MessageId, Vec<oneshot::Sender<Vec<RawEnvelope>>>>;

fn lock(pending: &ReplyWaiters) -> MutexGuard<'_, Waiting> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for one reply, and is forgotten with whoever waits.
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
            waiting.retain(|asker| !asker.is_closed());
            if waiting.is_empty() {
                pending.remove(&self.id);
            }
        }
    }
}

/// The number of the last session that was lost. Sessions are numbered from one, in order.
pub(crate) type LastLost = Arc<watch::Sender<u64>>;

/// Tells that a session is lost, and with it the replies that were on their way to it.
#[derive(Clone, Debug)]
pub(crate) struct SessionEnd {
    pub(crate) number: u64,
    pub(crate) last_lost: LastLost,
}

impl SessionEnd {
    pub(crate) fn tell(&self) {
        self.last_lost.send_modify(|last| *last = self.number.max(*last));
    }

    pub(crate) fn has_come(&self) -> bool {
        *self.last_lost.borrow() >= self.number
    }
}

/// Where messages on a client's own queue go.
pub(crate) enum Incoming {
    /// To whoever waits for them; when they cannot come any more, all who wait are told.
    Replies(ReplyWaiters, SessionEnd),
    Watched(mpsc::UnboundedSender<RawEnvelope>),
}

impl ConsumerDelegate for Incoming {
    fn on_new_delivery(
        &self,
        delivery: DeliveryResult,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        match delivery {
            Ok(Some(delivery)) => {
                let content_type = text(delivery.properties.content_type().as_ref());
                match read_envelopes(content_type, &delivery.data) {
                    Err(error) => warn!(error = %chain(&error), "unreadable message"),
                    Ok(events) => {
                        self.take(text(delivery.properties.correlation_id().as_ref()), events);
                    }
                }
            }
            Ok(None) | Err(_) => self.end(),
        }
        Box::pin(std::future::ready(()))
    }
}

impl Incoming {
    /// The queue is gone.
    fn end(&self) {
        if let Self::Replies(_, session_end) = self {
            session_end.tell();
        }
    }

    fn take(&self, asked: &str, events: Vec<RawEnvelope>) {
        match self {
            Self::Replies(pending, _) => {
                let waiting =
                    asked.parse().ok().and_then(|id: MessageId| lock(pending).remove(&id));
                // Where nobody waits any more, it was asked twice, and answered twice.
                for asker in waiting.into_iter().flatten() {
                    let _ = asker.send(events.clone());
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
    /// The queue goes away with its consumer's channel; dropping the handle alone keeps it.
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
