//! The stored record of a decision, and back. Promise: the turn loses nothing but the texts of a
//! record of version 2, which stand beside it; text is not copied on the way into the record.
//!
//! ```text
//! kinds      kinds of instructions, parties, directions
//! outcomes   outcomes, and accounts after them
//! ```

mod kinds;
mod outcomes;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, sync::Arc};

use shared_events::evidence::{Authorship, Hash256};

use self::{
    kinds::{read_kind, stored_kind},
    outcomes::{read_outcome, stored_outcome},
};
use super::{
    instruction::Instruction,
    record::{Decided, JournalRecord},
    texts::Texts,
};
use crate::journal::{
    record_v1::{InstructionV1, RecordV1},
    record_v2::{AuthorV2, InstructionV2, RecordV2, Version2},
    repo::{Beside, StoredRecord},
};

/// A stored text that this version of the ledger does not understand.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableRecord {
    /// The text is not a record.
    #[error("the record is of no version that the ledger knows")]
    Shape(#[source] serde_json::Error),
    /// The record's reason is not known.
    #[error("the record names the reason {0:?}, which no version of the ledger writes")]
    Reason(String),
}

/// Reads a stored record of the journal.
pub(crate) fn decided(stored: StoredRecord) -> Result<Decided, UnreadableRecord> {
    let StoredRecord { digest, text, beside } = stored;
    match RecordV2::is_of(&text) {
        true => {
            let record = RecordV2::from_text(&text).map_err(UnreadableRecord::Shape)?;
            let salt = beside.salt;
            let commit = |commitment| Texts::Committed { commitment, salt };
            let texts = record.texts.map_or(Texts::None, commit);
            Ok(Decided { digest, texts, record: read_v2(record, beside)? })
        }
        false => Ok(Decided { digest, texts: Texts::Contained, record: read_v1(&text)? }),
    }
}

/// Reads a stored text, with the texts beside it.
pub(crate) fn read(text: &str, beside: Beside) -> Result<JournalRecord, UnreadableRecord> {
    match RecordV2::is_of(text) {
        true => read_v2(RecordV2::from_text(text).map_err(UnreadableRecord::Shape)?, beside),
        false => read_v1(text),
    }
}

/// Reads a stored text of version 1.
///
/// # Errors
/// If the text is not a record of version 1, or names a reason that is not known.
pub fn read_v1(text: &str) -> Result<JournalRecord, UnreadableRecord> {
    let record = RecordV1::from_text(text).map_err(UnreadableRecord::Shape)?;
    let InstructionV1 {
        transfer_id,
        group,
        action,
        reference,
        end_to_end_id,
        booking_date,
        value_date,
    } = record.instruction;
    Ok(JournalRecord {
        author: None,
        instruction: Instruction {
            transfer_id,
            group,
            kind: read_kind(action),
            reference: reference.map(Cow::into_owned),
            end_to_end_id: end_to_end_id.map(Cow::into_owned),
            booking_date,
            value_date,
        },
        command_id: record.command_id,
        decided_at: record.decided_at,
        booking_date: record.booking_date,
        value_date: record.value_date,
        outcome: read_outcome(record.outcome)?,
    })
}

fn read_v2(record: RecordV2<'_>, beside: Beside) -> Result<JournalRecord, UnreadableRecord> {
    let InstructionV2 { transfer_id, group, action, booking_date, value_date } = record.instruction;
    Ok(JournalRecord {
        author: Some(Arc::new(read_author(record.author))),
        instruction: Instruction {
            transfer_id,
            group,
            kind: read_kind(action),
            reference: beside.reference,
            end_to_end_id: beside.end_to_end_id,
            booking_date,
            value_date,
        },
        command_id: record.command_id,
        decided_at: record.decided_at,
        booking_date: record.booking_date,
        value_date: record.value_date,
        outcome: read_outcome(record.outcome)?,
    })
}

fn read_author(author: AuthorV2<'_>) -> Authorship {
    let owned = |name: Option<Cow<'_, str>>| name.map(Cow::into_owned);
    Authorship {
        principal: author.principal.into_owned(),
        actor: owned(author.actor),
        edited_by: owned(author.edited_by),
        approved_by: owned(author.approved_by),
    }
}

/// The stored record of a decision.
///
/// # Panics
/// If the record was read from version 1: such a record is stored already.
#[must_use]
pub fn stored(decided: &Decided) -> RecordV2<'_> {
    let record = &decided.record;
    let author = record.author.as_deref().expect("whoever decides now has an author");
    RecordV2 {
        version: Version2,
        author: stored_author(author),
        instruction: stored_instruction(&record.instruction),
        texts: decided.texts.commitment(),
        command_id: record.command_id,
        decided_at: record.decided_at,
        booking_date: record.booking_date,
        value_date: record.value_date,
        outcome: stored_outcome(&record.outcome),
    }
}

fn stored_author(author: &Authorship) -> AuthorV2<'_> {
    AuthorV2 {
        principal: Cow::Borrowed(&author.principal),
        actor: author.actor.as_deref().map(Cow::Borrowed),
        edited_by: author.edited_by.as_deref().map(Cow::Borrowed),
        approved_by: author.approved_by.as_deref().map(Cow::Borrowed),
    }
}

fn stored_instruction(instruction: &Instruction) -> InstructionV2<'_> {
    InstructionV2 {
        transfer_id: instruction.transfer_id,
        group: instruction.group,
        action: stored_kind(&instruction.kind),
        booking_date: instruction.booking_date,
        value_date: instruction.value_date,
    }
}

/// The digest of an instruction's content, as it is stored beside a record that commits so to the
/// texts.
#[must_use]
pub fn digest(instruction: &Instruction, texts: Option<Hash256>) -> [u8; 32] {
    stored_instruction(instruction).digest(texts)
}

/// The digest of an instruction's content, as it is stored beside a record of version 1.
#[must_use]
pub fn digest_v1(instruction: &Instruction) -> [u8; 32] {
    let InstructionV2 { transfer_id, group, action, booking_date, value_date } =
        stored_instruction(instruction);
    let reference = instruction.reference.as_deref().map(Cow::Borrowed);
    let end_to_end_id = instruction.end_to_end_id.as_deref().map(Cow::Borrowed);
    InstructionV1 { transfer_id, group, action, reference, end_to_end_id, booking_date, value_date }
        .digest()
}
