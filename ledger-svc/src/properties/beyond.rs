//! Beyond the bounds, by examples: rejections and their reasons, and the correction of balances
//! that an old version of the ledger has left.

use super::{
    bounds::{check_record, number, units},
    *,
};

fn exchange(
    debtor: Party,
    creditor: Party,
    sell: &str,
    (from, to): (&str, &str),
    rate: &str,
) -> Kind {
    Kind::Exchange(Exchange {
        debtor,
        creditor,
        sell: Money::new(number(sell), currency(from)),
        buy: currency(to),
        rate: Amount(number(rate)),
        rounding: Rounding::HalfEven,
    })
}

/// The bank's own accounts for an exchange of EUR into USD.
fn positions() -> Vec<Account> {
    let codes = ["cash", "fx_position", "fx_rounding"];
    let all = ["EUR", "USD"].into_iter().flat_map(|money| codes.map(|code| (code, money)));
    all.map(|(code, money)| Account::open_internal(AccountCode(code.to_owned()), currency(money)))
        .collect()
}

fn reason(books: &PostingState, n: u128) -> Option<RejectReason> {
    match &books.known(id(n)).expect("the decision is in the state").record.outcome {
        InstructionOutcome::Rejected(rejected) => Some(rejected.reason),
        InstructionOutcome::Posted(_)
        | InstructionOutcome::Held(_)
        | InstructionOutcome::Released(_) => None,
    }
}

#[test]
fn the_eleventh_exchange_of_the_largest_amount_is_rejected_and_one_taken_back_makes_room() {
    let mut books = PostingState::new(loaded(positions()));
    let ask = |n, kind| instruction(n, kind);
    let large =
        || exchange(own("cash"), own("cash"), "999999999999999.99", ("EUR", "USD"), "0.9876543211");
    for n in 0..11 {
        books.submit(&author(), ask(n, large()), now());
    }
    let reasons: Vec<_> = (0..11).map(|n| reason(&books, n)).collect();
    assert!(reasons[..10].iter().all(Option::is_none), "{reasons:?}");
    assert_eq!(reasons[10], Some(RejectReason::BalanceTooLarge));
    let back = Kind::Reversal(Reversal { original_id: id(3), amount: None });
    books.submit(&author(), ask(20, back), now());
    books.submit(&author(), ask(21, large()), now());
    assert_eq!((reason(&books, 20), reason(&books, 21)), (None, None));
    // After any number of exchanges to and fro the sums of all postings still fit.
    for n in 0..500 {
        let [there, back] = [100 + 2 * n, 101 + 2 * n];
        books.submit(
            &author(),
            ask(
                there,
                Kind::Reversal(Reversal {
                    original_id: id(if n == 0 { 21 } else { there - 1 }),
                    amount: None,
                }),
            ),
            now(),
        );
        books.submit(&author(), ask(back, large()), now());
        assert_eq!((reason(&books, there), reason(&books, back)), (None, None), "{n}");
    }
    let position = internal_account_id(&AccountCode::fx_position(), currency("USD"));
    let debits =
        books.account(position).expect("the account is in the state").posted_debits.to_string();
    assert_eq!(units(&debits), 511 * units("987654321099999.990123456789"));
}

#[test]
fn a_product_without_place_for_its_digits_is_rejected() {
    let codes = ["cash", "fx_position", "fx_rounding"];
    let own_of = |money| {
        codes.map(|code| Account::open_internal(AccountCode(code.to_owned()), currency(money)))
    };
    let accounts = ["CLF", "USD", "EUR"].into_iter().flat_map(own_of).collect();
    let mut books = PostingState::new(loaded(accounts));
    for (n, sell, pair, rate, then) in [
        (1, "99999999999999.9999", ("CLF", "USD"), "0.9876543211", None),
        (
            2,
            "99999999999999.9999",
            ("CLF", "USD"),
            "9.8765432111",
            Some(RejectReason::AmountTooLarge),
        ),
        (3, "100000000000000", ("CLF", "USD"), "1", Some(RejectReason::AmountTooLarge)),
        (
            4,
            "0.01",
            ("EUR", "USD"),
            "99999999999999999999999999.99",
            Some(RejectReason::AmountTooLarge),
        ),
        (
            5,
            "1",
            ("EUR", "USD"),
            "79228162514264337593543950335",
            Some(RejectReason::AmountTooLarge),
        ),
        (6, "0.01", ("EUR", "USD"), "0.0000000001", Some(RejectReason::AmountNotPositive)),
        (7, "1", ("EUR", "USD"), "0.00000000001", Some(RejectReason::InvalidRate)),
    ] {
        let kind = exchange(own("cash"), own("cash"), sell, pair, rate);
        books.submit(&author(), instruction(n, kind), now());
        assert_eq!(reason(&books, n), then, "{sell} at {rate}");
    }
}

#[test]
fn digits_that_an_old_version_left_are_taken_off_and_the_balance_can_be_brought_down() {
    let mut accounts = positions();
    let position = internal_account_id(&AccountCode::fx_position(), currency("USD"));
    for account in &mut accounts {
        let code = account.code.as_ref().map(|code| code.0.as_str());
        let side = |text: &str| text.parse::<Total>().expect("a total");
        // A hundred exchanges: 17 digits and 12 behind the point.
        match (code, account.currency.code()) {
            (Some("cash"), "EUR") => account.posted_debits = side("95000000000000000"),
            (Some("fx_position"), "EUR") => account.posted_credits = side("95000000000000000"),
            (Some("cash"), "USD") => account.posted_credits = side("98765432109999999.01"),
            (Some("fx_position"), "USD") => {
                account.posted_debits = side("98765432109999999.012345678901");
            }
            _ => {}
        }
    }
    let mut books = PostingState::new(loaded(accounts));
    let small = || exchange(own("cash"), own("cash"), "0.01", ("EUR", "USD"), "1.0000000001");
    let sell = |amount| exchange(own("cash"), own("cash"), amount, ("USD", "EUR"), "1");
    assert_eq!(books.account(position).and_then(Account::after), None);
    books.submit(&author(), instruction(1, small()), now());
    books.submit(&author(), instruction(2, sell("1")), now());
    let too_large = Some(RejectReason::BalanceTooLarge);
    assert_eq!((reason(&books, 1), reason(&books, 2)), (too_large, too_large));
    let off = books.take_digits_off(position, now()).expect("there are digits to take off");
    assert_eq!(books.take_digits_off(position, now()), None, "once");
    check_record(books.known(off).expect("the payout is in the journal")).expect("a record as any");
    let balance =
        |books: &PostingState| books.account(position).expect("there").balance().to_string();
    assert_eq!(balance(&books), "-98765432109999999.01");
    books.submit(&author(), instruction(3, small()), now());
    assert_eq!(reason(&books, 3), too_large, "it would grow");
    for n in 4..94 {
        books.submit(&author(), instruction(n, sell("1000000000000000")), now());
        assert_eq!(reason(&books, n), None, "{n}");
    }
    assert_eq!(balance(&books), "-8765432109999999.01");
    books.submit(&author(), instruction(100, small()), now());
    assert_eq!(reason(&books, 100), None, "there is room again");
}
