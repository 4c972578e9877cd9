//! What a holder is told, as it is stored with a notification and stands in a webhook. Promise: it
//! names no other customer, and gives no reason for a freeze, which is for the bank's file alone.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use shared_events::{
    Amount, Money, TransferId,
    ledger::{AccountCode, Direction, RejectReason},
    notifications::Topic,
};

/// The facts of one notification. `topic` in JSON is that of the contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "topic", rename_all = "snake_case")]
pub(crate) enum Told {
    TransferPosted(Movement),
    TransferRejected(Rejection),
    AccountFrozen,
    AccountUnfrozen,
    AccountClosed,
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
        Topic::AccountFrozen => "account.frozen",
        Topic::AccountUnfrozen => "account.unfrozen",
        Topic::AccountClosed => "account.closed",
    }
}
