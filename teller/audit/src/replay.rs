//! The books that follow from the records. Promise: every posted record is balanced in each
//! currency, every account's versions and balances follow from the ones before, and captures and
//! releases take held money only.
//!
//! Sums have every digit. The first versions of the ledger added decimals of 96 bits, which round
//! where they are full: their balances of the bank's position accounts were not exact, though every
//! entry was. A balance is right if it is exact, or equals the rounded one of those versions.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency, TransferId,
    code::Open,
    ledger::{
        AccountAfter, Direction, Held, HoldAfter, HoldStatus, InstructionOutcome, JournalRecord,
        Posted, PostedLeg, ReleaseCause, Released,
    },
    money::Total,
};

use super::difference::{Checked, Row};

/// An account, as the records lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) code: Option<String>,
    pub(super) currency: Currency,
    pub(super) posted: Sides,
    pub(super) pending: Sides,
    pub(super) version: i64,
    pub(super) entries: i64,
    /// The balance of the first versions of the ledger, if one of them could have written the last
    /// record.
    rounded: Option<Rounded>,
}

/// The sums of an account in decimals of 96 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rounded {
    debits: Decimal,
    credits: Decimal,
}

/// Debits and credits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sides {
    pub(super) debits: Total,
    pub(super) credits: Total,
}

/// A hold, as the records lead to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) debtor: AccountId,
    pub(super) creditor: AccountId,
    pub(super) currency: Currency,
    pub(super) remaining: Total,
    pub(super) status: HoldStatus,
    pub(super) expires_at: DateTime<Utc>,
    pub(super) placed_at: DateTime<Utc>,
    /// The bank's day of the decision, where the record has it.
    pub(super) placed_on: Option<NaiveDate>,
}

/// All of them.
#[derive(Default)]
pub(super) struct Replay {
    pub(super) accounts: BTreeMap<AccountId, Sums>,
    pub(super) holds: BTreeMap<TransferId, Hold>,
    pub(super) reversed: BTreeMap<TransferId, Total>,
    pub(super) turnover: BTreeMap<Currency, Sides>,
    pub(super) records: u64,
    pub(super) entries: u64,
}

/// The change of one side of an account by a record.
#[derive(Clone, Copy)]
struct Step {
    direction: Direction,
    currency: Currency,
    posted: Option<Decimal>,
    pending: Total,
}

impl Replay {
    /// Whether a record is the next one of every account that it changes.
    pub(super) fn is_next(&self, record: &JournalRecord) -> bool {
        let version = |id| self.accounts.get(&id).map_or(1, |account| account.version);
        let is_next = |after: &AccountAfter| after.version == version(after.account_id) + 1;
        match &record.outcome {
            InstructionOutcome::Posted(posted) => {
                posted.legs.iter().all(|leg| is_next(&leg.account))
            }
            InstructionOutcome::Held(held) => is_next(&held.debtor) && is_next(&held.creditor),
            InstructionOutcome::Released(released) => {
                is_next(&released.debtor) && is_next(&released.creditor)
            }
            InstructionOutcome::Rejected(_) => true,
        }
    }

    /// Applies a record.
    pub(super) fn follow(&mut self, row: Row, record: &JournalRecord) -> Checked {
        self.records += 1;
        match &record.outcome {
            InstructionOutcome::Posted(posted) => self.posted(row, posted),
            InstructionOutcome::Held(held) => self.held(row, held, record),
            InstructionOutcome::Released(released) => self.released(row, released),
            InstructionOutcome::Rejected(_) => Ok(()),
        }
    }

    fn posted(&mut self, row: Row, posted: &Posted) -> Checked {
        self.check_balanced(row, &posted.legs)?;
        let taken = match &posted.hold {
            Some(hold) => self.captured(row, hold, &posted.legs)?,
            None => Total::ZERO,
        };
        for leg in &posted.legs {
            let (direction, currency) = (leg.direction, leg.money.currency);
            let posted = Some(leg.money.amount.decimal());
            let step = Step { direction, currency, posted, pending: taken.negated() };
            self.step(row, &leg.account, step)?;
            self.entries += 1;
        }
        if let (Some(original), Some(leg)) = (posted.reverses, posted.legs.last()) {
            // The last leg goes back to the first that was debited: the one that is counted.
            let reversed = self.reversed.entry(original).or_default();
            *reversed = sum(row, *reversed, total(row, leg.money.amount.decimal())?)?;
        }
        Ok(())
    }

    /// Debits equal credits in each currency.
    fn check_balanced(&mut self, row: Row, legs: &[PostedLeg]) -> Checked {
        let mut here = BTreeMap::<Currency, Sides>::new();
        for leg in legs {
            let currency = leg.money.currency;
            let amount = total(row, leg.money.amount.decimal())?;
            here.entry(currency).or_default().add(row, leg.direction, amount)?;
            self.turnover.entry(currency).or_default().add(row, leg.direction, amount)?;
        }
        here.values()
            .try_for_each(|sums| row.has("credits of the record", sums.debits, sums.credits))
    }

    /// Takes the captured and the released amount from a hold.
    fn captured(&mut self, row: Row, after: &HoldAfter, legs: &[PostedLeg]) -> Checked<Total> {
        let captured = legs.first().map_or(Decimal::ZERO, |leg| leg.money.amount.decimal());
        let released = total(row, after.released.decimal())?;
        let taken = sum(row, total(row, captured)?, released)?;
        let hold = self.open_hold(row, after.hold_id)?;
        hold.take(row, taken, HoldStatus::Captured)?;
        let remaining = total(row, after.remaining.decimal())?;
        row.has("hold's remaining", hold.remaining, remaining)?;
        let sides = legs.iter().map(|leg| leg.account.account_id);
        let of_hold = [hold.debtor, hold.creditor];
        match sides.eq(of_hold) {
            true => Ok(taken),
            false => Err(row.differs("legs", "the hold's debtor and creditor", "others")),
        }
    }

    fn held(&mut self, row: Row, held: &Held, record: &JournalRecord) -> Checked {
        let (currency, amount) = (held.money.currency, total(row, held.money.amount.decimal())?);
        self.set_aside(row, [&held.debtor, &held.creditor], currency, amount)?;
        let asked = &record.instruction;
        let hold = Hold {
            debtor: held.debtor.account_id,
            creditor: held.creditor.account_id,
            currency,
            remaining: amount,
            status: HoldStatus::Open,
            expires_at: held.expires_at,
            placed_at: record.decided_at,
            placed_on: asked.booking_date.is_none().then_some(record.booking_date),
        };
        match self.holds.insert(asked.transfer_id, hold) {
            None => Ok(()),
            Some(_) => Err(row.too_many()),
        }
    }

    fn released(&mut self, row: Row, released: &Released) -> Checked {
        let currency = released.money.currency;
        let amount = total(row, released.money.amount.decimal())?;
        let hold = self.open_hold(row, released.hold_id)?;
        row.has("released money", hold.remaining, amount)?;
        let cause = match &released.cause {
            Open::Known(cause) => cause,
            // No proof without the meaning of the cause: it decides the status of the hold.
            Open::Unknown(code) => {
                return Err(row.differs("cause", "a cause that this release knows", code.as_str()));
            }
        };
        let status = match cause {
            ReleaseCause::Released => HoldStatus::Released,
            ReleaseCause::Expired => HoldStatus::Expired,
            ReleaseCause::Captured => HoldStatus::Captured,
        };
        hold.take(row, amount, status)?;
        row.has("debtor", hold.debtor, released.debtor.account_id)?;
        row.has("creditor", hold.creditor, released.creditor.account_id)?;
        self.set_aside(row, [&released.debtor, &released.creditor], currency, amount.negated())
    }

    fn set_aside(
        &mut self,
        row: Row,
        [debtor, creditor]: [&AccountAfter; 2],
        currency: Currency,
        pending: Total,
    ) -> Checked {
        let step = |direction| Step { direction, currency, posted: None, pending };
        self.step(row, debtor, step(Direction::Debit))?;
        self.step(row, creditor, step(Direction::Credit))
    }

    fn open_hold(&mut self, row: Row, id: TransferId) -> Checked<&mut Hold> {
        match self.holds.get_mut(&id) {
            Some(hold) if hold.status == HoldStatus::Open => Ok(hold),
            Some(_) => Err(row.differs("hold", "an open hold", format!("{id}, which is over"))),
            None => Err(row.differs("hold", "a hold", format!("{id}, which is none"))),
        }
    }

    /// Leads an account to its next version.
    fn step(&mut self, row: Row, after: &AccountAfter, step: Step) -> Checked {
        let row = row.account(after.account_id);
        let code = after.code.as_ref().map(ToString::to_string);
        let now = self.accounts.entry(after.account_id).or_insert_with(|| Sums {
            code: code.clone(),
            currency: step.currency,
            posted: Sides::default(),
            pending: Sides::default(),
            version: 1,
            entries: 0,
            rounded: Some(Rounded::default()),
        });
        row.has("account's version", now.version + 1, after.version)?;
        row.has("account's currency", now.currency, step.currency)?;
        let name = |code: Option<&String>| code.map_or("none", String::as_str).to_owned();
        row.has("account's code", name(now.code.as_ref()), name(code.as_ref()))?;
        now.version = after.version;
        now.pending.add(row, step.direction, step.pending)?;
        if let Some(amount) = step.posted {
            now.posted.add(row, step.direction, total(row, amount)?)?;
            now.rounded = now.rounded.and_then(|rounded| rounded.plus(step.direction, amount));
            now.entries += 1;
        }
        now.check_balance(row, after.balance.decimal())
    }
}

impl Hold {
    fn take(&mut self, row: Row, amount: Total, ends_as: HoldStatus) -> Checked {
        let rest = self.remaining.minus(amount).filter(|rest| *rest >= Total::ZERO);
        let Some(rest) = rest else {
            let most = format!("at most {}", self.remaining);
            return Err(row.differs("amount taken from the hold", most, amount));
        };
        self.remaining = rest;
        if self.remaining.is_zero() {
            self.status = ends_as;
        }
        Ok(())
    }
}

impl Sums {
    /// Checks the balance after a record.
    fn check_balance(&mut self, row: Row, stated: Decimal) -> Checked {
        let exact = self.posted.balance();
        let is_rounded = self.rounded.and_then(Rounded::balance) == Some(stated);
        if Total::of(stated) == Some(exact) {
            // Totals that were mended are what is added to from here.
            let sides = (self.posted.debits.decimal(), self.posted.credits.decimal());
            if let (false, (Some(debits), Some(credits))) = (is_rounded, sides) {
                self.rounded = Some(Rounded { debits, credits });
            }
            return Ok(());
        }
        // Sums that no addition has rounded are the exact ones: these differ, so one has.
        match is_rounded {
            true => Ok(()),
            false => row.has("account's balance", exact.to_string(), Amount(stated).to_string()),
        }
    }
}

impl Rounded {
    fn plus(mut self, direction: Direction, amount: Decimal) -> Option<Self> {
        let side = match direction {
            Direction::Debit => &mut self.debits,
            Direction::Credit => &mut self.credits,
        };
        *side = side.checked_add(amount)?;
        Some(self)
    }

    fn balance(self) -> Option<Decimal> {
        self.credits.checked_sub(self.debits)
    }
}

impl Sides {
    /// Neither side is less than nothing, so this is within bounds.
    pub(super) fn balance(self) -> Total {
        self.credits.minus_at_most(self.debits)
    }

    fn add(&mut self, row: Row, direction: Direction, amount: Total) -> Checked {
        let side = match direction {
            Direction::Debit => &mut self.debits,
            Direction::Credit => &mut self.credits,
        };
        *side = sum(row, *side, amount)?;
        Ok(())
    }
}

/// No amount that the ledger takes has more than 14 digits after the point.
fn total(row: Row, amount: Decimal) -> Checked<Total> {
    let wrong = || row.differs("amount", "at most 14 digits after the point", Amount(amount));
    Total::of(amount).ok_or_else(wrong)
}

/// No sum of amounts that the ledger takes is too large for a total.
fn sum(row: Row, one: Total, other: Total) -> Checked<Total> {
    one.plus(other).ok_or_else(|| row.differs("amount", "a sum of 37 digits", other))
}
