//! A notification, to store or to list.

use chrono::{DateTime, Utc};
use shared_events::{AccountId, CorrelationId, MessageId, ids::NotificationId};

use crate::{deliveries::Delivery, recipients::Topic};

/// A notification to store.
#[derive(Clone, Debug)]
pub(crate) struct NewNotification {
    pub(crate) id: NotificationId,
    pub(crate) account_id: AccountId,
    pub(crate) topic: Topic,
    pub(crate) event_id: MessageId,
    pub(crate) correlation_id: CorrelationId,
    /// The payload as JSON; `None` where no channel carries the notification.
    pub(crate) payload: Option<String>,
}

/// A stored notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notification {
    pub(crate) id: NotificationId,
    pub(crate) account_id: AccountId,
    pub(crate) topic: Topic,
    pub(crate) event_id: MessageId,
    pub(crate) created_at: DateTime<Utc>,
}

/// A notification with its deliveries; none where the holder wants none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedNotification {
    pub(crate) notification: Notification,
    pub(crate) deliveries: Vec<Delivery>,
}
