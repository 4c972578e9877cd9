//! Applies a plan. Promise: every account of an instruction gets one new version, and the outcome
//! shows the account as the instruction left it. The plan has checked the bounds of every sum, so no
//! digit is lost. The assertions here stay on in every build: a wrong value would cost money.

use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Money, Total, TransferId, ledger::Direction, money::exact::exact_add,
};

use super::{
    legs::{self, PlannedLeg},
    outcome::{Held, HoldAfter, InstructionOutcome, Posted, PostedLeg, ReleaseCause, Released},
    plan::Plan,
    state::PostingState,
};
use crate::{
    accounts::{Account, AccountAfter},
    bank_calendar::Now,
    holds::{Hold, HoldStatus},
};

/// Makes the change of a plan, under the instruction's id.
pub(super) fn apply(
    state: &mut PostingState,
    id: TransferId,
    plan: Plan,
    now: Now,
) -> InstructionOutcome {
    let outcome = match plan {
        Plan::Post { legs, spends, reverses } => {
            let legs = post_legs(state, &legs, spends, now);
            if let Some((original, amount)) = reverses {
                state.put_reversed(original, sum(state.reversed(original), amount));
            }
            let reverses = reverses.map(|(original, _)| original);
            InstructionOutcome::Posted(Posted { legs, hold: None, reverses })
        }
        Plan::Hold { legs, expires_at } => {
            let [debit, credit] = &legs;
            let hold = Hold {
                id,
                debtor: debit.account,
                creditor: credit.account,
                currency: credit.currency,
                remaining: credit.amount,
                status: HoldStatus::Open,
                expires_at,
                placed_on: now.today,
            };
            InstructionOutcome::Held(place(state, hold, now))
        }
        Plan::Capture { hold_id, captured, released } => {
            InstructionOutcome::Posted(capture(state, hold_id, captured, released, now))
        }
        Plan::Release { hold_id, cause } => {
            InstructionOutcome::Released(release(state, hold_id, cause, now))
        }
    };
    if let InstructionOutcome::Posted(posted) = &outcome {
        state.observe(id, posted);
    }
    outcome
}

/// Posts legs. If they spend, the debits count towards the debtors' limits.
fn post_legs(
    state: &mut PostingState,
    legs: &[PlannedLeg],
    spends: bool,
    now: Now,
) -> Vec<PostedLeg> {
    let posted = post(state, legs, |account, leg| {
        let amount = total(leg.amount);
        account.post(amount);
        if spends && leg.direction() == Direction::Debit {
            account.spend(amount.abs(), now.today, now.today);
        }
    });
    let debits = posted.iter().filter(|leg| leg.direction == Direction::Debit);
    for AccountAfter { account_id, available, .. } in debits.map(|leg| &leg.account) {
        let is_within = !spends || available.is_none_or(|available| available >= Amount::ZERO);
        assert!(is_within, "account {account_id} would pass its limit");
    }
    posted
}

/// Reserves the money of a hold.
fn place(state: &mut PostingState, hold: Hold, now: Now) -> Held {
    let amount = total(hold.remaining);
    assert!(amount > Total::ZERO, "hold {} reserves nothing", hold.id);
    let [debtor, creditor] = reserve(state, &hold, amount, |debtor| {
        debtor.spend(amount, now.today, now.today);
    });
    let is_within = debtor.available.is_none_or(|available| available >= Amount::ZERO);
    assert!(is_within, "account {} would pass its limit", hold.debtor);
    let (money, expires_at) = (Money::new(hold.remaining, hold.currency), hold.expires_at);
    state.put_hold(hold);
    Held { debtor, creditor, money, expires_at }
}

/// Posts a part of a hold, and releases another.
fn capture(
    state: &mut PostingState,
    hold_id: TransferId,
    captured: Decimal,
    released: Decimal,
    now: Now,
) -> Posted {
    let mut hold = found(state, hold_id);
    let reduced = sum(captured, released);
    assert!(reduced <= hold.remaining, "hold {hold_id} has less than {reduced} left");
    let legs = post(state, &legs::of_hold(&hold, captured), |account, leg| {
        account.post(total(leg.amount));
        account.reserve(leg.direction(), total(-reduced));
        if leg.direction() == Direction::Debit {
            account.spend(total(-released), hold.placed_on, now.today);
        }
    });
    hold.reduce(reduced, HoldStatus::Captured);
    let (remaining, released) = (Amount(hold.remaining), Amount(released));
    state.put_hold(hold);
    Posted { legs, hold: Some(HoldAfter { hold_id, remaining, released }), reverses: None }
}

/// Releases the rest of a hold.
fn release(
    state: &mut PostingState,
    hold_id: TransferId,
    cause: ReleaseCause,
    now: Now,
) -> Released {
    let mut hold = found(state, hold_id);
    let amount = hold.remaining;
    let back = total(-amount);
    let [debtor, creditor] = reserve(state, &hold, back, |debtor| {
        debtor.spend(back, hold.placed_on, now.today);
    });
    let money = Money::new(amount, hold.currency);
    hold.reduce(
        amount,
        match cause {
            ReleaseCause::Released => HoldStatus::Released,
            ReleaseCause::Expired => HoldStatus::Expired,
            ReleaseCause::Captured => HoldStatus::Captured,
        },
    );
    assert!(hold.remaining.is_zero(), "hold {hold_id} is released as a whole");
    state.put_hold(hold);
    Released { hold_id, cause, debtor, creditor, money }
}

/// Posts legs, each by `change`.
fn post(
    state: &mut PostingState,
    legs: &[PlannedLeg],
    change: impl Fn(&mut Account, &PlannedLeg),
) -> Vec<PostedLeg> {
    assert!(is_balanced(legs), "debits equal credits in every currency: {legs:?}");
    let posted = legs.iter().map(|leg| PostedLeg {
        account: update(state, leg.account, |account| change(account, leg)),
        direction: leg.direction(),
        money: Money::new(leg.amount.abs(), leg.currency),
    });
    let posted: Vec<PostedLeg> = posted.collect();
    assert_eq!(posted.len(), legs.len(), "every leg is posted");
    posted
}

/// Whether the legs of every currency add up to zero.
fn is_balanced(legs: &[PlannedLeg]) -> bool {
    let sum_of = |currency| {
        let of_currency = legs.iter().filter(|leg| leg.currency == currency);
        of_currency.map(|leg| leg.amount).try_fold(Decimal::ZERO, exact_add)
    };
    match legs {
        // Most postings.
        [debit, credit] => debit.currency == credit.currency && debit.amount == -credit.amount,
        _ => legs.iter().all(|leg| sum_of(leg.currency).is_some_and(|sum| sum.is_zero())),
    }
}

/// Reserves money of a hold on both sides, or releases it. `count` counts the debtor's usage.
fn reserve(
    state: &mut PostingState,
    hold: &Hold,
    amount: Total,
    count: impl Fn(&mut Account),
) -> [AccountAfter; 2] {
    let debtor = update(state, hold.debtor, |account| {
        account.reserve(Direction::Debit, amount);
        count(account);
    });
    let creditor = update(state, hold.creditor, |account| {
        account.reserve(Direction::Credit, amount);
    });
    [debtor, creditor]
}

fn update(
    state: &mut PostingState,
    id: AccountId,
    change: impl FnOnce(&mut Account),
) -> AccountAfter {
    let mut account = state.account(id).expect("the plan has found the account").clone();
    change(&mut account);
    account.version += 1;
    let after = account.after().expect("the plan has checked the bounds of the balance");
    state.put_posted(account);
    after
}

fn total(amount: Decimal) -> Total {
    Total::of(amount).expect("the plan has checked the amount")
}

/// The sum of two parts of a whole, which has no more digits.
fn sum(one: Decimal, other: Decimal) -> Decimal {
    exact_add(one, other).expect("two parts have no more digits than the whole")
}

fn found(state: &PostingState, id: TransferId) -> Hold {
    state.hold(id).expect("the plan has found the hold").clone()
}
