//! What each command and each event does to an account in each status.

use shared_events::accounts::{
    AccountStatus::{Active, Closed, Closing, Frozen, Pending},
    Blocks,
};

use super::*;
use crate::accounts::{
    Book, Reaction,
    samples::{
        account, amount, close, close_refused, freeze, freeze_only, holder, id, locked, opened,
        set_limits, unfreeze, update_holder,
    },
};

const STATUSES: [AccountStatus; 5] = [Pending, Active, Frozen, Closing, Closed];

fn in_status(status: AccountStatus) -> Account {
    let blocks = (status == Frozen).then_some(Blocks::Debits);
    let closing_version = (status == Closing).then_some(7);
    Account { status, blocks, closing_version, version: 7, ..account(1) }
}

/// Asks an account in every status; `then` says where it is allowed and where it leads.
fn check(
    when: &shared_events::accounts::AccountsCommand,
    then: &[(AccountStatus, AccountStatus)],
    change: impl Fn(&Account) -> Change,
    edit: impl Fn(&mut Account),
) {
    for given in STATUSES.map(in_status) {
        let decision = Book::new(vec![given.clone()], vec![]).decide(when);
        let Some((_, after)) = then.iter().find(|(before, _)| *before == given.status) else {
            let refusal = decision.expect_err("the status does not allow it");
            assert!(matches!(refusal, Refusal::WrongStatus { .. }), "{when:?} {given:?}");
            continue;
        };
        let mut account = Account { status: *after, version: 8, ..given.clone() };
        edit(&mut account);
        assert_eq!(decision, Ok(Changed { account, change: change(&given) }), "{when:?}");
    }
}

#[test]
fn each_command_changes_the_account_in_the_statuses_that_allow_it() {
    for blocks in [Blocks::Both, Blocks::Debits, Blocks::Credits] {
        check(
            &freeze_only(1, blocks, "court order"),
            &[(Pending, Pending), (Active, Frozen), (Frozen, Frozen), (Closing, Closing)],
            |given| Change::Frozen {
                reason: "court order".to_owned(),
                previous_blocks: given.blocks,
            },
            |account| account.blocks = Some(blocks),
        );
    }
    check(&unfreeze(1), &[(Frozen, Active)], |_| Change::Unfrozen, |account| account.blocks = None);
    check(
        &close(1),
        &[(Active, Closing)],
        |_| Change::Closing { payout: None },
        |account| account.closing_version = Some(8),
    );
    check(
        &set_limits(1, "500.00"),
        &[(Active, Active), (Frozen, Frozen)],
        |_| Change::LimitsChanged,
        |account| account.overdraft_limit = amount("500"),
    );
    check(
        &update_holder(1, "Petr"),
        &[(Pending, Pending), (Active, Active), (Frozen, Frozen), (Closing, Closing)],
        |_| Change::HolderUpdated,
        |account| account.holder = holder("Petr"),
    );
}

#[test]
fn each_event_of_the_ledger_is_followed_once() {
    let (reason, balance) = (CloseRefusal::BalanceNotZero, amount("12.5"));
    let close_is_refused = Change::CloseRefused { reason, balance };
    for (when, before, after, change) in [
        (opened(1), Pending, Active, Change::Activated),
        (locked(1, Some(7)), Closing, Closed, Change::Closed),
        (locked(1, None), Closing, Closed, Change::Closed),
        (close_refused(1, Some(7)), Closing, Active, close_is_refused),
    ] {
        for given in STATUSES {
            let mut book = Book::new(vec![in_status(given)], vec![]);
            let account = Account { version: 8, ..in_status(after) };
            let then = match given == before {
                true => Reaction::Changed(Changed { account, change: change.clone() }.into()),
                false => Reaction::Ignored,
            };
            assert_eq!(book.follow(&when), then, "{when:?} {given:?}");
            assert_eq!(book.follow(&when), Reaction::Ignored, "{when:?} again");
        }
        assert_eq!(Book::new(vec![], vec![]).follow(&when), Reaction::Unknown, "{when:?}");
    }
}

#[test]
fn an_answer_to_a_closing_before_does_not_end_the_one_of_now() {
    for late in [locked(1, Some(6)), close_refused(1, Some(6))] {
        let mut book = Book::new(vec![in_status(Closing)], vec![]);
        assert_eq!(book.follow(&late), Reaction::Ignored, "{late:?}");
    }
}

/// The life of one account, a message after the other; `then` has its status and what it refuses
/// after each, whose version is counted without a gap.
fn live(given: &Account, steps: &[(Step, AccountStatus, Option<Blocks>)]) {
    let mut book = Book::new(vec![given.clone()], vec![]);
    for (count, (step, status, blocks)) in (1..).zip(steps) {
        let account = match step {
            Step::Asked(command) => book.decide(command).expect("it is allowed").account,
            Step::Heard(event) => match book.follow(event) {
                Reaction::Changed(changed) => changed.account,
                ignored => panic!("{step:?}: {ignored:?}"),
            },
        };
        assert_eq!((account.status, account.blocks), (*status, *blocks), "{step:?}");
        assert_eq!(account.version, given.version + count, "{step:?}");
    }
}

/// What happens in a life.
#[derive(Debug)]
enum Step {
    Asked(shared_events::accounts::AccountsCommand),
    Heard(LedgerAccountEvent),
}

#[test]
fn an_account_that_is_frozen_too_early_is_frozen_from_its_first_moment() {
    let both = Some(Blocks::Both);
    live(
        &in_status(Pending),
        &[
            (Step::Asked(freeze(1, "sanctions")), Pending, both),
            (Step::Heard(opened(1)), Frozen, both),
            (Step::Asked(unfreeze(1)), Active, None),
        ],
    );
    live(
        &in_status(Pending),
        &[
            (Step::Asked(freeze(1, "sanctions")), Pending, both),
            (Step::Asked(unfreeze(1)), Pending, None),
            (Step::Heard(opened(1)), Active, None),
        ],
    );
}

#[test]
fn an_account_that_is_frozen_while_it_closes_ends_closed_or_frozen() {
    let (both, debits) = (Some(Blocks::Both), Some(Blocks::Debits));
    let frozen = || {
        [
            (Step::Asked(close(1)), Closing, None),
            (Step::Asked(freeze_only(1, Blocks::Debits, "first order")), Closing, debits),
            (Step::Asked(freeze(1, "second order")), Closing, both),
        ]
    };
    let refused = [
        (Step::Heard(close_refused(1, Some(8))), Frozen, both),
        (Step::Asked(unfreeze(1)), Active, None),
        (Step::Asked(close(1)), Closing, None),
    ];
    live(&in_status(Active), &frozen().into_iter().chain(refused).collect::<Vec<_>>());
    let locked = [(Step::Heard(locked(1, Some(8))), Closed, None)];
    live(&in_status(Active), &frozen().into_iter().chain(locked).collect::<Vec<_>>());
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
