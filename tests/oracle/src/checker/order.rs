//! One order of all that happened. Promise: whoever saw what another did comes after it, and
//! whoever did not see it, before; where neither is so, the earlier by the ledger's clock is first.
//! Where no such order exists, the ledger let some see half of what others did.

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

/// What the ledger did at once.
pub(super) struct Step<'a> {
    /// What led to it: a command, or the hold that ended.
    pub(super) id: CommandId,
    /// When it was decided.
    pub(super) at: DateTime<Utc>,
    /// Where it stands in the journal.
    pub(super) place: (u8, i64),
    /// Who asked for it.
    pub(super) asked: Asked<'a>,
    /// What was new in it.
    pub(super) records: Vec<&'a JournalRecord>,
}

impl<'a> Step<'a> {
    /// All that was asked in it, also what had been decided before.
    pub(super) fn instructions(&self) -> Vec<&'a Instruction> {
        match self.asked {
            Asked::By(command) => command.instructions.iter().collect(),
            Asked::Expiry(_) => self.records.iter().map(|it| &it.instruction).collect(),
        }
    }
}

/// Who asked for a step.
pub(super) enum Asked<'a> {
    /// A client's command.
    By(&'a Command),
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
            if let Outcome::Rejected(it) = &record.outcome {
                readers.extend(it.account.iter().map(|it| ((it.account_id, it.version), n)));
            }
            for it in written(&record.outcome) {
                let (id, version) = (it.account_id, it.version);
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
        if let Asked::By(command) = step.asked {
            let known = command.instructions.iter().filter_map(|it| decided.get(&it.transfer_id));
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
        Outcome::Posted(it) => it.legs.iter().map(|leg| &leg.account).collect(),
        Outcome::Held(it) => vec![&it.debtor, &it.creditor],
        Outcome::Released(it) => vec![&it.debtor, &it.creditor],
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
        Outcome::Rejected(it) => it.account.is_some(),
        Outcome::Posted(_) | Outcome::Held(_) | Outcome::Released(_) => true,
    };
    let (id, of_hold) = match &record.instruction.action {
        Action::Capture(it) => (it.hold_id, true),
        Action::Release(it) => (it.hold_id, true),
        Action::Reverse(it) => (it.original_id, false),
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
