//! The accounts that a batch touches, and the folding of its instructions over them. Promise: the
//! order of instructions is the order of effects; a batch leaves what its instructions leave one by
//! one; a group is done whole or leaves nothing.
//!
//! The books hold every account of the batch (loaded, locked), the holds and transfers that it
//! names, and every instruction that was decided before under one of its ids. Nothing is read while
//! folding.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rust_decimal::Decimal;
use shared_events::{
    AccountId, CommandId, TransferId,
    ledger::{
        Instruction, InstructionOutcome, JournalRecord, MonitorRaised, RejectReason, Rejected,
    },
};

use crate::journal::conversion::digest;

use crate::legacy::domain::{
    account::Account,
    capitalise::{Capitalised, DueMonth},
    carry::carry_out,
    hold::Held,
    monitor::Monitor,
    plan::{Now, debtor, plan},
    record::{is_own_id, storable},
    settle::Unsettled,
    tracked::{Saved, Tracked},
};

/// An instruction with its outcome, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The digest of what was asked.
    pub digest: [u8; 32],
    /// What was asked, and what became of it.
    pub record: JournalRecord,
}

/// What became of one instruction of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Decided now: to be announced.
    New(TransferId),
    /// Decided before: told again, not announced again.
    Known(TransferId),
    /// The id cannot be this instruction's: announced, not stored.
    Refused(Instruction, RejectReason),
}

/// What was there before a group, for the case that the group fails.
#[derive(Clone, Debug, Default)]
struct Before {
    accounts: HashMap<AccountId, Saved<Account>>,
    holds: HashMap<TransferId, Saved<Held>>,
    reversed: HashMap<TransferId, Saved<Decimal>>,
    monitors: HashMap<AccountId, Saved<Vec<Monitor>>>,
}

/// The working set of one batch.
#[derive(Clone, Debug)]
pub struct Books {
    accounts: Tracked<AccountId, Account>,
    /// Those of them whose terms have changed, and not only what is on them.
    followed: BTreeSet<AccountId>,
    holds: Tracked<TransferId, Held>,
    reversed: Tracked<TransferId, Decimal>,
    monitors: Tracked<AccountId, Vec<Monitor>>,
    raised: HashMap<TransferId, Vec<MonitorRaised>>,
    known: HashMap<TransferId, Decided>,
    decided: Vec<TransferId>,
    before: Option<Before>,
    /// The interest of accounts that are to be closed; `None`: it cannot be read.
    pub(crate) unsettled: HashMap<AccountId, Option<Unsettled>>,
    /// What was capitalised when accounts were to be closed, by what asked for that.
    settled: HashMap<CommandId, Vec<Capitalised>>,
}

/// What a batch loads.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The accounts, locked.
    pub accounts: Vec<Account>,
    /// Instructions decided before: those of the batch's ids, and those to be reversed.
    pub known: Vec<Decided>,
    /// The holds that the batch names.
    pub holds: Vec<Held>,
    /// How much was reversed of the transfers to be reversed.
    pub reversed: Vec<(TransferId, Decimal)>,
    /// The monitors of accounts that have any.
    pub monitors: BTreeMap<AccountId, Vec<Monitor>>,
    /// The next month of accounts that bear interest and are to be closed; `None`: terms or entries
    /// of the account cannot be read.
    pub unsettled: BTreeMap<AccountId, Option<DueMonth>>,
}

impl Books {
    /// Books with what was loaded.
    #[must_use]
    pub fn new(loaded: Loaded) -> Self {
        let known = loaded.known.into_iter();
        let unsettled = loaded.unsettled.into_iter();
        Self {
            accounts: Tracked::loaded(loaded.accounts.into_iter().map(|it| (it.id, it))),
            followed: BTreeSet::new(),
            holds: Tracked::loaded(loaded.holds.into_iter().map(|it| (it.id, it))),
            reversed: Tracked::loaded(loaded.reversed),
            monitors: Tracked::loaded(loaded.monitors),
            raised: HashMap::new(),
            known: known.map(|it| (it.record.instruction.transfer_id, it)).collect(),
            decided: Vec::new(),
            before: None,
            unsettled: unsettled.map(|(id, due)| (id, due.map(Unsettled::stored))).collect(),
            settled: HashMap::new(),
        }
    }

    /// An account, if it is in the books.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(id)
    }

    /// A hold, if it is in the books.
    #[must_use]
    pub fn hold(&self, id: TransferId) -> Option<&Held> {
        self.holds.get(id)
    }

    /// How much of a transfer was reversed.
    #[must_use]
    pub fn reversed(&self, id: TransferId) -> Decimal {
        self.reversed.get(id).copied().unwrap_or_default()
    }

    /// What was decided under an id, before or now.
    #[must_use]
    pub fn known(&self, id: TransferId) -> Option<&Decided> {
        self.known.get(&id)
    }

    /// Puts an account as it is now.
    pub(crate) fn put_account(&mut self, account: Account) {
        let id = account.id;
        if let Some(undo) = &mut self.before {
            undo.accounts.entry(id).or_insert_with(|| self.accounts.saved(id));
        }
        self.accounts.put(id, account);
    }

    /// Puts an account whose terms are others now: its status, its limits.
    pub(crate) fn put_followed(&mut self, account: Account) {
        self.followed.insert(account.id);
        self.put_account(account);
    }

    /// Puts a hold as it is now.
    pub(crate) fn put_hold(&mut self, held: Held) {
        let id = held.id;
        if let Some(undo) = &mut self.before {
            undo.holds.entry(id).or_insert_with(|| self.holds.saved(id));
        }
        self.holds.put(id, held);
    }

    /// Puts how much of a transfer was reversed until now.
    pub(crate) fn put_reversed(&mut self, id: TransferId, amount: Decimal) {
        if let Some(undo) = &mut self.before {
            undo.reversed.entry(id).or_insert_with(|| self.reversed.saved(id));
        }
        self.reversed.put(id, amount);
    }

    /// The monitors of an account, if it has any.
    pub(crate) fn monitors(&self, account: AccountId) -> Option<&[Monitor]> {
        self.monitors.get(account).map(Vec::as_slice)
    }

    /// Puts an account's monitors as they are now.
    pub(crate) fn put_monitors(&mut self, account: AccountId, monitors: Vec<Monitor>) {
        if let Some(undo) = &mut self.before {
            undo.monitors.entry(account).or_insert_with(|| self.monitors.saved(account));
        }
        self.monitors.put(account, monitors);
    }

    /// Keeps what was capitalised because an account was to be closed.
    pub(crate) fn put_settled(&mut self, cause: CommandId, month: Capitalised) {
        self.settled.entry(cause).or_default().push(month);
    }

    /// What was capitalised because this message asked to close an account.
    #[must_use]
    pub fn settled(&self, cause: CommandId) -> &[Capitalised] {
        self.settled.get(&cause).map_or(&[], Vec::as_slice)
    }

    /// All that was capitalised at closings.
    pub fn all_settled(&self) -> impl Iterator<Item = &Capitalised> {
        self.settled.values().flatten()
    }

    /// Keeps which monitors a transfer has raised.
    pub(crate) fn put_raised(&mut self, id: TransferId, raised: Vec<MonitorRaised>) {
        if !raised.is_empty() {
            self.raised.entry(id).or_default().extend(raised);
        }
    }

    /// The monitors that a transfer has raised now, in the order of its legs.
    #[must_use]
    pub fn raised(&self, id: TransferId) -> &[MonitorRaised] {
        self.raised.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Monitors that have seen something new.
    pub fn changed_monitors(&self) -> impl Iterator<Item = &Monitor> {
        self.monitors.touched(false).flat_map(|(_, monitors)| monitors)
    }

    /// Decides on the instructions of one command, in their order, and does what nothing stands
    /// against.
    pub fn submit_all(
        &mut self,
        command: CommandId,
        instructions: Vec<Instruction>,
        now: Now,
    ) -> Vec<Outcome> {
        if instructions.iter().all(|it| it.group.is_none()) {
            return instructions.into_iter().map(|it| self.asked(command, it, now)).collect();
        }
        // A group is decided where its first member stands.
        let mut outcomes = vec![None; instructions.len()];
        for first in 0..instructions.len() {
            if outcomes[first].is_some() {
                continue;
            }
            let group = instructions[first].group;
            let members: Vec<usize> = match group {
                None => vec![first],
                Some(_) => (first..instructions.len())
                    .filter(|n| instructions[*n].group == group)
                    .collect(),
            };
            self.before = group.map(|_| Before::default());
            for n in &members {
                outcomes[*n] = Some(self.asked(command, instructions[*n].clone(), now));
            }
            if let Some(before) = self.before.take() {
                let told: Vec<&Outcome> =
                    members.iter().filter_map(|n| outcomes[*n].as_ref()).collect();
                self.all_or_none(&told, before);
            }
        }
        outcomes.into_iter().flatten().collect()
    }

    /// Decides on an instruction that somebody else gives.
    fn asked(&mut self, command: CommandId, instruction: Instruction, now: Now) -> Outcome {
        match is_own_id(instruction.transfer_id) {
            true => Outcome::Refused(instruction, RejectReason::ReservedId),
            false => self.submit(command, instruction, now),
        }
    }

    /// Decides on one instruction, and does it if nothing stands against it.
    pub fn submit(&mut self, command: CommandId, instruction: Instruction, now: Now) -> Outcome {
        let (id, content) = (instruction.transfer_id, digest(&instruction));
        if let Some(known) = self.known.get(&id) {
            return match known.digest == content {
                true => Outcome::Known(id),
                false => Outcome::Refused(instruction, RejectReason::IdempotencyConflict),
            };
        }
        let outcome = match plan(self, &instruction, now) {
            Ok(plan) => carry_out(self, id, plan, now),
            Err(reason) => self.rejection(&instruction, reason),
        };
        self.keep(content, command, instruction, now, outcome);
        Outcome::New(id)
    }

    /// Keeps what was decided, to be stored.
    pub(crate) fn keep(
        &mut self,
        digest: [u8; 32],
        command_id: CommandId,
        instruction: Instruction,
        now: Now,
        outcome: InstructionOutcome,
    ) {
        let id = instruction.transfer_id;
        let instruction = storable(instruction, &outcome);
        let booking_date = instruction.booking_date.unwrap_or_else(|| now.booking_day());
        let value_date = instruction.value_date.unwrap_or(booking_date);
        let decided_at = now.instant;
        let record = JournalRecord {
            instruction,
            command_id,
            decided_at,
            booking_date,
            value_date,
            outcome,
        };
        self.known.insert(id, Decided { digest, record });
        self.decided.push(id);
    }

    fn rejection(&self, instruction: &Instruction, reason: RejectReason) -> InstructionOutcome {
        let account = debtor(self, &instruction.action).and_then(|id| self.account(id));
        InstructionOutcome::Rejected(Rejected { reason, account: account.and_then(Account::after) })
    }

    /// Takes a group back in which anything was rejected, and rejects the rest of it.
    fn all_or_none(&mut self, told: &[&Outcome], before: Before) {
        let rejection = |id: &TransferId| match &self.known.get(id)?.record.outcome {
            InstructionOutcome::Rejected(rejected) => Some(rejected.reason),
            InstructionOutcome::Posted(_)
            | InstructionOutcome::Held(_)
            | InstructionOutcome::Released(_) => None,
        };
        let failed = told.iter().any(|outcome| match outcome {
            Outcome::New(id) | Outcome::Known(id) => rejection(id).is_some(),
            Outcome::Refused(..) => true,
        });
        if !failed {
            return;
        }
        before.accounts.into_iter().for_each(|(id, it)| self.accounts.restore(id, it));
        before.holds.into_iter().for_each(|(id, it)| self.holds.restore(id, it));
        before.reversed.into_iter().for_each(|(id, it)| self.reversed.restore(id, it));
        before.monitors.into_iter().for_each(|(id, it)| self.monitors.restore(id, it));
        // All of it is forgotten before any of it is told again: the accounts, and what a member
        // reverses or captures, are as they were before the group.
        let new = told.iter().filter_map(|outcome| match outcome {
            Outcome::New(id) => {
                self.raised.remove(id);
                self.known.remove(id)
            }
            Outcome::Known(_) | Outcome::Refused(..) => None,
        });
        for mut decided in new.collect::<Vec<_>>() {
            let reason = match &decided.record.outcome {
                InstructionOutcome::Rejected(rejected) => rejected.reason,
                InstructionOutcome::Posted(_)
                | InstructionOutcome::Held(_)
                | InstructionOutcome::Released(_) => RejectReason::GroupRejected,
            };
            decided.record.outcome = self.rejection(&decided.record.instruction, reason);
            self.known.insert(decided.record.instruction.transfer_id, decided);
        }
    }

    /// What was decided now, in order.
    pub fn decided(&self) -> impl Iterator<Item = &Decided> {
        self.decided.iter().filter_map(|id| self.known.get(id))
    }

    /// Accounts that are new, in the order of their ids.
    pub fn opened(&self) -> impl Iterator<Item = &Account> {
        self.accounts.touched(true).map(|(_, account)| account)
    }

    /// Accounts that were there and have changed, in the order of their ids.
    pub fn changed(&self) -> impl Iterator<Item = &Account> {
        self.accounts.touched(false).map(|(_, account)| account)
    }

    /// Accounts whose terms have changed, in the order of their ids.
    pub fn followed(&self) -> impl Iterator<Item = &Account> {
        self.followed.iter().filter_map(|id| self.account(*id))
    }

    /// Holds that are new or have changed, in the order of their ids.
    pub fn changed_holds(&self) -> impl Iterator<Item = &Held> {
        let all = self.holds.touched(true).chain(self.holds.touched(false));
        all.map(|(_, held)| held)
    }

    /// Transfers of which more was reversed, with the sum until now, in the order of their ids.
    pub fn changed_reversed(&self) -> impl Iterator<Item = (TransferId, Decimal)> {
        let all = self.reversed.touched(true).chain(self.reversed.touched(false));
        all.map(|(id, amount)| (id, *amount))
    }
}
