//! The engine: an instruction becomes a plan, a plan becomes an outcome. Promise: instructions are
//! decided in their order; a group is done whole or leaves nothing; an id has one outcome. The
//! engine knows no kind of instruction.

use std::sync::Arc;

use shared_events::{
    CommandId, TransferId,
    access::{Rights, Verdict},
    approvals::NeededApproval,
};

use super::{
    apply::apply,
    author::Author,
    instruction::Instruction,
    outcome::{InstructionOutcome, Rejected},
    own_ids::is_own_id,
    plan::Plan,
    reason::RejectReason,
    record::{Decided, JournalRecord, storable},
    rights::{check_rights, judge},
    state::PostingState,
    stored_record::digest,
    validate::validate,
};
use crate::{accounts::Account, bank_calendar::Now};

/// The answer to one instruction of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// The instruction was decided now: its outcome is announced.
    New(TransferId),
    /// The instruction was decided before: its outcome is repeated to the requester.
    Known(TransferId),
    /// The id cannot be this instruction's: the refusal is announced, and not stored.
    Refused(Instruction, RejectReason),
}

/// The plan of an instruction, or the first rule that stands against it.
pub(crate) fn plan(
    state: &PostingState,
    instruction: &Instruction,
    rights: &Rights,
    now: Now,
) -> Result<Plan, RejectReason> {
    check_rights(state, instruction, rights)?;
    validate(state, instruction, now)?;
    instruction.kind.rules().plans(state, now)
}

impl PostingState {
    /// Decides the instructions of one command, in their order.
    pub fn submit_all(
        &mut self,
        author: &Author,
        instructions: Vec<Instruction>,
        now: Now,
    ) -> Vec<Submitted> {
        if instructions.iter().all(|instruction| instruction.group.is_none()) {
            let all = instructions.into_iter();
            return all.map(|instruction| self.submit_foreign(author, instruction, now)).collect();
        }
        // A group is decided at the place of its first member.
        let mut answers = vec![None; instructions.len()];
        for first in 0..instructions.len() {
            if answers[first].is_some() {
                continue;
            }
            let group = instructions[first].group;
            let members: Vec<usize> = match group {
                None => vec![first],
                Some(_) => (first..instructions.len())
                    .filter(|n| instructions[*n].group == group)
                    .collect(),
            };
            if group.is_some() {
                self.begin_group();
            }
            for n in &members {
                let instruction = instructions[*n].clone();
                answers[*n] = Some(self.submit_foreign(author, instruction, now));
            }
            if group.is_some() {
                let of_group: Vec<&Submitted> =
                    members.iter().filter_map(|n| answers[*n].as_ref()).collect();
                self.end_group(&of_group);
            }
        }
        answers.into_iter().flatten().collect()
    }

    /// Decides an instruction of a client, which may not give one of the ledger's own ids.
    fn submit_foreign(&mut self, author: &Author, instruction: Instruction, now: Now) -> Submitted {
        match is_own_id(instruction.transfer_id) {
            true => self.refused(author, instruction, RejectReason::ReservedId),
            false => self.submit(author, instruction, now),
        }
    }

    /// The refusal of an id. Nobody learns of an id what its instruction may not ask for.
    fn refused(
        &self,
        author: &Author,
        instruction: Instruction,
        reason: RejectReason,
    ) -> Submitted {
        let reason = check_rights(self, &instruction, &author.rights).err().unwrap_or(reason);
        Submitted::Refused(instruction, reason)
    }

    /// Whether the same command has led to outcomes of all these instructions.
    pub(crate) fn knows_command(&self, author: &Author, instructions: &[Instruction]) -> bool {
        instructions.iter().all(|instruction| {
            self.known(instruction.transfer_id).is_some_and(|known| {
                known.record.command_id == author.command && known.is_of(author, instruction)
            })
        })
    }

    /// The approvals that a command with these instructions needs. An instruction that was decided
    /// before needs none.
    pub(crate) fn needed_approvals(
        &self,
        author: &Author,
        instructions: &[Instruction],
    ) -> Vec<NeededApproval> {
        if !author.rights.may_need_approval() {
            return vec![];
        }
        let is_new = |instruction: &&Instruction| {
            let known = self.known(instruction.transfer_id);
            known.is_none_or(|known| !known.is_of(author, instruction))
        };
        let new = instructions.iter().filter(is_new);
        let needs = new.filter_map(|instruction| match judge(self, instruction, &author.rights) {
            Verdict::NeedsApproval(needs) => Some(needs),
            Verdict::Permitted | Verdict::NotPermitted => None,
        });
        needs.flatten().collect()
    }

    /// Decides one instruction, and makes its change if no rule stands against it.
    pub fn submit(&mut self, author: &Author, instruction: Instruction, now: Now) -> Submitted {
        let id = instruction.transfer_id;
        if let Some(known) = self.known(id) {
            return match known.is_of(author, &instruction) {
                true => Submitted::Known(id),
                false => self.refused(author, instruction, RejectReason::IdempotencyConflict),
            };
        }
        let outcome = match plan(self, &instruction, &author.rights, now) {
            Ok(plan) => apply(self, id, plan, now),
            Err(reason) => self.rejection(&instruction, reason),
        };
        self.record(author, instruction, now, outcome);
        Submitted::New(id)
    }

    /// Makes the change of an instruction of the ledger's own, whose plan is already checked.
    pub(crate) fn post_own(
        &mut self,
        cause: CommandId,
        instruction: Instruction,
        plan: Plan,
        now: Now,
    ) -> TransferId {
        let id = instruction.transfer_id;
        let outcome = apply(self, id, plan, now);
        self.record(&Author::ledger(cause), instruction, now, outcome);
        id
    }

    fn record(
        &mut self,
        author: &Author,
        instruction: Instruction,
        now: Now,
        outcome: InstructionOutcome,
    ) {
        // Of the whole instruction: what is stored may be less.
        let texts = self.salts().commit(&instruction);
        let digest = digest(&instruction, texts.commitment());
        let instruction = storable(instruction, &outcome);
        let booking_date = instruction.booking_date.unwrap_or_else(|| now.booking_day());
        let value_date = instruction.value_date.unwrap_or(booking_date);
        let decided_at = now.instant;
        let record = JournalRecord {
            author: Some(Arc::clone(&author.by)),
            instruction,
            command_id: author.command,
            decided_at,
            booking_date,
            value_date,
            outcome,
        };
        self.put_decided(Decided { digest, texts, record });
    }

    fn rejection(&self, instruction: &Instruction, reason: RejectReason) -> InstructionOutcome {
        // The account of others is none of the author's business.
        let debtor = match reason {
            RejectReason::NotPermitted => None,
            _ => instruction.kind.description().debtor(self),
        };
        let account = debtor.and_then(|id| self.account(id)).and_then(Account::after);
        InstructionOutcome::Rejected(Rejected { reason, account })
    }

    /// Ends a group. If any member was rejected, the group's changes are undone, and the other
    /// members are rejected, too.
    fn end_group(&mut self, answers: &[&Submitted]) {
        let rejection = |id: &TransferId| self.known(*id)?.record.outcome.rejection();
        let failed = answers.iter().any(|answer| match answer {
            Submitted::New(id) | Submitted::Known(id) => rejection(id).is_some(),
            Submitted::Refused(..) => true,
        });
        if !failed {
            self.keep_group();
            return;
        }
        self.undo_group();
        // All members are forgotten before any is rejected: the accounts, and the holds and
        // transfers that a member names, are as they were before the group.
        let new = answers.iter().filter_map(|answer| match answer {
            Submitted::New(id) => self.forget_decided(*id),
            Submitted::Known(_) | Submitted::Refused(..) => None,
        });
        for mut decided in new.collect::<Vec<_>>() {
            let own_reason = decided.record.outcome.rejection();
            let reason = own_reason.unwrap_or(RejectReason::GroupRejected);
            decided.record.outcome = self.rejection(&decided.record.instruction, reason);
            self.reinstate_decided(decided);
        }
    }
}
