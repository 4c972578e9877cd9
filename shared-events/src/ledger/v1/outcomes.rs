//! The outcomes of instructions, as stored, previewed and announced. An instruction with one debtor
//! and one creditor is announced by `ledger.transfers.posted.v1` and
//! `ledger.transfers.rejected.v1`, like any transfer; the events here announce all others.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccountAfter, Direction, RejectReason, Rounding};
use crate::{
    code::{Open, codes},
    ids::{CommandId, TransferId},
    message::messages,
    money::{Amount, Money},
};

/// The maximal number of legs in one event. A command with more legs is answered by several events.
pub const LEGS_PER_EVENT_MAX: usize = 1_000;

/// The outcome of an instruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstructionOutcome {
    /// The date was executed: the transfer was posted.
    Posted(Posted),
    /// The money is on hold.
    Held(Held),
    /// The hold was released.
    Released(Released),
    /// The instruction was rejected.
    Rejected(Rejected),
}

/// The date was executed: the transfer was posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Posted {
    /// The legs, in the order of booking; of a transfer, the debtor's leg and then the creditor's.
    pub legs: Vec<PostedLeg>,
    /// The captured hold, with its remaining amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldAfter>,
    /// The posted transfer that this transfer reverses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<TransferId>,
}

/// A leg after posting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostedLeg {
    /// The account, with the balance after the leg.
    pub account: AccountAfter,
    /// Debit or credit.
    pub direction: Direction,
    /// The amount. On the bank's own accounts `fx_position` and `fx_rounding` with all digits of
    /// the exchange.
    pub money: Money,
}

/// A hold after a capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldAfter {
    /// The hold.
    pub hold_id: TransferId,
    /// The amount that is still on hold.
    pub remaining: Amount,
    /// The amount that this capture has released.
    pub released: Amount,
}

/// The money is on hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// The debtor, with the available balance after the hold.
    pub debtor: AccountAfter,
    /// The creditor of the hold.
    pub creditor: AccountAfter,
    /// The amount on hold.
    pub money: Money,
    /// The instant of expiry.
    pub expires_at: DateTime<Utc>,
}

codes! {
    /// The reason why a hold ended.
    pub enum ReleaseCause {
        /// An instruction has released the hold.
        Released = "released",
        /// The hold has expired.
        Expired = "expired",
        /// The last capture has released the remaining amount.
        Captured = "captured",
    }
}

/// The hold was released.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Released {
    /// The hold.
    pub hold_id: TransferId,
    /// The reason.
    pub cause: Open<ReleaseCause>,
    /// The debtor, with the available balance after the release.
    pub debtor: AccountAfter,
    /// The creditor.
    pub creditor: AccountAfter,
    /// The released amount.
    pub money: Money,
}

/// The instruction was rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejected {
    /// The reason.
    pub reason: Open<RejectReason>,
    /// The account whose state is the reason, or the debtor's account, at the rejection; absent if
    /// there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountAfter>,
}

/// A posted transfer with several debtors or creditors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostedLegs {
    /// The transfer.
    pub transfer_id: TransferId,
    /// The legs, in the order of booking.
    #[schemars(length(max = 100))]
    pub legs: Vec<PostedLeg>,
    /// The exchange rate, if the transfer is an exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Amount>,
    /// The rounding of the bought amount, if the transfer is an exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Rounding>,
    /// The posted transfer that this transfer reverses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<TransferId>,
    /// The reference (remittance information).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The debtor's end-to-end id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
    /// The booking date.
    pub booking_date: NaiveDate,
    /// The value date, from which the money counts for interest.
    pub value_date: NaiveDate,
}

/// `ledger.legs.posted.v1`: posted transfers of one command with several debtors or creditors, in
/// the command's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LegsPosted {
    /// The id of the command.
    pub command_id: CommandId,
    /// The transfers, at most 250, with at most 1,000 legs in total.
    pub transfers: Vec<PostedLegs>,
}

/// A placed hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldTransfer {
    /// The id of the hold.
    pub transfer_id: TransferId,
    /// The debtor, with the available balance after the hold.
    pub debtor: AccountAfter,
    /// The creditor of the hold.
    pub creditor: AccountAfter,
    /// The amount on hold.
    pub money: Money,
    /// The instant of expiry.
    pub expires_at: DateTime<Utc>,
    /// The reference (remittance information).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The debtor's end-to-end id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
}

/// `ledger.transfers.held.v1`: placed holds of one command, in the command's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransfersHeld {
    /// The id of the command.
    pub command_id: CommandId,
    /// The holds, at most 250.
    #[schemars(length(max = 250))]
    pub transfers: Vec<HeldTransfer>,
}

/// A release of held money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReleasedHold {
    /// The instruction that released the hold; at an expiry, an id that the ledger made.
    pub transfer_id: TransferId,
    /// The released amount, and the reason.
    pub released: Released,
}

/// `ledger.holds.released.v1`: released holds: by an instruction, at their expiry, or by a capture
/// of less than the hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldsReleased {
    /// The id of the command. Absent at expiries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<CommandId>,
    /// The holds, at most 250.
    #[schemars(length(max = 250))]
    pub holds: Vec<ReleasedHold>,
}

/// A rejected instruction. Nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectedInstruction {
    /// The instruction.
    pub transfer_id: TransferId,
    /// The hold or the transfer that the instruction named, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<TransferId>,
    /// The reason, and the account whose state is the reason.
    pub rejected: Rejected,
}

/// `ledger.instructions.rejected.v1`: rejected instructions of one command that are neither
/// transfers nor holds between two parties, in the command's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstructionsRejected {
    /// The id of the command.
    pub command_id: CommandId,
    /// The instructions, at most 250.
    #[schemars(length(max = 250))]
    pub instructions: Vec<RejectedInstruction>,
}

impl HoldsReleased {
    fn first_hold(&self) -> Option<String> {
        self.holds.first().map(|hold| hold.released.hold_id.to_string())
    }
}

messages! {
    Event "ledger.legs.posted.v1" LegsPosted,
        subject |message| message.command_id.to_string(), key |_| None;
    Event "ledger.transfers.held.v1" TransfersHeld,
        subject |message| message.command_id.to_string(), key |_| None;
    Event "ledger.holds.released.v1" HoldsReleased,
        subject |event| event.first_hold().unwrap_or_default(),
        key |_| None;
    Event "ledger.instructions.rejected.v1" InstructionsRejected,
        subject |message| message.command_id.to_string(), key |_| None;
}
