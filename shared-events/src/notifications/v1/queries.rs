//! What can be asked about notifications.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Channel, Topic};
use crate::{
    code::{Open, codes},
    ids::{AccountId, DeliveryId, MessageId, NotificationId},
    message::{Query, messages},
};

/// The most notifications that one page of a list has.
pub const NOTIFICATIONS_PAGE_MAX: u32 = 1_000;

/// `notifications.notification.list.v1`: what holders were told, newest first, a page at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListNotifications {
    /// Only about this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Only those before this one: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<NotificationId>,
    /// The most to return, 1 to 1,000; 100 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
}

codes! {
    /// Where a delivery stands.
    pub enum DeliveryStatus {
        /// To be tried, or tried again.
        Pending = "pending",
        /// It arrived.
        Succeeded = "succeeded",
        /// It did not arrive and is not tried again.
        Failed = "failed",
    }
}

/// A notification on its way through one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Delivery {
    /// The delivery's id.
    pub delivery_id: DeliveryId,
    /// The way it takes.
    pub channel: Open<Channel>,
    /// Where it stands.
    pub status: Open<DeliveryStatus>,
    /// How many attempts were made.
    pub attempts: i32,
    /// What the other side said last, where it refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// When it is tried next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<DateTime<Utc>>,
}

/// Something a holder was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Notification {
    /// The notification's id.
    pub notification_id: NotificationId,
    /// Whose account it is about.
    pub account_id: AccountId,
    /// What it is about.
    pub topic: Open<Topic>,
    /// The event that it tells of.
    pub event_id: MessageId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Its deliveries; empty where the holder wants none.
    pub deliveries: Vec<Delivery>,
}

/// `notifications.notification.listed.v1`: a page of notifications.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationsListed {
    /// The notifications of this page.
    pub notifications: Vec<Notification>,
    /// Where the next page starts, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NotificationId>,
}

/// `notifications.preferences.get.v1`: what the holder of an account is told, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetPreferences {
    /// Which account.
    pub account_id: AccountId,
}

/// `notifications.preferences.found.v1`: what the holder of an account is told, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreferencesFound {
    /// Which account.
    pub account_id: AccountId,
    /// Whether e-mail is written.
    pub email: bool,
    /// Whether the webhook is called.
    pub webhook: bool,
    /// What is told.
    pub topics: Vec<Open<Topic>>,
    /// The webhook said that it is gone (410): nothing is sent there until preferences are set
    /// again, or the holder has another webhook.
    pub webhook_disabled: bool,
    /// Whether a key of the holder's own signs; else the bank's does.
    pub webhook_own_key: bool,
    /// Until then the key before signs, too, where the key was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_both_keys_until: Option<DateTime<Utc>>,
}

messages! {
    Query "notifications.notification.list.v1" ListNotifications,
        subject |_| "notifications".to_owned();
    Reply "notifications.notification.listed.v1" NotificationsListed,
        subject |_| "notifications".to_owned();
    Query "notifications.preferences.get.v1" GetPreferences,
        subject |it| it.account_id.to_string();
    Reply "notifications.preferences.found.v1" PreferencesFound,
        subject |it| it.account_id.to_string();
}

impl Query for ListNotifications {
    type Reply = NotificationsListed;
}

impl Query for GetPreferences {
    type Reply = PreferencesFound;
}
