//! Answers queries. Promise: an answer is read in one read-only snapshot and changes nothing; it
//! leaves the service after its entry in the access log is stored; a query that cannot be answered
//! now is refused at once rather than kept waiting.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use chrono::Utc;
use futures_util::FutureExt;
use metrics::counter;
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    access::AccessBoard,
    access_log::{AccessLog, AskedQuery},
    database::{Database, Tx},
    decode,
    delivery_broker::{DeliveryBroker, ServiceBroker},
    delivery_stream::DeliveryStream,
    handler::{Event, HandleError},
    isolation::needs_isolation,
    message_source::{self, MessageSource, QueueDelivery},
    origin::{Origin, Way, WrongOrigin, origin},
    outbox::Cause,
    reply::Reply,
    settlement::Settlement,
    supervise,
    time_limit::AdaptiveTimeout,
};
use crate::amqp::{
    answer::BusError,
    connection::{Backoff, Link},
    health::Health,
};
use crate::{
    access::Rights,
    envelope::{RawEnvelope, chain},
    ids::MessageId,
    message::{Message, MessageSet},
    refusal::MessageRefused,
    text::visible,
    topology::Subscription,
};

/// How many queries are answered at a time.
const QUERIES_AT_ONCE: usize = 4;
/// How many queries wait in memory: few enough that their sizes do not matter.
const PREFETCH: u16 = 12;
/// What a client hears of a query that failed. What a database says is for the log.
const NOT_ANSWERED: &str = "the service cannot answer at the moment; ask again";
/// A query whose database was silent is attempted again for so long: clients wait about as long.
const ATTEMPTS_TIMEOUT: Duration = Duration::from_secs(15);

/// The answer to a query.
#[derive(Clone, Debug)]
pub struct Answer(Event);

impl Answer {
    /// The reply with the result of the query.
    pub fn found<M: Message>(reply: &M) -> Self {
        Self(Event::new(reply))
    }

    /// The reason why there is no result.
    #[must_use]
    pub fn refused(refusal: &MessageRefused) -> Self {
        Self(Event::new(refusal))
    }
}

/// The author of a query.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// The user of the broker that has sent the query.
    pub principal: &'a str,
    /// The rights of the author for a query of this type.
    pub rights: &'a Rights,
}

/// Answers the queries of one subscription.
pub trait QueryHandler: Send + Sync + 'static {
    /// The queries of the subscription.
    type Query: MessageSet;

    /// Answers one query within a read-only snapshot, as far as the rights of its author permit.
    fn answer(
        &self,
        tx: &mut Tx<'_>,
        query: &Self::Query,
        asker: Asker<'_>,
    ) -> impl Future<Output = Result<Answer, HandleError>> + Send;
}

/// Consumes one subscription of queries until the service stops.
pub(crate) struct QueryConsumer<A: QueryHandler> {
    pub(crate) subscription: Subscription,
    pub(crate) handler: A,
    pub(crate) source: String,
    pub(crate) database: Database,
    pub(crate) time_limit: AdaptiveTimeout,
    pub(crate) link: Arc<Link>,
    pub(crate) settlement: Arc<Settlement<ServiceBroker>>,
    pub(crate) access: AccessBoard,
    pub(crate) access_log: AccessLog,
    pub(crate) health: Health,
    pub(crate) shutdown: CancellationToken,
}

/// The query consumer of a subscription, as its service's health names it.
pub(crate) fn part(subscription: &Subscription) -> String {
    format!("queries {}", subscription.name)
}

impl<A: QueryHandler> QueryConsumer<A> {
    pub(crate) async fn run(self) {
        let consumer = Arc::new(self);
        let mut backoff = Backoff::new();
        let part = part(&consumer.subscription);
        while !consumer.shutdown.is_cancelled() {
            match Arc::clone(&consumer).serve(&part, &mut backoff).await {
                Ok(()) => break,
                Err(error) => {
                    warn!(queue = consumer.subscription.name, error = %chain(&error),
                        "query consumer lost its channel");
                    consumer.health.bad(&part, chain(&error).to_string());
                    let pause = backoff.next_pause();
                    let _ = tokio::time::timeout(pause, consumer.shutdown.cancelled()).await;
                }
            }
        }
    }

    async fn serve(self: Arc<Self>, part: &str, backoff: &mut Backoff) -> Result<(), BusError> {
        let mut stream =
            DeliveryStream::open(&self.link, &self.subscription, PREFETCH, &|_| 0).await?;
        self.health.good(part);
        *backoff = Backoff::new();
        let at_once = Arc::new(Semaphore::new(QUERIES_AT_ONCE));
        let mut answering = JoinSet::new();
        loop {
            let delivery = tokio::select! {
                () = self.shutdown.cancelled() => {
                    while answering.join_next().await.is_some() {}
                    return Ok(());
                }
                delivery = stream.next() => delivery?,
            };
            let queue = || self.subscription.name.to_owned();
            let delivery = delivery.ok_or_else(|| BusError::ConsumerEnded { queue: queue() })?;
            while answering.try_join_next().is_some() {}
            let permit = Arc::clone(&at_once).acquire_owned().await;
            let (consumer, held) = (Arc::clone(&self), stream.held.clone());
            answering.spawn(async move {
                consumer.reply_to(&delivery).await;
                // A lost channel brings the query again, and a second answer does no harm.
                let broker = &consumer.settlement.broker;
                let _ = broker.acknowledge(&delivery.message, false).await;
                held.release(1, delivery.message.data.len());
                drop(permit);
            });
        }
    }

    async fn reply_to(&self, delivery: &QueueDelivery) {
        let request = &delivery.message.properties;
        let origin = match origin(&Way::of(delivery), self.settlement.service) {
            Ok(origin) => origin,
            Err(wrong) => {
                self.disregard(&wrong);
                return;
            }
        };
        let author = Some(origin.author);
        let asked = |id| MessageSource { delivery, event: None, id, author };
        if needs_isolation(delivery) {
            // A query changes nothing, and the service may have died of this one.
            warn!(queue = &*delivery.queue, "a query came back too often and is refused");
            let why = "the service was restarted again and again over this query; ask again";
            let id = decode::id_in_body(&delivery.message);
            let refusal = self.unread(&origin, id, MessageRefused::unavailable(why)).await;
            self.settlement.refuse(asked(id), refusal).await;
            return;
        }
        let queries = match message_source::read(&delivery.message) {
            Ok(queries) => queries,
            Err(error) => {
                let refusal = decode::unreadable(&error);
                warn!(queue = &*delivery.queue, why = refusal.message, "unreadable query");
                let id = decode::id_in_body(&delivery.message);
                let refusal = self.unread(&origin, id, refusal).await;
                self.settlement.refuse(asked(id), refusal).await;
                return;
            }
        };
        for query in queries {
            if let Err(wrong) = origin.admit(&query.kind) {
                self.disregard(&wrong);
                continue;
            }
            let rights = self.access.authority().rights(origin.author, &query.kind);
            let asker = Asker { principal: origin.author, rights: &rights };
            let asked = AskedQuery::of(&query, origin.author);
            let (cause, answer) = self.answer(query, asker).await;
            let answer = self.access_log.record(asked, answer.0).await;
            let answer = cause.wrap(&self.source, Utc::now(), answer);
            self.settlement.reply(request, author, &Reply::of(&[answer])).await;
        }
    }

    /// Records a query that is not read. Returns the refusal of its author.
    async fn unread(
        &self,
        origin: &Origin<'_>,
        id: Option<MessageId>,
        refusal: MessageRefused,
    ) -> MessageRefused {
        let asked = AskedQuery::unread(origin.kind(), id, origin.author);
        self.access_log.record_refusal(asked, refusal).await
    }

    /// A query without an author is not answered: it changes nothing, so nothing is lost.
    fn disregard(&self, wrong: &WrongOrigin) {
        let queue = self.subscription.name;
        warn!(queue, why = %visible(&wrong.to_string()), "a query of wrong origin is disregarded");
        counter!("bus_disregarded_total", "queue" => queue).increment(1);
    }

    async fn answer(&self, query: RawEnvelope, asker: Asker<'_>) -> (Cause, Answer) {
        let (cause, rights) = (Cause::of(&query), asker.rights);
        if let Some(lack) = rights.lack() {
            return (cause, Answer::refused(&MessageRefused::unavailable(lack)));
        }
        if let Some(why) = rights.refusal() {
            return (cause, Answer::refused(&MessageRefused::not_permitted(why)));
        }
        let decoded = match query.decode::<A::Query>() {
            Ok(decoded) => decoded,
            Err((error, _)) => return (cause, Answer::refused(&decode::wrong_shape(&error))),
        };
        let answering = AssertUnwindSafe(self.look_up_in_time(&decoded.data, asker)).catch_unwind();
        let answer = answering.await.unwrap_or_else(|panic| {
            let part = part(&self.subscription);
            Err(HandleError::Hopeless(supervise::panicked(&part, &*panic).into()))
        });
        let answer = answer.unwrap_or_else(|error| {
            warn!(error = %chain(&error), kind = decoded.kind, "a query was not answered");
            Answer::refused(&MessageRefused::unavailable(NOT_ANSWERED))
        });
        (cause, answer)
    }

    /// Attempts a query again while the database is silent; a query stores nothing.
    async fn look_up_in_time(
        &self,
        query: &A::Query,
        asker: Asker<'_>,
    ) -> Result<Answer, HandleError> {
        let until = Instant::now() + ATTEMPTS_TIMEOUT;
        loop {
            let answer = self.time_limit.bounded(self.look_up(query, asker)).await;
            let fault = match answer {
                Err(HandleError::Transient(fault)) if Instant::now() < until => fault,
                answer => return answer,
            };
            warn!(error = %chain(&*fault), "a query is attempted again");
            tokio::time::sleep(Backoff::new().next_pause()).await;
        }
    }

    async fn look_up(&self, query: &A::Query, asker: Asker<'_>) -> Result<Answer, HandleError> {
        let mut lease = self.database.lease().await?;
        lease.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let answer = self.handler.answer(&mut Tx::lend(&mut lease), query, asker).await?;
        lease.commit().await?;
        lease.give_back();
        Ok(answer)
    }
}
