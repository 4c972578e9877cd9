//! Carries out dispositions after the commit. Promise: a retried or parked message is confirmed on
//! its new queue before its delivery is acknowledged; a reply holds nothing up. Only a client's
//! faulty message may be dropped: while the parked queue has `CLIENT_FAULTS_PARKED_MAX` messages.
//!
//! The unit tests of `batch` run this code over a recorder of broker calls.

use std::time::Duration;

use chrono::Utc;
use lapin::BasicProperties;
use metrics::counter;
use tracing::{error, info, warn};

use super::{
    delivery_broker::DeliveryBroker,
    disposition::{Disposition, ReplyEvents},
    message_source::MessageSource,
    reply::{Reply, correlation},
    republish::{OriginalMessage, RepublishTarget, republish},
};
use crate::amqp::{
    answer::BusError,
    connection::Backoff,
    publish::{Outgoing, named, short, text},
};
use crate::{
    envelope::chain,
    parked::ParkedReason,
    refusal::MessageRefused,
    topology::{CLIENT_FAULTS_PARKED_MAX, SERVICES, is_queue_of, parked_queue},
};

/// One reply: a blocked connection must not hold messages up for a reply.
const REPLY_TIMEOUT: Duration = Duration::from_secs(5);
/// All replies of a batch together.
const REPLIES_TIMEOUT: Duration = Duration::from_secs(5);

/// Settles the messages of one service.
pub(crate) struct Settlement<B> {
    pub(crate) service: &'static str,
    pub(crate) broker: B,
}

impl<B: DeliveryBroker> Settlement<B> {
    /// Sends refusals, publishes what is retried and parked, then sends replies. An error means
    /// that the broker may lack a message, and nothing may be acknowledged.
    pub(crate) async fn settle<'d>(
        &self,
        decided: impl Iterator<Item = (MessageSource<'d>, Disposition)> + Send,
    ) -> Result<(), BusError> {
        let (mut republished, mut replies) = (Vec::new(), Vec::new());
        let mut has_room = None;
        for (source, disposition) in decided {
            match disposition {
                Disposition::Acknowledge { reply } => {
                    let reply = reply.filter(|_| source.properties().reply_to().is_some());
                    replies.extend(reply.map(|reply| (source, reply)));
                }
                Disposition::Retry { attempt, retry_queue, why } => {
                    republished.push(self.retried(source.original(), attempt, retry_queue, &why));
                }
                Disposition::DeadLetter { reason, why, refusal } => {
                    if let Some(refusal) = refusal {
                        self.refuse(source, refusal).await;
                    }
                    if is_of_its_client(source, &reason) && !self.has_room(&mut has_room).await? {
                        self.drop_faulty(source, &reason, &why);
                        continue;
                    }
                    republished.push(self.parked(source.original(), reason, &why));
                }
            }
        }
        self.broker.publish_confirmed(&republished).await?;
        self.reply_all(replies).await;
        Ok(())
    }

    fn retried(
        &self,
        original: OriginalMessage,
        attempt: u32,
        name: String,
        why: &str,
    ) -> Outgoing {
        info!(
            message.id = original.id,
            message.kind = original.kind,
            attempt,
            why,
            key = name,
            "message waits for another attempt"
        );
        counter!("bus_retried_total", "queue" => original.queue.clone()).increment(1);
        let target = RepublishTarget::RetryQueue { name, attempt };
        republish(original, target, self.broker.user())
    }

    fn parked(&self, original: OriginalMessage, reason: ParkedReason, why: &str) -> Outgoing {
        let code = reason.as_str();
        error!(
            message.id = original.id,
            message.kind = original.kind,
            queue = original.queue,
            reason = code,
            why,
            "message parked"
        );
        counter!("bus_parked_total", "queue" => original.queue.clone(), "reason" => code)
            .increment(1);
        let target = RepublishTarget::ParkedQueue {
            service: self.service,
            reason,
            why,
            parked_at: Utc::now(),
            parked_by: self.broker.connection_name(),
        };
        republish(original, target, self.broker.user())
    }

    /// Whether the parked queue has a place for messages that are their clients' own fault. Asked
    /// once for a batch.
    async fn has_room(&self, known: &mut Option<bool>) -> Result<bool, BusError> {
        if let Some(known) = *known {
            return Ok(known);
        }
        let count = self.broker.message_count(&parked_queue(self.service)).await?;
        Ok(*known.insert(count < CLIENT_FAULTS_PARKED_MAX))
    }

    fn drop_faulty(&self, source: MessageSource<'_>, reason: &ParkedReason, why: &str) {
        let (queue, code) = (source.delivery.queue.to_string(), reason.as_str());
        let user = text(source.properties().user_id().as_ref());
        error!(
            message.id = text(source.properties().message_id().as_ref()),
            queue,
            reason = code,
            user,
            why,
            "too many messages are parked: a client's faulty message is dropped"
        );
        counter!("bus_dropped_total", "queue" => queue, "reason" => code).increment(1);
    }

    async fn reply_all(&self, replies: Vec<(MessageSource<'_>, ReplyEvents)>) {
        let replying = async {
            for (request, events) in replies {
                self.reply(request.properties(), request.author, &Reply::of(&events.0)).await;
            }
        };
        if tokio::time::timeout(REPLIES_TIMEOUT, replying).await.is_err() {
            warn!("replies were not sent in time; a waiting client sends its command again");
        }
    }

    /// Sends a reply to the author of a request, and to nobody else's queue; the event is the
    /// record, so a lost reply loses nothing. A reply is within the message limit, so the channel
    /// stays open for the next one.
    pub(crate) async fn reply(
        &self,
        request: &BasicProperties,
        author: Option<&str>,
        reply: &Reply,
    ) {
        let reply_to = text(request.reply_to().as_ref());
        if reply_to.is_empty() {
            return;
        }
        let id = correlation(request, reply.about);
        if !author.is_some_and(|author| is_queue_of(author, reply_to)) {
            warn!(message.id = id, author, reply_to, "not its author's queue; no reply is sent");
            return;
        }
        let properties = named(reply.content_type, &id, &reply.kind, self.broker.user())
            .with_app_id(short(&format!("/{}", self.service)))
            .with_correlation_id(short(&id));
        // The first reply after a lost connection fails, and the second attempt opens another.
        let sending = async {
            let mut backoff = Backoff::new();
            while let Err(error) =
                self.broker.publish_reply(reply_to, &reply.body, properties.clone()).await
            {
                warn!(message.id = id, error = %chain(&error), "the reply is sent again");
                backoff.pause().await;
            }
        };
        if tokio::time::timeout(REPLY_TIMEOUT, sending).await.is_err() {
            warn!(message.id = id, "the reply was not sent");
        }
    }

    /// Tells the author of a request why the request was not handled.
    pub(crate) async fn refuse(&self, source: MessageSource<'_>, refusal: MessageRefused) {
        let (request, id, own) = (source.properties(), source.id, format!("/{}", self.service));
        let reply = Reply::refused(request, id, own, refusal);
        self.reply(request, source.author, &reply).await;
    }
}

/// Whether a message is parked by the fault of the client that has sent it.
fn is_of_its_client(source: MessageSource<'_>, reason: &ParkedReason) -> bool {
    let is_senders_fault = matches!(
        reason,
        ParkedReason::WrongOrigin | ParkedReason::Undecodable | ParkedReason::Oversized
    );
    is_senders_fault && !SERVICES.contains(&text(source.properties().user_id().as_ref()))
}
