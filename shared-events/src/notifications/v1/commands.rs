//! Commands to the notifications service.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Channel;
use crate::{
    code::codes,
    ids::{AccountId, DeliveryId},
    message::messages,
};

codes! {
    /// The topics of notifications.
    pub enum Topic {
        /// A transfer to or from the account was posted.
        TransferPosted = "transfer_posted",
        /// A transfer from the account was rejected.
        TransferRejected = "transfer_rejected",
        /// A hold was placed on the account.
        TransferHeld = "transfer_held",
        /// A hold on the account ended without a payment.
        HoldReleased = "hold_released",
        /// The account was frozen.
        AccountFrozen = "account_frozen",
        /// The freeze of the account was lifted.
        AccountUnfrozen = "account_unfrozen",
        /// The account was closed.
        AccountClosed = "account_closed",
    }
}

/// `notifications.preferences.set.v1`: sets the topics and channels of an account's notifications.
/// Answered by `notifications.preferences.changed.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetPreferences {
    /// The account.
    pub account_id: AccountId,
    /// Whether the holder receives e-mail; yes if absent.
    #[serde(default = "yes")]
    pub email: bool,
    /// Whether the holder's webhook is called; yes if absent.
    #[serde(default = "yes")]
    pub webhook: bool,
    /// The topics of the notifications; all if absent.
    #[serde(default = "everything")]
    pub topics: Vec<Topic>,
    /// The key that signs calls of the holder's webhook (Standard Webhooks: `whsec_` and base64 of
    /// 24 to 64 bytes). Unchanged if absent; an account without a key uses the bank's. For a day
    /// after a change the previous key signs, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^whsec_[A-Za-z0-9+/]{32,86}={0,2}$"))]
    pub webhook_secret: Option<String>,
}

const fn yes() -> bool {
    true
}

fn everything() -> Vec<Topic> {
    Topic::ALL.to_vec()
}

/// `notifications.delivery.resend.v1`: tries an ended delivery again, with as many attempts as a
/// new one. Answered by `notifications.delivery.resent.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResendDelivery {
    /// The delivery.
    pub delivery_id: DeliveryId,
}

/// `notifications.deliveries.recover.v1`: tries failed deliveries again, with as many attempts as
/// new ones. Answered by `notifications.deliveries.recovered.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecoverDeliveries {
    /// Deliveries for this account only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Deliveries on this channel only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Deliveries of events at this instant or later.
    pub since: DateTime<Utc>,
    /// Deliveries of events before this instant; until now if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

messages! {
    Command "notifications.preferences.set.v1" SetPreferences,
        subject |message| message.account_id.to_string();
    Command "notifications.delivery.resend.v1" ResendDelivery,
        subject |message| message.delivery_id.to_string();
    Command "notifications.deliveries.recover.v1" RecoverDeliveries,
        subject |_| "deliveries".to_owned();
}
