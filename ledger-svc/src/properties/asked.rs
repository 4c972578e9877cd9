//! Random instructions of every kind, valid and invalid, and random changes of accounts.

use super::*;

pub(crate) fn parties() -> impl Strategy<Value = Party> {
    prop_oneof![
        6 => (0..=CUSTOMERS).prop_map(|n| Party::AccountId(customer(n))),
        4 => Just(own("cash")),
        1 => Just(own("fees")),
        1 => Just(own("no_such_code")),
    ]
}

pub(crate) fn euros() -> impl Strategy<Value = Money> {
    let amount = (-200_i64..20_000, 1_u32..4);
    amount.prop_map(|(units, scale)| Money::new(Decimal::new(units, scale), currency("EUR")))
}

pub(crate) fn legs() -> impl Strategy<Value = Kind> {
    let shares = prop::collection::vec((0..CUSTOMERS - 1, 1_i64..3_000), 1..4);
    (shares, any::<bool>()).prop_map(|(shares, balanced)| {
        let money = |cents| Money::new(Decimal::new(cents, 2), currency("EUR"));
        let total: i64 = shares.iter().map(|(_, cents)| cents).sum::<i64>();
        let debit = total + i64::from(!balanced);
        let leg = |account, direction, cents| Leg { account, direction, money: money(cents) };
        let credits = shares
            .into_iter()
            .map(|(n, cents)| leg(Party::AccountId(customer(n)), Direction::Credit, cents));
        let debit = leg(own("cash"), Direction::Debit, debit);
        Kind::MultiLeg(MultiLeg { legs: std::iter::once(debit).chain(credits).collect() })
    })
}

pub(crate) fn actions() -> impl Strategy<Value = Kind> {
    let part = || prop::option::of((1_i64..5_000).prop_map(|n| Amount(Decimal::new(n, 2))));
    let transfer = (parties(), parties(), euros(), any::<bool>()).prop_map(
        |(debtor, creditor, money, allow_partial)| {
            Kind::Transfer(Transfer { debtor, creditor, money, allow_partial })
        },
    );
    let hold =
        (parties(), parties(), euros(), -1_i64..3).prop_map(|(debtor, creditor, money, days)| {
            let expires_at = later(days);
            Kind::Hold(PlaceHold { debtor, creditor, money, allow_partial: false, expires_at })
        });
    let capture = (0_u128..60, part(), any::<bool>()).prop_map(|(n, amount, keep_rest)| {
        Kind::Capture(Capture { hold_id: id(n), amount, keep_rest })
    });
    let release = (0_u128..60).prop_map(|n| Kind::Release(Release { hold_id: id(n) }));
    let reverse = (0_u128..60, part())
        .prop_map(|(n, amount)| Kind::Reversal(Reversal { original_id: id(n), amount }));
    let exchange = (parties(), euros(), 1_i64..200_000).prop_map(|(debtor, sell, rate)| {
        Kind::Exchange(Exchange {
            debtor,
            creditor: Party::AccountId(customer(4)),
            sell,
            buy: currency("JPY"),
            rate: Amount(Decimal::new(rate, 3)),
            rounding: Rounding::HalfEven,
        })
    });
    prop_oneof![
        8 => transfer,
        4 => hold,
        4 => capture,
        2 => release,
        3 => reverse,
        2 => legs(),
        2 => exchange
    ]
}

pub(crate) fn instructions() -> impl Strategy<Value = Instruction> {
    (0_u128..60, prop::option::weighted(0.3, 0_u32..2), actions())
        .prop_map(|(n, group, kind)| Instruction { group, ..instruction(n, kind) })
}

pub(crate) fn instruction(n: u128, kind: Kind) -> Instruction {
    Instruction {
        transfer_id: id(n),
        group: None,
        kind,
        reference: None,
        end_to_end_id: None,
        booking_date: None,
        value_date: None,
    }
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let limits =
        |overdraft: i64| Limits { overdraft: Some(Decimal::from(overdraft)), ..Limits::default() };
    let event = prop_oneof![
        Just(AccountChange::Frozen { blocks: Blocks::Both }),
        Just(AccountChange::Frozen { blocks: Blocks::Debits }),
        Just(AccountChange::Unfrozen),
        Just(AccountChange::Closing { payout: None }),
        Just(AccountChange::Closing { payout: Some(customer(0)) }),
        (0_i64..100).prop_map(move |n| AccountChange::LimitsChanged { limits: limits(n) }),
    ];
    let follow = (0..CUSTOMERS, event).prop_map(|(n, event)| Step::Follow(customer(n), event));
    let submit = prop::collection::vec(instructions(), 1..5).prop_map(Step::Submit);
    prop::collection::vec(prop_oneof![9 => submit, 1 => follow], 1..40)
}
