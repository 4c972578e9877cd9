//! The journal as anybody can check it. Promise: a record's hash covers every byte of it and every
//! record before it in its chain, so a change anywhere shows from there on.
//!
//! Each record has a place in one of the ledger's chains, in the order of commits. Its hash is
//! SHA-256 (FIPS 180-4) of the hash before it (32 bytes; zeros before the first record), the
//! content's digest (32 bytes) and the record's JSON text as it is stored.

use std::{borrow::Cow, fmt};

use chrono::{DateTime, NaiveDate, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use super::{Instruction, InstructionOutcome};
use crate::{
    code::{Open, codes},
    ids::{AccountId, CommandId, TransferId},
    message::{Query, messages},
    money::Amount,
};

/// How many chains the journal has. Transactions that run side by side extend different ones.
pub const CHAINS: u8 = 4;
/// The most records that one page of the journal has.
pub const JOURNAL_PAGE_MAX: u32 = 500;

/// A decided instruction: what was asked, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JournalRecord {
    /// What was asked.
    pub instruction: Instruction,
    /// The command that asked first; what the ledger does by itself has an id that it made.
    pub command_id: CommandId,
    /// When it was decided, by the database's clock.
    pub decided_at: DateTime<Utc>,
    /// The day it is booked on.
    pub booking_date: NaiveDate,
    /// The day from which the money counts for interest.
    pub value_date: NaiveDate,
    /// What became of it.
    pub outcome: InstructionOutcome,
}

/// 32 bytes, on the wire 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Hash256(pub [u8; 32]);

impl Hash256 {
    /// The hash of the record after the one with this hash: of its content's digest and its JSON
    /// text as it is stored.
    #[must_use]
    pub fn of_next(self, digest: Self, record: &str) -> Self {
        let hasher = Sha256::new().chain_update(self.0).chain_update(digest.0);
        Self(hasher.chain_update(record).finalize().into())
    }
}

impl fmt::Display for Hash256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for Hash256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let wrong = || de::Error::custom("not 64 hexadecimal digits");
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return Err(wrong()) };
        let bytes = pairs.iter().map(|pair| {
            let digits = std::str::from_utf8(pair).map_err(|_| wrong())?;
            u8::from_str_radix(digits, 16).map_err(|_| wrong())
        });
        let bytes = bytes.collect::<Result<Vec<u8>, D::Error>>()?;
        bytes.try_into().map(Self).map_err(|_| wrong())
    }
}

impl JsonSchema for Hash256 {
    fn schema_name() -> Cow<'static, str> {
        "Hash256".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "32 bytes, in hexadecimal digits.",
            "type": "string",
            "pattern": "^[0-9a-f]{64}$"
        })
    }
}

/// One record in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainedRecord {
    /// Which chain, from 0.
    pub chain: u8,
    /// The place in the chain, from 1, without gaps.
    pub place: i64,
    /// The id that it is kept under: the instruction's.
    pub transfer_id: TransferId,
    /// The hash of the record and all before it.
    pub hash: Hash256,
    /// The digest of the instruction's content (BLAKE3), by which a duplicate is known.
    pub digest: Hash256,
    /// The record's JSON text as it is stored: a `JournalRecord`.
    pub record: String,
    /// What it is for, as it is stored beside the record to be searched for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The debtor's own id of the payment, as it is stored beside the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
    /// The entries that stand in the accounts' books where the record's legs say.
    pub entries: Vec<JournalEntry>,
}

/// An entry in an account's book, as it is stored beside the record that it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JournalEntry {
    /// Which account.
    pub account_id: AccountId,
    /// The account's version after it.
    pub version: i64,
    /// The transfer that it belongs to.
    pub transfer_id: TransferId,
    /// Negative: a debit. Positive: a credit.
    pub amount: Amount,
    /// The balance after it.
    pub balance_after: Amount,
    /// The day it is booked on.
    pub booking_date: NaiveDate,
    /// The day from which the money counts for interest.
    pub value_date: NaiveDate,
    /// When it was posted.
    pub posted_at: DateTime<Utc>,
}

/// `ledger.journal.get.v1`: records of one chain in their order, a page at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetJournal {
    /// Which chain, from 0.
    pub chain: u8,
    /// Only records after this place; from the beginning if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// The most to return, 1 to 500; 100 if not given. A page of long records has fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
}

/// `ledger.journal.found.v1`: a page of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JournalFound {
    /// How many chains there are.
    pub chains: u8,
    /// The records of this page; empty: the chain ends here.
    pub records: Vec<ChainedRecord>,
    /// How many records the ledger's head of this chain counts.
    pub head_place: i64,
    /// The hash at the head.
    pub head_hash: Hash256,
}

/// `ledger.instruction.get.v1`: what became of an instruction. Answered by
/// `ledger.instruction.found.v1`, or refused as not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetInstruction {
    /// Which instruction.
    pub transfer_id: TransferId,
}

codes! {
    /// Where a hold stands.
    pub enum HoldStatus {
        /// Money is set aside.
        Open = "open",
        /// All of it was captured, or the rest released with the last capture.
        Captured = "captured",
        /// It was released.
        Released = "released",
        /// Its time was over.
        Expired = "expired",
    }
}

/// A hold as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldNow {
    /// Where it stands.
    pub status: Open<HoldStatus>,
    /// What is still held.
    pub remaining: Amount,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
}

/// `ledger.instruction.found.v1`: an instruction and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstructionFound {
    /// What was asked, and what became of it.
    pub record: JournalRecord,
    /// Where the hold stands that it placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldNow>,
    /// How much of it was reversed since.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversed: Option<Amount>,
}

messages! {
    Query "ledger.journal.get.v1" GetJournal, subject |it| it.chain.to_string();
    Reply "ledger.journal.found.v1" JournalFound, subject |_| "journal".to_owned();
    Query "ledger.instruction.get.v1" GetInstruction, subject |it| it.transfer_id.to_string();
    Reply "ledger.instruction.found.v1" InstructionFound,
        subject |it| it.record.instruction.transfer_id.to_string();
}

impl Query for GetJournal {
    type Reply = JournalFound;
}

impl Query for GetInstruction {
    type Reply = InstructionFound;
}
