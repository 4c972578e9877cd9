//! Outcomes as messages of the contract. Promise: every command is answered by one event, and a
//! page of notifications fits a message.

use shared_events::{
    AccountId, CommandId,
    code::Open,
    message::Message,
    messaging::{Answer, Event, Outcome},
    notifications as contract,
    notifications::{
        DeliveriesRecovered, DeliveryFailed, DeliveryResent, DeliverySucceeded, EndpointDisabled,
        NotificationsCommandRejected, NotificationsListed, NotificationsReason, PreferencesChanged,
        PreferencesFound, RecoverDeliveries, RecoveryRejected, ResendDelivery, SetPreferences,
    },
    page::page,
    refusal::MessageRefused,
};

use super::{
    inbound::{InvalidField, NotificationsCommand},
    names::{channel, status, topic},
};
use crate::{
    deliveries::{Delivery, DeliveryEvent, DeliveryFacts, ResentDelivery, command::Recovered},
    notifications::{ListedNotification, UnknownAccounts},
    recipients::{Preferences, PreferencesView},
};

/// A refusal of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) reason: NotificationsReason,
    pub(super) field: Option<&'static str>,
    /// The rule, in words.
    pub(super) message: String,
}

impl Refusal {
    pub(super) const fn new(reason: NotificationsReason, message: String) -> Self {
        Self { reason, field: None, message }
    }
}

impl From<InvalidField> for Refusal {
    fn from(InvalidField { field, rule }: InvalidField) -> Self {
        let reason = NotificationsReason::InvalidField;
        Self { reason, field: Some(field), message: rule }
    }
}

/// The outcome of an event: an event that concerns unknown accounts comes again. Holders who are
/// known are notified once: their notifications are there when the event comes again.
pub(super) fn notified(unknown: &UnknownAccounts) -> Outcome {
    match (unknown.first(), unknown.len()) {
        (None, _) => Outcome::silent(),
        (Some(id), 1) => Outcome::Later { why: format!("account {id} is not known yet") },
        (Some(id), count) => {
            let why = format!("{count} accounts are not known yet, {id} is the first of them");
            Outcome::Later { why }
        }
    }
}

/// The event of a delivery's end.
pub(crate) fn delivery_event(event: &DeliveryEvent) -> Event {
    match event {
        DeliveryEvent::Succeeded(facts) => {
            let DeliveryFacts { delivery_id, notification_id, account_id, event_id, .. } = *facts;
            Event::new(&DeliverySucceeded {
                delivery_id,
                notification_id,
                account_id,
                topic: topic(facts.topic).into(),
                event_id,
                channel: channel(facts.channel).into(),
                attempts: facts.attempts,
            })
        }
        DeliveryEvent::Failed { facts, error } => {
            let DeliveryFacts { delivery_id, notification_id, account_id, event_id, .. } = *facts;
            Event::new(&DeliveryFailed {
                delivery_id,
                notification_id,
                account_id,
                topic: topic(facts.topic).into(),
                event_id,
                channel: channel(facts.channel).into(),
                attempts: facts.attempts,
                error: error.clone(),
            })
        }
        DeliveryEvent::EndpointDisabled(facts) => {
            let DeliveryFacts { delivery_id, account_id, .. } = *facts;
            let channel = channel(facts.channel).into();
            Event::new(&EndpointDisabled { account_id, channel, delivery_id })
        }
    }
}

/// The event of preferences that hold now. The key is not announced.
pub(super) fn preferences_changed(account_id: AccountId, preferences: &Preferences) -> Outcome {
    Outcome::announce(&PreferencesChanged {
        account_id,
        email: preferences.email,
        webhook: preferences.webhook,
        topics: preferences.topics.iter().copied().map(topic).map(Open::Known).collect(),
    })
}

/// The event of a delivery that is sent again.
pub(super) fn resent(delivery: &ResentDelivery) -> Outcome {
    Outcome::announce(&DeliveryResent {
        delivery_id: delivery.id,
        notification_id: delivery.notification_id,
        account_id: delivery.account_id,
        topic: topic(delivery.topic).into(),
        event_id: delivery.event_id,
        channel: channel(delivery.channel).into(),
    })
}

/// The event of a recovery.
pub(super) fn recovered(command: &RecoverDeliveries, recovered: Recovered) -> Outcome {
    Outcome::announce(&DeliveriesRecovered {
        account_id: command.account_id,
        channel: command.channel.map(Open::Known),
        since: command.since,
        until: command.until,
        recovered: recovered.count,
        more: recovered.has_more,
    })
}

/// The event of a refused command.
pub(super) fn refused(
    command_id: CommandId,
    command: &NotificationsCommand,
    refusal: Refusal,
) -> Outcome {
    let Refusal { reason, field, message } = refusal;
    let (reason, field) = (reason.into(), field.map(str::to_owned));
    let command_type = match command {
        NotificationsCommand::SetPreferences(SetPreferences { account_id, .. }) => {
            return Outcome::announce(&NotificationsCommandRejected {
                command_id,
                command_type: SetPreferences::TYPE.to_owned(),
                account_id: *account_id,
                reason,
                field,
                message,
            });
        }
        NotificationsCommand::Resend(_) => ResendDelivery::TYPE.to_owned(),
        NotificationsCommand::Recover(_) => RecoverDeliveries::TYPE.to_owned(),
    };
    Outcome::announce(&RecoveryRejected { command_id, command_type, reason, field, message })
}

/// The answer to a query of preferences.
pub(super) fn preferences_found(account_id: AccountId, view: Option<PreferencesView>) -> Answer {
    let Some(PreferencesView { preferences, is_webhook_gone, has_own_key, both_keys_until }) = view
    else {
        return Answer::refused(&MessageRefused::not_found(format!("account {account_id}")));
    };
    Answer::found(&PreferencesFound {
        account_id,
        email: preferences.email,
        webhook: preferences.webhook,
        topics: preferences.topics.into_iter().map(topic).map(Open::Known).collect(),
        webhook_disabled: is_webhook_gone,
        webhook_own_key: has_own_key,
        webhook_both_keys_until: both_keys_until,
    })
}

/// A page of at most `limit` of these notifications. More than `limit` mean a next page.
pub(super) fn listed(found: Vec<ListedNotification>, limit: u32) -> Answer {
    Answer::found(&page_of(found, limit))
}

fn page_of(found: Vec<ListedNotification>, limit: u32) -> NotificationsListed {
    let (notifications, has_next) = page(found.into_iter().map(notification), limit as usize);
    let next = notifications.last().filter(|_| has_next).map(|last| last.notification_id);
    NotificationsListed { notifications, next }
}

/// The refusal of a query whose field breaks a rule.
pub(super) fn invalid(InvalidField { field, rule }: InvalidField) -> Answer {
    Answer::refused(&MessageRefused::invalid(field, rule))
}

fn notification(listed: ListedNotification) -> contract::Notification {
    let ListedNotification { notification, deliveries } = listed;
    contract::Notification {
        notification_id: notification.id,
        account_id: notification.account_id,
        topic: topic(notification.topic).into(),
        event_id: notification.event_id,
        created_at: notification.created_at,
        deliveries: deliveries.into_iter().map(delivery).collect(),
    }
}

fn delivery(delivery: Delivery) -> contract::Delivery {
    contract::Delivery {
        delivery_id: delivery.id,
        channel: channel(delivery.channel).into(),
        status: status(delivery.status).into(),
        attempts: delivery.attempts,
        last_error: delivery.last_error,
        next_attempt_at: delivery.next_attempt_at,
    }
}

#[cfg(test)]
mod tests {
    use shared_events::page::PAGE_BYTES_MAX;

    use super::*;
    use crate::samples::{listed_notification, notification_id};

    #[test]
    fn the_next_page_starts_after_the_last_notification_of_this_one() {
        let found = |count: u128, error_chars: usize| {
            (0..count).map(|number| listed_notification(number, error_chars)).collect()
        };
        let half = PAGE_BYTES_MAX / 2 - 1_000;
        for (found, limit, length, next) in [
            (found(0, 0), 3, 0, None),
            (found(3, 0), 3, 3, None),
            (found(4, 0), 3, 3, Some(2)),
            (found(4, half), 3, 2, Some(1)),
            (found(2, half), 3, 2, None),
            (found(2, PAGE_BYTES_MAX), 3, 1, Some(0)),
        ] {
            let page = page_of(found, limit);
            let expected = (length, next.map(notification_id));
            assert_eq!((page.notifications.len(), page.next), expected);
        }
    }
}
