//! The journal, for anybody to verify. Promise: the hash of a record covers every byte of the
//! record and of all records before in its chain, so any change shows from there on.
//!
//! Each record has a place in one of the ledger's chains, in the order of commits. Its hash is
//! SHA-256 (FIPS 180-4) of the previous hash (32 bytes; zeros before the first record), the digest
//! of the content (32 bytes) and the JSON text of the record as stored.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Instruction, InstructionOutcome};
use crate::{
    code::{Open, codes},
    evidence::{Authorship, Hash256, Salt, commitment},
    ids::{AccountId, CommandId, TransferId},
    message::{Query, messages},
    money::Amount,
};

/// The number of chains of the journal. Concurrent transactions extend different chains.
pub const CHAINS: u8 = 4;
/// The maximal number of records on one page of the journal.
pub const JOURNAL_PAGE_MAX: u32 = 500;

/// A decided instruction and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JournalRecord {
    /// The author of the instruction. Records of version 1 do not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Authorship>,
    /// The instruction.
    pub instruction: Instruction,
    /// The first command with this instruction. An instruction of the ledger itself has an id that
    /// the ledger made.
    pub command_id: CommandId,
    /// The instant of the decision, by the clock of the database.
    pub decided_at: DateTime<Utc>,
    /// The booking date.
    pub booking_date: NaiveDate,
    /// The value date, from which the money counts for interest.
    pub value_date: NaiveDate,
    /// The outcome.
    pub outcome: InstructionOutcome,
}

/// A record and its place in the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainedRecord {
    /// The number of the chain, from 0.
    pub chain: u8,
    /// The place in the chain, from 1, without gaps.
    pub place: i64,
    /// The id of the instruction, under which the record is stored.
    pub transfer_id: TransferId,
    /// The hash of this record and of all records before.
    pub hash: Hash256,
    /// The digest of the instruction's content (BLAKE3), which identifies a duplicate.
    pub digest: Hash256,
    /// The JSON text of the record as stored: a `JournalRecord`. A text of version 2 begins with
    /// `version`, names the `author`, and has neither the reference nor the end-to-end id:
    /// `texts` is the commitment to them, where there are any.
    pub record: String,
    /// The reference, as stored beside the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The debtor's end-to-end id of the payment, as stored beside the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
    /// The salt of the record's commitment to these texts, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salt: Option<Salt>,
    /// The entries of the accounts, one for each leg of the record.
    pub entries: Vec<JournalEntry>,
}

/// The stored text of a record, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredRecord {
    /// The version of the text. Version 1 does not name its version.
    pub version: u8,
    /// The commitment of version 2 to the instruction's texts, if the instruction has any: to
    /// `reference` and `end_to_end_id`, under the salt beside the record.
    pub texts: Option<Hash256>,
    /// The record. In version 2 its instruction has no texts.
    pub record: JournalRecord,
}

impl StoredRecord {
    /// Reads a stored text.
    ///
    /// # Errors
    /// If the text is not a record.
    pub fn from_text(text: &str) -> serde_json::Result<Self> {
        #[derive(Deserialize)]
        struct Beside {
            version: Option<u8>,
            texts: Option<Hash256>,
        }
        let Beside { version, texts } = serde_json::from_str(text)?;
        let record = serde_json::from_str(text)?;
        Ok(Self { version: version.unwrap_or(1), texts, record })
    }

    /// The digest of the instruction's content (BLAKE3).
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        match self.version {
            1 => self.record.instruction.digest(),
            _ => self.record.instruction.digest_with(self.texts),
        }
    }
}

impl ChainedRecord {
    /// Reads the stored text, and adds the texts beside it to the instruction.
    ///
    /// # Errors
    /// If the text is not a record.
    pub fn read(&self) -> serde_json::Result<JournalRecord> {
        let StoredRecord { version, mut record, .. } = StoredRecord::from_text(&self.record)?;
        if version > 1 {
            record.instruction.reference.clone_from(&self.reference);
            record.instruction.end_to_end_id.clone_from(&self.end_to_end_id);
        }
        Ok(record)
    }

    /// The commitment to the texts beside the record. `None`: there is no salt, so the record
    /// commits to nothing, or the texts were erased.
    #[must_use]
    pub fn commitment(&self) -> Option<Hash256> {
        let texts = [
            ("reference", self.reference.as_deref()),
            ("end_to_end_id", self.end_to_end_id.as_deref()),
        ];
        self.salt.map(|salt| commitment(salt, &texts))
    }
}

/// An entry of an account, as stored beside its record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JournalEntry {
    /// The account.
    pub account_id: AccountId,
    /// The version of the account after the entry.
    pub version: i64,
    /// The transfer of the entry.
    pub transfer_id: TransferId,
    /// The amount: negative for a debit, positive for a credit.
    pub amount: Amount,
    /// The balance after the entry.
    pub balance_after: Amount,
    /// The booking date.
    pub booking_date: NaiveDate,
    /// The value date, from which the money counts for interest.
    pub value_date: NaiveDate,
    /// The instant of posting.
    pub posted_at: DateTime<Utc>,
}

/// `ledger.journal.get.v1`: asks for records of one chain, in the order of the chain, in pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetJournal {
    /// The number of the chain, from 0.
    pub chain: u8,
    /// Lists records after this place only; from the first record if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// The maximal number of records, 1 to 500; 100 if absent. A page of long records has fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
}

/// `ledger.journal.found.v1`: a page of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct JournalFound {
    /// The number of chains.
    pub chains: u8,
    /// The records of this page. Empty at the end of the chain.
    pub records: Vec<ChainedRecord>,
    /// The number of records of the chain, by the ledger's head of the chain.
    pub head_place: i64,
    /// The hash at the head.
    pub head_hash: Hash256,
}

/// `ledger.instruction.get.v1`: asks for an instruction and its outcome. Answered by
/// `ledger.instruction.found.v1`, or refused as `not_found`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetInstruction {
    /// The instruction.
    pub transfer_id: TransferId,
}

codes! {
    /// The status of a hold.
    pub enum HoldStatus {
        /// The money is on hold.
        Open = "open",
        /// The money was captured, wholly or with a release of the remaining amount.
        Captured = "captured",
        /// The hold was released.
        Released = "released",
        /// The hold has expired.
        Expired = "expired",
    }
}

/// The current state of a hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HoldNow {
    /// The status.
    pub status: Open<HoldStatus>,
    /// The amount that is still on hold.
    pub remaining: Amount,
    /// The instant of expiry.
    pub expires_at: DateTime<Utc>,
}

/// `ledger.instruction.found.v1`: an instruction and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InstructionFound {
    /// The instruction and its outcome.
    pub record: JournalRecord,
    /// The state of the hold that the instruction placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldNow>,
    /// The amount that later instructions have reversed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reversed: Option<Amount>,
}

messages! {
    Query "ledger.journal.get.v1" GetJournal, subject |message| message.chain.to_string();
    Reply "ledger.journal.found.v1" JournalFound, subject |_| "journal".to_owned();
    Query "ledger.instruction.get.v1" GetInstruction,
        subject |message| message.transfer_id.to_string();
    Reply "ledger.instruction.found.v1" InstructionFound,
        subject |message| message.record.instruction.transfer_id.to_string();
}

impl Query for GetJournal {
    type Reply = JournalFound;
}

impl Query for GetInstruction {
    type Reply = InstructionFound;
}
