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
    order::{Asked, Step},
};
use crate::model::{Model, Now, Terms, Told};

/// How far the ledger has followed each account's changes.
type World = BTreeMap<AccountId, usize>;

/// The terms of an account from one change on.
struct Era {
    version: i64,
    announced_at: DateTime<Utc>,
    terms: Terms,
}

/// The model, and what is known of its accounts' terms.
struct Replay {
    model: Model,
    eras: BTreeMap<AccountId, Vec<Era>>,
}

/// The model after all steps, each of which it explains.
pub(super) fn replay(steps: &[Step<'_>], changes: &Changes) -> Result<Model> {
    let mut replay = Replay::new(changes)?;
    let mut worlds = vec![replay.eras.keys().map(|id| (*id, 0)).collect::<World>()];
    for step in steps {
        worlds = replay.explain(step, worlds)?;
    }
    let last = replay.eras.iter().map(|(id, eras)| (*id, eras.len() - 1)).collect();
    replay.enter(&last);
    Ok(replay.model)
}

impl Replay {
    fn new(changes: &Changes) -> Result<Self> {
        let (mut model, mut eras) = (Model::default(), BTreeMap::<_, Vec<Era>>::new());
        for (id, changes) in changes {
            for (version, (announced_at, event)) in changes {
                model.follow(*id, *version, event);
                let account = model.accounts.get(id);
                let account = account.with_context(|| format!("{id} was never opened"))?;
                let (announced_at, terms) = (*announced_at, account.terms.clone());
                eras.entry(*id).or_default().push(Era { version: *version, announced_at, terms });
            }
        }
        Ok(Self { model, eras })
    }

    /// The worlds in which a step is right, of those that can follow these; and does it. Of worlds
    /// that are right, those are enough that have followed least: they can become the others.
    fn explain(&mut self, step: &Step<'_>, worlds: Vec<World>) -> Result<Vec<World>> {
        let mut open: VecDeque<World> =
            worlds.into_iter().map(|world| self.behind(world, step)).collect();
        let (mut right, mut wrong) = (Vec::<World>::new(), None);
        let mut seen = BTreeSet::new();
        while let Some(world) = open.pop_front() {
            let is_known = right.iter().any(|least| is_within(least, &world));
            if is_known || !seen.insert(world.clone()) {
                continue;
            }
            let before = self.model.before(step.instructions().into_iter());
            self.enter(&world);
            let compared = self.compare(step);
            self.model.undo(before);
            match compared {
                Ok(()) => {
                    right.retain(|it| !is_within(&world, it));
                    right.push(world);
                }
                Err(why) => {
                    wrong.get_or_insert(why);
                    open.extend(self.further(&world, step.at));
                }
            }
        }
        let Some(least) = right.first() else {
            let why = wrong.unwrap_or_else(|| Error::msg("there is no world"));
            return Err(why.context(format!("{}, decided at {}", step.id, step.at)));
        };
        self.enter(least);
        self.compare(step)?;
        Ok(right)
    }

    /// The same world after the change behind which a step was sent.
    fn behind(&self, mut world: World, step: &Step<'_>) -> World {
        if let Asked::By(command) = step.asked
            && let Some((id, version)) = command.behind
            && let (Some(eras), Some(now)) = (self.eras.get(&id), world.get_mut(&id))
        {
            let least = eras.iter().rposition(|era| era.version <= version).unwrap_or(0);
            *now = least.max(*now);
        }
        world
    }

    /// The worlds that have followed one more change that was announced by then.
    fn further(&self, world: &World, by: DateTime<Utc>) -> Vec<World> {
        let next = world.iter().filter_map(|(id, now)| {
            self.eras[id].get(now + 1).filter(|era| era.announced_at <= by)?;
            let mut world = world.clone();
            world.insert(*id, now + 1);
            Some(world)
        });
        next.collect()
    }

    fn enter(&mut self, world: &World) {
        for (id, now) in world {
            if let Some(account) = self.model.accounts.get_mut(id) {
                account.terms.clone_from(&self.eras[id][*now].terms);
            }
        }
    }

    /// Does a step, and says where the ledger did otherwise.
    fn compare(&mut self, step: &Step<'_>) -> Result<()> {
        let now = Now { instant: step.at, today: step.at.date_naive(), closed_through: None };
        let mut decided = BTreeMap::<TransferId, InstructionOutcome>::new();
        match step.asked {
            Asked::By(command) => {
                let told = self.model.submit(&command.instructions, now);
                for (it, told) in command.instructions.iter().zip(told) {
                    if let Told::New(outcome) = told {
                        decided.insert(it.transfer_id, *outcome);
                    }
                }
            }
            Asked::Expiry(hold) => {
                for it in step.instructions() {
                    let outcome = self.model.expire(it, hold, now);
                    decided.extend(outcome.map(|outcome| (it.transfer_id, outcome)));
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

/// Whether `world` has followed all that `least` has.
fn is_within(least: &World, world: &World) -> bool {
    least.iter().zip(world).all(|((_, least), (_, now))| least <= now)
}

/// What the ledger says is on accounts is what the model has.
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
    for account in model.accounts.values().filter(|it| it.code.is_none() || it.version > 1) {
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
