//! Events of the notifications service.

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
    /// The channel of a delivery.
    pub enum Channel {
        /// E-mail, by SMTP.
        Email = "email",
        /// A signed HTTP request.
        Webhook = "webhook",
    }
}

/// `notifications.delivery.succeeded.v1`: a delivery succeeded: the receiver has accepted the
/// notification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliverySucceeded {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The notification of the delivery.
    pub notification_id: NotificationId,
    /// The account of the notification.
    pub account_id: AccountId,
    /// The topic of the notification.
    pub topic: Open<Topic>,
    /// The event behind the notification.
    pub event_id: MessageId,
    /// The channel.
    pub channel: Open<Channel>,
    /// The number of attempts.
    pub attempts: i32,
}

/// `notifications.delivery.failed.v1`: a delivery failed for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryFailed {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The notification of the delivery.
    pub notification_id: NotificationId,
    /// The account of the notification.
    pub account_id: AccountId,
    /// The topic of the notification.
    pub topic: Open<Topic>,
    /// The event behind the notification.
    pub event_id: MessageId,
    /// The channel.
    pub channel: Open<Channel>,
    /// The number of attempts.
    pub attempts: i32,
    /// The last answer of the receiver.
    pub error: String,
}

/// `notifications.preferences.changed.v1`: the preferences of an account's notifications were set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreferencesChanged {
    /// The account.
    pub account_id: AccountId,
    /// Whether the holder receives e-mail.
    pub email: bool,
    /// Whether the holder's webhook is called.
    pub webhook: bool,
    /// The topics of the notifications.
    pub topics: Vec<Open<Topic>>,
}

codes! {
    /// The reason why the notifications service refused a command.
    pub enum NotificationsReason {
        /// The account does not exist.
        UnknownAccount = "unknown_account",
        /// A field breaks a rule.
        InvalidField = "invalid_field",
        /// An earlier command had the same id and other content.
        IdempotencyConflict = "idempotency_conflict",
        /// The delivery does not exist, or does not exist any more.
        UnknownDelivery = "unknown_delivery",
        /// The delivery has not ended: more attempts follow.
        DeliveryPending = "delivery_pending",
        /// No grant of the principal permits the command; `message` names the missing right.
        NotPermitted = "not_permitted",
    }
}

/// `notifications.command.rejected.v1`: the notifications service has refused a command. Nothing
/// has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotificationsCommandRejected {
    /// The id of the refused command.
    pub command_id: CommandId,
    /// The type of the refused command.
    pub command_type: String,
    /// The account that the command named.
    pub account_id: AccountId,
    /// The reason.
    pub reason: Open<NotificationsReason>,
    /// The field that breaks a rule, if the reason is a field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule, in words.
    pub message: String,
}

/// `notifications.endpoint.disabled.v1`: the webhook of an account has answered that the endpoint
/// is gone for good (410), and is switched off. A new webhook of the holder or new preferences
/// switch the webhook on again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndpointDisabled {
    /// The account of the webhook.
    pub account_id: AccountId,
    /// The channel that is switched off.
    pub channel: Open<Channel>,
    /// The delivery with this answer.
    pub delivery_id: DeliveryId,
}

/// `notifications.delivery.resent.v1`: an ended delivery is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryResent {
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// The notification of the delivery.
    pub notification_id: NotificationId,
    /// The account of the notification.
    pub account_id: AccountId,
    /// The topic of the notification.
    pub topic: Open<Topic>,
    /// The event behind the notification.
    pub event_id: MessageId,
    /// The channel.
    pub channel: Open<Channel>,
}

/// `notifications.deliveries.recovered.v1`: failed deliveries are tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveriesRecovered {
    /// Deliveries for this account only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Deliveries on this channel only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Open<Channel>>,
    /// Deliveries of events at this instant or later.
    pub since: DateTime<Utc>,
    /// Deliveries of events before this instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
    /// The number of recovered deliveries.
    pub recovered: u32,
    /// Whether more failed deliveries may exist. The same command under another id recovers them.
    pub more: bool,
}

/// `notifications.recovery.rejected.v1`: the notifications service has refused a command to send
/// deliveries again. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecoveryRejected {
    /// The id of the refused command.
    pub command_id: CommandId,
    /// The type of the refused command.
    pub command_type: String,
    /// The reason.
    pub reason: Open<NotificationsReason>,
    /// The field that breaks a rule, if the reason is a field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule, in words.
    pub message: String,
}

/// `notifications.recipient.erased.v1`: the notifications service has erased the name and the
/// addresses of a holder, and all that the holder was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecipientErased {
    /// The account.
    pub account_id: AccountId,
    /// The number of erased notifications.
    pub notifications: u64,
}

messages! {
    Event "notifications.delivery.succeeded.v1" DeliverySucceeded,
        subject |message| message.delivery_id.to_string(), key |_| None;
    Event "notifications.delivery.failed.v1" DeliveryFailed,
        subject |message| message.delivery_id.to_string(), key |_| None;
    Event "notifications.preferences.changed.v1" PreferencesChanged,
        subject |message| message.account_id.to_string(), key |_| None;
    Event "notifications.endpoint.disabled.v1" EndpointDisabled,
        subject |message| message.account_id.to_string(), key |_| None;
    Event "notifications.delivery.resent.v1" DeliveryResent,
        subject |message| message.delivery_id.to_string(), key |_| None;
    Event "notifications.deliveries.recovered.v1" DeliveriesRecovered,
        subject |_| "deliveries".to_owned(), key |_| None;
    Event "notifications.recovery.rejected.v1" RecoveryRejected,
        subject |message| message.command_id.to_string(), key |_| None;
    Event "notifications.recipient.erased.v1" RecipientErased,
        subject |message| message.account_id.to_string(), key |_| None;
    Event "notifications.command.rejected.v1" NotificationsCommandRejected,
        subject |message| message.account_id.to_string(), key |_| None;
}
