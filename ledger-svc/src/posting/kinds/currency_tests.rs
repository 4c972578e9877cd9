//! Which kinds may move money of which currencies.

use chrono::DateTime;
use shared_events::{
    AccountId, Amount, Money, TransferId,
    ledger::{AccountCode, Direction},
};
use uuid::Uuid;

use super::*;
use crate::{
    bank_calendar::BookingDates,
    posting::{Loaded, Party, PostingState, Rounding},
};

fn money(currency: &str) -> Money {
    Money::new(1.into(), currency.parse().expect("a currency of ISO 4217"))
}

fn customer() -> Party {
    Party::AccountId(AccountId(Uuid::from_u128(1)))
}

fn internal() -> Party {
    Party::Code(AccountCode("cash".to_owned()))
}

/// Every way in which money of a currency can go from one to the other.
fn moves(money: Money, debtor: &Party, creditor: &Party) -> [Kind; 3] {
    let (allow_partial, expires_at) = (false, DateTime::UNIX_EPOCH);
    let (debtor, creditor) = (debtor.clone(), creditor.clone());
    let leg = |account: &Party, direction| Leg { account: account.clone(), direction, money };
    let legs = vec![leg(&debtor, Direction::Debit), leg(&creditor, Direction::Credit)];
    let (payer, payee) = (debtor.clone(), creditor.clone());
    [
        Kind::Transfer(Transfer { debtor: payer, creditor: payee, money, allow_partial }),
        Kind::Hold(PlaceHold { debtor, creditor, money, allow_partial, expires_at }),
        Kind::MultiLeg(MultiLeg { legs }),
    ]
}

fn exchange(sell: &str, buy: &str, debtor: Party) -> Kind {
    let (sell, buy) = (money(sell), money(buy).currency);
    let (rate, rounding) = (Amount(2.into()), Rounding::HalfEven);
    Kind::Exchange(Exchange { debtor, creditor: customer(), sell, buy, rate, rounding })
}

fn check(kind: &Kind, is_supported: bool) {
    let instant = DateTime::UNIX_EPOCH;
    let now = Now { instant, today: instant.date_naive(), bookable: BookingDates::default() };
    let checked = kind.rules().validates(&PostingState::new(Loaded::default()), now);
    let is_refused = checked == Err(RejectReason::UnsupportedCurrency);
    assert_eq!(is_refused, !is_supported, "{kind:?}");
}

#[test]
fn money_that_nobody_can_hold_only_leaves() {
    for (currency, can_be_held) in [
        ("EUR", true),
        ("CLF", true),
        // A metal, drawing rights, for testing, no currency, withdrawn.
        ("XAU", false),
        ("XDR", false),
        ("XTS", false),
        ("XXX", false),
        ("HRK", false),
    ] {
        for (debtor, creditor, leaves) in [
            (customer(), internal(), true),
            (internal(), customer(), false),
            (internal(), internal(), false),
            (customer(), customer(), false),
        ] {
            for action in moves(money(currency), &debtor, &creditor) {
                check(&action, can_be_held || leaves);
            }
        }
        check(&exchange("CHF", currency, customer()), can_be_held);
        check(&exchange(currency, "CHF", customer()), true);
        check(&exchange(currency, "CHF", internal()), can_be_held);
    }
}

#[test]
fn what_was_let_in_can_be_ended() {
    let id = TransferId(Uuid::from_u128(7));
    check(&Kind::Capture(Capture { hold_id: id, amount: None, keep_rest: false }), true);
    check(&Kind::Release(Release { hold_id: id }), true);
    check(&Kind::Reversal(Reversal { original_id: id, amount: None }), true);
}
