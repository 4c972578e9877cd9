//! Carries a plan out. Promise: every account that an instruction touches gets one new version, and
//! what is said of it is as the instruction left it. The plan has checked the bounds of all that is
//! added here, so no digit is lost and none of it fails.

use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Money, TransferId,
    ledger::{
        AccountAfter, Direction, Held as HeldOutcome, HoldAfter, HoldStatus, InstructionOutcome,
        Posted, PostedLeg, ReleaseCause, Released,
    },
    money::{Total, exact::exact_add},
};

use crate::legacy::domain::{
    account::Account,
    books::Books,
    hold::Held,
    plan::{Now, Plan, PlannedLeg, legs_of},
};

/// Does what was planned, under the instruction's id.
pub(crate) fn carry_out(
    books: &mut Books,
    id: TransferId,
    plan: Plan,
    now: Now,
) -> InstructionOutcome {
    let outcome = match plan {
        Plan::Post { legs, spends, reverses } => {
            let spend = |account: &mut Account, leg: &PlannedLeg| {
                let amount = total(leg.amount);
                account.book(amount);
                if spends && leg.amount.is_sign_negative() {
                    account.spend(amount.abs(), now.today, now.today);
                }
            };
            let legs = post(books, &legs, spend);
            if let Some((original, amount)) = reverses {
                books.put_reversed(original, plus(books.reversed(original), amount));
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
            let amount = total(credit.amount);
            let [debtor, creditor] = set_aside(books, &held, amount, |debtor| {
                debtor.spend(amount, now.today, now.today);
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
pub(crate) fn release(
    books: &mut Books,
    hold_id: TransferId,
    cause: ReleaseCause,
    now: Now,
) -> Released {
    let mut held = found(books, hold_id);
    let amount = held.remaining;
    let back = total(-amount);
    let [debtor, creditor] = set_aside(books, &held, back, |debtor| {
        debtor.spend(back, held.placed_on, now.today);
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
    let taken = plus(captured, released);
    let legs = post(books, &legs_of(&held, captured), |account, leg| {
        account.book(total(leg.amount));
        account.set_aside(leg.direction(), total(-taken));
        if leg.direction() == Direction::Debit {
            account.spend(total(-released), held.placed_on, now.today);
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
    amount: Total,
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
    let after = account.after().expect("the plan checked what is left on it");
    books.put_account(account);
    after
}

fn total(amount: Decimal) -> Total {
    Total::of(amount).expect("the plan checked the amount")
}

/// The sum of parts of something that has no more digits.
fn plus(one: Decimal, other: Decimal) -> Decimal {
    exact_add(one, other).expect("parts are no more than the whole")
}

fn found(books: &Books, id: TransferId) -> Held {
    books.hold(id).expect("the plan found it").clone()
}
