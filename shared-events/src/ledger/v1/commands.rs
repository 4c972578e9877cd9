//! Commands to the ledger.

use std::{borrow::Cow, fmt};

use chrono::NaiveDate;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::SubmitInstructions;
use crate::{
    accounts,
    ids::{AccountId, TransferId},
    message::messages,
    money::Money,
};

/// The maximal number of transfers in one command.
pub const TRANSFERS_MAX: usize = 1_000;
/// The maximal number of characters of a reference (ISO 20022 remittance information).
pub const REFERENCE_CHARS_MAX: usize = 140;
/// The maximal number of characters of an end-to-end id (ISO 20022 `Max35Text`).
pub const END_TO_END_ID_CHARS_MAX: usize = 35;

/// The code of one of the bank's own accounts.
///
/// The bank has one account for each code and currency, opened by the ledger at its first use. The
/// codes: `cash`, `cards`, `fees`, `interest_paid`, `interest_received`, `penalty_interest`,
/// `fx_position` and `fx_rounding` for exchanges, and `settlement:<code of the other bank, 1 to 11
/// of A-Z and 0-9>` for each bank with which this bank settles.
///
/// A reader accepts any code of this form. A code that the bank does not use names a party that
/// does not exist; the ledger rejects an instruction with such a party.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct AccountCode(pub String);

/// A text without the form of an account code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an account code: 1 to 40 of a-z, A-Z, 0-9, _ and :")]
pub struct InvalidCode;

impl TryFrom<String> for AccountCode {
    type Error = InvalidCode;

    fn try_from(code: String) -> Result<Self, InvalidCode> {
        let formed = (1..=40).contains(&code.len())
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':'));
        if formed { Ok(Self(code)) } else { Err(InvalidCode) }
    }
}

impl JsonSchema for AccountCode {
    fn schema_name() -> Cow<'static, str> {
        "AccountCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The code of one of the bank's own accounts",
            "type": "string",
            "pattern": "^[a-zA-Z0-9_:]{1,40}$",
            "examples": ["cash", "fees", "settlement:AB"]
        })
    }
}

impl AccountCode {
    /// The codes that name no other bank.
    pub const PLAIN: [&'static str; 8] = [
        "cash",
        "cards",
        "fees",
        "interest_paid",
        "interest_received",
        "penalty_interest",
        "fx_position",
        "fx_rounding",
    ];
    const SETTLEMENT: &'static str = "settlement:";

    /// The account for settlement with another bank.
    #[must_use]
    pub fn settlement(bank: &str) -> Self {
        Self(format!("{}{bank}", Self::SETTLEMENT))
    }

    /// The bank's position in a currency: sold amounts come in, bought amounts go out.
    #[must_use]
    pub fn fx_position() -> Self {
        Self("fx_position".to_owned())
    }

    /// The account of rounding differences.
    #[must_use]
    pub fn fx_rounding() -> Self {
        Self("fx_rounding".to_owned())
    }

    /// Whether the bank has an account with this code.
    #[must_use]
    pub fn is_known(&self) -> bool {
        match self.0.strip_prefix(Self::SETTLEMENT) {
            Some(bank) => {
                (1..=11).contains(&bank.len())
                    && bank.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            }
            None => Self::PLAIN.contains(&self.0.as_str()),
        }
    }
}

impl fmt::Display for AccountCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A party of a transfer: `{"account_id":"..."}` or `{"code":"cash"}`.
#[derive(
    Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// A customer's account.
    AccountId(AccountId),
    /// One of the bank's own accounts.
    Code(AccountCode),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AccountId(id) => id.fmt(f),
            Self::Code(code) => code.fmt(f),
        }
    }
}

/// A transfer of money from a debtor to a creditor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Transfer {
    /// The id of the transfer, made by the client. A second transfer with the same id and the same
    /// content is the same transfer and has the same outcome; with other content, the second
    /// transfer is rejected. A UUID of any version except 8, which is reserved for the ledger.
    pub transfer_id: TransferId,
    /// The debtor.
    pub debtor: Party,
    /// The creditor.
    pub creditor: Party,
    /// The amount: more than zero, at most 1,000,000,000,000,000 units.
    pub money: Money,
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
}

/// `ledger.transfers.submit.v1`: posts 1 to 1,000 transfers, each independent of the others, in
/// this order. Deposits, withdrawals, fees and interest are transfers with one of the bank's own
/// accounts. Answered by `ledger.transfers.posted.v1` and `ledger.transfers.rejected.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SubmitTransfers {
    /// The transfers.
    #[schemars(length(min = 1, max = 1_000))]
    pub transfers: Vec<Transfer>,
}

impl SubmitTransfers {
    fn first_debtor(&self) -> Option<String> {
        self.transfers.first().map(|transfer| transfer.debtor.to_string())
    }
}

messages! {
    Command "ledger.transfers.submit.v1" SubmitTransfers,
        subject |message| message.first_debtor().unwrap_or_default(), key Self::first_debtor;
}

crate::message_set! {
    /// The messages of the partitions `ledger.commands.<n>`: commands, and the account events that
    /// the ledger follows.
    pub enum LedgerCommand {
        Submit(SubmitTransfers),
        Instruct(SubmitInstructions),
        OpenedV1(accounts::v1::AccountOpened),
        Opened(accounts::AccountOpened),
        Frozen(accounts::AccountFrozen),
        Unfrozen(accounts::AccountUnfrozen),
        Closing(accounts::AccountClosing),
        Closed(accounts::AccountClosed),
        LimitsChanged(accounts::LimitsChanged),
    }
}
