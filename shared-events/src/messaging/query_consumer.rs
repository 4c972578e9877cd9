//! Queries. Promise: an answer is read in one read-only snapshot, nothing is stored, and a query
//! that cannot be answered now is told so at once rather than kept waiting.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use chrono::Utc;
use futures_util::FutureExt;
use lapin::options::BasicAckOptions;
use tokio::{sync::Semaphore, task::JoinSet, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    consumer::{DeliveryStream, acknowledge},
    database::{Database, Tx},
    decode::{self, QueueDelivery},
    disposition::Settlement,
    handler::{Event, HandleError},
    outbox::Cause,
    redelivery::is_suspect,
    reply::Reply,
    supervise,
    time_limit::AdaptiveTimeout,
};
use crate::amqp::{
    connection::{Backoff, BusError, Link},
    health::Health,
};
use crate::{
    envelope::{RawEnvelope, chain},
    message::{Message, MessageSet},
    refusal::MessageRefused,
    topology::Subscription,
};

/// How many queries are worked on at a time.
const QUERIES_AT_ONCE: usize = 4;
/// How many queries wait in memory: few enough that it does not matter how large they are.
const PREFETCH: u16 = 12;
/// A query whose database was silent is tried again for so long: whoever asks waits about as long.
const TRIED_FOR: Duration = Duration::from_secs(15);

/// The answer to a query.
#[derive(Clone, Debug)]
pub struct Answer(Event);

impl Answer {
    /// What was asked for.
    pub fn found<M: Message>(reply: &M) -> Self {
        Self(Event::new(reply))
    }

    /// Why there is no answer.
    #[must_use]
    pub fn refused(refusal: &MessageRefused) -> Self {
        Self(Event::new(refusal))
    }
}

/// Answers the queries of one subscription.
pub trait QueryHandler: Send + Sync + 'static {
    /// What the subscription carries.
    type Query: MessageSet;

    /// Answers one query within a read-only snapshot.
    fn answer(
        &self,
        tx: &mut Tx<'_>,
        query: &Self::Query,
    ) -> impl Future<Output = Result<Answer, HandleError>> + Send;
}

/// Consumes one subscription of queries for ever.
pub(crate) struct QueryConsumer<A: QueryHandler> {
    pub(crate) subscription: Subscription,
    pub(crate) answerer: A,
    pub(crate) source: String,
    pub(crate) database: Database,
    pub(crate) time_limit: AdaptiveTimeout,
    pub(crate) link: Arc<Link>,
    pub(crate) disposal: Arc<Settlement>,
    pub(crate) health: Health,
    pub(crate) shutdown: CancellationToken,
}

/// The desk of a subscription, as its service's health names it.
pub(crate) fn part(subscription: &Subscription) -> String {
    format!("queries {}", subscription.name)
}

impl<A: QueryHandler> QueryConsumer<A> {
    pub(crate) async fn run(self) {
        let desk = Arc::new(self);
        let mut backoff = Backoff::new();
        let part = part(&desk.subscription);
        while !desk.shutdown.is_cancelled() {
            match Arc::clone(&desk).serve(&part, &mut backoff).await {
                Ok(()) => break,
                Err(error) => {
                    warn!(queue = desk.subscription.name, error = %chain(&error),
                        "queries are interrupted");
                    desk.health.bad(&part, chain(&error).to_string());
                    let pause = backoff.next_pause();
                    let _ = tokio::time::timeout(pause, desk.shutdown.cancelled()).await;
                }
            }
        }
    }

    async fn serve(self: Arc<Self>, part: &str, backoff: &mut Backoff) -> Result<(), BusError> {
        let mut feed =
            DeliveryStream::open(&self.link, &self.subscription, PREFETCH, |_| 0).await?;
        self.health.good(part);
        *backoff = Backoff::new();
        let at_once = Arc::new(Semaphore::new(QUERIES_AT_ONCE));
        let mut working = JoinSet::new();
        loop {
            let arrival = tokio::select! {
                () = self.shutdown.cancelled() => {
                    while working.join_next().await.is_some() {}
                    return Ok(());
                }
                arrival = feed.next() => arrival?,
            };
            let queue = || self.subscription.name.to_owned();
            let arrival = arrival.ok_or_else(|| BusError::ConsumerEnded { queue: queue() })?;
            while working.try_join_next().is_some() {}
            let place = Arc::clone(&at_once).acquire_owned().await;
            let (desk, held) = (Arc::clone(&self), feed.held.clone());
            working.spawn(async move {
                desk.reply_to(&arrival).await;
                // A lost channel brings the query again, and answering twice harms nobody.
                let _ = acknowledge(&arrival.delivery.acker, BasicAckOptions::default()).await;
                held.give_up(1, arrival.delivery.data.len());
                drop(place);
            });
        }
    }

    async fn reply_to(&self, arrival: &QueueDelivery) {
        let properties = &arrival.delivery.properties;
        if is_suspect(arrival) {
            // Nothing is lost with a query, and the service may have died of this one.
            warn!(queue = &*arrival.queue, "a query came back too often; it is not answered");
            let why = "the service was restarted again and again over it; ask again";
            let refusal = MessageRefused::unavailable(why);
            self.disposal.refuse(properties, decode::id_in(&arrival.delivery), refusal).await;
            return;
        }
        let queries = match decode::read(&arrival.delivery) {
            Ok(queries) => queries,
            Err(error) => {
                let refusal = decode::refusal(&error);
                warn!(queue = &*arrival.queue, why = refusal.message, "unreadable query");
                let about = decode::id_in(&arrival.delivery);
                self.disposal.refuse(properties, about, refusal).await;
                return;
            }
        };
        for query in queries {
            let (cause, answer) = self.answer(query).await;
            let answer = cause.wrap(&self.source, Utc::now(), answer.0);
            self.disposal.reply(properties, &Reply::of(&[answer])).await;
        }
    }

    async fn answer(&self, query: RawEnvelope) -> (Cause, Answer) {
        let cause = Cause::of(&query);
        let decoded = match query.decode::<A::Query>() {
            Ok(decoded) => decoded,
            Err((error, _)) => {
                return (cause, Answer::refused(&decode::undecodable(&error)));
            }
        };
        let looking = AssertUnwindSafe(self.look_up_in_time(&decoded.data)).catch_unwind();
        let answer = looking.await.unwrap_or_else(|panic| {
            Err(HandleError::Hopeless(
                supervise::panicked(&part(&self.subscription), &*panic).into(),
            ))
        });
        let answer = answer.unwrap_or_else(|error| {
            warn!(error = %chain(&error), kind = decoded.kind, "a query was not answered");
            Answer::refused(&MessageRefused::unavailable(chain(&error).to_string()))
        });
        (cause, answer)
    }

    /// A look-up stores nothing: where the database was silent, it is tried again.
    async fn look_up_in_time(&self, query: &A::Query) -> Result<Answer, HandleError> {
        let until = Instant::now() + TRIED_FOR;
        loop {
            let answer = self.time_limit.bounded(self.look_up(query)).await;
            let fault = match answer {
                Err(HandleError::Transient(fault)) if Instant::now() < until => fault,
                answer => return answer,
            };
            warn!(error = %chain(&*fault), "a query is tried again");
            tokio::time::sleep(Backoff::new().next_pause()).await;
        }
    }

    async fn look_up(&self, query: &A::Query) -> Result<Answer, HandleError> {
        let mut lease = self.database.lease().await?;
        lease.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let answer = self.answerer.answer(&mut Tx::lend(&mut lease), query).await?;
        lease.commit().await?;
        lease.give_back();
        Ok(answer)
    }
}
