//! Closing an account: the client asks, the ledger locks its side or refuses. Promise: an answer of
//! the ledger ends the closing that it belongs to, and no later one.

use shared_events::{
    AccountId, Amount,
    access::{Debit, Debited},
};

use super::{
    change::{AccountChange, ChangeKind, Decision, advance},
    entity::{Account, CloseRefusal},
    lifecycle::Step,
};
use crate::fields::{InvalidField, must};

/// A closing, and the account that receives the remaining balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closing {
    payout: Option<AccountId>,
}

impl Closing {
    /// Checks the payout account. Whether it can be paid, only the ledger knows.
    pub(crate) fn try_new(
        account_id: AccountId,
        payout: Option<AccountId>,
    ) -> Result<Self, InvalidField> {
        must(payout != Some(account_id), "payout", || "another account".to_owned())?;
        Ok(Self { payout })
    }

    /// The payout: a debit of an amount that only the ledger knows.
    pub(super) fn debit(self, account: &Account) -> Option<Debit<'_>> {
        let customer = Debited::Customer { branch: &account.branch };
        self.payout.map(|_| Debit { account: customer, money: None, is_reversal: false })
    }

    /// The closing account.
    pub(super) fn begin(self, account: &Account) -> Decision {
        let kind = ChangeKind::Closing { payout: self.payout };
        let mut change = advance(account, Step::BeginClosing, kind)?;
        change.account.closing_version = Some(change.account.version);
        Ok(change)
    }
}

/// The ledger has locked its side. `None` where the account has moved on.
pub(super) fn close(account: &Account, closing_version: Option<i64>) -> Option<AccountChange> {
    match is_answer(account, closing_version) {
        true => advance(account, Step::Close, ChangeKind::Closed).ok(),
        false => None,
    }
}

/// The ledger has refused to lock its side. `None` where the account has moved on.
pub(super) fn give_up(
    account: &Account,
    closing_version: Option<i64>,
    reason: CloseRefusal,
    balance: Amount,
) -> Option<AccountChange> {
    let kind = ChangeKind::CloseRefused { reason, balance };
    match is_answer(account, closing_version) {
        true => advance(account, Step::GiveUpClosing, kind).ok(),
        false => None,
    }
}

/// Whether the ledger answers this closing, and not an earlier one: such an answer comes late. A
/// ledger of an early version names no closing.
fn is_answer(account: &Account, closing_version: Option<i64>) -> bool {
    match (account.closing_version, closing_version) {
        (Some(current), Some(answered)) => answered >= current,
        (None, _) | (_, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::samples::id;

    #[test]
    fn an_account_is_not_paid_out_to_itself() {
        let refused = Closing::try_new(id(1), Some(id(1))).expect_err("the same account");
        assert_eq!(refused.field, "payout");
        assert!(Closing::try_new(id(1), Some(id(2))).is_ok());
        assert!(Closing::try_new(id(1), None).is_ok());
    }
}
