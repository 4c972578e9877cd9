//! What a message of `ledger.commands` asks: instructions, or to follow a change of an account.

use shared_events::{
    AccountId, Amount, Message,
    accounts::SpendingLimits,
    ledger::{
        INSTRUCTIONS_MAX, Instruction, LedgerCommand, LedgerReason, SubmitInstructions,
        SubmitTransfers,
    },
};

use crate::legacy::domain::{AccountEvent, Limits};

/// What one message asks.
pub(crate) enum Asked {
    /// To carry out these instructions.
    Instructions(Vec<Instruction>),
    /// What is refused as a whole, by the command's type, and the rule that it breaks.
    Refused(&'static str, LedgerReason, String),
    /// To follow a change of an account, its so-many-th.
    Change((AccountId, i64), AccountEvent),
}

impl Asked {
    pub(crate) fn by(message: &LedgerCommand) -> Self {
        let change = |id, version, event| Self::Change((id, version), event);
        match message {
            LedgerCommand::Submit(it) => {
                Self::instructions(SubmitTransfers::TYPE, it.transfers.len(), || {
                    it.transfers.iter().cloned().map(Instruction::from).collect()
                })
            }
            LedgerCommand::Instruct(it) => {
                Self::instructions(SubmitInstructions::TYPE, it.instructions.len(), || {
                    it.instructions.clone()
                })
            }
            LedgerCommand::Opened(it) => {
                let limits = limits(it.overdraft_limit, None);
                let event = AccountEvent::Opened { currency: it.currency, limits };
                change(it.account_id, it.version, event)
            }
            LedgerCommand::Frozen(it) => {
                change(it.account_id, it.version, AccountEvent::Frozen { blocks: it.blocks })
            }
            LedgerCommand::Unfrozen(it) => {
                change(it.account_id, it.version, AccountEvent::Unfrozen)
            }
            LedgerCommand::Closing(it) => {
                change(it.account_id, it.version, AccountEvent::Closing { payout: it.payout })
            }
            LedgerCommand::Closed(it) => change(it.account_id, it.version, AccountEvent::Closed),
            LedgerCommand::LimitsChanged(it) => {
                let limits = limits(it.overdraft_limit, it.spending);
                change(it.account_id, it.version, AccountEvent::LimitsChanged { limits })
            }
        }
    }

    fn instructions(
        command: &'static str,
        count: usize,
        all: impl FnOnce() -> Vec<Instruction>,
    ) -> Self {
        match count {
            0 => Self::Refused(command, LedgerReason::NoTransfers, "at least one".to_owned()),
            1..=INSTRUCTIONS_MAX => Self::Instructions(all()),
            _ => {
                let rule = format!("at most {INSTRUCTIONS_MAX}");
                Self::Refused(command, LedgerReason::TooManyTransfers, rule)
            }
        }
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
