//! Which currencies can be held. Promise: known by their codes, by hand; nothing of it is shared
//! with the ledger.

use shared_events::{
    Currency,
    ledger::{Party, RejectReason as R},
};

use super::plan::Broken;

/// Money of a currency that nobody can hold only leaves: a customer for the bank.
pub(super) fn leaves(currency: Currency, out_of: &Party, into: &Party, broken: &mut Broken) {
    let is_right = matches!((out_of, into), (Party::AccountId(_), Party::Code(_)));
    broken.extend((!is_right && is_unholdable(currency)).then_some(R::UnsupportedCurrency));
}

/// Codes of ISO 4217 without money in circulation: metals, units of account, test codes, the code
/// for no currency, and currencies that were replaced.
const UNHOLDABLE: [&str; 19] = [
    "XAG", "XAU", "XPD", "XPT", "XAD", "XBA", "XBB", "XBC", "XBD", "XDR", "XSU", "XUA", "XTS",
    "XXX", "BGN", "CUC", "HRK", "SLL", "ZWL",
];

pub(super) fn is_unholdable(currency: Currency) -> bool {
    UNHOLDABLE.contains(&currency.code())
}
