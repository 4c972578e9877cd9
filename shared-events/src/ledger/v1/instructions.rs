//! Instructions: everything that the ledger can do with money, in one list. A transfer of
//! `ledger.transfers.submit.v1` is the simplest instruction: the same id with the same content has
//! the same outcome in either command.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Direction, InstructionOutcome, Party, Transfer};
use crate::{
    ids::TransferId,
    message::{Query, messages},
    money::{Amount, Currency, Money},
};

/// The maximal number of instructions in one command.
pub const INSTRUCTIONS_MAX: usize = 1_000;
/// The minimal and the maximal number of legs of one transfer.
pub const LEGS: std::ops::RangeInclusive<usize> = 2..=100;
/// The maximal duration of a hold, in days.
pub const HOLD_DAYS_MAX: i64 = 400;
/// The maximal number of digits after the point of an exchange rate.
pub const RATE_DIGITS_MAX: u32 = 10;

/// An instruction to the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Instruction {
    /// The id of the instruction, made by the client, and of the transfer, hold or release that
    /// results. A second instruction with the same id and the same content has the same outcome;
    /// with other content, the second instruction is rejected. A UUID of any version except 8,
    /// which is reserved for the ledger.
    pub transfer_id: TransferId,
    /// The group. Instructions of one command with the same group are carried out together or not
    /// at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// The kind of the instruction, with its details.
    pub action: Action,
    /// The reference (remittance information), at most 140 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 140))]
    pub reference: Option<String>,
    /// The debtor's end-to-end id of the payment, passed on unchanged, at most 35 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 35))]
    pub end_to_end_id: Option<String>,
    /// The booking date, in the years 1900 to 2199; the day of posting if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_date: Option<NaiveDate>,
    /// The value date, from which the money counts for interest, in the years 1900 to 2199; the
    /// booking date if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<NaiveDate>,
}

/// The kinds of instructions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Moves money from a debtor to a creditor.
    Transfer(Payment),
    /// Places a hold: reserves money of the debtor for the creditor (the first half of a two-phase
    /// transfer).
    Hold(Hold),
    /// Captures a hold: posts the held money or a part of that.
    Capture(Capture),
    /// Releases the remaining amount of a hold.
    Release(Release),
    /// Reverses a posted transfer.
    Reverse(Reverse),
    /// Moves money among 2 to 100 accounts at once.
    Legs(Legs),
    /// Moves money from a debtor in one currency to a creditor in another currency.
    Exchange(Exchange),
}

/// A transfer from a debtor to a creditor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Payment {
    /// The debtor.
    pub debtor: Party,
    /// The creditor.
    pub creditor: Party,
    /// The amount: more than zero, at most 1,000,000,000,000,000 units.
    pub money: Money,
    /// Moves the available amount, but not zero, if the debtor has less.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub up_to: bool,
}

/// A reservation of money. The amount counts as spent by the debtor until the capture, the release
/// or the expiry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Hold {
    /// The debtor of the hold.
    pub debtor: Party,
    /// The creditor of the hold.
    pub creditor: Party,
    /// The amount: more than zero, at most 1,000,000,000,000,000 units.
    pub money: Money,
    /// Holds the available amount, but not zero, if the debtor has less.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub up_to: bool,
    /// The instant of expiry: in the future, at most 400 days ahead.
    pub expires_at: DateTime<Utc>,
}

/// The capture of a hold: posts the held money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Capture {
    /// The hold: the id of the instruction that placed the hold.
    pub hold_id: TransferId,
    /// The amount to capture, in the hold's currency; the whole remaining amount if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Keeps the remaining amount on hold for another capture, instead of releasing that amount.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_rest: bool,
}

/// The release of the remaining amount of a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Release {
    /// The hold: the id of the instruction that placed the hold.
    pub hold_id: TransferId,
}

/// The reversal of a posted transfer: moves the money back from the creditor to the debtor. A
/// transfer with several debtors or creditors can be reversed only as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reverse {
    /// The posted transfer.
    pub original_id: TransferId,
    /// The amount to reverse, in the transfer's currency; the whole amount that is not yet reversed
    /// if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
}

/// A leg of a transfer: the debit or the credit of one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Leg {
    /// The account.
    pub account: Party,
    /// Debit or credit.
    pub direction: Direction,
    /// The amount: more than zero, at most 1,000,000,000,000,000 units.
    pub money: Money,
}

/// A transfer with several legs. In each currency, debits equal credits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Legs {
    /// The legs, 2 to 100; each account has one leg.
    #[schemars(length(min = 2, max = 100))]
    pub legs: Vec<Leg>,
}

/// An exchange between two currencies, through the bank's own accounts `fx_position` in both
/// currencies. The creditor receives `sell` times `rate`, rounded to the digits of the currency;
/// the rounding difference is posted on `fx_rounding`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exchange {
    /// The debtor.
    pub debtor: Party,
    /// The creditor.
    pub creditor: Party,
    /// The sold amount: more than zero, at most 1,000,000,000,000,000 units.
    pub sell: Money,
    /// The bought currency, which the creditor receives.
    pub buy: Currency,
    /// The exchange rate, in units of `buy` for one unit of the sold currency: more than zero, at
    /// most 10 digits after the point.
    pub rate: Amount,
    /// The rounding of the bought amount.
    #[serde(default)]
    pub rounding: Rounding,
}

/// The rounding of an amount to the digits of its currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// To the nearest; a tie goes to the even digit (IEEE 754 roundTiesToEven).
    #[default]
    HalfEven,
    /// To the nearest; a tie goes away from zero.
    HalfUp,
    /// Towards zero.
    Down,
}

/// `ledger.instructions.submit.v1`: carries out 1 to 1,000 instructions, in this order,
/// independently or in groups. Each instruction is answered in an event of its outcome: transfers
/// posted, legs posted, transfers held, holds released, transfers or instructions rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubmitInstructions {
    /// The instructions.
    #[schemars(length(min = 1, max = 1_000))]
    pub instructions: Vec<Instruction>,
}

impl SubmitInstructions {
    /// The subject of the first instruction: its debtor, if the instruction names one.
    fn first(&self) -> Option<String> {
        let first = match &self.instructions.first()?.action {
            Action::Transfer(payment) => payment.debtor.to_string(),
            Action::Hold(hold) => hold.debtor.to_string(),
            Action::Exchange(exchange) => exchange.debtor.to_string(),
            Action::Capture(capture) => capture.hold_id.to_string(),
            Action::Release(release) => release.hold_id.to_string(),
            Action::Reverse(reverse) => reverse.original_id.to_string(),
            Action::Legs(legs) => legs.legs.first()?.account.to_string(),
        };
        Some(first)
    }
}

/// `ledger.instructions.preview.v1`: asks for the outcomes and the balances that these instructions
/// would have now. Nothing is stored. Answered by `ledger.instructions.previewed.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreviewInstructions {
    /// The instructions, as in a submission.
    #[schemars(length(min = 1, max = 1_000))]
    pub instructions: Vec<Instruction>,
}

/// An instruction and its expected outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PreviewedInstruction {
    /// The instruction.
    pub transfer_id: TransferId,
    /// The expected outcome, or the outcome of an instruction that is already decided.
    pub outcome: InstructionOutcome,
}

/// `ledger.instructions.previewed.v1`: the expected outcomes, in the order of the instructions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstructionsPreviewed {
    /// The outcomes.
    pub instructions: Vec<PreviewedInstruction>,
}

impl From<Transfer> for Instruction {
    fn from(transfer: Transfer) -> Self {
        let Transfer { debtor, creditor, money, .. } = transfer;
        Self {
            transfer_id: transfer.transfer_id,
            group: None,
            action: Action::Transfer(Payment { debtor, creditor, money, up_to: false }),
            reference: transfer.reference,
            end_to_end_id: transfer.end_to_end_id,
            booking_date: transfer.booking_date,
            value_date: None,
        }
    }
}

messages! {
    Command "ledger.instructions.submit.v1" SubmitInstructions,
        subject |message| message.first().unwrap_or_default(), key Self::first;
    Query "ledger.instructions.preview.v1" PreviewInstructions,
        subject |_| "preview".to_owned();
    Reply "ledger.instructions.previewed.v1" InstructionsPreviewed,
        subject |_| "preview".to_owned();
}

impl Query for PreviewInstructions {
    type Reply = InstructionsPreviewed;
}
