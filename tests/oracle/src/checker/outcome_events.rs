//! The content of all events together. Promise: each instruction has one outcome, the one in the
//! journal, however often its event was published; every reply announces the same outcome.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use shared_events::{
    CommandId, Envelope, MessageId, TransferId,
    ledger::{InstructionOutcome, Released},
};

use super::{
    Changes, Commands, Journal,
    announcements::{self, Announcement},
};

/// The content of all events.
#[derive(Default)]
pub(super) struct OutcomeEvents {
    outcomes: BTreeMap<TransferId, (MessageId, InstructionOutcome)>,
    rests: BTreeMap<TransferId, Released>,
    /// The commands that used the id of another instruction.
    pub(super) conflicts: BTreeSet<(CommandId, TransferId)>,
    pub(super) changes: Changes,
}

impl OutcomeEvents {
    /// The same event again is no second one; of all others, each says something of its own.
    pub(super) fn read(events: &[Envelope<Value>]) -> Result<Self> {
        let (mut told, mut seen) = (Self::default(), BTreeMap::new());
        for event in events {
            if let Some(first) = seen.insert(event.id, &event.data) {
                ensure!(*first == event.data, "two events have the id {}", event.id);
                continue;
            }
            let cause = event.causationid.unwrap_or(event.id);
            for said in announcements::of(event)? {
                let again = match said {
                    Announcement::Outcome(id, outcome) => {
                        let twin = told.outcomes.insert(id, (cause, outcome));
                        twin.is_some().then_some(id)
                    }
                    Announcement::HoldRest(id, rest) => told.rests.insert(id, rest).map(|_| id),
                    // Not stored, so it is told as often as it is asked.
                    Announcement::Conflict(id) => {
                        told.conflicts.insert((cause, id));
                        None
                    }
                    Announcement::AccountChange(id, version, change) => {
                        let of_account = told.changes.entry(id).or_default();
                        let twin = of_account.insert(version, (event.time, change));
                        ensure!(twin.is_none(), "change {version} of {id} was announced twice");
                        None
                    }
                };
                if let Some(id) = again {
                    bail!("{id} was announced twice");
                }
            }
        }
        Ok(told)
    }

    /// No event is missing or superfluous, and each announces the stored outcome.
    pub(super) fn match_the_journal(&self, journal: &Journal) -> Result<()> {
        for (id, (_, record)) in journal {
            let told = self.outcomes.get(id);
            let (cause, outcome) = told.with_context(|| format!("no event tells of {id}"))?;
            ensure!(*outcome == record.outcome, "{id}: {outcome:?} was told of {record:?}");
            ensure!(*cause == record.command_id, "{id} was told of {cause}, not of {record:?}");
            let rest = self.rests.get(id).map(|rest| (rest.hold_id, rest.money.amount));
            let given_back = match &record.outcome {
                InstructionOutcome::Posted(posted) => {
                    let hold =
                        posted.hold.as_ref().filter(|hold| !hold.released.decimal().is_zero());
                    hold.map(|hold| (hold.hold_id, hold.released))
                }
                InstructionOutcome::Held(_)
                | InstructionOutcome::Released(_)
                | InstructionOutcome::Rejected(_) => None,
            };
            ensure!(rest == given_back, "{id}: {rest:?} was told of {record:?}");
        }
        let ids = self.outcomes.keys().chain(self.rests.keys());
        match ids.into_iter().find(|id| !journal.contains_key(id)) {
            Some(id) => bail!("{id} was told of, and is not in the journal"),
            None => Ok(()),
        }
    }

    /// Each instruction was decided; a conflict was announced for each id that belongs to another
    /// instruction.
    pub(super) fn answer_every_command(
        &self,
        commands: &Commands<'_>,
        journal: &Journal,
    ) -> Result<()> {
        let mut conflicts = BTreeSet::new();
        for command in commands.values() {
            for asked in &command.instructions {
                let id = asked.transfer_id;
                let decided = journal.get(&id);
                let (_, record) = decided.with_context(|| format!("{id} was never decided"))?;
                let first = commands.get(&record.command_id);
                let first = first.with_context(|| format!("nobody sent {record:?}"))?;
                let mut same =
                    first.instructions.iter().filter(|instruction| instruction.transfer_id == id);
                if !same.any(|first| first.digest() == asked.digest()) {
                    conflicts.insert((command.id, id));
                }
            }
        }
        let (told, meant) = (&self.conflicts, &conflicts);
        if let Some((command, id)) = told.symmetric_difference(meant).next() {
            let what = if meant.contains(&(*command, *id)) { "was not told" } else { "was told" };
            bail!("that {id} of {command} is other content {what}");
        }
        Ok(())
    }

    /// Every reply equals the events, and covers every instruction of its command.
    pub(super) fn match_the_answers(
        &self,
        answers: &[(CommandId, Vec<Envelope<Value>>)],
        commands: &Commands<'_>,
    ) -> Result<()> {
        for (command, events) in answers {
            let mut answered = BTreeSet::new();
            for said in events.iter().map(announcements::of).collect::<Result<Vec<_>>>()?.concat() {
                let (id, same) = match said {
                    Announcement::Outcome(id, outcome) => {
                        (id, self.outcomes.get(&id).is_some_and(|(_, told)| *told == outcome))
                    }
                    Announcement::HoldRest(id, rest) => (id, self.rests.get(&id) == Some(&rest)),
                    Announcement::Conflict(id) => (id, self.conflicts.contains(&(*command, id))),
                    Announcement::AccountChange(..) => continue,
                };
                ensure!(same, "{command} was answered otherwise than was announced of {id}");
                answered.insert(id);
            }
            let sent = commands.get(command).context("an answer to nobody")?;
            let asked: BTreeSet<_> =
                sent.instructions.iter().map(|instruction| instruction.transfer_id).collect();
            ensure!(answered == asked, "{command} was answered {answered:?}, and asked {asked:?}");
        }
        Ok(())
    }
}
