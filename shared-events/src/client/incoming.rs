//! The messages of a client's own queues. Promise: a reply reaches every caller that still waits
//! for its message id; a caller that stops waiting leaves nothing behind.

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
            Ok(Some(delivery)) => {
                let content_type = text(delivery.properties.content_type().as_ref());
                match read_envelopes(content_type, &delivery.data) {
                    Err(error) => warn!(error = %chain(&error), "unreadable message"),
                    Ok(events) => {
                        self.accept(text(delivery.properties.correlation_id().as_ref()), events);
                    }
                }
            }
            Ok(None) | Err(_) => self.end(),
        }
        Box::pin(std::future::ready(()))
    }
}

impl Incoming {
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
