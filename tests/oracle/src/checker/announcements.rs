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
        RejectReason, Rejected, RejectedTransfer, ReleaseCause, Released, ReleasedHold,
        TransfersHeld, TransfersPosted, TransfersRejected,
    },
};

use crate::model::changes::{AccountEvent, Limits};

/// One announcement of an event.
#[derive(Clone, Debug)]
pub(super) enum Announcement {
    /// The outcome of an instruction.
    Outcome(TransferId, InstructionOutcome),
    /// The rest of a hold, released by this capture.
    HoldRest(TransferId, Released),
    /// The id belongs to another instruction.
    Conflict(TransferId),
    /// A change of an account, by its version.
    AccountChange(AccountId, i64, AccountEvent),
}

/// All announcements of an event.
pub(super) fn of(event: &Envelope<Value>) -> Result<Vec<Announcement>> {
    let announcements = match event.kind.as_str() {
        TransfersPosted::TYPE => all(data::<TransfersPosted>(event)?.transfers, posted),
        LegsPosted::TYPE => all(data::<LegsPosted>(event)?.transfers, legs),
        TransfersHeld::TYPE => all(data::<TransfersHeld>(event)?.transfers, held),
        HoldsReleased::TYPE => all(data::<HoldsReleased>(event)?.holds, released),
        TransfersRejected::TYPE => all(data::<TransfersRejected>(event)?.transfers, |transfer| {
            let RejectedTransfer { transfer_id, reason, debtor_account: account, .. } = transfer;
            rejected(transfer_id, Rejected { reason, account })
        }),
        InstructionsRejected::TYPE => {
            let all_of_it = data::<InstructionsRejected>(event)?.instructions;
            all(all_of_it, |instruction| rejected(instruction.transfer_id, instruction.rejected))
        }
        AccountOpened::TYPE => {
            let content: AccountOpened = data(event)?;
            let limits = limits(content.overdraft_limit, None);
            let opened = AccountEvent::Opened { currency: content.currency, limits };
            vec![Announcement::AccountChange(content.account_id, content.version, opened)]
        }
        AccountFrozen::TYPE => {
            let content: AccountFrozen = data(event)?;
            let frozen = AccountEvent::Frozen { blocks: content.blocks };
            vec![Announcement::AccountChange(content.account_id, content.version, frozen)]
        }
        AccountUnfrozen::TYPE => {
            let content: AccountUnfrozen = data(event)?;
            vec![Announcement::AccountChange(
                content.account_id,
                content.version,
                AccountEvent::Unfrozen,
            )]
        }
        LimitsChanged::TYPE => {
            let content: LimitsChanged = data(event)?;
            let limits = limits(content.overdraft_limit, content.spending);
            vec![Announcement::AccountChange(
                content.account_id,
                content.version,
                AccountEvent::LimitsChanged { limits },
            )]
        }
        LedgerAccountOpened::TYPE => vec![],
        other => bail!("nothing in this run leads to {other}: {}", event.data),
    };
    Ok(announcements)
}

fn data<T: DeserializeOwned>(event: &Envelope<Value>) -> Result<T> {
    Ok(serde_json::from_value(event.data.clone())?)
}

fn all<T>(items: Vec<T>, announcement: impl Fn(T) -> Announcement) -> Vec<Announcement> {
    items.into_iter().map(announcement).collect()
}

fn posted(transfer: PostedTransfer) -> Announcement {
    let leg = |account, direction| PostedLeg { account, direction, money: transfer.money };
    let legs =
        vec![leg(transfer.debtor, Direction::Debit), leg(transfer.creditor, Direction::Credit)];
    let posted = Posted { legs, hold: transfer.hold, reverses: transfer.reverses };
    Announcement::Outcome(transfer.transfer_id, InstructionOutcome::Posted(posted))
}

fn legs(transfer: PostedLegs) -> Announcement {
    let posted = Posted { legs: transfer.legs, hold: None, reverses: transfer.reverses };
    Announcement::Outcome(transfer.transfer_id, InstructionOutcome::Posted(posted))
}

fn held(transfer: HeldTransfer) -> Announcement {
    let HeldTransfer { transfer_id, debtor, creditor, money, expires_at, .. } = transfer;
    let held = Held { debtor, creditor, money, expires_at };
    Announcement::Outcome(transfer_id, InstructionOutcome::Held(held))
}

fn released(hold: ReleasedHold) -> Announcement {
    match hold.released.cause == ReleaseCause::Captured {
        true => Announcement::HoldRest(hold.transfer_id, hold.released),
        false => {
            Announcement::Outcome(hold.transfer_id, InstructionOutcome::Released(hold.released))
        }
    }
}

fn rejected(id: TransferId, rejected: Rejected) -> Announcement {
    match rejected.reason == RejectReason::IdempotencyConflict {
        true => Announcement::Conflict(id),
        false => Announcement::Outcome(id, InstructionOutcome::Rejected(rejected)),
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
