//! The ledger as it should be, in its simplest form. Promise: written from the documents of the
//! contract alone; one thread, no storage, no optimisation, so that a reader can verify it.
//!
//! For each instruction all broken rules are collected, and the first in the order of
//! [`RejectReason::ALL`] is the reason. The ledger works in batches and with locks, and must come
//! to the same result.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency, Money, TransferId,
    accounts::Blocks,
    code::Open,
    ledger::{
        AccountAfter, AccountCode, HoldStatus, Instruction, InstructionOutcome, LedgerStatus,
        Party, RejectReason, Rejected,
    },
};

mod act;
pub mod changes;
mod currency;
mod form;
mod numbers;
mod plan;
mod rules;

use changes::own_account_id;

/// The terms of an account, as the accounts service has announced them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Where it stands.
    pub status: LedgerStatus,
    /// The directions that a freeze blocks.
    pub blocks: Blocks,
    /// How far below zero it may go. `None` here and below: without limit.
    pub overdraft: Option<Decimal>,
    /// The most of one transfer.
    pub transfer: Option<Decimal>,
    /// The most of one day.
    pub daily: Option<Decimal>,
    /// The most of one month.
    pub monthly: Option<Decimal>,
    /// The least that must stay.
    pub minimum: Option<Decimal>,
}

impl Terms {
    /// The terms of the bank's own accounts: no limits.
    pub const FREE: Self = Self {
        status: LedgerStatus::Active,
        blocks: Blocks::Both,
        overdraft: None,
        transfer: None,
        daily: None,
        monthly: None,
        minimum: None,
    };
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its code, if it is the bank's own.
    pub code: Option<AccountCode>,
    /// The one currency it holds.
    pub currency: Currency,
    /// The terms that the accounts service has announced.
    pub terms: Terms,
    /// The posted balance.
    pub posted: Decimal,
    /// The sum of pending debits.
    pub pending_out: Decimal,
    /// The sum of pending credits.
    pub pending_in: Decimal,
    /// The amount spent or reserved, by day.
    pub spent: BTreeMap<NaiveDate, Decimal>,
    /// Counts its changes.
    pub version: i64,
    /// The last change of its status at the accounts service that was followed.
    pub followed_status: i64,
    /// The last change of its limits that was followed.
    pub followed_limits: i64,
}

impl Account {
    fn new(code: Option<AccountCode>, currency: Currency, terms: Terms) -> Self {
        let nothing = Decimal::ZERO;
        Self {
            code,
            currency,
            terms,
            posted: nothing,
            pending_out: nothing,
            pending_in: nothing,
            spent: BTreeMap::new(),
            version: 1,
            followed_status: 1,
            followed_limits: 1,
        }
    }

    /// The available balance.
    #[must_use]
    pub fn available(&self) -> Option<Decimal> {
        self.terms.overdraft.map(|limit| self.posted + limit - self.pending_out)
    }

    fn spent_in_month(&self, of: NaiveDate) -> Decimal {
        let same = |day: &NaiveDate| (day.year(), day.month()) == (of.year(), of.month());
        self.spent.iter().filter(|(day, _)| same(day)).map(|(_, amount)| amount).sum()
    }

    fn after(&self, id: AccountId) -> AccountAfter {
        AccountAfter {
            account_id: id,
            code: self.code.clone(),
            balance: Amount(self.posted),
            available: self.available().map(Amount),
            version: self.version,
        }
    }
}

/// A hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// The debtor.
    pub debtor: AccountId,
    /// The creditor.
    pub creditor: AccountId,
    /// The money still held.
    pub left: Money,
    /// Where it stands.
    pub status: HoldStatus,
    /// When it ends by itself.
    pub expires_at: DateTime<Utc>,
    /// The day on which it counted as spent.
    pub placed_on: NaiveDate,
}

/// When something is decided.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// The instant.
    pub instant: DateTime<Utc>,
    /// The bank's day.
    pub today: NaiveDate,
    /// The last day on which nothing is booked any more.
    pub closed_through: Option<NaiveDate>,
}

/// The answer to one instruction of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Decided now.
    New(Box<InstructionOutcome>),
    /// Decided before, with the same content.
    Known,
    /// The id cannot be this instruction's: nothing is kept under it.
    Refused(RejectReason),
}

/// The ledger.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Every account.
    pub accounts: BTreeMap<AccountId, Account>,
    /// Every hold that was ever placed.
    pub holds: BTreeMap<TransferId, Hold>,
    reversed: BTreeMap<TransferId, Decimal>,
    decided: BTreeMap<TransferId, (Instruction, InstructionOutcome)>,
}

/// The state that some instructions may change, before they do.
pub struct Before {
    accounts: BTreeMap<AccountId, Account>,
    holds: Vec<(TransferId, Option<Hold>)>,
    reversed: Vec<(TransferId, Option<Decimal>)>,
    new: Vec<TransferId>,
}

impl Model {
    /// Opens a customer's account.
    pub fn open(&mut self, id: AccountId, currency: Currency, terms: Terms) {
        self.accounts.entry(id).or_insert_with(|| Account::new(None, currency, terms));
    }

    /// Carries out a command's instructions in their order, groups whole or not at all.
    pub fn submit(&mut self, all: &[Instruction], now: Now) -> Vec<Answer> {
        let mut answers: Vec<Option<Answer>> = vec![None; all.len()];
        for first in 0..all.len() {
            if answers[first].is_some() {
                continue;
            }
            let group = all[first].group;
            let is_member = |n: &usize| *n == first || (group.is_some() && all[*n].group == group);
            let members: Vec<usize> = (first..all.len()).filter(is_member).collect();
            let before = self.before(members.iter().map(|n| &all[*n]));
            let mut failed = false;
            for n in &members {
                let one = self.submit_one(&all[*n], now);
                failed |= match &one {
                    Answer::New(outcome) => is_rejection(outcome),
                    Answer::Known => is_rejection(&self.decided[&all[*n].transfer_id].1),
                    Answer::Refused(_) => true,
                };
                answers[*n] = Some(one);
            }
            if failed && group.is_some() {
                self.undo(before);
                for n in members {
                    if let Some(Answer::New(outcome)) = &answers[n] {
                        answers[n] =
                            Some(Answer::New(Box::new(self.reject_again(&all[n], outcome))));
                    }
                }
            }
        }
        answers.into_iter().flatten().collect()
    }

    /// The outcome of an instruction, if it was decided.
    #[must_use]
    pub fn outcome(&self, id: TransferId) -> Option<&InstructionOutcome> {
        self.decided.get(&id).map(|(_, outcome)| outcome)
    }

    fn submit_one(&mut self, submitted: &Instruction, now: Now) -> Answer {
        if submitted.transfer_id.uuid().get_version_num() == 8 {
            return Answer::Refused(RejectReason::ReservedId);
        }
        if let Some((known, _)) = self.decided.get(&submitted.transfer_id) {
            let same = Instruction { group: None, ..submitted.clone() }
                == Instruction { group: None, ..known.clone() };
            return match same {
                true => Answer::Known,
                false => Answer::Refused(RejectReason::IdempotencyConflict),
            };
        }
        self.open_own(submitted);
        let outcome = match self.plan(submitted, now) {
            Ok(plan) => self.act(submitted.transfer_id, plan, now),
            Err(reason) => self.rejection(submitted, reason),
        };
        self.keep(submitted, outcome.clone());
        Answer::New(Box::new(outcome))
    }

    fn keep(&mut self, instruction: &Instruction, outcome: InstructionOutcome) {
        self.decided.insert(instruction.transfer_id, (instruction.clone(), outcome));
    }

    fn rejection(
        &self,
        instruction: &Instruction,
        reason: impl Into<Open<RejectReason>>,
    ) -> InstructionOutcome {
        let payer = self.payer(instruction);
        let account = payer.and_then(|id| Some(self.accounts.get(&id)?.after(id)));
        InstructionOutcome::Rejected(Rejected { reason: reason.into(), account })
    }

    /// A member of a group that failed: its own reason, or that of the group.
    fn reject_again(
        &mut self,
        instruction: &Instruction,
        was: &InstructionOutcome,
    ) -> InstructionOutcome {
        let reason = match was {
            InstructionOutcome::Rejected(rejected) => rejected.reason.clone(),
            InstructionOutcome::Posted(_)
            | InstructionOutcome::Held(_)
            | InstructionOutcome::Released(_) => RejectReason::GroupRejected.into(),
        };
        self.open_own(instruction);
        let outcome = self.rejection(instruction, reason);
        self.keep(instruction, outcome.clone());
        outcome
    }

    /// The state that these instructions may change.
    pub fn before<'a>(&self, all: impl Iterator<Item = &'a Instruction>) -> Before {
        let (mut holds, mut reversed, mut new) = (vec![], vec![], vec![]);
        for instruction in all {
            let id = instruction.transfer_id;
            for id in [Some(id), rules::about(&instruction.action)].into_iter().flatten() {
                holds.push((id, self.holds.get(&id).cloned()));
                reversed.push((id, self.reversed.get(&id).copied()));
            }
            if !self.decided.contains_key(&id) {
                new.push(id);
            }
        }
        let accounts = self.accounts.clone();
        Before { accounts, holds, reversed, new }
    }

    /// Makes undone what was done since.
    pub fn undo(&mut self, before: Before) {
        self.accounts = before.accounts;
        for (id, hold) in before.holds {
            restore(&mut self.holds, id, hold);
        }
        for (id, amount) in before.reversed {
            restore(&mut self.reversed, id, amount);
        }
        for id in before.new {
            self.decided.remove(&id);
        }
    }

    /// The bank's own accounts open when they are first named.
    fn open_own(&mut self, instruction: &Instruction) {
        for (party, currency) in rules::parties(&instruction.action) {
            if let (Party::Code(code), Some(id)) = (&party, account_id(&party, currency)) {
                let open = || Account::new(Some(code.clone()), currency, Terms::FREE);
                self.accounts.entry(id).or_insert_with(open);
            }
        }
    }
}

fn restore<V>(map: &mut BTreeMap<TransferId, V>, id: TransferId, before: Option<V>) {
    match before {
        Some(value) => drop(map.insert(id, value)),
        None => drop(map.remove(&id)),
    }
}

fn is_rejection(outcome: &InstructionOutcome) -> bool {
    matches!(outcome, InstructionOutcome::Rejected(_))
}

/// Customers are named by id, the bank's own accounts by code and currency.
fn account_id(party: &Party, currency: Currency) -> Option<AccountId> {
    match party {
        Party::AccountId(id) => Some(*id),
        Party::Code(code) => code.is_known().then(|| own_account_id(code, currency)),
    }
}
