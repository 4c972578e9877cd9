//! Events of the ledger. Each party of a transfer is shown with its balance after the transfer and
//! with the version of its ledger account. The version counts postings and changes, so that a
//! reader can order them and notice a gap.

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

/// The maximal number of outcomes in one event. A command with more outcomes is answered by several
/// events.
pub const OUTCOMES_PER_EVENT_MAX: usize = 250;

/// An account after a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountAfter {
    /// The account.
    pub account_id: AccountId,
    /// The account's code, if the account is one of the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<AccountCode>,
    /// The balance: posted credits less posted debits.
    pub balance: Amount,
    /// The available balance: balance + overdraft limit - pending debits. Absent on an account
    /// without a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Amount>,
    /// The version of the ledger account.
    pub version: i64,
}

/// A posted transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostedTransfer {
    /// The transfer.
    pub transfer_id: TransferId,
    /// The debtor, with the balance after the transfer.
    pub debtor: AccountAfter,
    /// The creditor, with the balance after the transfer.
    pub creditor: AccountAfter,
    /// The amount.
    pub money: Money,
    /// The reference (remittance information).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The debtor's end-to-end id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
    /// The booking date.
    pub booking_date: NaiveDate,
    /// The value date, from which the money counts for interest. Absent if equal to the booking
    /// date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<NaiveDate>,
    /// The captured hold, with its remaining amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldAfter>,
    /// The posted transfer that this transfer reverses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<TransferId>,
}

/// A rejected transfer. Nothing was posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectedTransfer {
    /// The transfer.
    pub transfer_id: TransferId,
    /// The reason.
    pub reason: Open<RejectReason>,
    /// The debtor.
    pub debtor: Party,
    /// The creditor.
    pub creditor: Party,
    /// The amount.
    pub money: Money,
    /// The debtor's account at the rejection, if the account exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor_account: Option<AccountAfter>,
}

/// `ledger.transfers.posted.v1`: posted transfers of one command, in the command's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransfersPosted {
    /// The id of the command.
    pub command_id: CommandId,
    /// The transfers, at most 250.
    #[schemars(length(max = 250))]
    pub transfers: Vec<PostedTransfer>,
}

/// `ledger.transfers.rejected.v1`: rejected transfers of one command, in the command's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransfersRejected {
    /// The id of the command.
    pub command_id: CommandId,
    /// The transfers, at most 250.
    #[schemars(length(max = 250))]
    pub transfers: Vec<RejectedTransfer>,
}

codes! {
    /// The reason why the ledger refused a whole command.
    pub enum LedgerReason {
        /// The command has no transfer.
        NoTransfers = "no_transfers",
        /// The command has more than 1,000 transfers.
        TooManyTransfers = "too_many_transfers",
        /// The period would end before 1900 or after 2199.
        InvalidPeriod = "invalid_period",
        /// The period is not over: its last day is today or later.
        PeriodNotOver = "period_not_over",
        /// A later day is already closed.
        PeriodNotForward = "period_not_forward",
        /// An earlier command had the same id and other content.
        IdempotencyConflict = "idempotency_conflict",
        /// No grant of the principal permits the command; `message` names the missing right.
        NotPermitted = "not_permitted",
    }
}

/// `ledger.command.rejected.v1`: the ledger has refused a whole command. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerCommandRejected {
    /// The id of the refused command.
    pub command_id: CommandId,
    /// The type of the refused command.
    pub command_type: String,
    /// The reason.
    pub reason: Open<LedgerReason>,
    /// The rule, in words.
    pub message: String,
}

/// `ledger.account.opened.v1`: the ledger has opened its side of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerAccountOpened {
    /// The account.
    pub account_id: AccountId,
    /// The currency of the account.
    pub currency: Currency,
    /// The version of the ledger account, 1.
    pub version: i64,
}

/// `ledger.account.locked.v1`: the ledger has locked an account. The balance is zero and stays
/// zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerAccountLocked {
    /// The account.
    pub account_id: AccountId,
    /// The version of the ledger account after this change.
    pub version: i64,
    /// The account's version in the `accounts.account.closing.v1` that this event answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_version: Option<i64>,
}

/// `ledger.account.close_refused.v1`: the ledger has refused to lock an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerAccountCloseRefused {
    /// The account.
    pub account_id: AccountId,
    /// The reason.
    pub reason: Open<CloseRefusal>,
    /// The balance of the account.
    pub balance: Amount,
    /// The version of the ledger account.
    pub version: i64,
    /// The account's version in the `accounts.account.closing.v1` that this event answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_version: Option<i64>,
}

/// `ledger.texts.erased.v1`: the ledger has erased references and end-to-end ids of all payments of
/// an account. The records of the payments stand for the texts by a commitment, and stay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TextsErased {
    /// The account.
    pub account_id: AccountId,
    /// The number of records whose texts were erased.
    pub records: u64,
    /// The number of records of version 1 that name the account: the proof covers their texts as
    /// they are, so they stay.
    pub kept: u64,
}

messages! {
    Event "ledger.transfers.posted.v1" TransfersPosted,
        subject |message| message.command_id.to_string(), key |_| None;
    Event "ledger.transfers.rejected.v1" TransfersRejected,
        subject |message| message.command_id.to_string(), key |_| None;
    Event "ledger.command.rejected.v1" LedgerCommandRejected,
        subject |message| message.command_id.to_string(), key |_| None;
    Event "ledger.account.opened.v1" LedgerAccountOpened,
        subject |message| message.account_id.to_string(), key |_| None;
    Event "ledger.account.locked.v1" LedgerAccountLocked,
        subject |message| message.account_id.to_string(), key |_| None;
    Event "ledger.account.close_refused.v1" LedgerAccountCloseRefused,
        subject |message| message.account_id.to_string(), key |_| None;
    Event "ledger.texts.erased.v1" TextsErased,
        subject |message| message.account_id.to_string(), key |_| None;
}
