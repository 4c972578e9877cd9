//! Booking dates: closed periods, dates that are too late, and clocks that go back.

use super::{asked::instruction, *};

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// 2026-01-31, with this day closed.
fn closed(through: &str) -> Now {
    let closed_through = Some(day(through));
    Now { bookable: BookingDates { closed_through, ..BookingDates::default() }, ..now() }
}

fn deposit(n: u128, booked: Option<&str>) -> Instruction {
    let (debtor, creditor) = (own("cash"), Party::AccountId(customer(0)));
    let money = Money::new(Decimal::TEN, currency("EUR"));
    let payment = Transfer { debtor, creditor, money, allow_partial: false };
    Instruction { booking_date: booked.map(day), ..instruction(n, Kind::Transfer(payment)) }
}

/// The booking date of an instruction, or the reason for its rejection.
fn told(
    books: &mut PostingState,
    instruction: Instruction,
    now: Now,
) -> Result<NaiveDate, RejectReason> {
    let id = instruction.transfer_id;
    books.submit(&author(), instruction, now);
    let record = &books.known(id).expect("the decision is in the state").record;
    match &record.outcome {
        InstructionOutcome::Rejected(rejected) => Err(rejected.reason),
        _ => Ok(record.booking_date),
    }
}

#[test]
fn nothing_is_booked_in_a_closed_period_or_later_than_the_bank_allows() {
    use RejectReason as R;
    for (booked, closed_through, expected) in [
        (Some("1993-06-01"), None, Ok(day("1993-06-01"))),
        (Some("2026-01-15"), Some("2026-01-15"), Err(R::PeriodClosed)),
        (Some("2025-01-01"), Some("2026-01-15"), Err(R::PeriodClosed)),
        (Some("2026-01-16"), Some("2026-01-15"), Ok(day("2026-01-16"))),
        (Some("2026-03-03"), None, Ok(day("2026-03-03"))),
        (Some("2026-03-04"), None, Err(R::BookingDateTooLate)),
        (Some("1899-12-31"), Some("2026-01-15"), Err(R::InvalidBookingDate)),
        (Some("2200-01-01"), None, Err(R::InvalidBookingDate)),
        (None, Some("2026-01-30"), Ok(day("2026-01-31"))),
    ] {
        let mut books = PostingState::new(loaded(accounts()));
        let now = closed_through.map_or_else(now, closed);
        let told = told(&mut books, deposit(1, booked), now);
        assert_eq!(told, expected, "{booked:?} with {closed_through:?} closed");
    }
}

#[test]
fn a_reversal_of_a_closed_day_and_what_the_ledger_does_go_into_the_open_period() {
    let mut books = PostingState::new(loaded(accounts()));
    let earlier = told(&mut books, deposit(1, Some("2026-01-10")), now());
    assert_eq!(earlier, Ok(day("2026-01-10")));
    let reverse = Kind::Reversal(Reversal { original_id: id(1), amount: None });
    let back = told(&mut books, instruction(2, reverse), closed("2026-01-20"));
    assert_eq!(back, Ok(day("2026-01-31")));
    // An earlier outcome is repeated, also if its period was closed since.
    let again = books.submit(&author(), deposit(1, Some("2026-01-10")), closed("2026-01-20"));
    assert_eq!(again, Submitted::Known(id(1)));
    // A clock that was set back to a closed day books on the first open one.
    let today = told(&mut books, deposit(3, None), closed("2026-02-10"));
    assert_eq!(today, Ok(day("2026-02-11")));
}

/// A limit of 150 a day and 200 a month (customer 2), and a clock that goes back over midnight.
#[test]
fn a_clock_that_goes_back_gives_no_limit_back() {
    use RejectReason as R;
    let mut books = PostingState::new(loaded(accounts()));
    let fund = Kind::Transfer(Transfer {
        debtor: own("cash"),
        creditor: Party::AccountId(customer(2)),
        money: Money::new(Decimal::from(1_000), currency("EUR")),
        allow_partial: false,
    });
    books.submit(&author(), instruction(1, fund), now());
    let pay = |n, amount: i64| {
        let (debtor, creditor) = (Party::AccountId(customer(2)), own("cash"));
        let money = Money::new(Decimal::from(amount), currency("EUR"));
        instruction(n, Kind::Transfer(Transfer { debtor, creditor, money, allow_partial: false }))
    };
    let (before, after) = (at_noon(day("2026-01-31")), at_noon(day("2026-02-01")));
    for (n, amount, when, expected) in [
        (2, 80, after, Ok(day("2026-02-01"))),
        (3, 70, before, Ok(day("2026-01-31"))),
        (4, 1, before, Err(R::DailyLimit)),
        (5, 1, after, Err(R::DailyLimit)),
        (6, 50, at_noon(day("2026-02-02")), Ok(day("2026-02-02"))),
        (7, 1, at_noon(day("2026-01-30")), Err(R::MonthlyLimit)),
    ] {
        assert_eq!(told(&mut books, pay(n, amount), when), expected, "{n}");
    }
}
