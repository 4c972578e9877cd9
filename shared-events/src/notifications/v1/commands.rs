//! What can be asked of the notifications service, and which events of others it follows.

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
    /// What a holder can be told about.
    pub enum Topic {
        /// Money came in or went out.
        TransferPosted = "transfer_posted",
        /// A transfer from the account was rejected.
        TransferRejected = "transfer_rejected",
        /// Money of the account was set aside.
        TransferHeld = "transfer_held",
        /// Money that was set aside was given back, without anything having been paid of it.
        HoldReleased = "hold_released",
        /// The account was frozen.
        AccountFrozen = "account_frozen",
        /// The account can be used again.
        AccountUnfrozen = "account_unfrozen",
        /// The account was closed.
        AccountClosed = "account_closed",
    }
}

/// `notifications.preferences.set.v1`: what the holder of an account is told, and how.
/// Answered by `notifications.preferences.changed.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetPreferences {
    /// Which account.
    pub account_id: AccountId,
    /// Whether to write e-mail. Yes if not given.
    #[serde(default = "yes")]
    pub email: bool,
    /// Whether to call the webhook. Yes if not given.
    #[serde(default = "yes")]
    pub webhook: bool,
    /// What to tell. Everything if not given.
    #[serde(default = "everything")]
    pub topics: Vec<Topic>,
    /// The key that webhooks to this holder are signed with (Standard Webhooks: `whsec_` and
    /// base64 of 24 to 64 bytes). Unchanged if not given; without one the bank's own key signs. For
    /// a day after a change the key before signs, too.
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

/// `notifications.delivery.resend.v1`: a delivery that has ended is tried again, as often as a new
/// one. Answered by `notifications.delivery.resent.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResendDelivery {
    /// Which delivery.
    pub delivery_id: DeliveryId,
}

/// `notifications.deliveries.recover.v1`: deliveries that have failed are tried again, as often as
/// new ones. Answered by `notifications.deliveries.recovered.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RecoverDeliveries {
    /// Only those about this account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// Only those that took this way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Only those of events from this time on.
    pub since: DateTime<Utc>,
    /// Only those of events before this time. Without, all until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

messages! {
    Command "notifications.preferences.set.v1" SetPreferences,
        subject |it| it.account_id.to_string();
    Command "notifications.delivery.resend.v1" ResendDelivery,
        subject |it| it.delivery_id.to_string();
    Command "notifications.deliveries.recover.v1" RecoverDeliveries,
        subject |_| "deliveries".to_owned();
}
