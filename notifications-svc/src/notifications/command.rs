//! Makes the notifications of a batch of events: load, decide, save.

use std::{collections::BTreeSet, time::Duration};

use chrono::{DateTime, Utc};
use metrics::counter;
use shared_events::{AccountId, CorrelationId, MessageId, messaging::Tx};
use uuid::Uuid;

use super::{
    entity::NewNotification,
    repo,
    routing::{RoutedNotification, Routing, route},
};
use crate::{
    deliveries::{self, NewDelivery, Wakeup},
    ids::{delivery_id, notification_id},
    recipients::{self, ContactChannelsByAccount, RecipientProfile, newest},
    triggers::NotificationTrigger,
};

/// An event with its meaning for holders.
#[derive(Clone, Debug)]
pub(crate) struct IncomingEvent<'e> {
    pub(crate) id: MessageId,
    pub(crate) time: DateTime<Utc>,
    pub(crate) correlation_id: CorrelationId,
    /// The holder, where the event describes one.
    pub(crate) profile: Option<RecipientProfile>,
    pub(crate) triggers: Vec<NotificationTrigger<'e>>,
}

/// The accounts of one event that exist and are not known here yet: the event has to come again.
pub(crate) type UnknownAccounts = BTreeSet<AccountId>;

/// Makes the notifications of these events, with deliveries that are due after `first_delay`.
/// Returns the unknown accounts of each event.
pub(crate) async fn notify_in_tx(
    tx: &mut Tx<'_>,
    mut events: Vec<IncomingEvent<'_>>,
    first_delay: Duration,
    wakeup: &Wakeup,
) -> sqlx::Result<Vec<UnknownAccounts>> {
    // Load.
    let profiles = newest(events.iter_mut().filter_map(|event| event.profile.take()));
    if !profiles.is_empty() {
        recipients::repo::store_profiles_in_tx(tx, &profiles).await?;
    }
    let triggers = events.iter().flat_map(|event| &event.triggers);
    let concerned: BTreeSet<Uuid> = triggers.map(|trigger| trigger.account_id.uuid()).collect();
    if concerned.is_empty() {
        return Ok(vec![UnknownAccounts::new(); events.len()]);
    }
    let concerned: Vec<Uuid> = concerned.into_iter().collect();
    let known = recipients::repo::contact_channels_in_tx(tx, &concerned).await?;

    // Decide.
    let mut new = NewRows::default();
    let unknown = events.into_iter().map(|event| new.add(event, &known)).collect();

    // Save.
    new.save_in_tx(tx, first_delay, wakeup).await?;
    Ok(unknown)
}

/// The rows that a batch adds.
#[derive(Default)]
struct NewRows {
    notifications: Vec<NewNotification>,
    deliveries: Vec<NewDelivery>,
}

impl NewRows {
    /// Adds the notifications of one event. Returns its unknown accounts.
    fn add(
        &mut self,
        event: IncomingEvent<'_>,
        known: &ContactChannelsByAccount,
    ) -> UnknownAccounts {
        let IncomingEvent { id, time, correlation_id, triggers, .. } = event;
        let Routing { routed, unknown } = route(triggers, known);
        for RoutedNotification { trigger, channels } in routed {
            let account_id = trigger.account_id;
            let notification_id = notification_id(id, time, account_id, trigger.transfer_id());
            self.notifications.push(NewNotification {
                id: notification_id,
                account_id,
                topic: trigger.topic(),
                event_id: id,
                correlation_id,
                payload: (!channels.is_empty()).then(|| trigger.payload.to_json()),
            });
            self.deliveries.extend(channels.into_iter().map(|channel| NewDelivery {
                id: delivery_id(notification_id, channel),
                notification_id,
                channel,
            }));
        }
        unknown
    }

    async fn save_in_tx(
        &self,
        tx: &mut Tx<'_>,
        first_delay: Duration,
        wakeup: &Wakeup,
    ) -> sqlx::Result<()> {
        if !self.notifications.is_empty() {
            repo::insert_in_tx(tx, &self.notifications).await?;
        }
        if !self.deliveries.is_empty() {
            let due_seconds = first_delay.as_secs_f64();
            deliveries::repo::insert_in_tx(tx, &self.deliveries, due_seconds).await?;
            wakeup.notify(self.deliveries.iter().map(|delivery| delivery.channel));
        }
        let count = u64::try_from(self.notifications.len()).unwrap_or(u64::MAX);
        counter!("notifications_made_total").increment(count);
        Ok(())
    }
}
