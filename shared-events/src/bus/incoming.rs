//! What comes to a client's own queues. Promise: a reply finds whoever still waits for it, and
//! whoever stopped waiting is forgotten.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lapin::{ConsumerDelegate, message::DeliveryResult};
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use super::publish::text;
use crate::{
    envelope::{RawEnvelope, chain, read_envelopes},
    ids::MessageId,
};

/// Who waits for the reply to which message.
pub(super) type Pending = Arc<Mutex<Waiting>>;
type Waiting = HashMap<MessageId, Vec<oneshot::Sender<Vec<RawEnvelope>>>>;

fn lock(pending: &Pending) -> MutexGuard<'_, Waiting> {
    pending.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for one reply, and is forgotten with whoever waits.
#[derive(Debug)]
pub(super) struct Asker {
    id: MessageId,
    pending: Pending,
    pub(super) answer: oneshot::Receiver<Vec<RawEnvelope>>,
}

impl Asker {
    pub(super) fn new(id: MessageId, pending: &Pending) -> Self {
        let (answered, answer) = oneshot::channel();
        lock(pending).entry(id).or_default().push(answered);
        Self { id, pending: Arc::clone(pending), answer }
    }
}

impl Drop for Asker {
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

/// Where messages on a client's own queue go.
pub(super) enum Incoming {
    Replies(Pending),
    Watched(mpsc::UnboundedSender<RawEnvelope>),
}

impl ConsumerDelegate for Incoming {
    fn on_new_delivery(
        &self,
        delivery: DeliveryResult,
    ) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        if let Ok(Some(delivery)) = delivery {
            let content_type = text(delivery.properties.content_type().as_ref());
            match read_envelopes(content_type, &delivery.data) {
                Err(error) => warn!(error = %chain(&error), "unreadable message"),
                Ok(events) => {
                    self.take(text(delivery.properties.correlation_id().as_ref()), events);
                }
            }
        }
        Box::pin(std::future::ready(()))
    }
}

impl Incoming {
    fn take(&self, asked: &str, events: Vec<RawEnvelope>) {
        match self {
            Self::Replies(pending) => {
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
