//! Erasing a closed customer's data. Promise: nothing of the holder stays in the account, and
//! nothing follows.

use super::{
    change::{ChangeKind, Decision, advance},
    entity::Account,
    lifecycle::Step,
    refusal::Refusal,
};
use crate::holders::Holder;

/// The account without its holder. `is_old`: it has been closed for as long as the bank keeps the
/// data of closed accounts.
pub(super) fn erase(account: &Account, is_old: bool) -> Decision {
    let mut change = advance(account, Step::Erase, ChangeKind::Erased)?;
    if !is_old {
        return Err(Refusal::ClosedTooRecently);
    }
    change.account.holder = Holder::erased();
    Ok(change)
}
