//! Makes notifications of events. Promise: each event makes its notifications once; a batch of any
//! size is four statements: learn holders, load reaches, insert notifications, insert deliveries.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use metrics::counter;
use shared_events::{
    AccountId,
    messaging::{HandleError, Handler, Idempotency, Outcome, Received, Tx},
    notifications::NotifiableEvent,
};
use uuid::Uuid;

use crate::ids::{delivery_id, notification_id};
use crate::{
    deliveries::job::wakeup::Bells,
    domain::{News, Plan, Telling, newest, news, plan},
    store::{
        deliveries::{self, NewDelivery},
        notifications::{self, NewNotification},
        recipients,
    },
};

/// Handles `notifications.events`.
pub(crate) struct Events {
    /// How long after its notification a delivery is first tried.
    first_delay: Duration,
    bells: Arc<Bells>,
}

impl Events {
    pub(crate) const fn new(first_delay: Duration, bells: Arc<Bells>) -> Self {
        Self { first_delay, bells }
    }
}

impl Handler for Events {
    type Message = NotifiableEvent;
    /// A notification's id follows from its event, and what is known of a holder from the
    /// account's version: the tables themselves say what was done, and the inbox adds nothing. So
    /// an event may be handled in part, and comes again for the rest.
    const IDEMPOTENCY: Idempotency = Idempotency::NaturalKey;

    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<NotifiableEvent>],
    ) -> Result<Vec<Outcome>, HandleError> {
        // Load.
        let profiles = newest(batch.iter().map(Received::message));
        if !profiles.is_empty() {
            recipients::learn_in_tx(tx, &profiles).await?;
        }
        let all_news: Vec<Vec<News<'_>>> = batch.iter().map(|it| news(it.message())).collect();
        let concerned: BTreeSet<Uuid> =
            all_news.iter().flatten().map(|news| news.account_id.uuid()).collect();
        if concerned.is_empty() {
            return Ok(vec![Outcome::silent(); batch.len()]);
        }
        let concerned: Vec<Uuid> = concerned.into_iter().collect();
        let reaches = recipients::reaches_in_tx(tx, &concerned).await?;

        // Decide.
        let mut made = Made::default();
        let outcomes = batch.iter().zip(all_news).map(|(received, news)| {
            let Plan { tellings, unknown } = plan(news, &reaches);
            tellings.iter().for_each(|telling| made.add(received, telling));
            done_but_for(&unknown)
        });
        let outcomes: Vec<Outcome> = outcomes.collect();

        // Save.
        self.save_in_tx(tx, &made).await?;
        Ok(outcomes)
    }
}

impl Events {
    async fn save_in_tx(&self, tx: &mut Tx<'_>, made: &Made) -> sqlx::Result<()> {
        if !made.notifications.is_empty() {
            notifications::insert_in_tx(tx, &made.notifications).await?;
        }
        if !made.deliveries.is_empty() {
            let due_seconds = self.first_delay.as_secs_f64();
            deliveries::insert_in_tx(tx, &made.deliveries, due_seconds).await?;
            self.bells.ring(made.deliveries.iter().map(|it| it.channel));
        }
        let count = u64::try_from(made.notifications.len()).unwrap_or(u64::MAX);
        counter!("notifications_made_total").increment(count);
        Ok(())
    }
}

/// The event waits for whom it does not reach yet. Whoever is told of it already is told once: when
/// it comes again, their notifications are there.
fn done_but_for(unknown: &BTreeSet<AccountId>) -> Outcome {
    match (unknown.first(), unknown.len()) {
        (None, _) => Outcome::silent(),
        (Some(id), 1) => Outcome::Later { why: format!("account {id} is not known yet") },
        (Some(id), count) => {
            let why = format!("{count} accounts are not known yet, {id} is the first of them");
            Outcome::Later { why }
        }
    }
}

/// What a batch adds.
#[derive(Default)]
struct Made {
    notifications: Vec<NewNotification>,
    deliveries: Vec<NewDelivery>,
}

impl Made {
    fn add(&mut self, received: &Received<NotifiableEvent>, telling: &Telling<'_>) {
        let (envelope, news) = (&received.envelope, &telling.news);
        let id = notification_id(envelope.id, envelope.time, news.account_id, news.transfer_id());
        let facts = || serde_json::to_string(&news.told()).expect("facts write plain JSON");
        self.notifications.push(NewNotification {
            id,
            account_id: news.account_id,
            topic: news.topic(),
            event_id: envelope.id,
            correlation_id: envelope.correlationid,
            parameters: (!telling.channels.is_empty()).then(facts),
        });
        self.deliveries.extend(telling.channels.iter().map(|channel| NewDelivery {
            id: delivery_id(id, *channel),
            notification_id: id,
            channel: *channel,
        }));
    }
}
