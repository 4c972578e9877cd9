//! Queries. Promise: an answer is read in one read-only snapshot, nothing is stored, and a query
//! that cannot be answered now is told so at once rather than kept waiting.

use std::{future::Future, sync::Arc};

use chrono::Utc;
use lapin::options::BasicAckOptions;
use sqlx::PgPool;
use tokio::{sync::Semaphore, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::{
    connection::{Backoff, BusError, Link},
    consumer::{Feed, acknowledge},
    database::Tx,
    dispose::Disposal,
    handler::{Event, HandleError},
    health::Health,
    intake::{self, Arrival},
    outbox::Cause,
    reply::Reply,
};
use crate::{
    envelope::{RawEnvelope, chain},
    message::{Message, MessageSet},
    refusal::MessageRefused,
    topology::Subscription,
};

/// How many queries are worked on at a time.
const QUERIES_AT_ONCE: usize = 4;
/// How many queries wait in memory.
const PREFETCH: u16 = 32;

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
pub trait Answerer: Send + Sync + 'static {
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
pub(crate) struct Desk<A: Answerer> {
    pub(crate) subscription: Subscription,
    pub(crate) answerer: A,
    pub(crate) source: String,
    pub(crate) pool: PgPool,
    pub(crate) link: Arc<Link>,
    pub(crate) disposal: Arc<Disposal>,
    pub(crate) health: Health,
    pub(crate) shutdown: CancellationToken,
}

/// The desk of a subscription, as its service's health names it.
pub(crate) fn part(subscription: &Subscription) -> String {
    format!("queries {}", subscription.name)
}

impl<A: Answerer> Desk<A> {
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
        let mut feed = Feed::open(&self.link, &self.subscription, PREFETCH, |_| 0).await?;
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
            while let Some(worked) = working.try_join_next() {
                // A query that panicked was not acknowledged: it comes again, on a new channel.
                let queue = || self.subscription.name.to_owned();
                worked.map_err(|_| BusError::ConsumerEnded { queue: queue() })?;
            }
            let place = Arc::clone(&at_once).acquire_owned().await;
            let desk = Arc::clone(&self);
            working.spawn(async move {
                desk.reply_to(&arrival).await;
                // A lost channel brings the query again, and answering twice harms nobody.
                let _ = acknowledge(&arrival.delivery.acker, BasicAckOptions::default()).await;
                drop(place);
            });
        }
    }

    async fn reply_to(&self, arrival: &Arrival) {
        let properties = &arrival.delivery.properties;
        let queries = match intake::read(&arrival.delivery) {
            Ok(queries) => queries,
            Err(error) => {
                let refusal = intake::refusal(&error);
                warn!(queue = &*arrival.queue, why = refusal.message, "unreadable query");
                let about = intake::id_in(&arrival.delivery);
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
                return (cause, Answer::refused(&intake::undecodable(&error)));
            }
        };
        let answer = self.look_up(&decoded.data).await.unwrap_or_else(|error| {
            warn!(error = %chain(&error), kind = decoded.kind, "a query was not answered");
            Answer::refused(&MessageRefused::unavailable(chain(&error).to_string()))
        });
        (cause, answer)
    }

    async fn look_up(&self, query: &A::Query) -> Result<Answer, HandleError> {
        let mut transaction =
            self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
        let answer = self.answerer.answer(&mut Tx::lend(&mut transaction), query).await?;
        transaction.commit().await?;
        Ok(answer)
    }
}
