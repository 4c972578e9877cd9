//! What each command and each event does to an account in each status.

use shared_events::accounts::{
    AccountStatus::{Active, Closed, Closing, Frozen, Pending},
    Blocks,
};

use super::*;
use crate::domain::{
    Book, Reaction,
    samples::{
        account, amount, close, close_refused, freeze, holder, id, locked, opened, set_limits,
        unfreeze, update_holder,
    },
};

fn in_status(status: AccountStatus) -> Account {
    Account { status, version: 7, ..account(1) }
}

/// Asks an account in every status; `then` says where it is allowed and where it leads.
fn check(
    when: &shared_events::accounts::AccountsCommand,
    then: &[(AccountStatus, AccountStatus)],
    change: &Change,
    edit: impl Fn(&mut Account),
) {
    for given in [Pending, Active, Frozen, Closing, Closed] {
        let decision = Book::new(vec![in_status(given)], [], vec![]).decide(when);
        let Some((_, after)) = then.iter().find(|(before, _)| *before == given) else {
            let refusal = decision.expect_err("the status does not allow it");
            assert!(matches!(refusal, Refusal::WrongStatus { .. }), "{when:?} {given:?}");
            continue;
        };
        let mut account = Account { version: 8, ..in_status(*after) };
        edit(&mut account);
        assert_eq!(decision, Ok(Changed { account, change: change.clone() }), "{when:?}");
    }
}

#[test]
fn each_command_changes_the_account_in_the_statuses_that_allow_it() {
    let frozen = Change::Frozen { reason: "court order".to_owned() };
    check(&freeze(1, "court order"), &[(Active, Frozen)], &frozen, |it| {
        it.blocks = Some(Blocks::Both);
    });
    check(&unfreeze(1), &[(Frozen, Active)], &Change::Unfrozen, |_| ());
    check(&close(1), &[(Active, Closing)], &Change::Closing { payout: None }, |_| ());
    check(
        &set_limits(1, "500.00"),
        &[(Active, Active), (Frozen, Frozen)],
        &Change::LimitsChanged,
        |it| it.overdraft_limit = amount("500"),
    );
    check(
        &update_holder(1, "Petr"),
        &[(Pending, Pending), (Active, Active), (Frozen, Frozen), (Closing, Closing)],
        &Change::HolderUpdated,
        |it| it.holder = holder("Petr"),
    );
}

#[test]
fn each_event_of_the_ledger_is_followed_once() {
    let (reason, balance) = (CloseRefusal::BalanceNotZero, amount("12.5"));
    let close_is_refused = Change::CloseRefused { reason, balance };
    for (when, before, after, change) in [
        (opened(1), Pending, Active, Change::Activated),
        (locked(1), Closing, Closed, Change::Closed),
        (close_refused(1), Closing, Active, close_is_refused),
    ] {
        for given in [Pending, Active, Frozen, Closing, Closed] {
            let mut book = Book::new(vec![in_status(given)], [], vec![]);
            let account = Account { version: 8, ..in_status(after) };
            let then = match given == before {
                true => Reaction::Changed(Changed { account, change: change.clone() }.into()),
                false => Reaction::Ignored,
            };
            assert_eq!(book.follow(&when), then, "{when:?} {given:?}");
            assert_eq!(book.follow(&when), Reaction::Ignored, "{when:?} again");
        }
        assert_eq!(Book::new(vec![], [], vec![]).follow(&when), Reaction::Unknown, "{when:?}");
    }
}

#[test]
fn limits_take_the_place_of_all_or_stay() {
    let limits = SpendingLimits { daily: Some(amount("100")), ..SpendingLimits::default() };
    let set = |spending| SetLimits { account_id: id(1), overdraft_limit: Amount::ZERO, spending };
    let given = Account { spending: Some(limits), ..in_status(Active) };
    let then = |spending| super::set_limits(&given, &set(spending)).map(|it| it.account.spending);
    assert_eq!(then(None), Ok(Some(limits)));
    let other = SpendingLimits { transfer: Some(amount("5")), ..SpendingLimits::default() };
    assert_eq!(then(Some(other)), Ok(Some(other)));
    assert_eq!(then(Some(SpendingLimits::default())), Ok(None));
    let wrong = SpendingLimits { monthly: Some(amount("0.001")), ..SpendingLimits::default() };
    let refusal = then(Some(wrong)).expect_err("euros have two digits");
    assert_eq!(refusal.field(), Some("spending.monthly"));
}

fn change(edit: impl FnOnce(&mut ChangeLimits)) -> ChangeLimits {
    let mut command = ChangeLimits {
        account_id: id(1),
        overdraft_limit: None,
        transfer: None,
        daily: None,
        monthly: None,
        minimum_balance: None,
        lift: vec![],
    };
    edit(&mut command);
    command
}

#[test]
fn a_change_of_limits_leaves_those_that_it_does_not_name() {
    let limits = |transfer: Option<&str>, daily: Option<&str>| SpendingLimits {
        transfer: transfer.map(amount),
        daily: daily.map(amount),
        ..SpendingLimits::default()
    };
    let given = Account {
        spending: Some(limits(Some("10"), Some("100"))),
        overdraft_limit: amount("5"),
        ..in_status(Active)
    };
    for (when, overdraft, then) in [
        (change(|it| it.daily = Some(amount("7"))), "5", Some(limits(Some("10"), Some("7")))),
        (change(|it| it.lift = vec![SpendingLimit::Daily]), "5", Some(limits(Some("10"), None))),
        (change(|it| it.lift = vec![SpendingLimit::Daily, SpendingLimit::Transfer]), "5", None),
        (change(|it| it.overdraft_limit = Some(amount("0"))), "0", given.spending),
    ] {
        let changed = change_limits(&given, &when).expect("it is right").account;
        assert_eq!((changed.overdraft_limit, changed.spending), (amount(overdraft), then));
    }
}

#[test]
fn a_change_of_limits_is_refused_by_its_fields_before_the_status() {
    let (daily, lift) = (Some(amount("1")), vec![SpendingLimit::Daily]);
    for (when, field) in [
        (change(|_| ()), "lift"),
        (change(|it| (it.daily, it.lift) = (daily, lift)), "lift"),
        (change(|it| it.overdraft_limit = Some(amount("-1"))), "overdraft_limit"),
        (change(|it| it.monthly = Some(amount("0.001"))), "monthly"),
    ] {
        let refusal = change_limits(&in_status(Closed), &when).expect_err("a field is wrong");
        assert_eq!(refusal.field(), Some(field), "{when:?}");
    }
    let wrong = SpendingLimits { monthly: Some(amount("0.001")), ..SpendingLimits::default() };
    let (overdraft_limit, spending) = (Amount::ZERO, Some(wrong));
    let set = SetLimits { account_id: id(1), overdraft_limit, spending };
    let refusal = super::set_limits(&in_status(Closed), &set).expect_err("euros have two digits");
    assert_eq!(refusal.field(), Some("spending.monthly"));
}

#[test]
fn an_account_is_not_paid_out_to_itself() {
    let close =
        |payout| super::close(&in_status(Active), &CloseAccount { account_id: id(1), payout });
    let refusal = close(Some(id(1))).expect_err("it is the same");
    assert_eq!(refusal.field(), Some("payout"));
    assert_eq!(close(Some(id(2))).map(|it| it.change), Ok(Change::Closing { payout: Some(id(2)) }));
}
