//! In which currencies money may move. Promise: no instruction makes money of a currency that
//! nobody can hold, and what an account has of one can leave it: to one of the bank's own accounts,
//! or by an exchange. So what was let in before, or was withdrawn since, can be wound up.

use shared_events::{
    Currency,
    ledger::{Action, Direction, LEGS, Leg, Party, RejectReason},
};

use crate::legacy::domain::form::Checked;

/// Whether the instruction keeps to currencies that accounts can hold. Captures, releases and
/// reversals end what was let in.
pub(crate) fn check_currency(action: &Action) -> Checked {
    let is_right = match action {
        Action::Transfer(payment) => {
            may_move(payment.money.currency, &payment.debtor, &payment.creditor)
        }
        Action::Hold(hold) => may_move(hold.money.currency, &hold.debtor, &hold.creditor),
        Action::Exchange(exchange) => {
            may_leave(exchange.sell.currency, &exchange.debtor) && is_holdable(exchange.buy)
        }
        // More legs than allowed are not looked at one by one.
        Action::Legs(legs) => legs.legs.iter().take(*LEGS.end()).all(is_right_leg),
        Action::Capture(_) | Action::Release(_) | Action::Reverse(_) => true,
    };
    if is_right { Ok(()) } else { Err(RejectReason::UnsupportedCurrency) }
}

fn is_holdable(currency: Currency) -> bool {
    currency.holdable().is_ok()
}

fn may_move(currency: Currency, debtor: &Party, creditor: &Party) -> bool {
    may_leave(currency, debtor) && may_enter(currency, creditor)
}

fn may_leave(currency: Currency, debtor: &Party) -> bool {
    is_holdable(currency) || matches!(debtor, Party::AccountId(_))
}

fn may_enter(currency: Currency, creditor: &Party) -> bool {
    is_holdable(currency) || matches!(creditor, Party::Code(_))
}

fn is_right_leg(leg: &Leg) -> bool {
    match leg.direction {
        Direction::Debit => may_leave(leg.money.currency, &leg.account),
        Direction::Credit => may_enter(leg.money.currency, &leg.account),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use shared_events::{
        AccountId, Amount, Money, TransferId,
        ledger::{AccountCode, Capture, Exchange, Hold, Legs, Payment, Release, Reverse, Rounding},
    };
    use uuid::Uuid;

    use super::*;

    fn money(currency: &str) -> Money {
        Money::new(1.into(), currency.parse().expect("ISO 4217 lists it"))
    }

    fn customer() -> Party {
        Party::AccountId(AccountId(Uuid::from_u128(1)))
    }

    fn internal() -> Party {
        Party::Code(AccountCode("cash".to_owned()))
    }

    /// Every way in which money of a currency can go from one to the other.
    fn moves(money: Money, debtor: &Party, creditor: &Party) -> [Action; 3] {
        let (up_to, expires_at) = (false, DateTime::UNIX_EPOCH);
        let (debtor, creditor) = (debtor.clone(), creditor.clone());
        let leg = |account: &Party, direction| Leg { account: account.clone(), direction, money };
        let legs = vec![leg(&debtor, Direction::Debit), leg(&creditor, Direction::Credit)];
        let (payer, payee) = (debtor.clone(), creditor.clone());
        [
            Action::Transfer(Payment { debtor: payer, creditor: payee, money, up_to }),
            Action::Hold(Hold { debtor, creditor, money, up_to, expires_at }),
            Action::Legs(Legs { legs }),
        ]
    }

    fn exchange(sell: &str, buy: &str, debtor: Party) -> Action {
        let (sell, buy) = (money(sell), money(buy).currency);
        let (rate, rounding) = (Amount(2.into()), Rounding::HalfEven);
        Action::Exchange(Exchange { debtor, creditor: customer(), sell, buy, rate, rounding })
    }

    fn check(action: &Action, is_right: bool) {
        assert_eq!(check_currency(action).is_ok(), is_right, "{action:?}");
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
        check(&Action::Capture(Capture { hold_id: id, amount: None, keep_rest: false }), true);
        check(&Action::Release(Release { hold_id: id }), true);
        check(&Action::Reverse(Reverse { original_id: id, amount: None }), true);
    }
}
