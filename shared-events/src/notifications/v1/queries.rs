//! Queries of the notifications service.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Channel, Topic};
use crate::{
    code::{Open, codes},
    ids::{AccountId, DeliveryId, MessageId, NotificationId},
    message::{Query, messages},
};

/// The maximal number of notifications on one page of a list.
pub const NOTIFICATIONS_PAGE_MAX: u32 = 1_000;

/// `notifications.notification.list.v1`: asks for notifications, the newest first, in pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListNotifications {
    /// Lists notifications of this account only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Lists notifications before this one only: the `next` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<NotificationId>,
    /// The maximal number of items, 1 to 1,000; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
}

codes! {
    /// The status of a delivery.
    pub enum DeliveryStatus {
        /// The first or another attempt follows.
        Pending = "pending",
        /// The receiver has accepted the notification.
        Succeeded = "succeeded",
        /// The delivery failed for good.
        Failed = "failed",
    }
}

/// A delivery of a notification on one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// The delivery's id.
    pub delivery_id: DeliveryId,
    /// The channel.
    pub channel: Open<Channel>,
    /// The status.
    pub status: Open<DeliveryStatus>,
    /// The number of attempts.
    pub attempts: i32,
    /// The last answer of the receiver, if the receiver refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// The instant of the next attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// A notification of a holder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    /// The notification's id.
    pub notification_id: NotificationId,
    /// The account of the notification.
    pub account_id: AccountId,
    /// The topic of the notification.
    pub topic: Open<Topic>,
    /// The event behind the notification.
    pub event_id: MessageId,
    /// The instant at which the notification was made.
    pub created_at: DateTime<Utc>,
    /// The deliveries; empty if the holder's preferences allow none.
    pub deliveries: Vec<Delivery>,
}

/// `notifications.notification.listed.v1`: a page of notifications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationsListed {
    /// The notifications of this page.
    pub notifications: Vec<Notification>,
    /// The start of the next page. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NotificationId>,
}

/// `notifications.preferences.get.v1`: asks for the preferences of an account's notifications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetPreferences {
    /// The account.
    pub account_id: AccountId,
}

/// `notifications.preferences.found.v1`: the preferences of an account's notifications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreferencesFound {
    /// The account.
    pub account_id: AccountId,
    /// Whether the holder receives e-mail.
    pub email: bool,
    /// Whether the holder's webhook is called.
    pub webhook: bool,
    /// The topics of the notifications.
    pub topics: Vec<Open<Topic>>,
    /// Whether the webhook is switched off after an answer that the endpoint is gone (410). New
    /// preferences or a new webhook of the holder switch the webhook on again.
    pub webhook_disabled: bool,
    /// Whether calls are signed with a key of the holder; otherwise with the bank's key.
    pub webhook_own_key: bool,
    /// The instant until which the previous key signs, too, after a change of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_both_keys_until: Option<DateTime<Utc>>,
}

messages! {
    Query "notifications.notification.list.v1" ListNotifications,
        subject |_| "notifications".to_owned();
    Reply "notifications.notification.listed.v1" NotificationsListed,
        subject |_| "notifications".to_owned();
    Query "notifications.preferences.get.v1" GetPreferences,
        subject |message| message.account_id.to_string();
    Reply "notifications.preferences.found.v1" PreferencesFound,
        subject |message| message.account_id.to_string();
}

impl Query for ListNotifications {
    type Reply = NotificationsListed;
}

impl Query for GetPreferences {
    type Reply = PreferencesFound;
}
