//! Version 1 of the journal's stored record. Promise: frozen. The same record has the same JSON
//! text, byte for byte, and the same digest for ever; `golden/` holds the bytes of each kind of
//! instruction and outcome. The types here name nothing but identifiers, amounts, currencies,
//! dates, and text: a message of the contract or a type of the ledger may change, and no stored
//! byte moves. A change of the record is a new version beside this one.
//!
//! The ledger writes [version 2](super::record_v2), whose actions and outcomes are those of version
//! 1. Text is borrowed where a record is written, and owned where it is read.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use shared_events::{AccountId, Amount, Currency, MessageId, Money, TransferId};

/// A decided instruction: the instruction, and its outcome. A later version has other fields, and
/// is not read as this one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordV1<'a> {
    /// The instruction as it was submitted.
    #[serde(borrow)]
    pub instruction: InstructionV1<'a>,
    /// The command that first carried the instruction; of the ledger's own, an id that it made.
    pub command_id: MessageId,
    /// The instant of the decision.
    pub decided_at: DateTime<Utc>,
    /// The booking date.
    pub booking_date: NaiveDate,
    /// The value date.
    pub value_date: NaiveDate,
    /// The outcome.
    #[serde(borrow)]
    pub outcome: OutcomeV1<'a>,
}

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstructionV1<'a> {
    /// The instruction's id.
    pub transfer_id: TransferId,
    /// The group whose members are all done, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// The kind, with its content.
    #[serde(borrow)]
    pub action: ActionV1<'a>,
    /// The remittance information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Cow<'a, str>>,
    /// The debtor's own id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<Cow<'a, str>>,
    /// The booking date, if the instruction names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_date: Option<NaiveDate>,
    /// The value date, if the instruction names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<NaiveDate>,
}

/// The kinds of instructions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionV1<'a> {
    /// From a debtor to a creditor.
    #[serde(borrow)]
    Transfer(PaymentV1<'a>),
    /// Reserves money of the debtor for the creditor.
    #[serde(borrow)]
    Hold(HoldV1<'a>),
    /// Posts reserved money.
    Capture(CaptureV1),
    /// Releases reserved money.
    Release(ReleaseV1),
    /// Moves money of a posted transfer back.
    Reverse(ReverseV1),
    /// Several legs at once.
    #[serde(borrow)]
    Legs(LegsV1<'a>),
    /// From one currency to another.
    #[serde(borrow)]
    Exchange(ExchangeV1<'a>),
}

/// A party: a customer's account by its id, an internal account by its code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyV1<'a> {
    /// A customer's account.
    AccountId(AccountId),
    /// An internal account.
    #[serde(borrow)]
    Code(Cow<'a, str>),
}

/// A transfer from a debtor to a creditor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentV1<'a> {
    /// The debtor.
    #[serde(borrow)]
    pub debtor: PartyV1<'a>,
    /// The creditor.
    #[serde(borrow)]
    pub creditor: PartyV1<'a>,
    /// The amount.
    pub money: Money,
    /// Whether less may move.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub up_to: bool,
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldV1<'a> {
    /// The debtor.
    #[serde(borrow)]
    pub debtor: PartyV1<'a>,
    /// The creditor.
    #[serde(borrow)]
    pub creditor: PartyV1<'a>,
    /// The amount.
    pub money: Money,
    /// Whether less may be reserved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub up_to: bool,
    /// The instant at which the hold expires.
    pub expires_at: DateTime<Utc>,
}

/// A capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaptureV1 {
    /// The hold.
    pub hold_id: TransferId,
    /// The part; the whole rest if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Whether the rest stays reserved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_rest: bool,
}

/// A release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseV1 {
    /// The hold.
    pub hold_id: TransferId,
}

/// A reversal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReverseV1 {
    /// The posted transfer.
    pub original_id: TransferId,
    /// The part; the whole rest if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
}

/// Several legs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegsV1<'a> {
    /// The legs.
    #[serde(borrow)]
    pub legs: Vec<LegV1<'a>>,
}

/// A leg of an instruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegV1<'a> {
    /// The account.
    #[serde(borrow)]
    pub account: PartyV1<'a>,
    /// Debit or credit.
    pub direction: DirectionV1,
    /// The amount.
    pub money: Money,
}

/// An exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeV1<'a> {
    /// The debtor.
    #[serde(borrow)]
    pub debtor: PartyV1<'a>,
    /// The creditor.
    #[serde(borrow)]
    pub creditor: PartyV1<'a>,
    /// The amount that leaves the debtor.
    pub sell: Money,
    /// The currency that reaches the creditor.
    pub buy: Currency,
    /// Units of `buy` for one unit of the currency that is sold.
    pub rate: Amount,
    /// The rounding of the amount that is bought.
    #[serde(default)]
    pub rounding: RoundingV1,
}

/// Out of an account, or into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DirectionV1 {
    /// Out of it.
    Debit,
    /// Into it.
    Credit,
}

/// A rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundingV1 {
    /// Ties to the even digit.
    #[default]
    HalfEven,
    /// Ties away from zero.
    HalfUp,
    /// Towards zero.
    Down,
}

/// The outcome of an instruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeV1<'a> {
    /// Money moved.
    #[serde(borrow)]
    Posted(PostedV1<'a>),
    /// Money was reserved.
    #[serde(borrow)]
    Held(HeldV1<'a>),
    /// Reserved money was released.
    #[serde(borrow)]
    Released(ReleasedV1<'a>),
    /// Nothing happened.
    #[serde(borrow)]
    Rejected(RejectedV1<'a>),
}

/// An account as the instruction left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountAfterV1<'a> {
    /// The account's id.
    pub account_id: AccountId,
    /// The code of an internal account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Cow<'a, str>>,
    /// The balance.
    pub balance: Amount,
    /// The available amount; absent: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Amount>,
    /// The account's version.
    pub version: i64,
}

/// Posted legs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedV1<'a> {
    /// The legs in the order of posting.
    #[serde(borrow)]
    pub legs: Vec<PostedLegV1<'a>>,
    /// The hold of a capture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldAfterV1>,
    /// The transfer that a reversal reverses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<TransferId>,
}

/// A posted leg.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostedLegV1<'a> {
    /// The account after the leg.
    #[serde(borrow)]
    pub account: AccountAfterV1<'a>,
    /// Debit or credit.
    pub direction: DirectionV1,
    /// The amount.
    pub money: Money,
}

/// A hold as a capture left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldAfterV1 {
    /// The hold.
    pub hold_id: TransferId,
    /// The amount that is still reserved.
    pub remaining: Amount,
    /// The amount that the capture released.
    pub released: Amount,
}

/// Money was reserved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldV1<'a> {
    /// The debtor's account after the hold.
    #[serde(borrow)]
    pub debtor: AccountAfterV1<'a>,
    /// The creditor's account after the hold.
    #[serde(borrow)]
    pub creditor: AccountAfterV1<'a>,
    /// The reserved amount.
    pub money: Money,
    /// The instant at which the hold expires.
    pub expires_at: DateTime<Utc>,
}

/// The cause of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseCauseV1 {
    /// An instruction.
    Released,
    /// The hold's time was over.
    Expired,
    /// The last capture.
    Captured,
}

/// Reserved money was released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleasedV1<'a> {
    /// The hold.
    pub hold_id: TransferId,
    /// The cause.
    pub cause: ReleaseCauseV1,
    /// The debtor's account after the release.
    #[serde(borrow)]
    pub debtor: AccountAfterV1<'a>,
    /// The creditor's account after the release.
    #[serde(borrow)]
    pub creditor: AccountAfterV1<'a>,
    /// The released amount.
    pub money: Money,
}

/// A rejection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RejectedV1<'a> {
    /// The code of the reason.
    #[serde(borrow)]
    pub reason: Cow<'a, str>,
    /// The debtor's account, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountAfterV1<'a>>,
}

impl<'a> RecordV1<'a> {
    /// The record's JSON text: the bytes that are stored and hashed.
    ///
    /// # Panics
    /// Never: the types here write plain JSON.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a record writes plain JSON")
    }

    /// Reads a stored text.
    ///
    /// # Errors
    /// If the text is not a record of version 1.
    pub fn from_text(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }
}
