//! A delivery: to store, on its way, listed, sent again.

use chrono::{DateTime, Utc};
use shared_events::{
    AccountId, CorrelationId, MessageId,
    ids::{DeliveryId, NotificationId},
};

use crate::{
    recipients::{Channel, RecipientContact, Topic, UnknownName},
    triggers::NotificationPayload,
};

/// The states of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeliveryStatus {
    /// Waits for its first or next attempt, or an attempt is under way.
    Pending,
    Succeeded,
    /// Did not arrive, and is not tried again.
    Failed,
}

impl DeliveryStatus {
    const ALL: [Self; 3] = [Self::Pending, Self::Succeeded, Self::Failed];

    /// The name in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
        }
    }

    /// The status with this name.
    pub(crate) fn from_name(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|status| status.as_str() == name);
        found.ok_or_else(|| UnknownName::new("delivery_status", name))
    }
}

/// A delivery to store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewDelivery {
    pub(crate) id: DeliveryId,
    pub(crate) notification_id: NotificationId,
    pub(crate) channel: Channel,
}

/// A claimed delivery with everything that one attempt needs.
#[derive(Clone, Debug)]
pub(crate) struct PendingDelivery {
    pub(crate) id: DeliveryId,
    pub(crate) notification_id: NotificationId,
    pub(crate) account_id: AccountId,
    pub(crate) topic: Topic,
    pub(crate) event_id: MessageId,
    pub(crate) correlation_id: CorrelationId,
    /// The time at which the notification was made.
    pub(crate) created_at: DateTime<Utc>,
    /// The number of this attempt, from 1.
    pub(crate) attempt: i32,
    /// The number of attempts before a command sent the delivery again.
    pub(crate) attempts_before: i32,
    pub(crate) payload: NotificationPayload<'static>,
    pub(crate) recipient: RecipientContact,
}

impl PendingDelivery {
    /// The number of this attempt within the schedule, from 1.
    pub(crate) const fn attempt_in_schedule(&self) -> i32 {
        self.attempt.saturating_sub(self.attempts_before)
    }
}

/// A delivery as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) id: DeliveryId,
    pub(crate) channel: Channel,
    pub(crate) status: DeliveryStatus,
    /// The number of attempts so far.
    pub(crate) attempts: i32,
    pub(crate) last_error: Option<String>,
    pub(crate) next_attempt_at: Option<DateTime<Utc>>,
}

/// A delivery that a command wanted to send again.
#[derive(Clone, Debug)]
pub(crate) struct ResentDelivery {
    pub(crate) id: DeliveryId,
    pub(crate) notification_id: NotificationId,
    pub(crate) account_id: AccountId,
    pub(crate) event_id: MessageId,
    pub(crate) topic: Topic,
    pub(crate) channel: Channel,
    /// The delivery had ended, and is due now with all the attempts of a schedule.
    pub(crate) is_due: bool,
}
