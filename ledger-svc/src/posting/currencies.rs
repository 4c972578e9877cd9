//! The currencies in which money may move. Promise: no instruction makes money of a currency that
//! no account can hold, and an account's money of such a currency can leave the account: to an
//! internal account, or by an exchange. So money that was let in before, or whose currency was
//! withdrawn since, can be wound up.

use shared_events::{Currency, ledger::Direction};

use super::{
    party::Party,
    reason::{Checked, RejectReason},
};

/// The result of a check of currencies.
pub(super) fn supported(is_supported: bool) -> Checked {
    if is_supported { Ok(()) } else { Err(RejectReason::UnsupportedCurrency) }
}

/// Whether accounts can hold the currency.
pub(super) fn is_holdable(currency: Currency) -> bool {
    currency.holdable().is_ok()
}

/// Whether money of a currency may move from a debtor to a creditor.
pub(super) fn may_move(currency: Currency, debtor: &Party, creditor: &Party) -> bool {
    may_leave(currency, debtor) && may_enter(currency, creditor)
}

/// Whether money of a currency may leave a debtor.
pub(super) fn may_leave(currency: Currency, debtor: &Party) -> bool {
    is_holdable(currency) || matches!(debtor, Party::AccountId(_))
}

fn may_enter(currency: Currency, creditor: &Party) -> bool {
    is_holdable(currency) || matches!(creditor, Party::Code(_))
}

/// Whether money of a currency may be posted to a party's account in a direction.
pub(super) fn may_post(currency: Currency, account: &Party, direction: Direction) -> bool {
    match direction {
        Direction::Debit => may_leave(currency, account),
        Direction::Credit => may_enter(currency, account),
    }
}
