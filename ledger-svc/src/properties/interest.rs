//! Interest: the examples of the standard, and the properties of all balances and terms.

use super::*;
use crate::{
    accounts::LimitUsage,
    interest::{ACCRUAL_DIGITS, next_month},
};

pub(crate) fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

pub(crate) fn percent(text: &str) -> Amount {
    text.parse().expect("a rate")
}

pub(crate) fn terms(
    valid_from: &str,
    credit: &str,
    debit: &str,
    day_count: DayCount,
) -> InterestTerms {
    InterestTerms {
        valid_from: day(valid_from),
        credit_rate: percent(credit),
        debit_rate: percent(debit),
        day_count,
        rounding: Rounding::HalfEven,
        statement_fee: None,
        at_closing: AtClosing::Forfeit,
    }
}

fn days_between(day_count: DayCount, from: &str, to: &str) -> u32 {
    let days = day(from).iter_days().take_while(|text| *text < day(to));
    days.map(|item| day_fraction(day_count, item).0).sum()
}

/// ISDA 2006, 4.16 (g): 360 (Y2 - Y1) + 30 (M2 - M1) + (D2 - D1), where a 31st is a 30th.
#[test]
fn thirty_e_360_counts_as_the_standard_says() {
    for (from, to, days) in [
        ("2007-01-15", "2007-01-30", 15),
        ("2007-01-15", "2007-02-15", 30),
        ("2007-01-15", "2007-07-15", 180),
        ("2007-09-30", "2008-03-31", 180),
        ("2007-09-30", "2007-10-31", 30),
        ("2007-09-30", "2008-09-30", 360),
        ("2007-01-15", "2007-01-31", 15),
        ("2007-01-31", "2007-02-28", 28),
        ("2007-02-28", "2007-03-31", 32),
        ("2006-08-31", "2007-02-28", 178),
        ("2007-02-28", "2007-08-31", 182),
        ("2007-02-14", "2007-02-28", 14),
        ("2007-02-26", "2008-02-29", 363),
        ("2008-02-29", "2009-02-28", 359),
        ("2008-02-29", "2008-03-30", 31),
        ("2008-02-29", "2008-03-31", 31),
        ("2011-08-31", "2012-02-29", 179),
    ] {
        assert_eq!(days_between(DayCount::ThirtyE360, from, to), days, "{from} to {to}");
    }
    assert_eq!(days_between(DayCount::Act360, "2008-01-01", "2009-01-01"), 366);
    assert_eq!(day_fraction(DayCount::Act365, day("2008-02-29")), (1, 365));
}

#[test]
fn a_day_bears_the_rate_of_its_balance_and_of_its_terms() {
    let bearing = Bearing {
        terms: vec![
            terms("2026-01-10", "3.65", "18.25", DayCount::Act365),
            terms("2026-01-20", "7.3", "0", DayCount::Act365),
            terms("2026-01-15", "36.5", "0", DayCount::Act365),
            terms("2026-01-15", "0.365", "36.5", DayCount::Act365),
        ],
        balances: vec![
            (day("2026-01-05"), 1_000.into()),
            (day("2026-01-12"), (-200).into()),
            (day("2026-01-13"), Decimal::ZERO),
            (day("2026-01-14"), 2_000.into()),
        ],
    };
    for (on, accrued) in [
        ("2026-01-09", None),
        ("2026-01-10", Some("0.1")),
        ("2026-01-12", Some("-0.1")),
        ("2026-01-13", Some("0")),
        ("2026-01-14", Some("0.2")),
        ("2026-01-15", Some("0.02")),
        ("2026-01-20", Some("0.4")),
    ] {
        let line = bearing.accrued_on(day(on)).expect("the interest fits").map(|item| item.accrued);
        assert_eq!(line, accrued.map(percent), "{on}");
    }
}

#[test]
fn terms_that_break_a_rule_are_refused_by_the_field() {
    let good = terms("2026-01-10", "1000", "0.000001", DayCount::Act365);
    let check = |terms: &InterestTerms| {
        check_terms(terms, currency("EUR"), day("2026-01-31")).map_err(|broken| broken.field)
    };
    assert_eq!(check(&good), Ok(()));
    for (field, bad) in [
        ("terms.valid_from", InterestTerms { valid_from: day("2015-01-01"), ..good.clone() }),
        ("terms.valid_from", InterestTerms { valid_from: day("2037-01-01"), ..good.clone() }),
        ("terms.credit_rate", InterestTerms { credit_rate: percent("1000.1"), ..good.clone() }),
        ("terms.credit_rate", InterestTerms { credit_rate: percent("-1"), ..good.clone() }),
        ("terms.debit_rate", InterestTerms { debit_rate: percent("0.0000001"), ..good.clone() }),
        (
            "terms.statement_fee",
            InterestTerms { statement_fee: Some(percent("1.001")), ..good.clone() },
        ),
        (
            "terms.statement_fee",
            InterestTerms { statement_fee: Some(percent("-1")), ..good.clone() },
        ),
    ] {
        assert_eq!(check(&bad), Err(field), "{bad:?}");
    }
}

/// Customer 0's month, on books with the bank's own accounts for interest.
pub(crate) fn books() -> PostingState {
    let own = ["interest_paid", "interest_received"]
        .map(|item| Account::open_internal(AccountCode(item.to_owned()), currency("EUR")));
    PostingState::new(loaded(accounts().into_iter().chain(own).collect()))
}

fn january(bearing: Bearing) -> DueMonth {
    let (credited, debited) = (Decimal::ZERO, Decimal::ZERO);
    DueMonth { account: customer(0), month: day("2026-01-01"), bearing, credited, debited }
}

fn on(today: &str) -> Now {
    Now { today: day(today), ..now() }
}

#[test]
fn a_month_is_capitalised_when_it_is_over_and_whatever_the_limits() {
    let fee = InterestTerms {
        statement_fee: Some(percent("2.50")),
        ..terms("2026-01-01", "0", "36.5", DayCount::Act365)
    };
    let balances = vec![(day("2026-01-22"), (-100).into())];
    let due = january(Bearing { terms: vec![fee], balances });
    let mut books = books();
    assert_eq!(books.capitalise(&due.computed(), on("2026-01-31")), None);
    let done = books.capitalise(&due.computed(), on("2026-02-01")).expect("the month is over");
    assert_eq!((done.credit_interest, done.debit_interest), (Decimal::ZERO, Decimal::ONE));
    assert_eq!(done.statement_fee, Decimal::new(250, 2));
    let account = books.account(customer(0)).expect("the account is in the state");
    assert_eq!(account.balance(), total(Decimal::new(-350, 2)), "beyond an overdraft of nothing");
    assert_eq!(account.usage, LimitUsage::NOTHING);
    let values: Vec<NaiveDate> = books.decided().map(|decided| decided.record.value_date).collect();
    assert_eq!(values, [day("2026-02-01"); 2], "the day after the month");
    // A posting under the same id is not made again.
    let again =
        books.capitalise(&due.computed(), on("2026-02-01")).expect("no rule stands against this");
    assert_eq!(again.debit_interest, Decimal::ZERO);
    assert_eq!(books.decided().count(), 2);
}

#[test]
fn a_frozen_account_waits() {
    let rate = terms("2026-01-01", "36.5", "0", DayCount::Act365);
    let balances = vec![(day("2026-01-22"), 100.into())];
    let due = january(Bearing { terms: vec![rate], balances });
    let mut books = books();
    books.follow(
        command(),
        (customer(0), 2),
        &AccountChange::Frozen { blocks: Blocks::Debits },
        now(),
    );
    assert_eq!(books.capitalise(&due.computed(), on("2026-02-01")), None);
    books.follow(command(), (customer(0), 3), &AccountChange::Unfrozen, now());
    assert!(books.capitalise(&due.computed(), on("2026-02-01")).is_some());
}

pub(crate) fn bearings() -> impl Strategy<Value = Bearing> {
    let count =
        prop_oneof![Just(DayCount::Act365), Just(DayCount::Act360), Just(DayCount::ThirtyE360)];
    let set = (0_u64..500, 0_i64..20_000_000, 0_i64..20_000_000, count).prop_map(
        |(after, credit, debit, day_count)| InterestTerms {
            valid_from: day("2025-06-01") + chrono::Days::new(after),
            credit_rate: Amount(Decimal::new(credit, 6)),
            debit_rate: Amount(Decimal::new(debit, 6)),
            ..terms("2025-06-01", "0", "0", day_count)
        },
    );
    let cents = -1_000_000_000_000_000_i64..1_000_000_000_000_000;
    let changes = prop::collection::btree_map(0_u64..600, cents, 0..40);
    (prop::collection::vec(set, 1..6), changes).prop_map(|(terms, changes)| {
        let change =
            |(after, cents)| (day("2025-05-01") + chrono::Days::new(after), Decimal::new(cents, 2));
        Bearing { terms, balances: changes.into_iter().map(change).collect() }
    })
}

fn sum(bearing: &Bearing, from: NaiveDate, to: NaiveDate) -> Decimal {
    bearing.accrued(from, to).map(|item| item.expect("the interest fits").accrued.decimal()).sum()
}

#[test]
fn money_that_counts_from_a_day_changes_the_balances_from_there_on() {
    let mut bearing = Bearing::default();
    for (from, amount) in
        [("2026-02-01", 5), ("2026-01-10", 3), ("2026-02-01", 1), ("2026-03-01", -9)]
    {
        bearing.add(day(from), amount.into()).expect("the interest fits");
    }
    let at = ["2026-01-09", "2026-01-10", "2026-02-01", "2026-03-05"];
    let balances = at.map(|text| bearing.balance_on(day(text)));
    assert_eq!(balances, [0, 3, 9, 0].map(Decimal::from));
    assert_eq!(bearing.balances.len(), 3);
}

proptest! {
    #[test]
    fn adjacent_periods_add_up(bearing in bearings(), a in 0_u64..600, b in 0_u64..600) {
        let first = day("2025-05-01");
        let (from, cut) =
            (first + chrono::Days::new(a.min(b)), first + chrono::Days::new(a.max(b)));
        let to = first + chrono::Days::new(700);
        let parts = sum(&bearing, from, cut) + sum(&bearing, cut.succ_opt().expect("a day"), to);
        prop_assert_eq!(parts, sum(&bearing, from, to));
    }

    #[test]
    fn nothing_on_the_account_bears_nothing(bearing in bearings()) {
        let empty = Bearing { balances: vec![], ..bearing };
        prop_assert_eq!(empty.accrued_until(day("2027-01-01")), Ok((Decimal::ZERO, Decimal::ZERO)));
    }

    #[test]
    fn a_day_is_as_exact_as_its_digits_and_has_the_sign_of_its_balance(bearing in bearings()) {
        for line in bearing.accrued(day("2025-05-01"), day("2026-12-31")) {
            let line = line.expect("the interest fits");
            let (accrued, balance) = (line.accrued.decimal(), line.balance.decimal());
            prop_assert!(accrued.scale() <= ACCRUAL_DIGITS, "{line:?}");
            prop_assert!((accrued * balance) >= Decimal::ZERO, "{line:?}");
            let back = accrued * Decimal::from(line.of * 100);
            let off = back - balance * line.rate.decimal() * Decimal::from(line.days);
            let off_max = Decimal::from(line.of) * Decimal::new(50, ACCRUAL_DIGITS);
            prop_assert!(off.abs() <= off_max, "{line:?}");
        }
    }

    /// Month by month, while past balances change: the sum of all capitalised interest is the sum of
    /// all days in the end, rounded once.
    #[test]
    fn what_is_capitalised_in_all_is_the_sum_of_the_days_rounded_once(
        months in prop::collection::vec(bearings(), 1..8),
    ) {
        let (mut credited, mut debited) = (Decimal::ZERO, Decimal::ZERO);
        let mut month = day("2025-06-01");
        let mut books = books();
        for bearing in &months {
            let (account, bearing) = (customer(0), bearing.clone());
            let due = DueMonth { account, month, bearing, credited, debited };
            let month_due = due.computed();
            let done = books.capitalise(&month_due, on("2027-01-01")).expect("the month is over");
            credited += done.credit_interest;
            debited += done.debit_interest;
            month = next_month(month);
        }
        let last = months.last().expect("there is one");
        let accrued = last.accrued_until(month.pred_opt().expect("a day"));
        let (credit, debit) = accrued.expect("the interest fits");
        prop_assert_eq!(credited, credit.round_dp(2));
        prop_assert_eq!(debited, debit.round_dp(2));
        let balance = books.account(customer(0)).expect("the account is in the state").balance();
        prop_assert_eq!(balance, total(credited - debited));
    }
}
