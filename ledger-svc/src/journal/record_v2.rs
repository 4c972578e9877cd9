//! Version 2 of the journal's stored record. Promise: frozen, as version 1 is. It names the author
//! of the instruction. A commitment stands for the reference and the end-to-end id, which stand
//! beside the record: without them the record keeps its hash.
//!
//! The text begins with `{"version":2,`; that of version 1 begins with `{"instruction":`.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use shared_events::{
    MessageId, TransferId,
    evidence::{Hash256, Salt, commitment},
};

use super::record_v1::{ActionV1, OutcomeV1};

/// The begin of a text of this version.
const BEGIN: &str = "{\"version\":2,";

/// A decided instruction: its author, the instruction, and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordV2<'a> {
    /// The version.
    pub version: Version2,
    /// The author of the instruction.
    #[serde(borrow)]
    pub author: AuthorV2<'a>,
    /// The instruction as it was submitted, without its texts.
    #[serde(borrow)]
    pub instruction: InstructionV2<'a>,
    /// The commitment to the texts of the instruction, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub texts: Option<Hash256>,
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

/// The author of an instruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorV2<'a> {
    /// The principal that has sent the command; `ledger` for the ledger's own.
    #[serde(borrow)]
    pub principal: Cow<'a, str>,
    /// The person behind the principal, in the principal's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Cow<'a, str>>,
    /// The operator that has edited the command while it was parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_by: Option<Cow<'a, str>>,
    /// The principal that has approved the command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<Cow<'a, str>>,
}

/// An instruction without its texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstructionV2<'a> {
    /// The instruction's id.
    pub transfer_id: TransferId,
    /// The group whose members are all done, or none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<u32>,
    /// The kind, with its content.
    #[serde(borrow)]
    pub action: ActionV1<'a>,
    /// The booking date, if the instruction names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booking_date: Option<NaiveDate>,
    /// The value date, if the instruction names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<NaiveDate>,
}

/// The version of a record, as its text states it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
pub struct Version2;

impl From<Version2> for u8 {
    fn from(Version2: Version2) -> Self {
        2
    }
}

impl TryFrom<u8> for Version2 {
    type Error = String;

    fn try_from(version: u8) -> Result<Self, Self::Error> {
        match version {
            2 => Ok(Self),
            other => Err(format!("version {other} is not 2")),
        }
    }
}

impl<'a> RecordV2<'a> {
    /// Whether a stored text is of this version.
    #[must_use]
    pub fn is_of(text: &str) -> bool {
        text.starts_with(BEGIN)
    }

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
    /// If the text is not a record of version 2.
    pub fn from_text(text: &'a str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }
}

/// The commitment to the texts of an instruction, of which there is at least one.
#[must_use]
pub fn commitment_to(salt: Salt, reference: Option<&str>, end_to_end_id: Option<&str>) -> Hash256 {
    commitment(salt, &[("reference", reference), ("end_to_end_id", end_to_end_id)])
}
