//! The rules of limits at their edges, and the effect of each command.

use super::*;
use crate::accounts::{
    AccountStatus::{self, Active, Closed},
    samples::{account, amount},
};

fn in_status(status: AccountStatus) -> Account {
    Account { status, version: 7, ..account(1) }
}

#[test]
fn overdraft_limits_are_amounts_of_the_currency() {
    for (limit, currency, rule) in [
        ("0", "EUR", None),
        ("0.01", "EUR", None),
        ("0.010", "EUR", None),
        ("1000000000000000", "JPY", None),
        ("0.001", "KWD", None),
        ("-0.01", "EUR", Some("0 to 1000000000000000")),
        ("1000000000000000.01", "EUR", Some("0 to 1000000000000000")),
        ("0.001", "EUR", Some("at most 2 digits after the point, as EUR has")),
        ("0.1", "JPY", Some("at most 0 digits after the point, as JPY has")),
    ] {
        let (limit, currency) = (limit.parse().expect(limit), currency.parse().expect(currency));
        let refused = check_overdraft(limit, currency).err();
        assert_eq!(refused.map(|invalid| invalid.rule).as_deref(), rule, "{limit} {currency}");
    }
}

#[test]
fn new_spending_limits_replace_all_or_stay() {
    let limits = SpendingLimits { daily: Some(amount("100")), ..SpendingLimits::default() };
    let given = Account { spending_limits: limits, ..in_status(Active) };
    let then = |spending| {
        let new = NewLimits { overdraft_limit: Amount::ZERO, spending };
        new.set(&given).map(|change| change.account.spending_limits)
    };
    assert_eq!(then(None), Ok(limits));
    let other = SpendingLimits { transfer: Some(amount("5")), ..SpendingLimits::default() };
    assert_eq!(then(Some(other)), Ok(other));
    assert_eq!(then(Some(SpendingLimits::default())), Ok(SpendingLimits::default()));
    let wrong = SpendingLimits { monthly: Some(amount("0.001")), ..SpendingLimits::default() };
    let refusal = then(Some(wrong)).expect_err("euros have two digits");
    assert_eq!(refusal.field(), Some("spending.monthly"));
}

fn change(edit: impl FnOnce(&mut LimitChange)) -> LimitChange {
    let given = SpendingLimits::default();
    let mut change = LimitChange { overdraft_limit: None, given, lifted: vec![] };
    edit(&mut change);
    change
}

#[test]
fn a_change_of_limits_leaves_those_that_it_does_not_name() {
    let limits = |transfer: Option<&str>, daily: Option<&str>| SpendingLimits {
        transfer: transfer.map(amount),
        daily: daily.map(amount),
        ..SpendingLimits::default()
    };
    let given = Account {
        spending_limits: limits(Some("10"), Some("100")),
        overdraft_limit: amount("5"),
        ..in_status(Active)
    };
    for (when, overdraft, then) in [
        (
            change(|change| change.given.daily = Some(amount("7"))),
            "5",
            limits(Some("10"), Some("7")),
        ),
        (
            change(|change| change.lifted = vec![SpendingLimit::Daily]),
            "5",
            limits(Some("10"), None),
        ),
        (
            change(|change| change.lifted = vec![SpendingLimit::Daily, SpendingLimit::Transfer]),
            "5",
            limits(None, None),
        ),
        (change(|change| change.overdraft_limit = Some(amount("0"))), "0", given.spending_limits),
    ] {
        let changed =
            when.checked().expect("no rule is broken").apply(&given).expect("active").account;
        assert_eq!((changed.overdraft_limit, changed.spending_limits), (amount(overdraft), then));
    }
}

#[test]
fn a_change_of_limits_is_refused_by_its_fields_before_the_status() {
    let (daily, lift) = (Some(amount("1")), vec![SpendingLimit::Daily]);
    for (when, field) in [
        (change(|_| ()), "lift"),
        (change(|change| (change.given.daily, change.lifted) = (daily, lift)), "lift"),
        (change(|change| change.overdraft_limit = Some(amount("-1"))), "overdraft_limit"),
        (change(|change| change.given.monthly = Some(amount("0.001"))), "monthly"),
    ] {
        let checked = when.clone().checked().map_err(Into::into);
        let refusal = checked.and_then(|change| change.apply(&in_status(Closed)));
        let refusal = refusal.expect_err("a field is wrong");
        assert_eq!(refusal.field(), Some(field), "{when:?}");
    }
    let wrong = SpendingLimits { monthly: Some(amount("0.001")), ..SpendingLimits::default() };
    let (overdraft_limit, spending) = (Amount::ZERO, Some(wrong));
    let new = NewLimits { overdraft_limit, spending };
    let refusal = new.set(&in_status(Closed)).expect_err("euros have two digits");
    assert_eq!(refusal.field(), Some("spending.monthly"));
}
