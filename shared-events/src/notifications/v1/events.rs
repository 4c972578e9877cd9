//! What the notifications service announces.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Topic;
use crate::{
    code::{Open, codes},
    ids::{AccountId, CommandId, DeliveryId, MessageId, NotificationId},
    message::messages,
};

codes! {
    /// The way that a notification takes.
    pub enum Channel {
        /// E-mail by SMTP.
        Email = "email",
        /// A signed HTTP request.
        Webhook = "webhook",
    }
}

/// `notifications.delivery.succeeded.v1`: a notification arrived, as far as the other side says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliverySucceeded {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The notification that it carried.
    pub notification_id: NotificationId,
    /// Whose account it is about.
    pub account_id: AccountId,
    /// What it is about.
    pub topic: Open<Topic>,
    /// The event that it tells of.
    pub event_id: MessageId,
    /// The way it took.
    pub channel: Open<Channel>,
    /// How many attempts it took.
    pub attempts: i32,
}

/// `notifications.delivery.failed.v1`: a notification did not arrive, and is not tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryFailed {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The notification that it carried.
    pub notification_id: NotificationId,
    /// Whose account it is about.
    pub account_id: AccountId,
    /// What it is about.
    pub topic: Open<Topic>,
    /// The event that it tells of.
    pub event_id: MessageId,
    /// The way it took.
    pub channel: Open<Channel>,
    /// How many attempts were made.
    pub attempts: i32,
    /// What the other side said last.
    pub error: String,
}

/// `notifications.preferences.changed.v1`: what the holder of an account is told has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreferencesChanged {
    /// Which account.
    pub account_id: AccountId,
    /// Whether e-mail is written.
    pub email: bool,
    /// Whether the webhook is called.
    pub webhook: bool,
    /// What is told.
    pub topics: Vec<Open<Topic>>,
}

codes! {
    /// Why the notifications service refused a command.
    pub enum NotificationsReason {
        /// No such account.
        UnknownAccount = "unknown_account",
        /// A field breaks a rule.
        InvalidField = "invalid_field",
        /// The command's id was used before, with other content.
        IdempotencyConflict = "idempotency_conflict",
        /// No such delivery, or not any more.
        UnknownDelivery = "unknown_delivery",
        /// The delivery is being tried, and has not ended.
        DeliveryPending = "delivery_pending",
    }
}

/// `notifications.command.rejected.v1`: a command was refused, and changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationsCommandRejected {
    /// The refused command.
    pub command_id: CommandId,
    /// Its type.
    pub command_type: String,
    /// The account it named.
    pub account_id: AccountId,
    /// Why.
    pub reason: Open<NotificationsReason>,
    /// The field that breaks a rule, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule, in words.
    pub message: String,
}

/// `notifications.endpoint.disabled.v1`: the webhook of an account said that it is gone for good
/// (410), and is sent nothing more. It is sent to again when the holder has another webhook, or
/// when preferences are set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndpointDisabled {
    /// Whose account it is told about.
    pub account_id: AccountId,
    /// The way that is closed.
    pub channel: Open<Channel>,
    /// The delivery that was answered so.
    pub delivery_id: DeliveryId,
}

/// `notifications.delivery.resent.v1`: a delivery that had ended is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryResent {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The notification that it carries.
    pub notification_id: NotificationId,
    /// Whose account it is about.
    pub account_id: AccountId,
    /// What it is about.
    pub topic: Open<Topic>,
    /// The event that it tells of.
    pub event_id: MessageId,
    /// The way it takes.
    pub channel: Open<Channel>,
}

/// `notifications.deliveries.recovered.v1`: deliveries that had failed are tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveriesRecovered {
    /// Only those about this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Only those that take this way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Open<Channel>>,
    /// Only those of events from this time on.
    pub since: DateTime<Utc>,
    /// Only those of events before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// How many.
    pub recovered: u32,
    /// There may be more that have failed: the same command under another id recovers them.
    pub more: bool,
}

/// `notifications.recovery.rejected.v1`: a command that sends deliveries again was refused, and
/// changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecoveryRejected {
    /// The refused command.
    pub command_id: CommandId,
    /// Its type.
    pub command_type: String,
    /// Why.
    pub reason: Open<NotificationsReason>,
    /// The field that breaks a rule, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule, in words.
    pub message: String,
}

messages! {
    Event "notifications.delivery.succeeded.v1" DeliverySucceeded,
        subject |it| it.delivery_id.to_string(), key |_| None;
    Event "notifications.delivery.failed.v1" DeliveryFailed,
        subject |it| it.delivery_id.to_string(), key |_| None;
    Event "notifications.preferences.changed.v1" PreferencesChanged,
        subject |it| it.account_id.to_string(), key |_| None;
    Event "notifications.endpoint.disabled.v1" EndpointDisabled,
        subject |it| it.account_id.to_string(), key |_| None;
    Event "notifications.delivery.resent.v1" DeliveryResent,
        subject |it| it.delivery_id.to_string(), key |_| None;
    Event "notifications.deliveries.recovered.v1" DeliveriesRecovered,
        subject |_| "deliveries".to_owned(), key |_| None;
    Event "notifications.recovery.rejected.v1" RecoveryRejected,
        subject |it| it.command_id.to_string(), key |_| None;
    Event "notifications.command.rejected.v1" NotificationsCommandRejected,
        subject |it| it.account_id.to_string(), key |_| None;
}
