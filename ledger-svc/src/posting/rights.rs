//! Whether the author of an instruction may take the money that the instruction takes. Promise: the
//! check needs nothing but the accounts that are locked anyway, and a refusal shows nothing of
//! them.

use shared_events::access::{Act, Debit, Debited, Rights, Verdict};

use super::{
    debit::NamedDebit,
    instruction::Instruction,
    reason::{Checked, RejectReason},
    view::PostingView,
};

/// Checks every debit. An unknown account has its own reason, later.
pub(super) fn check_rights(
    state: &dyn PostingView,
    instruction: &Instruction,
    rights: &Rights,
) -> Checked {
    match judge(state, instruction, rights) {
        Verdict::Permitted => Ok(()),
        // A command is set aside as a whole, before any instruction is decided.
        Verdict::NeedsApproval(_) | Verdict::NotPermitted => Err(RejectReason::NotPermitted),
    }
}

pub(super) fn judge(
    state: &dyn PostingView,
    instruction: &Instruction,
    rights: &Rights,
) -> Verdict {
    let (mut needs, mut is_permitted) = (vec![], true);
    instruction.kind.rules().debits(state, &mut |debit| {
        let Some(account) = state.account(debit.account) else { return };
        let debited = match &account.code {
            Some(code) => Debited::Own { code },
            None => Debited::Customer { branch: account.branch() },
        };
        let NamedDebit { money, is_reversal, .. } = debit;
        let debit = Debit { account: debited, money: Some(money), is_reversal };
        match rights.judge(&Act::Debit(debit)) {
            Verdict::Permitted => {}
            Verdict::NeedsApproval(needed) => needs.extend(needed),
            Verdict::NotPermitted => is_permitted = false,
        }
    });
    match (is_permitted, needs.is_empty()) {
        (false, _) => Verdict::NotPermitted,
        (true, true) => Verdict::Permitted,
        (true, false) => Verdict::NeedsApproval(needs),
    }
}
