//! Each rule by an example: given, when, then.

use super::*;

fn eur(amount: &str) -> Money {
    Money::new(amount.parse().expect("a decimal"), currency("EUR"))
}

fn to(n: u128) -> Party {
    Party::AccountId(customer(n))
}

fn pay(debtor: Party, creditor: Party, amount: &str) -> Kind {
    Kind::Transfer(Transfer { debtor, creditor, money: eur(amount), allow_partial: false })
}

fn hold(debtor: Party, amount: &str, days: i64) -> Kind {
    let expires_at = later(days);
    Kind::Hold(PlaceHold {
        debtor,
        creditor: own("cards"),
        money: eur(amount),
        allow_partial: false,
        expires_at,
    })
}

fn capture(n: u128, amount: Option<&str>, keep_rest: bool) -> Kind {
    let amount = amount.map(|text| Amount(text.parse().expect("a decimal")));
    Kind::Capture(Capture { hold_id: id(n), amount, keep_rest })
}

fn reverse(n: u128, amount: Option<&str>) -> Kind {
    let amount = amount.map(|text| Amount(text.parse().expect("a decimal")));
    Kind::Reversal(Reversal { original_id: id(n), amount })
}

/// PostingState on which customer 0 has 100 and customers 2 and 3 have 500, by transfers 900 to
/// 902.
fn funded() -> PostingState {
    let mut accounts = accounts();
    accounts.push(Account::open_internal(AccountCode("cards".to_owned()), currency("EUR")));
    let mut books = PostingState::new(loaded(accounts));
    for (n, who, amount) in [(900, 0, "100"), (901, 2, "500"), (902, 3, "500")] {
        done(&mut books, n, pay(own("cash"), to(who), amount));
    }
    books
}

fn outcome(books: &mut PostingState, n: u128, kind: Kind) -> InstructionOutcome {
    books.submit(&author(), instruction(n, kind), now());
    books.known(id(n)).expect("the decision is in the state").record.outcome.clone()
}

fn done(books: &mut PostingState, n: u128, kind: Kind) {
    let outcome = outcome(books, n, kind);
    assert!(!matches!(outcome, InstructionOutcome::Rejected(_)), "{outcome:?}");
}

fn rejected(books: &mut PostingState, n: u128, kind: Kind, reason: RejectReason) {
    match outcome(books, n, kind) {
        InstructionOutcome::Rejected(rejected) => assert_eq!(rejected.reason, reason),
        other => panic!("{reason:?} expected, got {other:?}"),
    }
}

fn available(books: &PostingState, n: u128) -> Decimal {
    let available = books.account(customer(n)).and_then(Account::available);
    available.and_then(Total::decimal).expect("a customer")
}

/// Given changes of accounts, an kind is rejected for this reason.
fn check(given: &[(u128, AccountChange)], kind: Kind, then: RejectReason) {
    let mut books = funded();
    for (version, (n, event)) in (2..).zip(given) {
        books.follow(command(), (customer(*n), version), event, now());
    }
    rejected(&mut books, 1, kind, then);
}

#[test]
fn each_reason_has_its_rule() {
    use RejectReason as R;
    let frozen = |blocks| [(0, AccountChange::Frozen { blocks })];
    let empty = || PostingState::new(loaded(accounts()));
    check(&[], pay(own("cash"), to(0), "0"), R::AmountNotPositive);
    check(&[], pay(own("cash"), to(0), "0.001"), R::TooManyDigits);
    check(&[], pay(own("cash"), to(0), "1000000000000000.01"), R::AmountTooLarge);
    check(&[], hold(to(0), "1", 0), R::InvalidExpiry);
    check(&[], hold(to(0), "1", 401), R::InvalidExpiry);
    check(&[], pay(to(0), to(0), "1"), R::SameAccount);
    check(&[], capture(77, None, false), R::UnknownHold);
    check(&[], reverse(77, None), R::UnknownTransfer);
    check(&[], reverse(900, Some("100.01")), R::ExceedsOriginal);
    check(&[], pay(own("cash"), to(9), "1"), R::UnknownAccount);
    check(&frozen(Blocks::Both), pay(own("cash"), to(0), "1"), R::AccountFrozen);
    check(&frozen(Blocks::Debits), pay(to(0), own("cash"), "1"), R::AccountFrozen);
    check(&frozen(Blocks::Credits), pay(own("cash"), to(0), "1"), R::AccountFrozen);
    check(&[], pay(own("cash"), to(4), "1"), R::CurrencyMismatch);
    check(&[], pay(to(2), own("cash"), "80.01"), R::TransferLimit);
    check(&[], pay(to(0), to(1), "100.01"), R::InsufficientFunds);
    let closing = [(1, AccountChange::Closing { payout: None })];
    check(&closing, pay(own("cash"), to(1), "1"), R::AccountNotActive);
    let closed = [closing[0].clone(), (1, AccountChange::Closed)];
    check(&closed, pay(own("cash"), to(1), "1"), R::AccountClosed);

    let long = Some("x".repeat(141));
    let mut books = empty();
    let text = Instruction { reference: long, ..instruction(1, pay(own("cash"), to(0), "1")) };
    books.submit(&author(), text, now());
    let date = NaiveDate::from_ymd_opt(2200, 1, 1);
    let value = Instruction { value_date: date, ..instruction(2, pay(own("cash"), to(0), "1")) };
    books.submit(&author(), value, now());
    let booking =
        Instruction { booking_date: date, ..instruction(3, pay(own("cash"), to(0), "1")) };
    books.submit(&author(), booking, now());
    let reasons: Vec<_> = books
        .decided()
        .map(|decided| match &decided.record.outcome {
            InstructionOutcome::Rejected(decided) => Some(decided.reason),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, [R::InvalidText, R::InvalidValueDate, R::InvalidBookingDate].map(Some));
}

#[test]
fn legs_have_their_rules() {
    use RejectReason as R;
    let leg = |account, direction, amount| Leg { account, direction, money: eur(amount) };
    let debit = |amount| leg(own("cash"), Direction::Debit, amount);
    let credit = |n, amount| leg(to(n), Direction::Credit, amount);
    let of = |legs| Kind::MultiLeg(MultiLeg { legs });
    check(&[], of(vec![debit("1")]), R::TooFewLegs);
    check(&[], of(vec![debit("1"); 101]), R::TooManyLegs);
    check(&[], of(vec![debit("3"), credit(0, "1"), credit(1, "1")]), R::UnbalancedLegs);
    check(&[], of(vec![debit("2"), credit(0, "1"), credit(0, "1")]), R::SameAccount);
    let mut books = funded();
    done(&mut books, 1, of(vec![debit("3"), credit(0, "1"), credit(1, "2")]));
    assert_eq!(available(&books, 0), Decimal::from(101));
    check(
        &[],
        of(vec![leg(to(0), Direction::Debit, "101"), credit(1, "101")]),
        R::InsufficientFunds,
    );
    rejected(&mut books, 2, reverse(1, Some("1")), R::NotReversible);
    done(&mut books, 3, reverse(1, None));
    assert_eq!(available(&books, 0), Decimal::from(100));
    rejected(&mut books, 4, reverse(1, None), R::ExceedsOriginal);
    rejected(&mut books, 5, reverse(3, None), R::NotReversible);
}

#[test]
fn a_hold_is_captured_in_parts_and_never_twice() {
    use RejectReason as R;
    let mut books = funded();
    done(&mut books, 1, hold(to(0), "60", 1));
    assert_eq!(available(&books, 0), Decimal::from(40));
    rejected(&mut books, 2, pay(to(0), to(1), "40.01"), R::InsufficientFunds);
    done(&mut books, 3, capture(1, Some("10"), true));
    rejected(&mut books, 4, capture(1, Some("50.01"), true), R::ExceedsHold);
    rejected(&mut books, 5, capture(1, Some("0.001"), true), R::TooManyDigits);
    done(&mut books, 6, capture(1, Some("20"), false));
    assert_eq!(available(&books, 0), Decimal::from(70));
    rejected(&mut books, 7, capture(1, None, false), R::HoldCaptured);
    done(&mut books, 8, hold(to(0), "70", 1));
    done(&mut books, 9, Kind::Release(Release { hold_id: id(8) }));
    rejected(&mut books, 10, capture(8, None, false), R::HoldReleased);
    rejected(&mut books, 11, hold(to(0), "70.01", 1), R::InsufficientFunds);
    rejected(&mut books, 12, capture(11, None, false), R::UnknownHold);
    done(&mut books, 13, reverse(6, Some("5")));
    assert_eq!(available(&books, 0), Decimal::from(75));
}

#[test]
fn a_hold_is_over_when_its_time_is_whether_or_not_anybody_looked() {
    let mut books = funded();
    done(&mut books, 1, hold(to(0), "60", 1));
    let now = Now { instant: later(1), ..now() };
    books.submit(&author(), instruction(2, capture(1, None, false)), now);
    match &books.known(id(2)).expect("decided").record.outcome {
        InstructionOutcome::Rejected(rejected) => {
            assert_eq!(rejected.reason, RejectReason::HoldExpired);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(books.expire(id(1), super::now()), None, "the hold was not over before");
    assert_eq!(books.expire(id(1), now), Some(expiry_id(id(1))));
    assert_eq!(books.expire(id(1), now), None, "a hold ends once");
    assert_eq!(available(&books, 0), Decimal::from(100));
}

#[test]
fn limits_count_by_transfer_day_month_and_what_must_stay() {
    use RejectReason as R;
    let tomorrow = Now { today: now().today.succ_opt().expect("a day"), ..now() };
    let mut books = funded();
    done(&mut books, 1, pay(to(2), to(0), "80"));
    done(&mut books, 2, hold(to(2), "60", 1));
    rejected(&mut books, 3, pay(to(2), to(0), "10.01"), R::DailyLimit);
    done(&mut books, 4, Kind::Release(Release { hold_id: id(2) }));
    done(&mut books, 5, pay(to(2), to(0), "70"));
    rejected(&mut books, 6, pay(to(2), to(0), "0.01"), R::DailyLimit);
    // The 31st was the month's last day.
    books.submit(&author(), instruction(7, pay(to(2), to(0), "80")), tomorrow);
    books.submit(&author(), instruction(8, pay(to(2), to(0), "70")), tomorrow);
    let next = Now { today: tomorrow.today.succ_opt().expect("a day"), ..tomorrow };
    books.submit(&author(), instruction(9, pay(to(2), to(0), "50.01")), next);
    match &books.known(id(9)).expect("decided").record.outcome {
        InstructionOutcome::Rejected(rejected) => assert_eq!(rejected.reason, R::MonthlyLimit),
        other => panic!("{other:?}"),
    }
    let limits = Limits {
        overdraft: Some(Decimal::ZERO),
        minimum_balance: Some(Decimal::from(10)),
        ..Limits::default()
    };
    books.follow(command(), (customer(0), 2), &AccountChange::LimitsChanged { limits }, now());
    rejected(&mut books, 10, pay(to(0), to(1), "390.01"), R::MinimumBalance);
    done(
        &mut books,
        11,
        Kind::Transfer(Transfer {
            debtor: to(0),
            creditor: to(1),
            money: eur("1000"),
            allow_partial: true,
        }),
    );
    assert_eq!(available(&books, 0), Decimal::from(10));
}

#[test]
fn an_exchange_books_what_rounding_takes() {
    use RejectReason as R;
    let exchange = |rate: &str, sell: &str, rounding| {
        Kind::Exchange(Exchange {
            debtor: to(0),
            creditor: to(4),
            sell: eur(sell),
            buy: currency("JPY"),
            rate: Amount(rate.parse().expect("a decimal")),
            rounding,
        })
    };
    check(&[], exchange("0", "1", Rounding::Down), R::InvalidRate);
    check(&[], exchange("0.00000000001", "1", Rounding::Down), R::InvalidRate);
    check(&[], exchange("0.5", "0.01", Rounding::Down), R::AmountNotPositive);
    let same = Exchange {
        buy: currency("EUR"),
        ..match exchange("1", "1", Rounding::Down) {
            Kind::Exchange(exchange) => exchange,
            other => panic!("{other:?}"),
        }
    };
    check(&[], Kind::Exchange(same), R::SameCurrency);
    for (rounding, bought) in
        [(Rounding::HalfEven, 162), (Rounding::HalfUp, 163), (Rounding::Down, 162)]
    {
        let mut books = funded();
        done(&mut books, 1, exchange("162.5", "1", rounding));
        assert_eq!(available(&books, 4), Decimal::from(bought), "{rounding:?}");
        let all = all_accounts(&books);
        let yen =
            all.iter().filter(|account| account.currency == currency("JPY")).map(Account::balance);
        assert_eq!(Total::sum(yen), Some(Total::ZERO));
        done(&mut books, 2, reverse(1, None));
        assert_eq!(available(&books, 0), Decimal::from(100));
    }
}

#[test]
fn closing_moves_the_rest_to_the_payout_account() {
    let mut books = funded();
    let closing = |payout| AccountChange::Closing { payout };
    let close = |books: &mut PostingState, version, payout| {
        books.follow(command(), (customer(0), version), &closing(payout), now())
    };
    let refused = |followed| match followed {
        Applied::CloseRefused { reason, .. } => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(close(&mut books, 2, None)), CloseRefusal::BalanceNotZero);
    assert_eq!(refused(close(&mut books, 3, Some(customer(9)))), CloseRefusal::PayoutRejected);
    done(&mut books, 1, hold(to(0), "1", 1));
    assert_eq!(refused(close(&mut books, 4, Some(customer(1)))), CloseRefusal::HoldsOpen);
    done(&mut books, 2, Kind::Release(Release { hold_id: id(1) }));
    match close(&mut books, 5, Some(customer(1))) {
        Applied::Locked { payout: Some(transfer), .. } => {
            assert!(books.known(transfer).is_some(), "the payout is in the journal");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(available(&books, 1), Decimal::from(150), "100 and an overdraft of 50");
    assert_eq!(close(&mut books, 5, None), Applied::Quietly);
    let unknown = books.follow(command(), (customer(9), 1), &AccountChange::Unfrozen, now());
    assert_eq!(unknown, Applied::Early);
}

/// A closing arrives late, after a freeze: nothing is paid out, and the closing is refused. The
/// same closing after its answer, and the same freeze, have no answer.
#[test]
fn a_freeze_that_is_there_first_wins_over_a_closing() {
    let (frozen, closing) = (
        AccountChange::Frozen { blocks: Blocks::Both },
        AccountChange::Closing { payout: Some(customer(1)) },
    );
    let mut books = funded();
    let mut follow = |version, event| {
        let followed = books.follow(command(), (customer(0), version), event, now());
        (followed, books.account(customer(0)).map(|account| (account.status, account.balance())))
    };
    let untouched = Some((Status::Frozen, total(100.into())));
    assert_eq!(follow(3, &frozen), (Applied::Quietly, untouched));
    let (refused, account) = follow(2, &closing);
    let reason = CloseRefusal::AccountFrozen;
    let balance = total(100.into());
    assert_eq!(refused, Applied::CloseRefused { reason, balance, version: 2 });
    assert_eq!(account, untouched);
    assert_eq!(follow(3, &frozen), (Applied::Quietly, untouched));

    // The unfreezing is late, too: by the version that closes, the account was not frozen.
    let (locked, account) = follow(5, &closing);
    assert!(matches!(locked, Applied::Locked { payout: Some(_), .. }), "{locked:?}");
    assert_eq!(account, Some((Status::Locked, Total::ZERO)));
    for (version, late) in [(4, &AccountChange::Unfrozen), (2, &closing), (5, &closing)] {
        assert_eq!(follow(version, late), (Applied::Quietly, account), "{late:?}");
    }
}

/// Wider and narrower, each at once.
#[test]
fn a_freeze_takes_the_place_of_the_one_before() {
    let mut books = funded();
    for (version, blocks) in [(2, Blocks::Credits), (3, Blocks::Both), (4, Blocks::Debits)] {
        let frozen = AccountChange::Frozen { blocks };
        books.follow(command(), (customer(0), version), &frozen, now());
        let account = books.account(customer(0)).expect("the account is open");
        assert_eq!((account.status, account.blocked), (Status::Frozen, blocks));
    }
}

#[test]
fn what_is_closed_stays_closed_whatever_is_said_of_it() {
    let mut books = funded();
    let mut version = 1;
    for (given, then) in [
        // Nothing is on it: it is locked, and can only be closed.
        (AccountChange::Closing { payout: None }, Status::Locked),
        (AccountChange::Closed, Status::Closed),
        (AccountChange::Closing { payout: None }, Status::Closed),
    ] {
        for event in
            [given, AccountChange::Frozen { blocks: Blocks::Both }, AccountChange::Unfrozen]
        {
            version += 1;
            books.follow(command(), (customer(1), version), &event, now());
            let status = books.account(customer(1)).map(|account| account.status);
            assert_eq!(status, Some(then), "{event:?}");
        }
    }
}

#[test]
fn an_id_of_the_ledgers_own_is_nobody_elses() {
    let mut books = funded();
    done(&mut books, 1, hold(to(0), "5", 1));
    let own = Instruction {
        transfer_id: expiry_id(id(1)),
        ..instruction(2, pay(to(0), own("cash"), "1"))
    };
    let told = books.submit_all(&author(), vec![own.clone()], now());
    assert_eq!(told, [Submitted::Refused(own, RejectReason::ReservedId)]);
    let after = Now { instant: later(2), ..now() };
    assert_eq!(books.expire(id(1), after), Some(expiry_id(id(1))), "nobody was there first");
}

/// An unchanged value is not stored, and no internal account is opened for it.
#[test]
fn a_group_that_fails_changes_nothing() {
    let mut accounts = accounts();
    accounts.push(Account::open_internal(AccountCode("cards".to_owned()), currency("EUR")));
    let mut books = PostingState::new(loaded(accounts));
    done(&mut books, 900, pay(own("cash"), to(0), "100"));
    let before: Vec<Account> = books.changed().cloned().collect();
    let grouped = |n, kind| Instruction { group: Some(1), ..instruction(n, kind) };
    let group = vec![
        grouped(1, pay(to(0), own("cards"), "1")),
        grouped(2, hold(to(0), "1", 3)),
        grouped(3, reverse(1, None)),
        grouped(4, pay(to(0), own("cards"), "1000")),
    ];
    books.submit_all(&author(), group, now());
    assert_eq!(books.changed().cloned().collect::<Vec<_>>(), before);
    assert_eq!(books.changed_holds().count() + books.changed_reversed().count(), 0);
}
