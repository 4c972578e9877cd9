//! Instructions: all that the ledger can be told to do with money, in one list. A transfer of
//! `ledger.transfers.submit.v1` is the simplest of them, and the same thing: the same id with the
//! same content has the same outcome, whichever command it comes in.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Direction, InstructionOutcome, Party, Transfer};
use crate::{
    ids::TransferId,
    message::{Query, messages},
    money::{Amount, Currency, Money},
};

/// The most instructions that one command carries.
pub const INSTRUCTIONS_MAX: usize = 1_000;
/// The fewest and the most legs of one transfer.
pub const LEGS: std::ops::RangeInclusive<usize> = 2..=100;
/// The longest that a hold may last, in days.
pub const HOLD_DAYS_MAX: i64 = 400;
/// The most digits after the point of a rate of exchange.
pub const RATE_DIGITS_MAX: u32 = 10;

/// One thing that the ledger is told to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Instruction {
    /// Its id, made by the client: the id of the transfer, hold or release that comes of it. The
    /// same id with the same content has the same outcome; with other content it is rejected. A
    /// UUID of any version but 8: those are for what the ledger does by itself.
    pub transfer_id: TransferId,
    /// Instructions of one command that name the same group are all done, or none of them is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// What to do.
    pub action: Action,
    /// What it is for, at most 140 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 140))]
    pub reference: Option<String>,
    /// The debtor's own id of the payment, passed on unchanged, at most 35 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35))]
    pub end_to_end_id: Option<String>,
    /// The day to book it on, in the years 1900 to 2199; the day it is posted if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_date: Option<NaiveDate>,
    /// The day from which the money counts for interest (value date), in the years 1900 to 2199;
    /// the booking date if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<NaiveDate>,
}

/// What an instruction does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Move money from a debtor to a creditor.
    Transfer(Payment),
    /// Set money of the debtor aside for the creditor (the first half of a two-phase transfer).
    Hold(Hold),
    /// Post money that is held, all of it or a part.
    Capture(Capture),
    /// Give back what is left of a hold.
    Release(Release),
    /// Move money of a posted transfer back.
    Reverse(Reverse),
    /// Move money among 2 to 100 accounts at once.
    Legs(Legs),
    /// Move money from a debtor in one currency to a creditor in another.
    Exchange(Exchange),
}

/// A transfer from a debtor to a creditor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Payment {
    /// Who pays.
    pub debtor: Party,
    /// Who is paid.
    pub creditor: Party,
    /// How much: more than zero, at most 1,000,000,000,000,000 units.
    pub money: Money,
    /// Move less if less is available, but not nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub up_to: bool,
}

/// Money set aside. It counts as spent for the debtor until it is captured, released or expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// Who is to pay.
    pub debtor: Party,
    /// Who is to be paid.
    pub creditor: Party,
    /// How much: more than zero, at most 1,000,000,000,000,000 units.
    pub money: Money,
    /// Hold less if less is available, but not nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub up_to: bool,
    /// When it ends by itself: after now, at most 400 days ahead.
    pub expires_at: DateTime<Utc>,
}

/// Posts what is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Capture {
    /// The hold: the id of the instruction that placed it.
    pub hold_id: TransferId,
    /// How much of it, in the hold's currency; all that is left if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Keep what is left for another capture, instead of releasing it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_rest: bool,
}

/// Gives back what is left of a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    /// The hold: the id of the instruction that placed it.
    pub hold_id: TransferId,
}

/// Moves money of a posted transfer back, with the sides exchanged. What has more than one debtor
/// or creditor can be reversed as a whole only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reverse {
    /// The posted transfer.
    pub original_id: TransferId,
    /// How much of it, in its currency; all that has not been reversed if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
}

/// One leg of a transfer: one account, debited or credited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Leg {
    /// Which account.
    pub account: Party,
    /// Out of it, or into it.
    pub direction: Direction,
    /// How much: more than zero, at most 1,000,000,000,000,000 units.
    pub money: Money,
}

/// A transfer of several legs. For each currency debits equal credits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Legs {
    /// The legs, 2 to 100, each account once.
    #[schemars(length(min = 2, max = 100))]
    pub legs: Vec<Leg>,
}

/// A transfer between two currencies, through the bank's own accounts `fx_position` of both. The
/// creditor gets `sell` times `rate`, rounded to the currency's digits; what rounding gives or
/// takes is booked on `fx_rounding`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exchange {
    /// Who pays.
    pub debtor: Party,
    /// Who is paid.
    pub creditor: Party,
    /// How much leaves the debtor: more than zero, at most 1,000,000,000,000,000 units.
    pub sell: Money,
    /// The currency that the creditor gets.
    pub buy: Currency,
    /// How many units of `buy` there are for one unit of what is sold: more than zero, at most 10
    /// digits after the point.
    pub rate: Amount,
    /// How to round what the creditor gets.
    #[serde(default)]
    pub rounding: Rounding,
}

/// How an amount is rounded to the digits of its currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest; from the middle to the even digit (IEEE 754 roundTiesToEven).
    #[default]
    HalfEven,
    /// To the nearest; from the middle away from zero.
    HalfUp,
    /// Towards zero.
    Down,
}

/// `ledger.instructions.submit.v1`: carry out 1 to 1,000 instructions, in this order, each for
/// itself or in groups. Each is answered in an event of what it led to: transfers posted, legs
/// posted, transfers held, holds released, transfers or instructions rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubmitInstructions {
    /// The instructions.
    #[schemars(length(min = 1, max = 1_000))]
    pub instructions: Vec<Instruction>,
}

impl SubmitInstructions {
    /// What the first instruction is about: its debtor where it names one.
    fn first(&self) -> Option<String> {
        let first = match &self.instructions.first()?.action {
            Action::Transfer(it) => it.debtor.to_string(),
            Action::Hold(it) => it.debtor.to_string(),
            Action::Exchange(it) => it.debtor.to_string(),
            Action::Capture(it) => it.hold_id.to_string(),
            Action::Release(it) => it.hold_id.to_string(),
            Action::Reverse(it) => it.original_id.to_string(),
            Action::Legs(it) => it.legs.first()?.account.to_string(),
        };
        Some(first)
    }
}

/// `ledger.instructions.preview.v1`: what would become of these instructions now, and what would be
/// on the accounts. Nothing is stored. Answered by `ledger.instructions.previewed.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreviewInstructions {
    /// The instructions, as they would be submitted.
    #[schemars(length(min = 1, max = 1_000))]
    pub instructions: Vec<Instruction>,
}

/// One instruction and what would become of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreviewedInstruction {
    /// Which instruction.
    pub transfer_id: TransferId,
    /// What would become of it, or has already.
    pub outcome: InstructionOutcome,
}

/// `ledger.instructions.previewed.v1`: what would become of each, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstructionsPreviewed {
    /// The outcomes.
    pub instructions: Vec<PreviewedInstruction>,
}

impl From<Transfer> for Instruction {
    fn from(it: Transfer) -> Self {
        let Transfer { debtor, creditor, money, .. } = it;
        Self {
            transfer_id: it.transfer_id,
            group: None,
            action: Action::Transfer(Payment { debtor, creditor, money, up_to: false }),
            reference: it.reference,
            end_to_end_id: it.end_to_end_id,
            booking_date: it.booking_date,
            value_date: None,
        }
    }
}

messages! {
    Command "ledger.instructions.submit.v1" SubmitInstructions,
        subject |it| it.first().unwrap_or_default(), key Self::first;
    Query "ledger.instructions.preview.v1" PreviewInstructions,
        subject |_| "preview".to_owned();
    Reply "ledger.instructions.previewed.v1" InstructionsPreviewed,
        subject |_| "preview".to_owned();
}

impl Query for PreviewInstructions {
    type Reply = InstructionsPreviewed;
}
