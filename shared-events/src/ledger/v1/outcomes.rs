//! What becomes of instructions, as it is kept, previewed and announced. What has one debtor and
//! one creditor is announced by `ledger.transfers.posted.v1` and `ledger.transfers.rejected.v1`,
//! like any transfer; the events here say the rest.

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

/// The most legs that one event lists. A command with more is answered by several events.
pub const LEGS_PER_EVENT_MAX: usize = 1_000;

/// What became of an instruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InstructionOutcome {
    /// Money moved.
    Posted(Posted),
    /// Money was set aside.
    Held(Held),
    /// What was set aside was given back.
    Released(Released),
    /// Nothing was done.
    Rejected(Rejected),
}

/// Money moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Posted {
    /// The legs, in the order of booking: of a transfer the debtor's, then the creditor's.
    pub legs: Vec<PostedLeg>,
    /// The hold that it came from, and what is left of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldAfter>,
    /// The posted transfer that it reverses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<TransferId>,
}

/// One leg as it was posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostedLeg {
    /// The account, and what is on it now.
    pub account: AccountAfter,
    /// Out of it, or into it.
    pub direction: Direction,
    /// How much. On the bank's own accounts `fx_position` and `fx_rounding` with all digits that
    /// the exchange gave.
    pub money: Money,
}

/// A hold as a capture left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldAfter {
    /// Which hold.
    pub hold_id: TransferId,
    /// What is still held.
    pub remaining: Amount,
    /// What was given back with this capture.
    pub released: Amount,
}

/// Money was set aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Held {
    /// Who is to pay, and what can still be spent.
    pub debtor: AccountAfter,
    /// Who is to be paid.
    pub creditor: AccountAfter,
    /// How much is held.
    pub money: Money,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
}

codes! {
    /// Why a hold ended.
    pub enum ReleaseCause {
        /// An instruction released it.
        Released = "released",
        /// Its time was over.
        Expired = "expired",
        /// The rest of it after the last capture.
        Captured = "captured",
    }
}

/// What was set aside was given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Released {
    /// Which hold.
    pub hold_id: TransferId,
    /// Why.
    pub cause: Open<ReleaseCause>,
    /// Who was to pay, and what can be spent now.
    pub debtor: AccountAfter,
    /// Who was to be paid.
    pub creditor: AccountAfter,
    /// How much was given back.
    pub money: Money,
}

/// Nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejected {
    /// Why.
    pub reason: Open<RejectReason>,
    /// The account that stood in the way as it is, or the debtor's, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountAfter>,
}

/// A transfer of more than one debtor or creditor that was posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostedLegs {
    /// Which transfer.
    pub transfer_id: TransferId,
    /// Its legs, in the order of booking.
    #[schemars(length(max = 100))]
    pub legs: Vec<PostedLeg>,
    /// The rate, where it is an exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<Amount>,
    /// How the amount that was bought was rounded, where it is an exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Rounding>,
    /// The posted transfer that it reverses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<TransferId>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The debtor's own id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
    /// The day it is booked on.
    pub booking_date: NaiveDate,
    /// The day from which the money counts for interest.
    pub value_date: NaiveDate,
}

/// `ledger.legs.posted.v1`: transfers of one command with more than one debtor or creditor that
/// were posted, in the command's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LegsPosted {
    /// The command that asked for them.
    pub command_id: CommandId,
    /// The transfers, at most 250, together at most 1,000 legs.
    pub transfers: Vec<PostedLegs>,
}

/// A hold that was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HeldTransfer {
    /// The hold's id.
    pub transfer_id: TransferId,
    /// Who is to pay, and what can still be spent.
    pub debtor: AccountAfter,
    /// Who is to be paid.
    pub creditor: AccountAfter,
    /// How much is held.
    pub money: Money,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The debtor's own id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
}

/// `ledger.transfers.held.v1`: holds of one command that were placed, in the command's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransfersHeld {
    /// The command that asked for them.
    pub command_id: CommandId,
    /// The holds, at most 250.
    #[schemars(length(max = 250))]
    pub transfers: Vec<HeldTransfer>,
}

/// A hold that gave money back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReleasedHold {
    /// The instruction that released it; of an expiry, an id that the ledger made.
    pub transfer_id: TransferId,
    /// What was given back, and why.
    pub released: Released,
}

/// `ledger.holds.released.v1`: holds that gave money back: released, expired, or the rest of a
/// capture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldsReleased {
    /// The command that asked for it; absent where holds expired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command_id: Option<CommandId>,
    /// The holds, at most 250.
    #[schemars(length(max = 250))]
    pub holds: Vec<ReleasedHold>,
}

/// An instruction that was rejected. Nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RejectedInstruction {
    /// Which instruction.
    pub transfer_id: TransferId,
    /// The hold or the transfer that it was about, where it named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<TransferId>,
    /// Why, and the account that stood in the way.
    pub rejected: Rejected,
}

/// `ledger.instructions.rejected.v1`: instructions of one command that were rejected and are not
/// transfers or holds between two parties, in the command's order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstructionsRejected {
    /// The command that asked for them.
    pub command_id: CommandId,
    /// The instructions, at most 250.
    #[schemars(length(max = 250))]
    pub instructions: Vec<RejectedInstruction>,
}

messages! {
    Event "ledger.legs.posted.v1" LegsPosted, subject |it| it.command_id.to_string(), key |_| None;
    Event "ledger.transfers.held.v1" TransfersHeld,
        subject |it| it.command_id.to_string(), key |_| None;
    Event "ledger.holds.released.v1" HoldsReleased,
        subject |it| it.holds.first().map(|it| it.released.hold_id.to_string()).unwrap_or_default(),
        key |_| None;
    Event "ledger.instructions.rejected.v1" InstructionsRejected,
        subject |it| it.command_id.to_string(), key |_| None;
}
