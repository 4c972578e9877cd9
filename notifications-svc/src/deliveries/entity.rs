//! A delivery on its way: what the couriers carry.

use chrono::{DateTime, Utc};
use shared_events::{
    AccountId, CorrelationId, MessageId,
    ids::{DeliveryId, NotificationId},
    notifications::Topic,
};

use crate::domain::{key::SigningKey, told::Told};

/// A delivery that is due, with all that one attempt needs.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) delivery_id: DeliveryId,
    pub(crate) notification_id: NotificationId,
    pub(crate) account_id: AccountId,
    pub(crate) topic: Topic,
    pub(crate) event_id: MessageId,
    pub(crate) correlation_id: CorrelationId,
    /// When the notification was made.
    pub(crate) created_at: DateTime<Utc>,
    /// The number of this attempt, from 1.
    pub(crate) number: i32,
    /// How many attempts were made before the delivery was sent again by command.
    pub(crate) attempts_before: i32,
    pub(crate) told: Told,
    pub(crate) recipient: Recipient,
}

/// The holder as of today. An address that is not wanted any more is not here.
#[derive(Clone, Debug)]
pub(crate) struct Recipient {
    pub(crate) iban: Option<String>,
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) email: Option<String>,
    pub(crate) webhook: Option<String>,
    pub(crate) keys: Keys,
}

/// What webhooks to one holder are signed with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    /// None: the bank's own.
    pub(crate) own: Option<SigningKey>,
    /// The key before, while a new one is still being made known to the receiver.
    pub(crate) before: Option<KeyBefore>,
}

/// A key that was replaced less than a day ago.
#[derive(Clone, Debug)]
pub(crate) enum KeyBefore {
    Own(SigningKey),
    TheBanks,
}

impl Parcel {
    /// The number of this attempt within the schedule, from 1.
    pub(crate) const fn number_in_schedule(&self) -> i32 {
        self.number.saturating_sub(self.attempts_before)
    }
}
