//! The sequence of all steps. Promise: a step that read a version comes after the step that wrote
//! it, and before the step that replaced it; otherwise the earlier time on the clock of the ledger
//! comes first. Without such a sequence, some reader saw half of a transaction.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
};

use anyhow::{Result, ensure};
use chrono::{DateTime, Utc};
use shared_events::{
    AccountId, CommandId, TransferId,
    ledger::{AccountAfter, Action, Instruction, InstructionOutcome as Outcome, JournalRecord},
};

use super::Command;

/// The records that the ledger wrote in one transaction for one command.
pub(super) struct Step<'a> {
    /// The id of the cause: a command, or the hold that expired.
    pub(super) id: CommandId,
    /// When it was decided.
    pub(super) at: DateTime<Utc>,
    /// The place in the journal.
    pub(super) place: (u8, i64),
    /// The cause.
    pub(super) trigger: Trigger<'a>,
    /// The new records of the step.
    pub(super) records: Vec<&'a JournalRecord>,
}

impl<'a> Step<'a> {
    /// All instructions of the step, also those decided before.
    pub(super) fn instructions(&self) -> Vec<&'a Instruction> {
        match self.trigger {
            Trigger::Command(command) => command.instructions.iter().collect(),
            Trigger::Expiry(_) => self.records.iter().map(|record| &record.instruction).collect(),
        }
    }
}

/// The cause of a step.
pub(super) enum Trigger<'a> {
    /// A client's command.
    Command(&'a Command),
    /// The clock: this hold's time is over.
    Expiry(TransferId),
}

/// The same steps, each after all that it must come after.
pub(super) fn one_after_another(steps: Vec<Step<'_>>) -> Result<Vec<Step<'_>>> {
    let mut after = vec![BTreeSet::new(); steps.len()];
    for (first, second) in edges(&steps)? {
        if first != second {
            after[first].insert(second);
        }
    }
    let mut missing = vec![0_usize; steps.len()];
    after.iter().flatten().for_each(|second| missing[*second] += 1);
    let key = |n: usize| Reverse((steps[n].at, steps[n].place, n));
    let free = (0..steps.len()).filter(|n| missing[*n] == 0);
    let mut ready: BinaryHeap<_> = free.map(key).collect();
    let mut order = Vec::with_capacity(steps.len());
    while let Some(Reverse((.., n))) = ready.pop() {
        order.push(n);
        for second in &after[n] {
            missing[*second] -= 1;
            if missing[*second] == 0 {
                ready.push(key(*second));
            }
        }
    }
    let stuck: Vec<CommandId> =
        (0..steps.len()).filter(|n| missing[*n] > 0).map(|n| steps[n].id).take(5).collect();
    ensure!(stuck.is_empty(), "no order explains what was seen; among others: {stuck:?}");
    let mut steps: Vec<Option<Step<'_>>> = steps.into_iter().map(Some).collect();
    Ok(order.into_iter().filter_map(|n| steps[n].take()).collect())
}

/// Pairs of steps of which the first comes first.
fn edges(steps: &[Step<'_>]) -> Result<Vec<(usize, usize)>> {
    let (mut writers, mut readers) = (BTreeMap::<(AccountId, i64), usize>::new(), vec![]);
    let mut decided = BTreeMap::<TransferId, (usize, &Outcome)>::new();
    for (n, step) in steps.iter().enumerate() {
        for record in &step.records {
            decided.insert(record.instruction.transfer_id, (n, &record.outcome));
            if let Outcome::Rejected(rejected) = &record.outcome {
                readers.extend(
                    rejected.account.iter().map(|reader| ((reader.account_id, reader.version), n)),
                );
            }
            for account in written(&record.outcome) {
                let (id, version) = (account.account_id, account.version);
                let twin = writers.insert((id, version), n);
                ensure!(twin.is_none(), "version {version} of {id} was written twice");
            }
        }
    }
    let mut edges = vec![];
    for ((id, version), writer) in &writers {
        edges.extend(writers.get(&(*id, version + 1)).map(|next| (*writer, *next)));
    }
    for ((id, version), reader) in readers {
        edges.extend(writers.get(&(id, version)).map(|writer| (*writer, reader)));
        edges.extend(writers.get(&(id, version + 1)).map(|next| (reader, *next)));
    }
    for (n, step) in steps.iter().enumerate() {
        if let Trigger::Command(command) = step.trigger {
            let known = command
                .instructions
                .iter()
                .filter_map(|instruction| decided.get(&instruction.transfer_id));
            edges.extend(known.map(|(first, _)| (*first, n)));
        }
        for record in &step.records {
            edges.extend(
                about(record, &decided).map(
                    |(other, is_seen)| {
                        if is_seen { (other, n) } else { (n, other) }
                    },
                ),
            );
        }
    }
    Ok(edges)
}

fn written(outcome: &Outcome) -> Vec<&AccountAfter> {
    match outcome {
        Outcome::Posted(posted) => posted.legs.iter().map(|leg| &leg.account).collect(),
        Outcome::Held(held) => vec![&held.debtor, &held.creditor],
        Outcome::Released(released) => vec![&released.debtor, &released.creditor],
        Outcome::Rejected(_) => vec![],
    }
}

/// The step that placed the hold or posted the transfer that an instruction is about, and whether
/// the instruction saw it: only then is an account told of with a rejection.
fn about(
    record: &JournalRecord,
    decided: &BTreeMap<TransferId, (usize, &Outcome)>,
) -> Option<(usize, bool)> {
    let is_seen = match &record.outcome {
        Outcome::Rejected(rejected) => rejected.account.is_some(),
        Outcome::Posted(_) | Outcome::Held(_) | Outcome::Released(_) => true,
    };
    let (id, of_hold) = match &record.instruction.action {
        Action::Capture(capture) => (capture.hold_id, true),
        Action::Release(release) => (release.hold_id, true),
        Action::Reverse(reversal) => (reversal.original_id, false),
        Action::Transfer(_) | Action::Hold(_) | Action::Legs(_) | Action::Exchange(_) => {
            return None;
        }
    };
    let (step, outcome) = decided.get(&id)?;
    let is_there = match outcome {
        Outcome::Held(_) => of_hold,
        Outcome::Posted(_) => !of_hold,
        Outcome::Released(_) | Outcome::Rejected(_) => false,
    };
    is_there.then_some((*step, is_seen))
}
