//! The record of an instruction and its outcome. Promise: an instruction has one outcome for ever.

use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use shared_events::{AccountId, CommandId, evidence::Authorship};

use super::{
    author::Author,
    instruction::Instruction,
    kinds::{Kind, MultiLeg},
    lock_set::LockSet,
    outcome::{InstructionOutcome, PostedLeg},
    reason::RejectReason,
    stored_record::{digest, digest_v1},
    texts::Texts,
};

/// A decided instruction: the instruction, and its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRecord {
    /// The author of the instruction. `None`: a record of version 1, which does not name it.
    pub author: Option<Arc<Authorship>>,
    /// The instruction.
    pub instruction: Instruction,
    /// The command that first carried the instruction; of the ledger's own, an id that it made.
    pub command_id: CommandId,
    /// The instant of the decision, by the database's clock.
    pub decided_at: DateTime<Utc>,
    /// The booking date.
    pub booking_date: NaiveDate,
    /// The value date.
    pub value_date: NaiveDate,
    /// The outcome.
    pub outcome: InstructionOutcome,
}

/// A record, with the digest of its instruction's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The digest of the instruction as it was submitted.
    pub digest: [u8; 32],
    /// How the record stands for the instruction's texts.
    pub texts: Texts,
    /// The record.
    pub record: JournalRecord,
}

impl Decided {
    /// Whether an instruction of this author is the decided one, given again: of the same
    /// principal, as far as the record names one, and with the same content.
    pub(super) fn is_of(&self, author: &Author, instruction: &Instruction) -> bool {
        let known = self.record.author.as_ref();
        known.is_none_or(|known| known.principal == author.by.principal)
            && self.has_content_of(instruction)
    }

    /// Whether an instruction has the content of the decided one. Texts that were erased cannot be
    /// compared any more.
    pub(crate) fn has_content_of(&self, instruction: &Instruction) -> bool {
        let digest = match (self.texts, instruction.has_texts()) {
            (Texts::Contained, _) => digest_v1(instruction),
            (Texts::None, false) => digest(instruction, None),
            (Texts::Committed { commitment, salt }, true) => {
                let texts = salt.map_or(commitment, |salt| instruction.texts_under(salt));
                digest(instruction, Some(texts))
            }
            (Texts::None, true) | (Texts::Committed { .. }, false) => return false,
        };
        digest == self.digest
    }
}

impl JournalRecord {
    /// The posted legs; none if no money moved.
    #[must_use]
    pub fn posted_legs(&self) -> &[PostedLeg] {
        self.outcome.posted().map_or(&[], |posted| &posted.legs)
    }

    /// The accounts that the instruction names, and those that it has changed.
    pub(crate) fn accounts(&self) -> Vec<AccountId> {
        let mut set = LockSet::default();
        self.instruction.refers(&mut set);
        let named = set.account_ids().into_iter().map(AccountId);
        let posted = self.posted_legs().iter().map(|leg| leg.account.account_id);
        let mut all: Vec<AccountId> = named.chain(posted).collect();
        match &self.outcome {
            InstructionOutcome::Held(held) => {
                all.extend([held.debtor.account_id, held.creditor.account_id]);
            }
            InstructionOutcome::Released(released) => {
                all.extend([released.debtor.account_id, released.creditor.account_id]);
            }
            InstructionOutcome::Posted(_) | InstructionOutcome::Rejected(_) => {}
        }
        all
    }
}

/// The instruction as the journal keeps it. Text and dates that break the rules are left out, since
/// no database takes all of them, and so are legs beyond the limit. The digest still tells one such
/// instruction from another.
pub(super) fn storable(instruction: Instruction, outcome: &InstructionOutcome) -> Instruction {
    match outcome.rejection() {
        Some(RejectReason::InvalidText) => {
            Instruction { reference: None, end_to_end_id: None, ..instruction }
        }
        Some(RejectReason::InvalidBookingDate | RejectReason::InvalidValueDate) => {
            Instruction { booking_date: None, value_date: None, ..instruction }
        }
        // Only an instruction of several legs has too many.
        Some(RejectReason::TooManyLegs) => {
            Instruction { kind: Kind::MultiLeg(MultiLeg { legs: vec![] }), ..instruction }
        }
        Some(_) | None => instruction,
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use shared_events::{AccountId, MessageId, Money, TransferId, access::Rights};
    use uuid::Uuid;

    use super::{
        super::{kinds::Transfer, outcome::Rejected, party::Party, texts::Salts},
        *,
    };

    fn instruction(reference: Option<&str>) -> Instruction {
        let account = |n| Party::AccountId(AccountId(Uuid::from_u128(n)));
        let transfer = Transfer {
            debtor: account(1),
            creditor: account(2),
            money: Money::new(1.into(), "EUR".parse().expect("a currency")),
            allow_partial: false,
        };
        let id = TransferId(Uuid::from_u128(7));
        Instruction::internal(id, Kind::Transfer(transfer), reference.map(str::to_owned))
    }

    fn author(principal: &str) -> Author {
        let command = MessageId(Uuid::from_u128(9));
        Author::new(command, Rights::everything(), Authorship::of(principal))
    }

    fn decided(reference: Option<&str>, texts: impl FnOnce(&Instruction) -> Texts) -> Decided {
        let instruction = instruction(reference);
        let texts = texts(&instruction);
        let digest = match texts {
            Texts::Contained => digest_v1(&instruction),
            Texts::None | Texts::Committed { .. } => digest(&instruction, texts.commitment()),
        };
        let today = Utc::now().date_naive();
        let record = JournalRecord {
            author: Some(author("acme").by),
            instruction,
            command_id: author("acme").command,
            decided_at: Utc::now(),
            booking_date: today,
            value_date: today,
            outcome: InstructionOutcome::Rejected(Rejected {
                reason: RejectReason::UnknownAccount,
                account: None,
            }),
        };
        Decided { digest, texts, record }
    }

    #[test]
    fn an_instruction_is_known_by_its_principal_and_its_content() {
        let committed = |instruction: &Instruction| Salts::default().commit(instruction);
        let erased = |instruction: &Instruction| {
            let commitment = committed(instruction).commitment().expect("there is a text");
            Texts::Committed { commitment, salt: None }
        };
        let contained = |_: &Instruction| Texts::Contained;
        let check = |known: &Decided, texts: &[Option<&str>], expected: &[bool]| {
            let found = texts.iter().map(|text| known.is_of(&author("acme"), &instruction(*text)));
            assert_eq!(found.collect::<Vec<_>>(), expected, "{:?}", known.texts);
            assert!(texts.iter().all(|text| !known.is_of(&author("other"), &instruction(*text))));
        };
        let asked = [None, Some("rent"), Some("food")];
        check(&decided(None, committed), &asked, &[true, false, false]);
        check(&decided(Some("rent"), committed), &asked, &[false, true, false]);
        check(&decided(None, contained), &asked, &[true, false, false]);
        check(&decided(Some("rent"), contained), &asked, &[false, true, false]);
        // The text is gone.
        check(&decided(Some("rent"), erased), &asked, &[false, true, true]);
    }

    #[test]
    fn a_record_that_names_no_author_is_anybodys() {
        let known = decided(Some("rent"), |_| Texts::Contained);
        let known = Decided { record: JournalRecord { author: None, ..known.record }, ..known };
        assert!(known.is_of(&author("other"), &instruction(Some("rent"))));
    }
}
