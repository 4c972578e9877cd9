//! Compares a ledger under concurrent load with the model. Promise: one sequence of steps explains
//! every command, event, answer and record, and the model decides the same in that sequence; the
//! first step without an explanation is an error.
//!
//! ```text
//! announcements   the content of one event, of any type
//! outcome_events  the content of all events: one outcome for each instruction, as in the journal
//! order           the sequence of all steps: by versions, by named holds and transfers, by ids
//! replay          the model runs all steps in that sequence, compared step by step
//! ```
//! The ledger follows some changes without an event (a freeze, limits), so that they have no place
//! in its journal. Each lies between its announcement and the next command behind it on the same
//! partition. Any place between the two is right if it explains the decisions.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail, ensure};
use chrono::{DateTime, Utc};
use serde_json::Value;
use shared_events::{
    AccountId, CommandId, Envelope, TransferId,
    ledger::{
        Action, BalanceFound, ChainedRecord, Instruction, InstructionOutcome, JournalRecord,
        TrialBalanceLine,
    },
};

use crate::model::changes::{AccountEvent, expiry_id};
use order::{Step, Trigger};
use outcome_events::OutcomeEvents;

mod announcements;
mod order;
mod outcome_events;
mod replay;
#[cfg(test)]
mod tests;

/// A command as a client sent it, however often.
#[derive(Clone, Debug)]
pub struct Command {
    /// Its id.
    pub id: CommandId,
    /// The instructions, in the order of the command.
    pub instructions: Vec<Instruction>,
    /// The change of an account, by its version there, behind which it was sent with the account's
    /// partition key: the ledger follows that one first.
    pub behind: Option<(AccountId, i64)>,
}

/// The evidence of a run.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Every command that was sent.
    pub commands: Vec<Command>,
    /// The replies to the senders, by command.
    pub answers: Vec<(CommandId, Vec<Envelope<Value>>)>,
    /// Every event, as often as it was published: events of the ledger, and of the accounts that
    /// the ledger follows.
    pub events: Vec<Envelope<Value>>,
    /// The whole journal.
    pub journal: Vec<ChainedRecord>,
    /// The balances at the end.
    pub balances: Vec<BalanceFound>,
    /// The sums over all accounts in the end.
    pub trial_balance: Vec<TrialBalanceLine>,
}

/// How many instructions of each kind had which outcome: `capture posted`, `hold daily_limit`; and
/// how many `conflicts` (an id with other content) and `changes` of accounts there were.
pub type Tally = BTreeMap<String, usize>;

/// Explains the whole evidence, or names the first part without an explanation. The bank days are
/// UTC days.
pub fn check(evidence: &Evidence) -> Result<Tally> {
    let commands = by_id(&evidence.commands)?;
    let events = OutcomeEvents::read(&evidence.events)?;
    let journal = records(&evidence.journal)?;
    events.match_the_journal(&journal)?;
    events.answer_every_command(&commands, &journal)?;
    events.match_the_answers(&evidence.answers, &commands)?;
    let steps = order::one_after_another(steps(&commands, &journal)?)?;
    let model = replay::replay(&steps, &events.changes)?;
    replay::compare_balances(&model, &evidence.balances)?;
    replay::compare_sums(&model, &evidence.trial_balance)?;
    Ok(tally(&journal, &events))
}

/// The announcement time and content of each account change, by account and version.
type Changes = BTreeMap<AccountId, BTreeMap<i64, (DateTime<Utc>, AccountEvent)>>;
type Commands<'a> = BTreeMap<CommandId, &'a Command>;

/// A record and its place: chain, number.
type Placed = ((u8, i64), JournalRecord);
type Journal = BTreeMap<TransferId, Placed>;

fn by_id(commands: &[Command]) -> Result<Commands<'_>> {
    let mut by_id = Commands::new();
    for command in commands {
        let before = by_id.insert(command.id, command);
        let same = before.is_none_or(|twin| twin.instructions == command.instructions);
        ensure!(same, "two commands have the id {}", command.id);
    }
    Ok(by_id)
}

/// Reads the journal: chains without gaps, each instruction once.
fn records(chained: &[ChainedRecord]) -> Result<Journal> {
    let (mut journal, mut ends) = (Journal::new(), BTreeMap::<u8, i64>::new());
    let mut in_order: Vec<&ChainedRecord> = chained.iter().collect();
    in_order.sort_by_key(|record| (record.chain, record.place));
    for chained in in_order {
        let end = ends.entry(chained.chain).or_default();
        ensure!(
            chained.place == *end + 1,
            "chain {} goes from {end} to {}",
            chained.chain,
            chained.place
        );
        *end = chained.place;
        let record = chained.read()?;
        let id = record.instruction.transfer_id;
        ensure!(
            id == chained.transfer_id,
            "the record of {id} is kept under {}",
            chained.transfer_id
        );
        let twin = journal.insert(id, ((chained.chain, chained.place), record));
        ensure!(twin.is_none(), "{id} was decided twice");
    }
    Ok(journal)
}

/// The steps of the journal: the records of one command together, and each expiry of a hold.
fn steps<'a>(commands: &Commands<'a>, journal: &'a Journal) -> Result<Vec<Step<'a>>> {
    let mut placed: Vec<&Placed> = journal.values().collect();
    placed.sort_by_key(|(place, _)| *place);
    let mut steps: Vec<Step<'a>> = Vec::new();
    let mut begun = BTreeSet::new();
    for (place, record) in placed {
        let (id, at) = (record.command_id, record.decided_at);
        match steps.last_mut() {
            Some(last) if (last.id, last.at) == (id, at) => {
                last.records.push(record);
                continue;
            }
            Some(_) | None => ensure!(begun.insert(id), "{id} was not decided at once"),
        }
        let trigger = match (&record.instruction.action, commands.get(&id)) {
            (_, Some(command)) => Trigger::Command(command),
            (Action::Release(release), None)
                if expiry_id(release.hold_id) == record.instruction.transfer_id =>
            {
                Trigger::Expiry(release.hold_id)
            }
            (_, None) => bail!("nobody asked for {record:?}"),
        };
        steps.push(Step { id, at, place: *place, trigger, records: vec![record] });
    }
    Ok(steps)
}

fn tally(journal: &Journal, events: &OutcomeEvents) -> Tally {
    let mut tally = Tally::new();
    for (_, record) in journal.values() {
        let outcome = match &record.outcome {
            InstructionOutcome::Posted(_) => "posted",
            InstructionOutcome::Held(_) => "held",
            InstructionOutcome::Released(_) => "released",
            InstructionOutcome::Rejected(rejected) => rejected.reason.as_str(),
        };
        let kind = kind(&record.instruction);
        *tally.entry(format!("{kind} {outcome}")).or_default() += 1;
    }
    tally.insert("conflicts".to_owned(), events.conflicts.len());
    tally.insert("changes".to_owned(), events.changes.values().map(BTreeMap::len).sum());
    tally
}

fn kind(instruction: &Instruction) -> &'static str {
    match &instruction.action {
        Action::Transfer(payment) if payment.up_to => "transfer up to",
        Action::Transfer(_) => "transfer",
        Action::Hold(hold) if hold.up_to => "hold up to",
        Action::Hold(_) => "hold",
        Action::Capture(_) => "capture",
        Action::Release(release) if expiry_id(release.hold_id) == instruction.transfer_id => {
            "expiry"
        }
        Action::Release(_) => "release",
        Action::Reverse(_) => "reverse",
        Action::Legs(_) => "legs",
        Action::Exchange(_) => "exchange",
    }
}
