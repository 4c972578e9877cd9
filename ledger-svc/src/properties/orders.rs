//! Standing orders: the dates that are executed, tried again and missed.

use chrono::Days;
use shared_events::OrderId;

use super::*;
use crate::standing_orders::DueDate;

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

fn at(today: NaiveDate) -> Now {
    at_noon(today)
}

/// 10 a day from 2026-12-01 (a Tuesday) on, also on holidays.
fn daily() -> OrderTerms {
    OrderTerms {
        creditor: own("cash"),
        money: Money::new(10.into(), currency("EUR")),
        allow_partial: false,
        reference: Some("pocket money".to_owned()),
        end_to_end_id: None,
        schedule: Schedule {
            first: day("2026-12-01"),
            repeat: Some(Repeat::Days { every: 1 }),
            last: None,
            times: Some(5),
        },
        on_holiday: HolidayRule::Same,
        retry_days: 0,
    }
}

fn set(terms: OrderTerms, done: Option<&str>, today: &str) -> Option<Order> {
    let key = (customer(0), OrderId(Uuid::from_u128(7)));
    Order::set(key, terms, done.map(day), day(today), &Calendar::default())
}

/// The results of each date if the order is tried each day until `until`, with deposits on some
/// days before the attempt: `2 executed` is the 2nd.
fn story(terms: OrderTerms, until: &str, paid_in: &[(&str, i64)]) -> Vec<String> {
    let calendar = Calendar::default();
    let mut books = PostingState::new(loaded(accounts()));
    let (mut order, mut told) = (set(terms, None, "2026-12-01"), vec![]);
    let days = day("2026-12-01").iter_days().take_while(|text| *text <= day(until));
    for (n, today) in (1..).zip(days) {
        for (_, amount) in paid_in.iter().filter(|(on, _)| day(on) == today) {
            let (debtor, creditor) = (own("cash"), Party::AccountId(customer(0)));
            let money = Money::new((*amount).into(), currency("EUR"));
            let payment = Transfer { debtor, creditor, money, allow_partial: false };
            books.submit(&author(), instruction(n, Kind::Transfer(payment)), at(today));
        }
        while let Some(due) = order.take_if(|order| order.next.day <= today) {
            let done = books.execute(&due, at(today), &calendar);
            let said = match &done.attempt {
                Attempt::Executed(_) => "executed".to_owned(),
                Attempt::Waiting(_) => "waits".to_owned(),
                Attempt::Missed(reason) => reason.as_str().to_owned(),
            };
            told.push(format!("{} {said}", due.next.date.format("%-d")));
            order = due.after(&done.attempt, today, &calendar);
        }
    }
    told
}

#[test]
fn each_date_is_executed_or_missed() {
    let told = story(daily(), "2026-12-09", &[("2026-12-01", 20), ("2026-12-04", 15)]);
    let expected =
        ["1 executed", "2 executed", "3 insufficient_funds", "4 executed", "5 insufficient_funds"];
    assert_eq!(told, expected);
}

#[test]
fn a_date_is_tried_again_as_often_as_it_says_and_the_next_ones_wait_behind_it() {
    let terms = OrderTerms { retry_days: 2, ..daily() };
    let told = story(terms, "2026-12-20", &[("2026-12-04", 20)]);
    let expected = [
        "1 waits",              // on the 1st
        "1 waits",              // on the 2nd
        "1 insufficient_funds", // on the 3rd, the last of its two days more
        "2 waits",              // on the 3rd as well
        "2 executed",           // on the 4th, when there is money
        "3 executed",
        "4 waits",
        "4 waits",              // on the 5th
        "4 insufficient_funds", // on the 6th
        "5 waits",
        "5 insufficient_funds", // on the 7th
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_date_is_tried_again_on_banking_days() {
    // Friday the 4th, and then Monday the 7th.
    let schedule = Schedule { first: day("2026-12-04"), repeat: None, last: None, times: None };
    let terms = OrderTerms { schedule, on_holiday: HolidayRule::After, retry_days: 1, ..daily() };
    let told = story(terms.clone(), "2026-12-06", &[]);
    assert_eq!(told, ["4 waits"]);
    let told = story(terms, "2026-12-09", &[("2026-12-07", 10)]);
    assert_eq!(told, ["4 waits", "4 executed"]);
}

#[test]
fn up_to_moves_what_is_there() {
    let terms = OrderTerms { allow_partial: true, ..daily() };
    let told = story(terms, "2026-12-03", &[("2026-12-01", 14)]);
    assert_eq!(told, ["1 executed", "2 executed", "3 insufficient_funds"]);
}

#[test]
fn what_is_closed_ends_the_order() {
    let mut all = accounts();
    all[0].status = Status::Closed;
    let mut books = PostingState::new(loaded(all));
    let order = set(daily(), None, "2026-12-01").expect("the order has dates");
    let done = books.execute(&order, at(day("2026-12-01")), &Calendar::default());
    assert_eq!(done.attempt, Attempt::Missed(RejectReason::AccountClosed));
    assert_eq!(order.after(&done.attempt, day("2026-12-01"), &Calendar::default()), None);
}

#[test]
fn a_date_is_executed_once_whoever_asks() {
    let mut books = PostingState::new(loaded(accounts()));
    let order = set(daily(), None, "2026-12-01").expect("the order has dates");
    let now = at(day("2026-12-01"));
    let first = books.execute(&order, now, &Calendar::default());
    assert_eq!(first.attempt, Attempt::Missed(RejectReason::InsufficientFunds));
    let again = books.execute(&order, now, &Calendar::default());
    assert_eq!((again.attempt, again.is_new), (first.attempt, false));
    assert_eq!(books.decided().count(), 1);
    // Somebody else's transfer has the id.
    let mut other = order.clone();
    other.terms.money = Money::new(11.into(), currency("EUR"));
    let taken = books.execute(&other, now, &Calendar::default());
    assert_eq!(taken.attempt, Attempt::Missed(RejectReason::IdempotencyConflict));
}

#[test]
fn what_is_over_or_was_done_is_left_out() {
    let next = |order: Option<Order>| order.map(|order| order.next.date.to_string());
    assert_eq!(next(set(daily(), None, "2026-11-20")).as_deref(), Some("2026-12-01"));
    assert_eq!(next(set(daily(), None, "2026-12-03")).as_deref(), Some("2026-12-03"));
    assert_eq!(next(set(daily(), Some("2026-12-03"), "2026-12-03")).as_deref(), Some("2026-12-04"));
    assert_eq!(next(set(daily(), None, "2026-12-06")), None);
    // Saturday the 5th is done on Monday the 7th: on Sunday that is ahead.
    let moved = OrderTerms { on_holiday: HolidayRule::After, ..daily() };
    assert_eq!(next(set(moved.clone(), None, "2026-12-06")).as_deref(), Some("2026-12-05"));
    assert_eq!(next(set(moved, None, "2026-12-08")), None);
    // Sunday the 6th is done on Friday the 4th: on Saturday it is late, and not over.
    let schedule = Schedule { first: day("2026-12-06"), ..daily().schedule };
    let early = OrderTerms { schedule, on_holiday: HolidayRule::Before, ..daily() };
    let order = set(early, None, "2026-12-05").expect("the order has dates");
    assert_eq!(order.next, DueDate { date: day("2026-12-06"), day: day("2026-12-04") });
}

#[test]
fn an_order_that_breaks_a_rule_is_refused_by_the_rules_name() {
    let (ada, eur) = (customer(0), currency("EUR"));
    let today = day("2026-12-01");
    let check = |terms: &OrderTerms| check_order((ada, eur), terms, today);
    assert_eq!(check(&daily()), Ok(()));
    let money = |units: &str, code: &str| Money {
        amount: units.parse().expect("an amount"),
        currency: currency(code),
    };
    for (wrong, field) in [
        (OrderTerms { money: money("1", "JPY"), ..daily() }, "money.currency"),
        (OrderTerms { money: money("0", "EUR"), ..daily() }, "money.amount"),
        (OrderTerms { money: money("0.001", "EUR"), ..daily() }, "money.amount"),
        (OrderTerms { money: money("1000000000000001", "EUR"), ..daily() }, "money.amount"),
        (OrderTerms { creditor: own("gold"), ..daily() }, "creditor"),
        (OrderTerms { creditor: Party::AccountId(ada), ..daily() }, "creditor"),
        (OrderTerms { reference: Some("x".repeat(141)), ..daily() }, "reference"),
        (OrderTerms { end_to_end_id: Some("a\nb".to_owned()), ..daily() }, "end_to_end_id"),
        (OrderTerms { retry_days: 31, ..daily() }, "retry_days"),
    ] {
        let broken = check(&wrong).expect_err(field);
        assert_eq!(broken.field, format!("terms.{field}"));
    }
}

proptest! {
    /// However late somebody looks, each date is decided once, in order, and the money moves.
    #[test]
    fn what_was_missed_while_nobody_looked_is_caught_up(late in 0..40_u64, retry_days in 0..3_u32) {
        let calendar = Calendar::default();
        let mut books = PostingState::new(loaded(accounts()));
        let today = day("2026-12-05") + Days::new(late);
        let (debtor, creditor) = (own("cash"), Party::AccountId(customer(0)));
        let payment = Transfer {
            debtor,
            creditor,
            money: Money::new(1_000.into(), currency("EUR")),
            allow_partial: false,
        };
        books.submit(&author(), instruction(1, Kind::Transfer(payment)), at(today));
        let mut order = set(OrderTerms { retry_days, ..daily() }, None, "2026-12-01");
        let mut dates = vec![];
        while let Some(due) = order.take_if(|order| order.next.day <= today) {
            let done = books.execute(&due, at(today), &calendar);
            prop_assert_eq!(&done.attempt, &Attempt::Executed(due.terms.money));
            dates.push(due.next.date);
            order = due.after(&done.attempt, today, &calendar);
        }
        let all: Vec<NaiveDate> = day("2026-12-01").iter_days().take(5).collect();
        prop_assert_eq!(dates, all);
        prop_assert_eq!(order, None);
        prop_assert_eq!(books.decided().count(), 6);
    }
}
