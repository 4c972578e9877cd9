//! Closing: all months that were over are settled, whenever the account is closed.

use super::{
    interest::{bearings, books, day, percent, terms},
    *,
};
use chrono::Datelike;

/// A month of customer 0 that is due since January, on 36.5 % or the opposite: 1 a day for 1,000.
fn january(balance: i64, terms: InterestTerms) -> DueMonth {
    let bearing =
        Bearing { terms: vec![terms], balances: vec![(day("2026-01-01"), balance.into())] };
    let (credited, debited) = (Decimal::ZERO, Decimal::ZERO);
    DueMonth { account: customer(0), month: day("2026-01-01"), bearing, credited, debited }
}

fn bearing_both() -> InterestTerms {
    terms("2026-01-01", "36.5", "36.5", DayCount::Act365)
}

/// A state, and the interest of the accounts that are closed in it.
struct Closable {
    state: PostingState,
    settlement: Settlement,
}

impl std::ops::Deref for Closable {
    type Target = PostingState;

    fn deref(&self) -> &PostingState {
        &self.state
    }
}

impl std::ops::DerefMut for Closable {
    fn deref_mut(&mut self) -> &mut PostingState {
        &mut self.state
    }
}

/// A state with this balance on customer 0, whose interest is due as given.
fn funded(balance: i64, due: Option<DueMonth>) -> Closable {
    let own = ["interest_paid", "interest_received", "fees"]
        .map(|code| Account::open_internal(AccountCode(code.to_owned()), currency("EUR")));
    let mut accounts: Vec<Account> = accounts().into_iter().chain(own).collect();
    let account = accounts
        .iter_mut()
        .find(|account| account.id == customer(0))
        .expect("the account is in the state");
    match balance < 0 {
        true => account.posted_debits = total((-balance).into()),
        false => account.posted_credits = total(balance.into()),
    }
    let settlement = Settlement::new([(customer(0), due)].into());
    Closable { state: PostingState::new(loaded(accounts)), settlement }
}

fn close(books: &mut Closable, on: &str, payout: Option<AccountId>) -> Applied {
    let closing = AccountChange::Closing { payout };
    let version = books.account(customer(0)).map_or(0, |account| account.applied_status) + 1;
    let Closable { state, settlement } = books;
    let key = (customer(0), version);
    account_lifecycle::apply(state, settlement, command(), key, &closing, at_noon(day(on)))
}

fn refused(followed: &Applied) -> (CloseRefusal, Total) {
    match followed {
        Applied::CloseRefused { reason, balance, .. } => (*reason, *balance),
        other => panic!("{other:?}"),
    }
}

fn paid_out(books: &Closable, followed: &Applied) -> Decimal {
    let Applied::Locked { payout: Some(transfer), .. } = followed else { panic!("{followed:?}") };
    let record = &books.known(*transfer).expect("the payout is in the journal").record;
    record.posted_legs()[0].money.amount.decimal()
}

#[test]
fn months_that_are_over_are_paid_out_and_the_one_that_has_begun_as_the_terms_say() {
    let pay = InterestTerms { at_closing: AtClosing::Pay, ..bearing_both() };
    // 31 days of January at 1 a day; February on 1,031, and nine days of March on 1,059.87 (1,031 +
    // 28 x 1.031 = 28.868).
    for (terms, on, paid) in [
        (bearing_both(), "2026-01-31", "1000"),
        (bearing_both(), "2026-02-01", "1031"),
        (bearing_both(), "2026-02-28", "1031"),
        (bearing_both(), "2026-03-10", "1059.87"),
        (pay.clone(), "2026-03-01", "1059.87"),
        (pay.clone(), "2026-03-10", "1069.41"),
        (pay, "2026-01-02", "1001"),
    ] {
        let mut books = funded(1_000, Some(january(1_000, terms)));
        let closed = close(&mut books, on, Some(customer(1)));
        assert_eq!(paid_out(&books, &closed), paid.parse().expect("a decimal"), "on {on}");
        assert_eq!(books.account(customer(0)).map(|account| account.status), Some(Status::Locked));
        let months: Vec<u32> = books
            .settlement
            .capitalised_by(command())
            .iter()
            .map(|month| month.month.month())
            .collect();
        let numbered: Vec<u32> = (1..).take(months.len()).collect();
        assert_eq!(months, numbered, "on {on}");
    }
}

#[test]
fn what_is_due_is_not_lost_where_no_payout_is_given() {
    let mut books = funded(0, Some(january(1_000, bearing_both())));
    let told = refused(&close(&mut books, "2026-02-03", None));
    assert_eq!(told, (CloseRefusal::BalanceNotZero, total(31.into())));
    assert_eq!(books.account(customer(0)).map(Account::balance), Some(total(31.into())));
    let told = refused(&close(&mut books, "2026-02-03", Some(customer(9))));
    assert_eq!(told, (CloseRefusal::PayoutRejected, total(31.into())));
    let closed = close(&mut books, "2026-02-03", Some(customer(1)));
    assert_eq!(paid_out(&books, &closed), Decimal::from(31), "January is settled once");
}

#[test]
fn debit_interest_and_fees_that_are_owed_refuse_the_closing() {
    let fee = InterestTerms { statement_fee: Some(percent("2.50")), ..bearing_both() };
    let mut books = funded(0, Some(january(-1_000, fee)));
    let told = refused(&close(&mut books, "2026-02-03", Some(customer(1))));
    assert_eq!(told, (CloseRefusal::InterestOwed, total(Decimal::new(-3_350, 2))));
    // It is booked, and the account goes on.
    let account = books.account(customer(0)).expect("the account is in the state");
    assert_eq!(
        (account.status, account.balance()),
        (Status::Active, total(Decimal::new(-3_350, 2)))
    );
    let told = refused(&close(&mut books, "2026-02-03", None));
    assert_eq!(told, (CloseRefusal::BalanceNotZero, total(Decimal::new(-3_350, 2))));

    // Of the month that has begun nothing is booked where the account is not closed.
    let pay = InterestTerms { at_closing: AtClosing::Pay, ..bearing_both() };
    let mut books = funded(0, Some(january(-1_000, pay)));
    let told = refused(&close(&mut books, "2026-01-11", None));
    assert_eq!(told, (CloseRefusal::InterestOwed, total(Decimal::from(-10))));
    assert_eq!(books.decided().count(), 0);
    assert_eq!(books.settlement.all_capitalised().count(), 0);
}

#[test]
fn what_cannot_be_settled_refuses_the_closing() {
    let mut books = funded(1_000, None);
    let told = refused(&close(&mut books, "2026-02-03", Some(customer(1))));
    assert_eq!(told.0, CloseRefusal::InterestNotSettled, "its terms cannot be read");

    let mut accounts = accounts();
    let paid = internal_account_id(&AccountCode("interest_paid".to_owned()), currency("EUR"));
    accounts.push(Account::open(paid, currency("USD"), Limits::default(), 1));
    let due = Some(january(1_000, bearing_both()));
    let settlement = Settlement::new([(customer(0), due)].into());
    let mut books = Closable { state: PostingState::new(loaded(accounts)), settlement };
    let told = refused(&close(&mut books, "2026-02-03", None));
    assert_eq!(told.0, CloseRefusal::InterestNotSettled, "somebody else has the bank's account");
}

/// The close arrives with the unfreeze, and with money that is dated back.
#[test]
fn what_is_booked_in_the_same_batch_bears_interest() {
    let mut books = funded(0, Some(january(0, bearing_both())));
    let deposit = Kind::Transfer(Transfer {
        debtor: own("cash"),
        creditor: Party::AccountId(customer(0)),
        money: Money::new(1_000.into(), currency("EUR")),
        allow_partial: false,
    });
    let dated = Some(day("2026-01-22"));
    let dated = Instruction { value_date: dated, ..instruction(1, deposit) };
    books.submit(&author(), dated, at_noon(day("2026-02-03")));
    let frozen = AccountChange::Frozen { blocks: Blocks::Both };
    books.follow(command(), (customer(0), 2), &frozen, now());
    books.follow(command(), (customer(0), 3), &AccountChange::Unfrozen, now());
    let closed = close(&mut books, "2026-02-03", Some(customer(1)));
    assert_eq!(paid_out(&books, &closed), Decimal::from(1_010));
}

proptest! {
    /// On any day of closing: the sum of all capitalised interest is the sum of all days that the
    /// terms settle, with the postings in between, rounded once.
    #[test]
    fn what_is_settled_in_all_is_the_sum_of_the_days_rounded_once(
        bearing in bearings(), after in 0_u64..700, pays in any::<bool>(),
    ) {
        let on = day("2025-06-02") + chrono::Days::new(after);
        let rule = if pays { AtClosing::Pay } else { AtClosing::Forfeit };
        let mut bearing = bearing;
        bearing.terms.iter_mut().for_each(|terms| terms.at_closing = rule);
        let begun = on.with_day(1).expect("a first day");
        let (month, nothing) = (bearing.since().expect("terms").with_day(1), Decimal::ZERO);
        let due = DueMonth {
            account: customer(0),
            month: month.expect("a first day"),
            bearing: bearing.clone(),
            credited: nothing,
            debited: nothing,
        };
        let rich = 900_000_000_000_000;
        let mut books = funded(rich, Some(due));
        let closed = close(&mut books, &on.to_string(), Some(customer(1)));
        let months = books.settlement.capitalised_by(command()).iter().map(Capitalised::to_holder);
        let interest = Total::sum(months).and_then(Total::decimal).expect("the interest fits");
        prop_assert_eq!(paid_out(&books, &closed), Decimal::from(rich) + interest);

        for record in books.decided().map(|decided| &decided.record) {
            let legs = record.posted_legs().iter();
            let legs = legs.filter(|leg| leg.account.account_id == customer(0));
            for leg in legs.filter(|_| record.value_date < on) {
                let amount = leg.money.amount.decimal();
                let is_debit = leg.direction == Direction::Debit;
                let amount = if is_debit { -amount } else { amount };
                bearing.add(record.value_date, amount).expect("the interest fits");
            }
        }
        let has_terms = bearing.terms_on(on).is_some();
        let until = if pays && has_terms { on } else { begun };
        let accrued = bearing.accrued_until(until.pred_opt().expect("a day"));
        let (credit, debit) = accrued.expect("the interest fits");
        let (credit, debit) = (credit.round_dp(2), debit.round_dp(2));
        prop_assert_eq!(interest, credit - debit);
    }
}

#[test]
fn an_account_without_terms_is_closed_as_ever() {
    let mut books = Closable { state: books(), settlement: Settlement::default() };
    let closed = close(&mut books, "2026-02-03", None);
    assert!(matches!(closed, Applied::Locked { payout: None, .. }), "{closed:?}");
}
