//! What the ledger announces. Each side of a transfer comes with the balances after it and the
//! ledger account's version, which counts its postings and changes, so that a reader can order
//! them and notice a gap.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountCode, HoldAfter, Party, RejectReason};
use crate::{
    accounts::CloseRefusal,
    code::{Open, codes},
    ids::{AccountId, CommandId, TransferId},
    message::messages,
    money::{Amount, Currency, Money},
};

/// The most outcomes that one event lists. A command with more is answered by several events.
pub const OUTCOMES_PER_EVENT_MAX: usize = 250;

/// An account as a transfer left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountAfter {
    /// Which account.
    pub account_id: AccountId,
    /// Its code, where it is the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<AccountCode>,
    /// Posted credits less posted debits.
    pub balance: Amount,
    /// What can be spent: balance + overdraft limit - pending debits. Absent: without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Amount>,
    /// The ledger account's version.
    pub version: i64,
}

/// A transfer that was posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostedTransfer {
    /// Which transfer.
    pub transfer_id: TransferId,
    /// Who paid, and what is left.
    pub debtor: AccountAfter,
    /// Who was paid, and what there is now.
    pub creditor: AccountAfter,
    /// How much.
    pub money: Money,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The debtor's own id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
    /// The day it is booked on.
    pub booking_date: NaiveDate,
    /// The day from which the money counts for interest, where it is not the booking date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<NaiveDate>,
    /// The hold that it was captured from, and what is left of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldAfter>,
    /// The posted transfer that it reverses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<TransferId>,
}

/// A transfer that was rejected. Nothing was posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectedTransfer {
    /// Which transfer.
    pub transfer_id: TransferId,
    /// Why.
    pub reason: Open<RejectReason>,
    /// Who was to pay.
    pub debtor: Party,
    /// Who was to be paid.
    pub creditor: Party,
    /// How much.
    pub money: Money,
    /// The debtor's account as it is, where it exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor_account: Option<AccountAfter>,
}

/// `ledger.transfers.posted.v1`: transfers of one command that were posted, in the command's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransfersPosted {
    /// The command that asked for them.
    pub command_id: CommandId,
    /// The transfers, at most 250.
    #[schemars(length(max = 250))]
    pub transfers: Vec<PostedTransfer>,
}

/// `ledger.transfers.rejected.v1`: transfers of one command that were rejected, in its order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransfersRejected {
    /// The command that asked for them.
    pub command_id: CommandId,
    /// The transfers, at most 250.
    #[schemars(length(max = 250))]
    pub transfers: Vec<RejectedTransfer>,
}

codes! {
    /// Why the ledger refused a command as a whole.
    pub enum LedgerReason {
        /// It carries no transfer.
        NoTransfers = "no_transfers",
        /// It carries more than 1,000.
        TooManyTransfers = "too_many_transfers",
        /// The period would end before 1900 or after 2199.
        InvalidPeriod = "invalid_period",
        /// The period is not over: its last day is today, or is yet to come.
        PeriodNotOver = "period_not_over",
        /// A later day is closed already.
        PeriodNotForward = "period_not_forward",
        /// The command's id was used before, with other content.
        IdempotencyConflict = "idempotency_conflict",
    }
}

/// `ledger.command.rejected.v1`: a command was refused as a whole, and changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerCommandRejected {
    /// The refused command.
    pub command_id: CommandId,
    /// Its type.
    pub command_type: String,
    /// Why.
    pub reason: Open<LedgerReason>,
    /// The rule, in words.
    pub message: String,
}

/// `ledger.account.opened.v1`: the ledger has opened its side of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerAccountOpened {
    /// Which account.
    pub account_id: AccountId,
    /// The currency it holds.
    pub currency: Currency,
    /// The ledger account's version, 1.
    pub version: i64,
}

/// `ledger.account.locked.v1`: nothing is on the account, and nothing will be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerAccountLocked {
    /// Which account.
    pub account_id: AccountId,
    /// The ledger account's version after this change.
    pub version: i64,
    /// The account's version in the `accounts.account.closing.v1` that this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_version: Option<i64>,
}

/// `ledger.account.close_refused.v1`: the account cannot be locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerAccountCloseRefused {
    /// Which account.
    pub account_id: AccountId,
    /// Why.
    pub reason: Open<CloseRefusal>,
    /// What is on it.
    pub balance: Amount,
    /// The ledger account's version.
    pub version: i64,
    /// The account's version in the `accounts.account.closing.v1` that this answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_version: Option<i64>,
}

messages! {
    Event "ledger.transfers.posted.v1" TransfersPosted,
        subject |it| it.command_id.to_string(), key |_| None;
    Event "ledger.transfers.rejected.v1" TransfersRejected,
        subject |it| it.command_id.to_string(), key |_| None;
    Event "ledger.command.rejected.v1" LedgerCommandRejected,
        subject |it| it.command_id.to_string(), key |_| None;
    Event "ledger.account.opened.v1" LedgerAccountOpened,
        subject |it| it.account_id.to_string(), key |_| None;
    Event "ledger.account.locked.v1" LedgerAccountLocked,
        subject |it| it.account_id.to_string(), key |_| None;
    Event "ledger.account.close_refused.v1" LedgerAccountCloseRefused,
        subject |it| it.account_id.to_string(), key |_| None;
}
