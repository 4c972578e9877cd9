//! Messages of `ledger.commands` become requests: instructions, or a change of an account.

use shared_events::{
    Amount, Message,
    accounts::{AccountOpened, SpendingLimits},
    ledger::{LedgerCommand, SubmitInstructions, SubmitTransfers},
};

use super::instructions::{instruction, transfers};
use crate::{
    account_lifecycle::AccountChange, accounts::Limits, command_batch::LedgerRequest,
    wire::values::blocks,
};

/// The request of a message.
pub(in crate::wire) fn request(message: &LedgerCommand) -> LedgerRequest {
    let change = |id, version, change| LedgerRequest::Change((id, version), change);
    match message {
        LedgerCommand::Submit(submit) => {
            LedgerRequest::of_instructions(submit.transfers.len(), || transfers(submit))
        }
        LedgerCommand::Instruct(submit) => {
            LedgerRequest::of_instructions(submit.instructions.len(), || {
                submit.instructions.iter().map(instruction).collect()
            })
        }
        LedgerCommand::OpenedV1(old) => opening(&old.clone().into()),
        LedgerCommand::Opened(opened) => opening(opened),
        LedgerCommand::Frozen(frozen) => {
            let freeze = AccountChange::Frozen { blocks: blocks(frozen.blocks) };
            change(frozen.account_id, frozen.version, freeze)
        }
        LedgerCommand::Unfrozen(unfrozen) => {
            change(unfrozen.account_id, unfrozen.version, AccountChange::Unfrozen)
        }
        LedgerCommand::Closing(closing) => {
            let payout = closing.payout;
            change(closing.account_id, closing.version, AccountChange::Closing { payout })
        }
        LedgerCommand::Closed(closed) => {
            change(closed.account_id, closed.version, AccountChange::Closed)
        }
        LedgerCommand::LimitsChanged(changed) => {
            let limits = limits(changed.overdraft_limit, changed.spending);
            let new = AccountChange::LimitsChanged { limits };
            change(changed.account_id, changed.version, new)
        }
    }
}

/// The opening of an account. Announced in two versions, the second changes nothing.
fn opening(opened: &AccountOpened) -> LedgerRequest {
    let limits = limits(opened.overdraft_limit, None);
    let (currency, branch) = (opened.currency, opened.branch.clone());
    let change = AccountChange::Opened { currency, limits, branch };
    LedgerRequest::Change((opened.account_id, opened.version), change)
}

/// The type of a message that carries instructions, and the field that carries them.
pub(in crate::wire) const fn submission(
    message: &LedgerCommand,
) -> Option<(&'static str, &'static str)> {
    match message {
        LedgerCommand::Submit(_) => Some((SubmitTransfers::TYPE, "transfers")),
        LedgerCommand::Instruct(_) => Some((SubmitInstructions::TYPE, "instructions")),
        LedgerCommand::OpenedV1(_)
        | LedgerCommand::Opened(_)
        | LedgerCommand::Frozen(_)
        | LedgerCommand::Unfrozen(_)
        | LedgerCommand::Closing(_)
        | LedgerCommand::Closed(_)
        | LedgerCommand::LimitsChanged(_) => None,
    }
}

fn limits(overdraft: Amount, spending: Option<SpendingLimits>) -> Limits {
    let spending = spending.unwrap_or_default();
    let decimal = |amount: Option<Amount>| amount.map(Amount::decimal);
    Limits {
        overdraft: Some(overdraft.decimal()),
        transfer: decimal(spending.transfer),
        daily: decimal(spending.daily),
        monthly: decimal(spending.monthly),
        minimum_balance: decimal(spending.minimum_balance),
    }
}
