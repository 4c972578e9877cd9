//! Whether a ledger kept its books while many worked on it at once. Promise: all that it was asked,
//! said and stored is explained by one order of one thing after another, in which the model says
//! and does the same; what is not explained so is an error that names the first such thing.
//!
//! ```text
//! said     what an event says, whichever type it has
//! told     what all events say together: one outcome for each instruction, the journal's
//! order    who was before whom: versions of accounts, holds and transfers that others name, ids
//! replay   the model does it all again in that order, and is compared step by step
//! ```
//! Changes that the ledger follows quietly (a freeze, limits) have no place of their own in its
//! journal. Each lies between its announcement and what was sent behind it on the same partition;
//! between the two, any place that explains what was decided is right.

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
use order::{Asked, Step};
use told::Told;

mod order;
mod replay;
mod said;
#[cfg(test)]
mod tests;
mod told;

/// A command as a client sent it, however often.
#[derive(Clone, Debug)]
pub struct Command {
    /// Its id.
    pub id: CommandId,
    /// What it asked for, in its order.
    pub instructions: Vec<Instruction>,
    /// The change of an account, by its version there, behind which it was sent with the account's
    /// partition key: the ledger follows that one first.
    pub behind: Option<(AccountId, i64)>,
}

/// All that there is to know.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Every command that was sent.
    pub commands: Vec<Command>,
    /// What the senders were answered, by command.
    pub answers: Vec<(CommandId, Vec<Envelope<Value>>)>,
    /// Every event that was heard, as often as it was heard: the ledger's, and those of accounts
    /// that the ledger follows.
    pub events: Vec<Envelope<Value>>,
    /// The whole journal.
    pub journal: Vec<ChainedRecord>,
    /// What is on the accounts in the end.
    pub balances: Vec<BalanceFound>,
    /// The sums over all accounts in the end.
    pub trial_balance: Vec<TrialBalanceLine>,
}

/// How many instructions of each kind had which outcome: `capture posted`, `hold daily_limit`; and
/// how many `conflicts` (an id with other content) and `changes` of accounts there were.
pub type Tally = BTreeMap<String, usize>;

/// Explains everything, or says what has no explanation. The bank's days are those of UTC.
pub fn check(evidence: &Evidence) -> Result<Tally> {
    let commands = by_id(&evidence.commands)?;
    let told = Told::by(&evidence.events)?;
    let journal = records(&evidence.journal)?;
    told.is_what_the_journal_says(&journal)?;
    told.answers_every_command(&commands, &journal)?;
    told.is_what_was_answered(&evidence.answers, &commands)?;
    let steps = order::one_after_another(steps(&commands, &journal)?)?;
    let model = replay::replay(&steps, &told.changes)?;
    replay::compare_balances(&model, &evidence.balances)?;
    replay::compare_sums(&model, &evidence.trial_balance)?;
    Ok(tally(&journal, &told))
}

/// When each change of each account was announced, by its version, and what it is.
type Changes = BTreeMap<AccountId, BTreeMap<i64, (DateTime<Utc>, AccountEvent)>>;
type Commands<'a> = BTreeMap<CommandId, &'a Command>;

/// A record and its place: chain, number.
type Placed = ((u8, i64), JournalRecord);
type Journal = BTreeMap<TransferId, Placed>;

fn by_id(commands: &[Command]) -> Result<Commands<'_>> {
    let mut by_id = Commands::new();
    for command in commands {
        let before = by_id.insert(command.id, command);
        let same = before.is_none_or(|it| it.instructions == command.instructions);
        ensure!(same, "two commands have the id {}", command.id);
    }
    Ok(by_id)
}

/// Reads the journal: chains without gaps, each instruction once.
fn records(chained: &[ChainedRecord]) -> Result<Journal> {
    let (mut journal, mut ends) = (Journal::new(), BTreeMap::<u8, i64>::new());
    let mut in_order: Vec<&ChainedRecord> = chained.iter().collect();
    in_order.sort_by_key(|it| (it.chain, it.place));
    for it in in_order {
        let end = ends.entry(it.chain).or_default();
        ensure!(it.place == *end + 1, "chain {} goes from {end} to {}", it.chain, it.place);
        *end = it.place;
        let record: JournalRecord = serde_json::from_str(&it.record)?;
        let id = record.instruction.transfer_id;
        ensure!(id == it.transfer_id, "the record of {id} is kept under {}", it.transfer_id);
        let twin = journal.insert(id, ((it.chain, it.place), record));
        ensure!(twin.is_none(), "{id} was decided twice");
    }
    Ok(journal)
}

/// What the journal's neighbours of one command did together, and each hold that ended by itself.
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
        let asked = match (&record.instruction.action, commands.get(&id)) {
            (_, Some(command)) => Asked::By(command),
            (Action::Release(it), None)
                if expiry_id(it.hold_id) == record.instruction.transfer_id =>
            {
                Asked::Expiry(it.hold_id)
            }
            (_, None) => bail!("nobody asked for {record:?}"),
        };
        steps.push(Step { id, at, place: *place, asked, records: vec![record] });
    }
    Ok(steps)
}

fn tally(journal: &Journal, told: &Told) -> Tally {
    let mut tally = Tally::new();
    for (_, record) in journal.values() {
        let outcome = match &record.outcome {
            InstructionOutcome::Posted(_) => "posted",
            InstructionOutcome::Held(_) => "held",
            InstructionOutcome::Released(_) => "released",
            InstructionOutcome::Rejected(it) => it.reason.as_str(),
        };
        let kind = kind(&record.instruction);
        *tally.entry(format!("{kind} {outcome}")).or_default() += 1;
    }
    tally.insert("conflicts".to_owned(), told.conflicts.len());
    tally.insert("changes".to_owned(), told.changes.values().map(BTreeMap::len).sum());
    tally
}

fn kind(it: &Instruction) -> &'static str {
    match &it.action {
        Action::Transfer(payment) if payment.up_to => "transfer up to",
        Action::Transfer(_) => "transfer",
        Action::Hold(hold) if hold.up_to => "hold up to",
        Action::Hold(_) => "hold",
        Action::Capture(_) => "capture",
        Action::Release(release) if expiry_id(release.hold_id) == it.transfer_id => "expiry",
        Action::Release(_) => "release",
        Action::Reverse(_) => "reverse",
        Action::Legs(_) => "legs",
        Action::Exchange(_) => "exchange",
    }
}
