//! At the bounds: instructions with the largest numbers neither panic nor lose a digit, and every
//! record can be read again. The sums here are computed from text, by none of the code above.

use super::*;
use crate::{
    interest::TooMuchInterest,
    journal::repo::{Beside, StoredRecord},
    wire,
};

/// A number as whole units of 10^-14.
pub(crate) fn units(text: &str) -> i128 {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    assert!(part.len() <= 14, "{text}");
    format!("{whole}{part:0<14}").parse().expect(text)
}

pub(crate) fn number(text: &str) -> Decimal {
    Decimal::from_str_exact(text).expect(text)
}

const CURRENCIES: [&str; 4] = ["EUR", "JPY", "KWD", "CLF"];

fn big_customer(n: usize) -> AccountId {
    customer(100 + u128::try_from(n).expect("few"))
}

/// A customer of each currency with the largest overdraft, and the bank's own accounts, on which
/// there is almost as much as there can be.
fn full_accounts() -> Vec<Account> {
    let mut all = vec![];
    for (n, code) in CURRENCIES.into_iter().enumerate() {
        let currency = currency(code);
        let most = currency.amount_max();
        let limits = Limits {
            overdraft: Some(most),
            daily: Some(most),
            monthly: (n % 2 == 0).then_some(most),
            ..Limits::default()
        };
        all.push(Account::open(big_customer(n), currency, limits, 1));
        for own in ["cash", "fx_position", "fx_rounding"] {
            let mut account = Account::open_internal(AccountCode(own.to_owned()), currency);
            let almost = currency.balance_end() - most;
            // As many digits after the point as there is place for.
            let whole = almost.trunc().to_string().len();
            let digits = &"0.12345678901234"[..2 + (28 - whole).min(14)];
            let digits = if own == "fx_position" { number(digits) } else { Decimal::ZERO };
            account.posted_debits = total(almost.trunc()).plus(total(digits)).expect("a total");
            account.posted_credits = total(Decimal::from(n));
            all.push(account);
        }
    }
    all
}

fn big_parties() -> impl Strategy<Value = Party> {
    prop_oneof![
        3 => (0..CURRENCIES.len()).prop_map(|n| Party::AccountId(big_customer(n))),
        2 => Just(own("cash")),
        1 => Just(own("fx_position")),
    ]
}

/// Amounts up to the largest, and beyond it.
fn big_money() -> impl Strategy<Value = Money> {
    let amount = prop_oneof![
        3 => Just(None),
        3 => (1_i64..=i64::MAX, 0_u32..5).prop_map(|(n, scale)| Some(Decimal::new(n, scale))),
        1 => (0_u32..29).prop_map(|scale| {
            Some(Decimal::from_i128_with_scale(79_228_162_514_264_337_593_543_950_335, scale))
        }),
    ];
    (0..CURRENCIES.len(), amount).prop_map(|(n, amount)| {
        let currency = currency(CURRENCIES[n]);
        Money::new(amount.unwrap_or(currency.amount_max()), currency)
    })
}

fn big_rates() -> impl Strategy<Value = Amount> {
    let any = (1_i64..=i64::MAX, 0_u32..12).prop_map(|(n, scale)| Decimal::new(n, scale));
    let near_one = (1_i64..20_000_000_000).prop_map(|n| Decimal::new(n, 10));
    prop_oneof![1 => any, 4 => near_one].prop_map(Amount)
}

fn big_actions() -> impl Strategy<Value = Kind> {
    let part = || prop::option::of(big_money().prop_map(|n| n.amount));
    let two = || (big_parties(), big_parties(), big_money(), any::<bool>());
    let transfer = two().prop_map(|(debtor, creditor, money, allow_partial)| {
        Kind::Transfer(Transfer { debtor, creditor, money, allow_partial })
    });
    let hold = two().prop_map(|(debtor, creditor, money, allow_partial)| {
        Kind::Hold(PlaceHold { debtor, creditor, money, allow_partial, expires_at: later(1) })
    });
    let capture = (0_u128..40, part(), any::<bool>()).prop_map(|(n, amount, keep_rest)| {
        Kind::Capture(Capture { hold_id: id(n), amount, keep_rest })
    });
    let release = (0_u128..40).prop_map(|n| Kind::Release(Release { hold_id: id(n) }));
    let reverse = (0_u128..40, part())
        .prop_map(|(n, amount)| Kind::Reversal(Reversal { original_id: id(n), amount }));
    let legs = two().prop_map(|(debtor, creditor, money, _)| {
        let leg = |account, direction| Leg { account, direction, money };
        let legs = vec![leg(debtor, Direction::Debit), leg(creditor, Direction::Credit)];
        Kind::MultiLeg(MultiLeg { legs })
    });
    let exchange = (two(), 0..CURRENCIES.len(), big_rates()).prop_map(
        |((debtor, creditor, sell, _), buy, rate)| {
            let (buy, rounding) = (currency(CURRENCIES[buy]), Rounding::HalfEven);
            Kind::Exchange(Exchange { debtor, creditor, sell, buy, rate, rounding })
        },
    );
    prop_oneof![
        4 => transfer,
        2 => hold,
        2 => capture,
        1 => release,
        2 => reverse,
        1 => legs,
        4 => exchange
    ]
}

/// The balances of all accounts of each currency, from text.
fn sums(books: &PostingState) -> BTreeMap<Currency, i128> {
    let mut sums = BTreeMap::new();
    for account in full_accounts() {
        let account = books.account(account.id).expect("the account is in the state");
        *sums.entry(account.currency).or_default() += units(&account.balance().to_string());
    }
    sums
}

/// Every amount of a record, as its text.
fn amounts(json: &serde_json::Value, found: &mut Vec<String>) {
    match json {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                let is_amount = matches!(
                    name.as_str(),
                    "amount" | "balance" | "available" | "remaining" | "released"
                );
                match value.as_str().filter(|_| is_amount) {
                    Some(text) => found.push(text.to_owned()),
                    None => amounts(value, found),
                }
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| amounts(item, found)),
        _ => {}
    }
}

/// Debits equal credits; all numbers of the outcome are amounts as the contract has them; the
/// record is read as it was written.
pub(crate) fn check_record(decided: &Decided) -> Result<(), TestCaseError> {
    let Instruction { reference, end_to_end_id, .. } = decided.record.instruction.clone();
    let stored = StoredRecord {
        digest: decided.digest,
        text: stored_record::stored(decided).to_text(),
        beside: Beside { reference, end_to_end_id, salt: decided.texts.salt() },
    };
    let again = stored_record::decided(stored).expect("a readable record");
    prop_assert_eq!(decided, &again);
    let mut found = vec![];
    amounts(
        &serde_json::to_value(wire::outcome(&decided.record.outcome)).expect("JSON"),
        &mut found,
    );
    for amount in found {
        let digits = amount.bytes().filter(u8::is_ascii_digit).count();
        prop_assert!(digits <= 28, "{} has {} digits", amount, digits);
    }
    let mut legs = BTreeMap::<Currency, i128>::new();
    for leg in decided.record.posted_legs() {
        let amount = units(&leg.money.amount.to_string());
        let signed = if leg.direction == Direction::Debit { -amount } else { amount };
        *legs.entry(leg.money.currency).or_default() += signed;
    }
    prop_assert!(legs.values().all(|sum| *sum == 0), "{:?}", legs);
    Ok(())
}

proptest! {
    #[test]
    fn nothing_panics_and_no_digit_is_lost_at_the_bounds(
        all in prop::collection::vec(big_actions(), 1..40),
    ) {
        let mut books = PostingState::new(loaded(full_accounts()));
        let before = sums(&books);
        for (n, kind) in (0..).zip(all) {
            let was: Vec<Account> =
                full_accounts().iter().filter_map(|full| books.account(full.id).cloned()).collect();
            books.submit_all(&author(), vec![instruction(n, kind)], now());
            let decided = books.known(id(n)).expect("the decision is in the state").clone();
            check_record(&decided)?;
            // The balance after a leg is the balance before, plus the leg.
            for was in was {
                let mut legs = decided.record.posted_legs().iter();
                let leg = legs.find(|leg| leg.account.account_id == was.id);
                let change = leg.map_or(0, |leg| {
                    let amount = units(&leg.money.amount.to_string());
                    if leg.direction == Direction::Debit { -amount } else { amount }
                });
                let now = books.account(was.id).expect("the account is in the state");
                let expected = units(&was.balance().to_string()) + change;
                prop_assert_eq!(units(&now.balance().to_string()), expected);
                prop_assert!(now.after().is_some(), "{:?} cannot be told", now);
                for pending in [now.pending_debits, now.pending_credits] {
                    prop_assert!(pending >= Total::ZERO && pending.amount().is_some());
                }
            }
            prop_assert_eq!(sums(&books), before.clone());
        }
        // The rest of every hold is released, also after other postings.
        for n in 0..40 {
            books.expire(id(n), Now { instant: later(2), ..now() });
        }
        prop_assert!(books.changed_holds().all(|held| held.remaining.is_zero()));
        prop_assert_eq!(sums(&books), before);
    }

    #[test]
    fn interest_never_panics_and_is_right_to_its_last_digit(
        mantissa in 1 - 10_i128.pow(28)..10_i128.pow(28),
        scale in 0_u32..5,
        rate in 0_i64..=1_000_000_000,
        count in prop_oneof![Just(DayCount::Act365), Just(DayCount::ThirtyE360)],
    ) {
        let balance = Decimal::from_i128_with_scale(mantissa, scale);
        let bearing = bearing(balance, Amount(Decimal::new(rate, 6)), count);
        let until = NaiveDate::from_ymd_opt(2036, 1, 31).expect("a day");
        let _ = bearing.accrued_until(until);
        for day in [1, 28, 31].map(|day| NaiveDate::from_ymd_opt(2026, 1, day).expect("a day")) {
            let Ok(Some(line)) = bearing.accrued_on(day) else { continue };
            let accrued = line.accrued.decimal();
            prop_assert!(accrued.scale() <= 10, "{line:?}");
            let mut at_ten = accrued.mantissa() * 10_i128.pow(10 - accrued.scale());
            // Twice the error, in units of 10^-10 / (100 * of * 10^scale), is at most one unit.
            let below = 100 * i128::from(line.of);
            let exact = (mantissa * i128::from(line.days)).checked_mul(i128::from(rate));
            let Some(exact) = exact else { continue };
            // exact / 10^(scale + 6) / below is what accrued: compare at 10^-10.
            let power = 10_i128.pow(scale + 6);
            let Some(top) = exact.checked_mul(10_i128.pow(10) / power.min(10_i128.pow(10))) else {
                continue;
            };
            let below = below * (power / power.min(10_i128.pow(10)));
            at_ten = at_ten.checked_mul(below).expect("no more than the product") - top;
            prop_assert!(2 * at_ten.abs() <= below, "{line:?}");
        }
    }
}

fn bearing(balance: Decimal, rate: Amount, day_count: DayCount) -> Bearing {
    let first = NaiveDate::from_ymd_opt(2026, 1, 1).expect("a day");
    let terms = InterestTerms {
        valid_from: first,
        credit_rate: rate,
        debit_rate: rate,
        day_count,
        rounding: Rounding::HalfEven,
        statement_fee: None,
        at_closing: AtClosing::Forfeit,
    };
    Bearing { terms: vec![terms], balances: vec![(first, balance)] }
}

#[test]
fn interest_of_large_balances_was_computed_elsewhere() {
    let february = NaiveDate::from_ymd_opt(2026, 2, 28).expect("a day");
    for (balance, rate, count, accrued) in [
        ("9999999999999999.99", "1000", DayCount::ThirtyE360, "833333333333333.3325"),
        ("-9999999999999999.99", "999.999999", DayCount::Act365, "-273972602465753.4243835616"),
        ("99999999999999.9999", "999.999999", DayCount::ThirtyE360, "8333333324999.9999916667"),
        ("999999999999999999", "1000", DayCount::ThirtyE360, "83333333333333333.25"),
        ("0.01", "0.000001", DayCount::Act365, "0"),
    ] {
        let line = bearing(number(balance), Amount(number(rate)), count).accrued_on(february);
        let line = line.expect("it fits").expect("there are terms");
        assert_eq!(line.accrued.to_string(), accrued, "{balance} at {rate}");
    }
    let too_much = bearing(
        number("98765432109876543210987.6543"),
        Amount(number("999.999999")),
        DayCount::ThirtyE360,
    );
    assert_eq!(too_much.accrued_on(february), Err(TooMuchInterest));
    assert_eq!(too_much.accrued_until(february), Err(TooMuchInterest));
}
