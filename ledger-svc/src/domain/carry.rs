//! Carries a plan out. Promise: every account that an instruction touches gets one new version, and
//! what is said of it is as the instruction left it.

use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Money, TransferId,
    ledger::{
        AccountAfter, Direction, Held as HeldOutcome, HoldAfter, HoldStatus, InstructionOutcome,
        Posted, PostedLeg, ReleaseCause, Released,
    },
};

use super::{
    account::Account,
    books::Books,
    hold::Held,
    plan::{Now, Plan, PlannedLeg, legs_of},
};

/// Does what was planned, under the instruction's id.
pub(super) fn carry_out(
    books: &mut Books,
    id: TransferId,
    plan: Plan,
    now: Now,
) -> InstructionOutcome {
    let outcome = match plan {
        Plan::Post { legs, spends, reverses } => {
            let spend = |account: &mut Account, leg: &PlannedLeg| {
                account.book(leg.amount);
                if spends && leg.amount.is_sign_negative() {
                    account.spend(-leg.amount, now.today, now.today);
                }
            };
            let legs = post(books, &legs, spend);
            if let Some((original, amount)) = reverses {
                let until_now = books.reversed(original) + amount;
                books.put_reversed(original, until_now);
            }
            let reverses = reverses.map(|(original, _)| original);
            InstructionOutcome::Posted(Posted { legs, hold: None, reverses })
        }
        Plan::Hold { legs, expires_at } => {
            let [debit, credit] = &legs;
            let held = Held {
                id,
                debtor: debit.account,
                creditor: credit.account,
                currency: credit.currency,
                remaining: credit.amount,
                status: HoldStatus::Open,
                expires_at,
                placed_on: now.today,
            };
            let [debtor, creditor] = set_aside(books, &held, credit.amount, |debtor| {
                debtor.spend(credit.amount, now.today, now.today);
            });
            let money = Money::new(credit.amount, credit.currency);
            books.put_hold(held);
            InstructionOutcome::Held(HeldOutcome { debtor, creditor, money, expires_at })
        }
        Plan::Capture { hold_id, captured, released } => {
            capture(books, hold_id, captured, released, now)
        }
        Plan::Release { hold_id, cause } => {
            InstructionOutcome::Released(release(books, hold_id, cause, now))
        }
    };
    if let InstructionOutcome::Posted(posted) = &outcome {
        books.look_at_balances(id, posted);
    }
    outcome
}

/// Gives back what is left of a hold.
pub(super) fn release(
    books: &mut Books,
    hold_id: TransferId,
    cause: ReleaseCause,
    now: Now,
) -> Released {
    let mut held = found(books, hold_id);
    let amount = held.remaining;
    let [debtor, creditor] = set_aside(books, &held, -amount, |debtor| {
        debtor.spend(-amount, held.placed_on, now.today);
    });
    let money = Money::new(amount, held.currency);
    held.take(
        amount,
        match cause {
            ReleaseCause::Released => HoldStatus::Released,
            ReleaseCause::Expired => HoldStatus::Expired,
            ReleaseCause::Captured => HoldStatus::Captured,
        },
    );
    books.put_hold(held);
    Released { hold_id, cause, debtor, creditor, money }
}

fn capture(
    books: &mut Books,
    hold_id: TransferId,
    captured: Decimal,
    released: Decimal,
    now: Now,
) -> InstructionOutcome {
    let mut held = found(books, hold_id);
    let taken = captured + released;
    let legs = post(books, &legs_of(&held, captured), |account, leg| {
        account.book(leg.amount);
        account.set_aside(leg.direction(), -taken);
        if leg.direction() == Direction::Debit {
            account.spend(-released, held.placed_on, now.today);
        }
    });
    held.take(taken, HoldStatus::Captured);
    let hold = HoldAfter { hold_id, remaining: Amount(held.remaining), released: Amount(released) };
    books.put_hold(held);
    InstructionOutcome::Posted(Posted { legs, hold: Some(hold), reverses: None })
}

/// Books legs as `change` says.
fn post(
    books: &mut Books,
    legs: &[PlannedLeg],
    change: impl Fn(&mut Account, &PlannedLeg),
) -> Vec<PostedLeg> {
    let posted = legs.iter().map(|leg| PostedLeg {
        account: update(books, leg.account, |account| change(account, leg)),
        direction: leg.direction(),
        money: Money::new(leg.amount.abs(), leg.currency),
    });
    posted.collect()
}

/// Sets money of a hold aside on both sides, or gives it back.
fn set_aside(
    books: &mut Books,
    held: &Held,
    amount: Decimal,
    count: impl Fn(&mut Account),
) -> [AccountAfter; 2] {
    let debtor = update(books, held.debtor, |account| {
        account.set_aside(Direction::Debit, amount);
        count(account);
    });
    let creditor = update(books, held.creditor, |account| {
        account.set_aside(Direction::Credit, amount);
    });
    [debtor, creditor]
}

fn update(books: &mut Books, id: AccountId, change: impl FnOnce(&mut Account)) -> AccountAfter {
    let mut account = books.account(id).expect("the plan found it").clone();
    change(&mut account);
    account.version += 1;
    let after = account.after();
    books.put_account(account);
    after
}

fn found(books: &Books, id: TransferId) -> Held {
    books.hold(id).expect("the plan found it").clone()
}
