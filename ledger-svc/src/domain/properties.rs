//! What must hold for whatever is asked: money is conserved, no account passes its limit, a batch
//! equals its commands one by one, the same id has one outcome.

use chrono::NaiveDate;
use proptest::prelude::*;
use rust_decimal::Decimal;
use shared_events::{
    AccountId, CommandId, Currency, MessageId, Money, TransferId,
    ledger::{AccountCode, Party, RejectReason, Transfer},
};
use uuid::Uuid;

use super::*;

/// Customers that exist, from 0; customers that do not, above.
const CUSTOMERS: u128 = 5;

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 1, 31).expect("a day")
}

fn eur() -> Currency {
    "EUR".parse().expect("a currency")
}

fn customer(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(n + 1))
}

fn command() -> CommandId {
    MessageId(Uuid::from_u128(0xC0))
}

/// Five customers (the last one of another currency, one with an overdraft), cash and fees.
fn accounts() -> Vec<Account> {
    let customer = |n: u128| {
        let currency = if n == 4 { "JPY".parse().expect("a currency") } else { eur() };
        let overdraft = if n == 1 { Decimal::from(50) } else { Decimal::ZERO };
        Account::open(customer(n), currency, overdraft, 1)
    };
    let own = |code: &str| Account::open_own(AccountCode(code.to_owned()), eur());
    (0..CUSTOMERS).map(customer).chain([own("cash"), own("fees")]).collect()
}

#[derive(Clone, Debug)]
enum Step {
    Submit(Transfer),
    Follow(AccountId, AccountEvent),
}

fn parties() -> impl Strategy<Value = Party> {
    let own = |code: &str| Just(Party::Code(AccountCode(code.to_owned())));
    prop_oneof![
        6 => (0..=CUSTOMERS).prop_map(|n| Party::AccountId(customer(n))),
        4 => own("cash"),
        1 => own("fees"),
        1 => own("no_such_code"),
    ]
}

fn transfers() -> impl Strategy<Value = Transfer> {
    (0_u128..60, parties(), parties(), -200_i64..20_000, 1_u32..4).prop_map(
        |(id, debtor, creditor, amount, scale)| Transfer {
            transfer_id: TransferId(Uuid::from_u128(id)),
            debtor,
            creditor,
            money: Money::new(Decimal::new(amount, scale), eur()),
            reference: None,
            end_to_end_id: None,
            booking_date: None,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let event = prop_oneof![
        Just(AccountEvent::Frozen),
        Just(AccountEvent::Unfrozen),
        Just(AccountEvent::Closing),
        (0_i64..100).prop_map(|limit| AccountEvent::LimitsChanged {
            overdraft_limit: Decimal::from(limit)
        }),
    ];
    let follow = (0..CUSTOMERS, event).prop_map(|(n, event)| Step::Follow(customer(n), event));
    prop::collection::vec(prop_oneof![9 => transfers().prop_map(Step::Submit), 1 => follow], 1..80)
}

/// Outcomes of transfers and what is on the books after all steps.
fn play(books: &mut Books, steps: &[Step], version: &mut i64) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for step in steps {
        match step {
            Step::Submit(transfer) => outcomes.push(books.submit(command(), transfer, today())),
            Step::Follow(id, event) => {
                *version += 1;
                books.follow(*id, *version, event);
            }
        }
    }
    outcomes
}

/// All accounts as they are, in the order of their ids.
fn balances(books: &Books) -> Vec<Account> {
    let mut all: Vec<Account> =
        accounts().iter().filter_map(|it| books.account(it.id).cloned()).collect();
    all.sort_by_key(|account| account.id);
    all
}

/// Step by step, each on books loaded afresh from what the step before stored: N = 1 as a service
/// restarted after every command would do it.
fn one_by_one(steps: &[Step]) -> (Vec<Outcome>, Vec<Account>, Vec<Posting>, Vec<Decided>) {
    let (mut stored, mut known) = (accounts(), Vec::new());
    let (mut outcomes, mut postings, mut version) = (Vec::new(), Vec::new(), 1);
    for step in steps {
        let mut books = Books::new(stored.clone(), known.clone());
        outcomes.extend(play(&mut books, std::slice::from_ref(step), &mut version));
        postings.extend_from_slice(books.postings());
        known.extend(books.decided().cloned());
        for changed in books.changed() {
            stored.retain(|account| account.id != changed.id);
            stored.push(changed.clone());
        }
    }
    stored.sort_by_key(|account| account.id);
    (outcomes, stored, postings, known)
}

proptest! {
    #[test]
    fn money_is_conserved_and_every_entry_has_its_opposite(steps in steps()) {
        let mut books = Books::new(accounts(), vec![]);
        play(&mut books, &steps, &mut 1);
        let total: Decimal = balances(&books).iter().map(Account::balance).sum();
        prop_assert_eq!(total, Decimal::ZERO);
        let entries: Decimal = books.postings().iter().map(|posting| posting.amount).sum();
        prop_assert_eq!(entries, Decimal::ZERO);
    }

    #[test]
    fn no_transfer_takes_more_than_is_available(steps in steps()) {
        let mut books = Books::new(accounts(), vec![]);
        for outcome in play(&mut books, &steps, &mut 1) {
            let Outcome::New(decided) = outcome else { continue };
            if let Decision::Posted { debtor, .. } = decided.decision {
                prop_assert!(debtor.available.is_none_or(|it| it >= Decimal::ZERO), "{debtor:?}");
            }
        }
    }

    #[test]
    fn a_batch_equals_its_commands_one_by_one(steps in steps()) {
        let mut books = Books::new(accounts(), vec![]);
        let outcomes = play(&mut books, &steps, &mut 1);
        let decided: Vec<Decided> = books.decided().cloned().collect();
        let alone = one_by_one(&steps);
        prop_assert_eq!((outcomes, balances(&books), books.postings().to_vec(), decided), alone);
    }

    #[test]
    fn the_same_id_has_one_outcome_and_other_content_is_a_conflict(steps in steps()) {
        let mut books = Books::new(accounts(), vec![]);
        play(&mut books, &steps, &mut 1);
        let before = balances(&books);
        for decided in books.decided().cloned().collect::<Vec<_>>() {
            let mut other = decided.transfer.clone();
            other.reference = Some("something else".to_owned());
            let again = books.submit(command(), &decided.transfer, today());
            prop_assert_eq!(again, Outcome::Known(decided));
            let conflict = books.submit(command(), &other, today());
            prop_assert_eq!(conflict, Outcome::Conflict(other));
        }
        prop_assert_eq!(before, balances(&books));
    }
}

fn check(given: &[(AccountId, AccountEvent)], transfer: &Transfer, then: RejectReason) {
    let mut books = Books::new(accounts(), vec![]);
    for (version, (id, event)) in (2..).zip(given) {
        books.follow(*id, version, event);
    }
    match books.submit(command(), transfer, today()) {
        Outcome::New(Decided { decision: Decision::Rejected { reason, .. }, .. }) => {
            assert_eq!(reason, then);
        }
        other => panic!("{then:?} expected, got {other:?}"),
    }
    assert!(books.postings().is_empty());
}

fn transfer(debtor: Party, creditor: Party, amount: &str) -> Transfer {
    Transfer {
        transfer_id: TransferId(Uuid::from_u128(1)),
        debtor,
        creditor,
        money: Money::new(amount.parse().expect("a decimal"), eur()),
        reference: None,
        end_to_end_id: None,
        booking_date: None,
    }
}

#[test]
fn each_reason_has_its_rule() {
    let cash = || Party::Code(AccountCode("cash".to_owned()));
    let to = |n| Party::AccountId(customer(n));
    let long = Transfer { reference: Some("x".repeat(141)), ..transfer(cash(), to(0), "1") };
    let freeze = [(customer(0), AccountEvent::Frozen)];
    let closing = [(customer(0), AccountEvent::Closing)];
    let closed = [closing[0].clone(), (customer(0), AccountEvent::Closed)];
    check(&[], &transfer(cash(), to(0), "0"), RejectReason::AmountNotPositive);
    check(&[], &transfer(cash(), to(0), "0.001"), RejectReason::TooManyDigits);
    check(&[], &transfer(cash(), to(0), "1000000000000000.01"), RejectReason::AmountTooLarge);
    let nul = Transfer { end_to_end_id: Some("\0".to_owned()), ..long.clone() };
    check(&[], &Transfer { reference: None, ..nul }, RejectReason::InvalidText);
    check(&[], &long, RejectReason::InvalidText);
    let late = NaiveDate::from_ymd_opt(2200, 1, 1);
    let late = Transfer { booking_date: late, ..transfer(cash(), to(0), "1") };
    check(&[], &late, RejectReason::InvalidBookingDate);
    check(&[], &transfer(to(0), to(0), "1"), RejectReason::SameAccount);
    check(&[], &transfer(cash(), to(9), "1"), RejectReason::UnknownAccount);
    check(&closed, &transfer(cash(), to(0), "1"), RejectReason::AccountClosed);
    check(&freeze, &transfer(cash(), to(0), "1"), RejectReason::AccountFrozen);
    check(&closing, &transfer(cash(), to(0), "1"), RejectReason::AccountNotActive);
    check(&[], &transfer(cash(), to(4), "1"), RejectReason::CurrencyMismatch);
    check(&[], &transfer(to(0), to(1), "1"), RejectReason::InsufficientFunds);
}

#[test]
fn an_account_with_money_on_it_is_not_locked() {
    let mut books = Books::new(accounts(), vec![]);
    let cash = Party::Code(AccountCode("cash".to_owned()));
    books.submit(command(), &transfer(cash, Party::AccountId(customer(0)), "1"), today());
    let followed = books.follow(customer(0), 2, &AccountEvent::Closing);
    assert!(matches!(followed, Followed::CloseRefused(_)), "{followed:?}");
    assert_eq!(books.follow(customer(0), 2, &AccountEvent::Frozen), Followed::Quietly);
    assert_eq!(books.follow(customer(9), 1, &AccountEvent::Frozen), Followed::Early);
}
