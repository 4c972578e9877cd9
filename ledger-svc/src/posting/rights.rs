//! Whether the author of an instruction may take the money that the instruction takes. Promise: the
//! check needs nothing but the accounts that are locked anyway, and a refusal shows nothing of
//! them.

use shared_events::{
    AccountId, Money,
    access::{Debit, Debited, Rights},
};

use super::{
    instruction::Instruction,
    reason::{Checked, RejectReason},
    view::PostingView,
};

/// A debit that an instruction names.
#[derive(Clone, Copy, Debug)]
pub(super) struct NamedDebit {
    pub(super) account: AccountId,
    pub(super) money: Money,
    pub(super) is_reversal: bool,
}

impl NamedDebit {
    pub(super) const fn new(account: AccountId, money: Money) -> Self {
        Self { account, money, is_reversal: false }
    }
}

/// Checks every debit. An unknown account has its own reason, later.
pub(super) fn check_rights(
    state: &dyn PostingView,
    instruction: &Instruction,
    rights: &Rights,
) -> Checked {
    let mut is_permitted = true;
    instruction.kind.rules().debits(state, &mut |debit| {
        let Some(account) = state.account(debit.account) else { return };
        let debited = match &account.code {
            Some(code) => Debited::Own { code },
            None => Debited::Customer { branch: account.branch() },
        };
        let NamedDebit { money, is_reversal, .. } = debit;
        let (amount, currency) = (money.amount.decimal(), money.currency);
        is_permitted &= rights.permit(&Debit { account: debited, amount, currency, is_reversal });
    });
    if is_permitted { Ok(()) } else { Err(RejectReason::NotPermitted) }
}
