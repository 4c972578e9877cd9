//! Random instructions of several legs, and random exchanges.

use super::*;

pub(super) fn legs() -> impl Strategy<Value = Action> {
    let shares = prop::collection::vec((parties(), monies()), 0..4);
    let random = (shares, parties(), -1_i64..2).prop_map(|(shares, first, off)| {
        let total: Decimal = shares.iter().map(|(_, money)| money.amount.decimal()).sum();
        let off = if off == 1 { Decimal::ONE } else { Decimal::ZERO };
        let leg = |account, direction, money| Leg { account, direction, money };
        let debit = leg(first, Direction::Debit, Money::new(total + off, currency("EUR")));
        let credits = shares.into_iter().map(|(party, money)| leg(party, Direction::Credit, money));
        Action::Legs(Legs { legs: std::iter::once(debit).chain(credits).collect() })
    });
    let pairs = prop::collection::vec((0..CUSTOMERS, any::<bool>(), 1_i64..5_000), 1..4);
    let balanced = pairs.prop_map(|pairs| {
        let mut sums = std::collections::BTreeMap::<Currency, Decimal>::new();
        let mut legs = vec![];
        for (n, out, cents) in pairs {
            let currency = currency_of(n);
            let amount = Decimal::new(cents, 2).round_dp(currency.digits()) + Decimal::ONE;
            let direction = if out { Direction::Debit } else { Direction::Credit };
            *sums.entry(currency).or_default() += if out { amount } else { -amount };
            let account = Party::AccountId(customer(n));
            legs.push(Leg { account, direction, money: Money::new(amount, currency) });
        }
        for (currency, rest) in sums.into_iter().filter(|(_, rest)| !rest.is_zero()) {
            let out = rest.is_sign_negative();
            let direction = if out { Direction::Debit } else { Direction::Credit };
            let money = Money::new(rest.abs(), currency);
            legs.push(Leg { account: own("cash"), direction, money });
        }
        Action::Legs(Legs { legs })
    });
    let leg = Leg {
        account: own("cash"),
        direction: Direction::Debit,
        money: Money::new(Decimal::ONE, currency("EUR")),
    };
    prop_oneof![2 => random, 4 => balanced, 1 => Just(Action::Legs(Legs { legs: vec![leg; 101] }))]
}

pub(super) fn exchanges() -> impl Strategy<Value = Action> {
    let rates = prop_oneof![
        8 => (1_i64..200_000).prop_map(|digits| Decimal::new(digits, 3)),
        2 => (1_i64..20_000_000_000).prop_map(|digits| Decimal::new(digits, 10)),
        1 => Just(Decimal::ZERO),
        1 => Just(Decimal::new(1, 11)),
    ];
    let rounding =
        prop_oneof![Just(Rounding::HalfEven), Just(Rounding::HalfUp), Just(Rounding::Down),];
    let sides = (parties(), parties(), monies(), currencies());
    (sides, rates, rounding, any::<bool>()).prop_map(|(sides, rate, rounding, sensible)| {
        let (debtor, mut creditor, sell, mut buy) = sides;
        if sensible {
            buy = currency(if sell.currency == currency("EUR") { "JPY" } else { "EUR" });
            let n = if buy == currency("JPY") { CUSTOMERS - 1 } else { 0 };
            creditor = Party::AccountId(customer(n));
        }
        let rate = Amount(rate);
        Action::Exchange(Exchange { debtor, creditor, sell, buy, rate, rounding })
    })
}
