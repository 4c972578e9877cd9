//! The effect of each request and each answer of the ledger on an account in each status.

use shared_events::access::Rights;

use super::{
    AccountStatus::{Active, Closed, Closing, Erased, Frozen, Pending},
    *,
};
use crate::accounts::{
    AccountRequest, LedgerAnswer, LedgerReaction, WorkingSet,
    samples::{
        account, amount, close, close_refused, erase, freeze, freeze_only, holder, locked, opened,
        set_limits, unfreeze, update_holder,
    },
};

const STATUSES: [AccountStatus; 6] = [Pending, Active, Frozen, Closing, Closed, Erased];

fn in_status(status: AccountStatus) -> Account {
    let blocks = (status == Frozen).then_some(Blocks::Debits);
    let closing_version = (status == Closing).then_some(7);
    Account { status, blocks, closing_version, version: 7, ..account(1) }
}

/// Decides a request on an account in every status; `then` has the statuses that allow the request,
/// each with the status after.
fn check(
    when: &AccountRequest,
    then: &[(AccountStatus, AccountStatus)],
    kind: impl Fn(&Account) -> ChangeKind,
    edit: impl Fn(&mut Account),
) {
    for given in STATUSES.map(in_status) {
        let mut working_set =
            WorkingSet::new(vec![given.clone()], vec![]).with_erasable([given.id]);
        let decision = working_set.decide(when, &Rights::everything());
        let Some((_, after)) = then.iter().find(|(before, _)| *before == given.status) else {
            let refusal = decision.expect_err("the status forbids the step");
            assert!(matches!(refusal, Refusal::WrongStatus { .. }), "{when:?} {given:?}");
            continue;
        };
        let mut account = Account { status: *after, version: 8, ..given.clone() };
        edit(&mut account);
        assert_eq!(decision, Ok(AccountChange { account, kind: kind(&given) }), "{when:?}");
    }
}

#[test]
fn each_request_changes_the_account_in_the_statuses_that_allow_it() {
    for blocks in [Blocks::Both, Blocks::Debits, Blocks::Credits] {
        check(
            &freeze_only(1, blocks, "court order"),
            &[(Pending, Pending), (Active, Frozen), (Frozen, Frozen), (Closing, Closing)],
            |given| ChangeKind::Frozen {
                reason: "court order".to_owned(),
                previous_blocks: given.blocks,
            },
            |account| account.blocks = Some(blocks),
        );
    }
    check(
        &unfreeze(1),
        &[(Frozen, Active)],
        |_| ChangeKind::Unfrozen,
        |account| account.blocks = None,
    );
    check(
        &close(1),
        &[(Active, Closing)],
        |_| ChangeKind::Closing { payout: None },
        |account| account.closing_version = Some(8),
    );
    check(
        &set_limits(1, "500.00"),
        &[(Active, Active), (Frozen, Frozen)],
        |_| ChangeKind::LimitsChanged,
        |account| account.overdraft_limit = amount("500"),
    );
    check(
        &update_holder(1, "Petr"),
        &[(Pending, Pending), (Active, Active), (Frozen, Frozen), (Closing, Closing)],
        |_| ChangeKind::HolderUpdated,
        |account| account.holder = holder("Petr"),
    );
    check(
        &erase(1),
        &[(Closed, Erased), (Erased, Erased)],
        |_| ChangeKind::Erased,
        |account| account.holder = holder("erased"),
    );
}

#[test]
fn an_account_that_was_closed_too_recently_is_not_erased() {
    let mut working_set = WorkingSet::new(vec![in_status(Closed)], vec![]);
    let refused = working_set.decide(&erase(1), &Rights::everything());
    assert_eq!(refused, Err(Refusal::ClosedTooRecently));
}

#[test]
fn each_answer_of_the_ledger_is_followed_once() {
    let (reason, balance) = (CloseRefusal::BalanceNotZero, amount("12.5"));
    let close_is_refused = ChangeKind::CloseRefused { reason, balance };
    for (when, before, after, kind) in [
        (opened(1), Pending, Active, ChangeKind::Activated),
        (locked(1, Some(7)), Closing, Closed, ChangeKind::Closed),
        (locked(1, None), Closing, Closed, ChangeKind::Closed),
        (close_refused(1, Some(7)), Closing, Active, close_is_refused),
    ] {
        for given in STATUSES {
            let mut working_set = WorkingSet::new(vec![in_status(given)], vec![]);
            let account = Account { version: 8, ..in_status(after) };
            let then = match given == before {
                true => {
                    LedgerReaction::Changed(AccountChange { account, kind: kind.clone() }.into())
                }
                false => LedgerReaction::Outdated,
            };
            assert_eq!(working_set.follow(&when), then, "{when:?} {given:?}");
            assert_eq!(working_set.follow(&when), LedgerReaction::Outdated, "{when:?} again");
        }
        assert_eq!(
            WorkingSet::new(vec![], vec![]).follow(&when),
            LedgerReaction::UnknownAccount,
            "{when:?}"
        );
    }
}

#[test]
fn a_late_answer_does_not_end_a_later_closing() {
    for late in [locked(1, Some(6)), close_refused(1, Some(6))] {
        let mut working_set = WorkingSet::new(vec![in_status(Closing)], vec![]);
        assert_eq!(working_set.follow(&late), LedgerReaction::Outdated, "{late:?}");
    }
}

/// The life of one account, one message after another. Each step has the status and the blocks
/// after the message; the version is counted without a gap.
fn live(given: &Account, steps: &[(LifeMessage, AccountStatus, Option<Blocks>)]) {
    let mut working_set = WorkingSet::new(vec![given.clone()], vec![]);
    for (count, (message, status, blocks)) in (1..).zip(steps) {
        let account = match message {
            LifeMessage::Request(request) => {
                working_set
                    .decide(request, &Rights::everything())
                    .expect("the status allows the step")
                    .account
            }
            LifeMessage::Answer(answer) => match working_set.follow(answer) {
                LedgerReaction::Changed(change) => change.account,
                ignored => panic!("{message:?}: {ignored:?}"),
            },
        };
        assert_eq!((account.status, account.blocks), (*status, *blocks), "{message:?}");
        assert_eq!(account.version, given.version + count, "{message:?}");
    }
}

#[derive(Debug)]
enum LifeMessage {
    Request(AccountRequest),
    Answer(LedgerAnswer),
}

#[test]
fn a_pending_account_that_is_frozen_is_frozen_from_its_activation() {
    let both = Some(Blocks::Both);
    live(
        &in_status(Pending),
        &[
            (LifeMessage::Request(freeze(1, "sanctions")), Pending, both),
            (LifeMessage::Answer(opened(1)), Frozen, both),
            (LifeMessage::Request(unfreeze(1)), Active, None),
        ],
    );
    live(
        &in_status(Pending),
        &[
            (LifeMessage::Request(freeze(1, "sanctions")), Pending, both),
            (LifeMessage::Request(unfreeze(1)), Pending, None),
            (LifeMessage::Answer(opened(1)), Active, None),
        ],
    );
}

#[test]
fn a_closing_account_that_is_frozen_ends_closed_or_frozen() {
    let (both, debits) = (Some(Blocks::Both), Some(Blocks::Debits));
    let frozen = || {
        [
            (LifeMessage::Request(close(1)), Closing, None),
            (LifeMessage::Request(freeze_only(1, Blocks::Debits, "first order")), Closing, debits),
            (LifeMessage::Request(freeze(1, "second order")), Closing, both),
        ]
    };
    let refused = [
        (LifeMessage::Answer(close_refused(1, Some(8))), Frozen, both),
        (LifeMessage::Request(unfreeze(1)), Active, None),
        (LifeMessage::Request(close(1)), Closing, None),
    ];
    live(&in_status(Active), &frozen().into_iter().chain(refused).collect::<Vec<_>>());
    let locked = [(LifeMessage::Answer(locked(1, Some(8))), Closed, None)];
    live(&in_status(Active), &frozen().into_iter().chain(locked).collect::<Vec<_>>());
}
