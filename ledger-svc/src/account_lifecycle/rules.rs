//! Applies the changes of an account. Promise: changes of the status, and changes of the limits,
//! are each applied once and in the order of their versions; a late duplicate changes nothing. A
//! closed account stays closed, and a locked account can only be closed, after any change. Each
//! closing has an answer: a freeze that is there first wins.

use rust_decimal::Decimal;
use shared_events::{AccountId, CommandId, Money, Total, TransferId};

use super::{AccountChange, Applied, CloseRefusal};
use crate::{
    accounts::{Account, Status},
    bank_calendar::Now,
    interest::{Capitalised, Settlement},
    posting::{
        Instruction, Kind, Party, Plan, PlannedLeg, PostingState, Transfer, check_accounts,
        check_postings, payout_id,
    },
};

/// The result of a change that a later one has overtaken, or that was applied before. A closing
/// that a freeze has overtaken still needs its answer; a reader that has the answer ignores
/// another.
fn overtaken(account: &Account, version: i64, change: &AccountChange) -> Applied {
    let is_overtaken = version < account.applied_status && account.status == Status::Frozen;
    match change {
        AccountChange::Closing { .. } if is_overtaken => Applied::CloseRefused {
            reason: CloseRefusal::AccountFrozen,
            balance: account.balance(),
            version: account.version,
        },
        AccountChange::Opened { .. }
        | AccountChange::Frozen { .. }
        | AccountChange::Unfrozen
        | AccountChange::Closing { .. }
        | AccountChange::Closed
        | AccountChange::LimitsChanged { .. } => Applied::Quietly,
    }
}

/// Applies one change of the account `id`, its `version`-th, which the message `cause` announces.
pub fn apply(
    state: &mut PostingState,
    settlement: &mut Settlement,
    cause: CommandId,
    (id, version): (AccountId, i64),
    change: &AccountChange,
    now: Now,
) -> Applied {
    let Some(known) = state.account(id) else {
        let AccountChange::Opened { currency, limits, branch } = change else {
            return Applied::Early;
        };
        let mut account = Account::open(id, *currency, limits.clone(), version);
        account.branch = branch.as_deref().map(Into::into);
        let opened = Applied::Opened { currency: *currency, version: account.version };
        state.put_terms(account);
        return opened;
    };
    let is_limit = matches!(change, AccountChange::LimitsChanged { .. });
    let applied = if is_limit { known.applied_limits } else { known.applied_status };
    if version <= applied {
        return overtaken(known, version, change);
    }
    let mut account = known.clone();
    match is_limit {
        true => account.applied_limits = version,
        false => account.applied_status = version,
    }
    let is_closed = account.status == Status::Closed;
    let is_ending = is_closed || account.status == Status::Locked;
    match change {
        AccountChange::Opened { .. } => {}
        AccountChange::LimitsChanged { limits } => account.limits = limits.clone(),
        AccountChange::Frozen { .. } | AccountChange::Unfrozen if is_ending => {}
        AccountChange::Closing { .. } if is_closed => {}
        AccountChange::Frozen { blocks } => {
            (account.status, account.blocked) = (Status::Frozen, *blocks);
        }
        AccountChange::Unfrozen => account.status = Status::Active,
        AccountChange::Closed => account.status = Status::Closed,
        // The accounts service closes no frozen account: the freeze is over by this version.
        AccountChange::Closing { payout } => {
            if !is_ending {
                account.status = Status::Active;
            }
            state.put_terms(account);
            return lock(state, settlement, cause, (id, version), *payout, now);
        }
    }
    state.put_terms(account);
    Applied::Quietly
}

/// Locks an account: settles its interest, pays out the rest if the change says so, and locks the
/// empty account.
fn lock(
    state: &mut PostingState,
    settlement: &mut Settlement,
    cause: CommandId,
    (id, change): (AccountId, i64),
    payout: Option<AccountId>,
    now: Now,
) -> Applied {
    let closing = found(state, id);
    let before = closing.balance();
    if closing.has_pending() {
        return refused(state, id, CloseRefusal::HoldsOpen, before);
    }
    let settled = settlement.settle_months(state, cause, id, now);
    let last = settlement.last_interest(state, id, now);
    let left = left(found(state, id).balance(), last.as_ref());
    let refusal = match (settled, payout) {
        (Err(_), _) => Some(CloseRefusal::InterestNotSettled),
        (Ok(()), _) if last.as_ref().is_some_and(|last| !last.can_be_posted(state)) => {
            Some(CloseRefusal::InterestNotSettled)
        }
        (Ok(()), _) if left < Total::ZERO && before >= Total::ZERO => {
            Some(CloseRefusal::InterestOwed)
        }
        (Ok(()), Some(to)) if left > Total::ZERO => {
            (!can_pay_out(state, id, to, left)).then_some(CloseRefusal::PayoutRejected)
        }
        (Ok(()), _) => (!left.is_zero()).then_some(CloseRefusal::BalanceNotZero),
    };
    if let Some(reason) = refusal {
        return refused(state, id, reason, left);
    }
    if let Some(last) = last {
        settlement.post_last(state, cause, last, now);
    }
    let payout = payout.filter(|_| left > Total::ZERO);
    let payout = payout.map(|to| pay_out(state, cause, (id, change), to, now));
    let mut account = found(state, id).clone();
    assert!(account.is_empty(), "an account is locked with a balance of {}", account.balance());
    account.status = Status::Locked;
    account.version += 1;
    settlement.end(id);
    let locked = Applied::Locked { version: account.version, payout };
    state.put_terms(account);
    locked
}

/// An account that this change has put into the state.
fn found(state: &PostingState, id: AccountId) -> &Account {
    state.account(id).expect("the change has put the account")
}

fn refused(state: &PostingState, id: AccountId, reason: CloseRefusal, balance: Total) -> Applied {
    Applied::CloseRefused { reason, balance, version: found(state, id).version }
}

/// The balance that a closing leaves on an account, after the last interest.
fn left(balance: Total, last: Option<&Capitalised>) -> Total {
    balance.plus_at_most(last.map_or(Total::ZERO, Capitalised::to_holder))
}

/// Whether both accounts take a transfer of this amount.
fn can_pay_out(state: &PostingState, from: AccountId, to: AccountId, amount: Total) -> bool {
    let Some(amount) = amount.amount() else { return false };
    let legs = payout_legs(found(state, from), to, amount.decimal());
    from != to && check_accounts(state, &legs).is_ok() && check_postings(state, &legs).is_ok()
}

/// Transfers the whole balance of an account to another, beyond the account's limits.
fn pay_out(
    state: &mut PostingState,
    cause: CommandId,
    (id, version): (AccountId, i64),
    to: AccountId,
    now: Now,
) -> TransferId {
    let account = found(state, id);
    let (balance, currency) = (account.balance(), account.currency);
    assert!(balance > Total::ZERO, "account {id} has nothing to pay out");
    let balance = balance.amount().expect("can_pay_out has checked the amount").decimal();
    let legs = payout_legs(account, to, balance).to_vec();
    let kind = Kind::Transfer(Transfer {
        debtor: Party::AccountId(id),
        creditor: Party::AccountId(to),
        money: Money::new(balance, currency),
        allow_partial: false,
    });
    let reference = Some("payout at closing".to_owned());
    let instruction = Instruction::internal(payout_id(id, version), kind, reference);
    let transfer = state.post_own(cause, instruction, Plan::internal(legs), now);
    assert!(found(state, id).balance().is_zero(), "the payout empties account {id}");
    transfer
}

fn payout_legs(account: &Account, to: AccountId, amount: Decimal) -> [PlannedLeg; 2] {
    let leg = |id, amount| PlannedLeg { account: id, amount, currency: account.currency };
    [leg(account.id, -amount), leg(to, amount)]
}
