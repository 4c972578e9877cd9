//! Erasing a closed customer's data. Promise: nothing of the holder stays in the account, and
//! nothing follows but the same again.

use super::{
    change::{ChangeKind, Decision, advance},
    entity::{Account, AccountStatus},
    lifecycle::Step,
    refusal::Refusal,
};
use crate::holders::Holder;

/// The account without its holder. `is_old`: it has been closed for as long as the bank keeps the
/// data of closed accounts. An erased account may be erased again at once.
pub(super) fn erase(account: &Account, is_old: bool) -> Decision {
    let mut change = advance(account, Step::Erase, ChangeKind::Erased)?;
    if account.status == AccountStatus::Closed && !is_old {
        return Err(Refusal::ClosedTooRecently);
    }
    change.account.holder = Holder::erased();
    Ok(change)
}
