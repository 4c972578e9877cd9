//! Events of the contract for tests.

use chrono::{NaiveDate, TimeZone, Utc};
use shared_events::{
    AccountId, Amount, MessageId, TransferId,
    accounts::{AccountFrozen, Blocks, Holder, HolderCurrent, v1},
    code::Open,
    ledger::{
        AccountAfter, AccountCode, Direction, HeldTransfer, HoldsReleased, LegsPosted, Party,
        PostedLeg, PostedLegs, PostedTransfer, RejectReason, RejectedTransfer, ReleaseCause,
        Released, ReleasedHold, TransfersHeld, TransfersPosted, TransfersRejected,
    },
};

use super::NotifiableEvent;
use crate::samples::{account, iban, money, uuid};

pub(super) fn holder(name: &str) -> Holder {
    Holder { name: name.to_owned(), email: None, webhook: None, language: "en".to_owned() }
}

/// The opening as version 1 described it, with the holder.
pub(super) fn opened(account_id: AccountId, holder: Holder) -> NotifiableEvent {
    NotifiableEvent::OpenedV1(v1::AccountOpened {
        account_id,
        iban: iban(),
        holder,
        product: "current".to_owned(),
        currency: money("1", "EUR").currency,
        overdraft_limit: Amount::ZERO,
        external_reference: None,
        branch: None,
        version: 1,
    })
}

pub(super) fn holder_updated(
    account_id: AccountId,
    holder: Holder,
    version: i64,
) -> NotifiableEvent {
    NotifiableEvent::HolderUpdatedV1(v1::HolderUpdated { account_id, holder, version })
}

pub(super) fn holder_current(
    account_id: AccountId,
    holder: Holder,
    version: i64,
) -> NotifiableEvent {
    let (iban, branch) = (iban(), None);
    NotifiableEvent::Holder(HolderCurrent { account_id, iban, branch, holder, version })
}

pub(super) fn frozen(account_id: AccountId) -> NotifiableEvent {
    frozen_for(account_id, Blocks::Both)
}

pub(super) fn frozen_for(account_id: AccountId, blocks: Blocks) -> NotifiableEvent {
    frozen_again(account_id, None, blocks)
}

pub(super) fn frozen_again(
    account_id: AccountId,
    previous_blocks: Option<Blocks>,
    blocks: Blocks,
) -> NotifiableEvent {
    let reason = "suspicion of money laundering".to_owned();
    let frozen = AccountFrozen { account_id, reason, blocks, previous_blocks, version: 3 };
    NotifiableEvent::Frozen(frozen)
}

pub(super) fn after(account_id: AccountId, code: Option<&str>, balance: &str) -> AccountAfter {
    AccountAfter {
        account_id,
        code: code.map(|code| AccountCode(code.to_owned())),
        balance: balance.parse().expect("an amount"),
        available: None,
        version: 7,
    }
}

pub(super) fn transfer(debtor: AccountAfter, creditor: AccountAfter) -> PostedTransfer {
    PostedTransfer {
        value_date: None,
        hold: None,
        reverses: None,
        transfer_id: TransferId(uuid(5)),
        debtor,
        creditor,
        money: money("1234.5", "EUR"),
        reference: Some("Rent".to_owned()),
        end_to_end_id: None,
        booking_date: NaiveDate::from_ymd_opt(2026, 11, 22).expect("a day"),
    }
}

pub(super) const fn posted_all(transfers: Vec<PostedTransfer>) -> NotifiableEvent {
    let command_id = MessageId(uuid(6));
    NotifiableEvent::Posted(TransfersPosted { command_id, transfers })
}

pub(super) fn leg(account: AccountAfter, direction: Direction, amount: &str) -> PostedLeg {
    PostedLeg { account, direction, money: money(amount, "EUR") }
}

pub(super) fn posted_legs(legs: Vec<PostedLeg>) -> NotifiableEvent {
    let day = NaiveDate::from_ymd_opt(2026, 11, 22).expect("a day");
    let transfer = PostedLegs {
        transfer_id: TransferId(uuid(5)),
        legs,
        rate: None,
        rounding: None,
        reverses: None,
        reference: Some("Rent".to_owned()),
        end_to_end_id: None,
        booking_date: day,
        value_date: day,
    };
    let command_id = MessageId(uuid(6));
    NotifiableEvent::Legs(LegsPosted { command_id, transfers: vec![transfer] })
}

pub(super) fn held(debtor: AccountAfter) -> NotifiableEvent {
    let (command_id, creditor) = (MessageId(uuid(6)), after(account(8), Some("cards"), "0"));
    let transfer = HeldTransfer {
        transfer_id: TransferId(uuid(5)),
        debtor,
        creditor,
        money: money("12.5", "EUR"),
        expires_at: Utc.with_ymd_and_hms(2026, 11, 29, 10, 0, 0).single().expect("an instant"),
        reference: Some("Hotel".to_owned()),
        end_to_end_id: None,
    };
    NotifiableEvent::Held(TransfersHeld { command_id, transfers: vec![transfer] })
}

pub(super) fn released(
    debtor: AccountAfter,
    cause: impl Into<Open<ReleaseCause>>,
) -> NotifiableEvent {
    let creditor = after(account(8), Some("cards"), "0");
    let (hold_id, money) = (TransferId(uuid(5)), money("12.5", "EUR"));
    let released = Released { hold_id, cause: cause.into(), debtor, creditor, money };
    let hold = ReleasedHold { transfer_id: TransferId(uuid(7)), released };
    NotifiableEvent::Released(HoldsReleased { command_id: None, holds: vec![hold] })
}

pub(super) fn rejected(debtor: AccountId, exists: bool) -> NotifiableEvent {
    rejected_one(RejectedTransfer {
        transfer_id: TransferId(uuid(5)),
        reason: RejectReason::InsufficientFunds.into(),
        debtor: Party::AccountId(debtor),
        creditor: Party::Code(AccountCode("cash".to_owned())),
        money: money("50", "EUR"),
        debtor_account: exists.then(|| after(debtor, None, "1.2")),
    })
}

pub(super) fn rejected_one(transfer: RejectedTransfer) -> NotifiableEvent {
    let (command_id, transfers) = (MessageId(uuid(6)), vec![transfer]);
    NotifiableEvent::Rejected(TransfersRejected { command_id, transfers })
}
