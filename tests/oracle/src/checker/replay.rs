//! The model does everything again, and is compared. Promise: a step is right only if the model
//! decides the same on every instruction of it, with the same reason, balances and versions.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::{Context, Error, Result, ensure};
use chrono::{DateTime, Utc};
use shared_events::{
    AccountId, Amount, Currency, Total, TransferId,
    ledger::{AccountCode, BalanceFound, InstructionOutcome, TrialBalanceLine},
};

use super::{
    Changes,
    order::{Step, Trigger},
};
use crate::model::{Answer, Model, Now, Terms};

/// How far the ledger has followed each account's changes.
type FollowedChanges = BTreeMap<AccountId, usize>;

/// The terms of an account from one change on.
struct TermsPeriod {
    version: i64,
    announced_at: DateTime<Utc>,
    terms: Terms,
}

/// The model, and the terms of its accounts over time.
struct Replay {
    model: Model,
    periods: BTreeMap<AccountId, Vec<TermsPeriod>>,
}

/// The model after all steps, each of which it explains.
pub(super) fn replay(steps: &[Step<'_>], changes: &Changes) -> Result<Model> {
    let mut replay = Replay::new(changes)?;
    let mut candidates =
        vec![replay.periods.keys().map(|id| (*id, 0)).collect::<FollowedChanges>()];
    for step in steps {
        candidates = replay.explain(step, candidates)?;
    }
    let last = replay.periods.iter().map(|(id, periods)| (*id, periods.len() - 1)).collect();
    replay.apply_terms(&last);
    Ok(replay.model)
}

impl Replay {
    fn new(changes: &Changes) -> Result<Self> {
        let (mut model, mut periods) = (Model::default(), BTreeMap::<_, Vec<TermsPeriod>>::new());
        for (id, changes) in changes {
            for (version, (announced_at, event)) in changes {
                model.follow(*id, *version, event);
                let account = model.accounts.get(id);
                let account = account.with_context(|| format!("{id} was never opened"))?;
                let (announced_at, terms) = (*announced_at, account.terms.clone());
                periods.entry(*id).or_default().push(TermsPeriod {
                    version: *version,
                    announced_at,
                    terms,
                });
            }
        }
        Ok(Self { model, periods })
    }

    /// Replays a step, and returns the candidates that explain the step. Of these, the ones that
    /// have followed the fewest changes are enough: any other follows from them.
    fn explain(
        &mut self,
        step: &Step<'_>,
        candidates: Vec<FollowedChanges>,
    ) -> Result<Vec<FollowedChanges>> {
        let mut open: VecDeque<FollowedChanges> =
            candidates.into_iter().map(|followed| self.behind(followed, step)).collect();
        let (mut right, mut wrong) = (Vec::<FollowedChanges>::new(), None);
        let mut seen = BTreeSet::new();
        while let Some(followed) = open.pop_front() {
            let is_known = right.iter().any(|least| is_within(least, &followed));
            if is_known || !seen.insert(followed.clone()) {
                continue;
            }
            let before = self.model.before(step.instructions().into_iter());
            self.apply_terms(&followed);
            let compared = self.compare(step);
            self.model.undo(before);
            match compared {
                Ok(()) => {
                    right.retain(|other| !is_within(&followed, other));
                    right.push(followed);
                }
                Err(why) => {
                    wrong.get_or_insert(why);
                    open.extend(self.further(&followed, step.at));
                }
            }
        }
        let Some(least) = right.first() else {
            let why = wrong.unwrap_or_else(|| Error::msg("there is no followed"));
            return Err(why.context(format!("{}, decided at {}", step.id, step.at)));
        };
        self.apply_terms(least);
        self.compare(step)?;
        Ok(right)
    }

    /// The same followed after the change behind which a step was sent.
    fn behind(&self, mut followed: FollowedChanges, step: &Step<'_>) -> FollowedChanges {
        if let Trigger::Command(command) = step.trigger
            && let Some((id, version)) = command.behind
            && let (Some(periods), Some(now)) = (self.periods.get(&id), followed.get_mut(&id))
        {
            let least = periods.iter().rposition(|period| period.version <= version).unwrap_or(0);
            *now = least.max(*now);
        }
        followed
    }

    /// The candidates that have followed one more change that was announced by then.
    fn further(&self, followed: &FollowedChanges, by: DateTime<Utc>) -> Vec<FollowedChanges> {
        let next = followed.iter().filter_map(|(id, now)| {
            self.periods[id].get(now + 1).filter(|period| period.announced_at <= by)?;
            let mut followed = followed.clone();
            followed.insert(*id, now + 1);
            Some(followed)
        });
        next.collect()
    }

    fn apply_terms(&mut self, followed: &FollowedChanges) {
        for (id, now) in followed {
            if let Some(account) = self.model.accounts.get_mut(id) {
                account.terms.clone_from(&self.periods[id][*now].terms);
            }
        }
    }

    /// Replays a step, and names the first difference to the ledger.
    fn compare(&mut self, step: &Step<'_>) -> Result<()> {
        let now = Now { instant: step.at, today: step.at.date_naive(), closed_through: None };
        let mut decided = BTreeMap::<TransferId, InstructionOutcome>::new();
        match step.trigger {
            Trigger::Command(command) => {
                let answers = self.model.submit(&command.instructions, now);
                for (instruction, answer) in command.instructions.iter().zip(answers) {
                    if let Answer::New(outcome) = answer {
                        decided.insert(instruction.transfer_id, *outcome);
                    }
                }
            }
            Trigger::Expiry(hold) => {
                for instruction in step.instructions() {
                    let outcome = self.model.expire(instruction, hold, now);
                    decided.extend(outcome.map(|outcome| (instruction.transfer_id, outcome)));
                }
            }
        }
        for record in &step.records {
            let id = record.instruction.transfer_id;
            let model = decided.remove(&id);
            ensure!(
                model.as_ref() == Some(&record.outcome),
                "{:?}:\nthe model says {model:?},\nthe ledger says {:?}",
                record.instruction,
                record.outcome,
            );
        }
        ensure!(decided.is_empty(), "the model also decides on {decided:?}");
        Ok(())
    }
}

/// Whether `followed` has followed all that `least` has.
fn is_within(least: &FollowedChanges, followed: &FollowedChanges) -> bool {
    least.iter().zip(followed).all(|((_, least), (_, now))| least <= now)
}

/// The balances of the ledger equal those of the model.
pub(super) fn compare_balances(model: &Model, balances: &[BalanceFound]) -> Result<()> {
    for found in balances {
        let account = model.accounts.get(&found.account_id);
        let account = account.with_context(|| format!("nobody opened {found:?}"))?;
        let ledger = (
            found.balance.decimal(),
            found.pending_debits.decimal(),
            found.pending_credits.decimal(),
            found.available.map(Amount::decimal),
            found.version,
            found.status.known(),
        );
        let (posted, out, coming) = (account.posted, account.pending_out, account.pending_in);
        let (version, status) = (account.version, Some(account.terms.status));
        let model = (posted, out, coming, account.available(), version, status);
        ensure!(ledger == model, "the model has {model:?}, the ledger {found:?}");
    }
    Ok(())
}

/// The trial balance has the model's sums, and each currency's are zero.
pub(super) fn compare_sums(model: &Model, lines: &[TrialBalanceLine]) -> Result<()> {
    let (mut sums, mut totals) = (BTreeMap::new(), BTreeMap::<Currency, Total>::new());
    // The ledger opens the bank's own accounts when something is first booked on them.
    for account in
        model.accounts.values().filter(|account| account.code.is_none() || account.version > 1)
    {
        let line: &mut (i64, Total) =
            sums.entry((account.currency, account.code.clone())).or_default();
        let posted = Total::of(account.posted).context("the model posts no more digits")?;
        *line = (line.0 + 1, plus(line.1, posted)?);
    }
    let mut found = BTreeMap::<(Currency, Option<AccountCode>), (i64, Total)>::new();
    for line in lines {
        let balance = line.balance;
        ensure!(line.credits.minus(line.debits) == Some(balance), "{line:?}");
        found.insert((line.currency, line.code.clone()), (line.accounts, balance));
        let total = totals.entry(line.currency).or_default();
        *total = plus(*total, balance)?;
    }
    ensure!(found == sums, "the model sums up to {sums:?}, the ledger to {found:?}");
    ensure!(totals.values().all(|total| total.is_zero()), "the books are off: {totals:?}");
    Ok(())
}

fn plus(one: Total, other: Total) -> Result<Total> {
    one.plus(other).context("the sum of a bank's books is a total")
}
