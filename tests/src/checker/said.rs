//! The content of an event, of any of the contract's types. Promise: every event that a ledger may
//! announce in a run is read completely; an event that does not belong there is an error.

use anyhow::{Result, bail};
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared_events::{
    AccountId, Amount, Envelope, Message as _, TransferId,
    accounts::{AccountFrozen, AccountOpened, AccountUnfrozen, LimitsChanged, SpendingLimits},
    ledger::{
        Direction, Held, HeldTransfer, HoldsReleased, InstructionOutcome, InstructionsRejected,
        LedgerAccountOpened, LegsPosted, Posted, PostedLeg, PostedLegs, PostedTransfer,
        RejectReason, Rejected, RejectedTransfer, ReleaseCause, Released, TransfersHeld,
        TransfersPosted, TransfersRejected,
    },
};

use crate::model::changes::{AccountEvent, Limits};

/// One thing that an event says.
#[derive(Clone, Debug)]
pub(super) enum Said {
    /// What became of an instruction.
    Outcome(TransferId, InstructionOutcome),
    /// The rest of a hold, which this capture gave back.
    Rest(TransferId, Released),
    /// The id stands for something else.
    Conflict(TransferId),
    /// A change of an account, by its version.
    Change(AccountId, i64, AccountEvent),
}

/// All that an event says.
pub(super) fn by(event: &Envelope<Value>) -> Result<Vec<Said>> {
    let said = match event.kind.as_str() {
        TransfersPosted::TYPE => all(of::<TransfersPosted>(event)?.transfers, posted),
        LegsPosted::TYPE => all(of::<LegsPosted>(event)?.transfers, legs),
        TransfersHeld::TYPE => all(of::<TransfersHeld>(event)?.transfers, held),
        HoldsReleased::TYPE => all(of::<HoldsReleased>(event)?.holds, |it| {
            match it.released.cause == ReleaseCause::Captured {
                true => Said::Rest(it.transfer_id, it.released),
                false => Said::Outcome(it.transfer_id, InstructionOutcome::Released(it.released)),
            }
        }),
        TransfersRejected::TYPE => all(of::<TransfersRejected>(event)?.transfers, |it| {
            let RejectedTransfer { transfer_id, reason, debtor_account: account, .. } = it;
            rejected(transfer_id, Rejected { reason, account })
        }),
        InstructionsRejected::TYPE => {
            let all_of_it = of::<InstructionsRejected>(event)?.instructions;
            all(all_of_it, |it| rejected(it.transfer_id, it.rejected))
        }
        AccountOpened::TYPE => {
            let it: AccountOpened = of(event)?;
            let limits = limits(it.overdraft_limit, None);
            let opened = AccountEvent::Opened { currency: it.currency, limits };
            vec![Said::Change(it.account_id, it.version, opened)]
        }
        AccountFrozen::TYPE => {
            let it: AccountFrozen = of(event)?;
            let frozen = AccountEvent::Frozen { blocks: it.blocks };
            vec![Said::Change(it.account_id, it.version, frozen)]
        }
        AccountUnfrozen::TYPE => {
            let it: AccountUnfrozen = of(event)?;
            vec![Said::Change(it.account_id, it.version, AccountEvent::Unfrozen)]
        }
        LimitsChanged::TYPE => {
            let it: LimitsChanged = of(event)?;
            let limits = limits(it.overdraft_limit, it.spending);
            vec![Said::Change(it.account_id, it.version, AccountEvent::LimitsChanged { limits })]
        }
        LedgerAccountOpened::TYPE => vec![],
        other => bail!("nothing in this run leads to {other}: {}", event.data),
    };
    Ok(said)
}

fn of<T: DeserializeOwned>(event: &Envelope<Value>) -> Result<T> {
    Ok(serde_json::from_value(event.data.clone())?)
}

fn all<T>(items: Vec<T>, said: impl Fn(T) -> Said) -> Vec<Said> {
    items.into_iter().map(said).collect()
}

fn posted(it: PostedTransfer) -> Said {
    let leg = |account, direction| PostedLeg { account, direction, money: it.money };
    let legs = vec![leg(it.debtor, Direction::Debit), leg(it.creditor, Direction::Credit)];
    let posted = Posted { legs, hold: it.hold, reverses: it.reverses };
    Said::Outcome(it.transfer_id, InstructionOutcome::Posted(posted))
}

fn legs(it: PostedLegs) -> Said {
    let posted = Posted { legs: it.legs, hold: None, reverses: it.reverses };
    Said::Outcome(it.transfer_id, InstructionOutcome::Posted(posted))
}

fn held(it: HeldTransfer) -> Said {
    let HeldTransfer { transfer_id, debtor, creditor, money, expires_at, .. } = it;
    let held = Held { debtor, creditor, money, expires_at };
    Said::Outcome(transfer_id, InstructionOutcome::Held(held))
}

fn rejected(id: TransferId, rejected: Rejected) -> Said {
    match rejected.reason == RejectReason::IdempotencyConflict {
        true => Said::Conflict(id),
        false => Said::Outcome(id, InstructionOutcome::Rejected(rejected)),
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
