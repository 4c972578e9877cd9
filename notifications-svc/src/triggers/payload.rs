//! What a holder is told, as it is stored with a notification and stands in a webhook. Promise: it
//! names no other customer, and gives no reason for a freeze, which is for the bank's file alone.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use shared_events::{
    Amount, Money, TransferId,
    accounts::Blocks,
    ledger::{AccountCode, Direction, RejectReason, ReleaseCause},
    notifications::Topic,
    text::visible,
};

/// The facts of one notification. `topic` in JSON is that of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "topic", rename_all = "snake_case")]
pub(crate) enum Told {
    TransferPosted(Movement),
    TransferRejected(Rejection),
    TransferHeld(SetAside),
    HoldReleased(GivenBack),
    AccountFrozen(Freeze),
    AccountUnfrozen,
    AccountClosed,
}

impl Told {
    /// The facts as stored, fit to be shown: what strangers wrote is one line of visible
    /// characters, whenever it was stored. None where this version of the service cannot read
    /// them.
    pub(crate) fn read(json: &str) -> Option<Self> {
        let mut told = serde_json::from_str(json).ok()?;
        let texts = match &mut told {
            Self::TransferPosted(movement) => {
                [&mut movement.reference, &mut movement.end_to_end_id]
            }
            Self::TransferHeld(hold) => [&mut hold.reference, &mut hold.end_to_end_id],
            Self::TransferRejected(_)
            | Self::HoldReleased(_)
            | Self::AccountFrozen(_)
            | Self::AccountUnfrozen
            | Self::AccountClosed => return Some(told),
        };
        for text in texts.into_iter().flatten() {
            *text = visible(text).into_owned();
        }
        Some(told)
    }
}

/// Money that came in or went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Movement {
    pub(crate) transfer_id: TransferId,
    /// Seen from the holder's account.
    pub(crate) direction: Direction,
    pub(crate) money: Money,
    /// The bank's own account on the other side; None: an account of somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counterparty: Option<AccountCode>,
    /// What is on the account after it.
    pub(crate) balance: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) end_to_end_id: Option<String>,
    pub(crate) booking_date: NaiveDate,
    /// The transfer that it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reverses: Option<TransferId>,
    /// The hold that it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hold_id: Option<TransferId>,
    /// The rate, where it is one side of an exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<Amount>,
}

/// Money that is on hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SetAside {
    /// The hold.
    pub(crate) transfer_id: TransferId,
    pub(crate) money: Money,
    /// The bank's own account that it is for; None: an account of somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counterparty: Option<AccountCode>,
    /// What can still be spent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) available: Option<Amount>,
    /// When it ends by itself.
    pub(crate) expires_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) end_to_end_id: Option<String>,
}

/// Money that was on hold and is not any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GivenBack {
    /// What released it; of an expiry, an id that the ledger made.
    pub(crate) transfer_id: TransferId,
    pub(crate) hold_id: TransferId,
    pub(crate) cause: ReleaseCause,
    pub(crate) money: Money,
    /// The bank's own account that it was for; None: an account of somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counterparty: Option<AccountCode>,
    /// What can be spent now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) available: Option<Amount>,
}

/// What a frozen account refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Freeze {
    #[serde(default, skip_serializing_if = "Blocks::is_both")]
    pub(crate) blocks: Blocks,
}

/// Money that did not go out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rejection {
    pub(crate) transfer_id: TransferId,
    pub(crate) reason: RejectReason,
    pub(crate) money: Money,
    /// The bank's own account that was to be paid; None: an account of somebody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counterparty: Option<AccountCode>,
    /// What is on the account, where that is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) balance: Option<Amount>,
}

/// The name of a topic in a webhook's `type`.
pub(crate) const fn webhook_type(topic: Topic) -> &'static str {
    match topic {
        Topic::TransferPosted => "transfer.posted",
        Topic::TransferRejected => "transfer.rejected",
        Topic::TransferHeld => "transfer.held",
        Topic::HoldReleased => "hold.released",
        Topic::AccountFrozen => "account.frozen",
        Topic::AccountUnfrozen => "account.unfrozen",
        Topic::AccountClosed => "account.closed",
    }
}

#[cfg(test)]
mod tests;
