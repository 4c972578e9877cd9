//! The events of deliveries.

use shared_events::{
    AccountId, MessageId,
    ids::{DeliveryId, NotificationId},
    messaging::Event,
};

use crate::recipients::{Channel, Topic};

/// The end of a delivery, or of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeliveryEvent {
    Succeeded(DeliveryFacts),
    Failed {
        facts: DeliveryFacts,
        error: String,
    },
    /// The webhook answered 410 Gone and is switched off.
    EndpointDisabled(DeliveryFacts),
}

/// The facts of a delivery after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeliveryFacts {
    pub(crate) delivery_id: DeliveryId,
    pub(crate) notification_id: NotificationId,
    pub(crate) account_id: AccountId,
    pub(crate) topic: Topic,
    pub(crate) event_id: MessageId,
    pub(crate) channel: Channel,
    /// The number of attempts so far.
    pub(crate) attempts: i32,
}

/// Writes an event as a message. The workers are given this function, because only the border to
/// the bus knows the messages.
pub(crate) type ToEvent = fn(&DeliveryEvent) -> Event;
