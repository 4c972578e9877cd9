//! A delivery on its way: what the couriers carry.

use chrono::{DateTime, Utc};
use shared_events::{
    AccountId, CorrelationId, MessageId,
    ids::{DeliveryId, NotificationId},
    notifications::Topic,
};

use super::{key::SigningKey, told::Told};

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
    /// The facts, as stored.
    pub(crate) parameters: Option<String>,
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
    /// None: the bank's own key signs.
    pub(crate) webhook_key: Option<SigningKey>,
}

impl Parcel {
    /// The facts. None where this version of the service cannot read them.
    pub(crate) fn told(&self) -> Option<Told> {
        serde_json::from_str(self.parameters.as_deref()?).ok()
    }
}
