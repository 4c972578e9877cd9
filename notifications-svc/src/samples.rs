//! Events and facts for tests.

use chrono::{NaiveDate, TimeZone, Utc};
use shared_events::{
    AccountId, Amount, CorrelationId, Currency, Iban, MessageId, Money, TransferId,
    accounts::{AccountFrozen, AccountOpened, Blocks, Holder, HolderUpdated},
    ids::{DeliveryId, NotificationId},
    ledger::{
        AccountAfter, AccountCode, Direction, HeldTransfer, HoldsReleased, LegsPosted, Party,
        PostedLeg, PostedLegs, PostedTransfer, RejectReason, RejectedTransfer, ReleaseCause,
        Released, ReleasedHold, TransfersHeld, TransfersPosted, TransfersRejected,
    },
    notifications::{Channel, Delivery, DeliveryStatus, NotifiableEvent, Notification, Topic},
};
use uuid::Uuid;

use crate::domain::{
    parcel::{Keys, Parcel, Recipient},
    told::{Movement, Told},
};

const fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) const fn account(number: u128) -> AccountId {
    AccountId(uuid(number))
}

pub(crate) fn money(amount: &str, currency: &str) -> Money {
    Money {
        amount: amount.parse().expect("an amount"),
        currency: currency.parse::<Currency>().expect("a currency"),
    }
}

pub(crate) fn holder(name: &str) -> Holder {
    Holder { name: name.to_owned(), email: None, webhook: None, language: "en".to_owned() }
}

pub(crate) fn opened(account_id: AccountId, holder: Holder) -> NotifiableEvent {
    NotifiableEvent::Opened(AccountOpened {
        account_id,
        iban: Iban::try_new("CZ6508000000192000145399").expect("the registry's example"),
        holder,
        product: "current".to_owned(),
        currency: money("1", "EUR").currency,
        overdraft_limit: Amount::ZERO,
        external_reference: None,
        version: 1,
    })
}

pub(crate) fn holder_updated(
    account_id: AccountId,
    holder: Holder,
    version: i64,
) -> NotifiableEvent {
    NotifiableEvent::HolderUpdated(HolderUpdated { account_id, holder, version })
}

pub(crate) fn frozen(account_id: AccountId) -> NotifiableEvent {
    frozen_for(account_id, Blocks::Both)
}

pub(crate) fn frozen_for(account_id: AccountId, blocks: Blocks) -> NotifiableEvent {
    frozen_again(account_id, None, blocks)
}

pub(crate) fn frozen_again(
    account_id: AccountId,
    previous_blocks: Option<Blocks>,
    blocks: Blocks,
) -> NotifiableEvent {
    let reason = "suspicion of money laundering".to_owned();
    let frozen = AccountFrozen { account_id, reason, blocks, previous_blocks, version: 3 };
    NotifiableEvent::Frozen(frozen)
}

pub(crate) fn after(account_id: AccountId, code: Option<&str>, balance: &str) -> AccountAfter {
    AccountAfter {
        account_id,
        code: code.map(|code| AccountCode(code.to_owned())),
        balance: balance.parse().expect("an amount"),
        available: None,
        version: 7,
    }
}

pub(crate) fn transfer(debtor: AccountAfter, creditor: AccountAfter) -> PostedTransfer {
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

pub(crate) fn posted(debtor: AccountId, creditor: AccountId) -> NotifiableEvent {
    posted_all(vec![transfer(after(debtor, None, "10"), after(creditor, None, "20"))])
}

pub(crate) const fn posted_all(transfers: Vec<PostedTransfer>) -> NotifiableEvent {
    let command_id = MessageId(uuid(6));
    NotifiableEvent::Posted(TransfersPosted { command_id, transfers })
}

pub(crate) fn leg(account: AccountAfter, direction: Direction, amount: &str) -> PostedLeg {
    PostedLeg { account, direction, money: money(amount, "EUR") }
}

pub(crate) fn posted_legs(legs: Vec<PostedLeg>) -> NotifiableEvent {
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

pub(crate) fn held(debtor: AccountAfter) -> NotifiableEvent {
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

pub(crate) fn given_back(debtor: AccountAfter, cause: ReleaseCause) -> NotifiableEvent {
    let creditor = after(account(8), Some("cards"), "0");
    let (hold_id, money) = (TransferId(uuid(5)), money("12.5", "EUR"));
    let released = Released { hold_id, cause, debtor, creditor, money };
    let hold = ReleasedHold { transfer_id: TransferId(uuid(7)), released };
    NotifiableEvent::Released(HoldsReleased { command_id: None, holds: vec![hold] })
}

pub(crate) fn rejected(debtor: AccountId, exists: bool) -> NotifiableEvent {
    rejected_one(RejectedTransfer {
        transfer_id: TransferId(uuid(5)),
        reason: RejectReason::InsufficientFunds,
        debtor: Party::AccountId(debtor),
        creditor: Party::Code(AccountCode("cash".to_owned())),
        money: money("50", "EUR"),
        debtor_account: exists.then(|| after(debtor, None, "1.2")),
    })
}

pub(crate) fn rejected_one(transfer: RejectedTransfer) -> NotifiableEvent {
    let (command_id, transfers) = (MessageId(uuid(6)), vec![transfer]);
    NotifiableEvent::Rejected(TransfersRejected { command_id, transfers })
}

pub(crate) fn movement() -> Movement {
    Movement {
        transfer_id: TransferId(uuid(5)),
        direction: Direction::Debit,
        money: money("1234.5", "EUR"),
        counterparty: None,
        balance: "98765.5".parse().expect("an amount"),
        reference: Some("Rent".to_owned()),
        end_to_end_id: None,
        booking_date: NaiveDate::from_ymd_opt(2026, 11, 22).expect("a day"),
        reverses: None,
        hold_id: None,
        rate: None,
    }
}

pub(crate) fn recipient(language: &str) -> Recipient {
    Recipient {
        iban: Some("CZ6508000000192000145399".to_owned()),
        name: "Ada King".to_owned(),
        language: language.to_owned(),
        email: Some("ada@example.com".to_owned()),
        webhook: None,
        keys: Keys::default(),
    }
}

pub(crate) fn parcel(told: &Told) -> Parcel {
    Parcel {
        delivery_id: DeliveryId(uuid(3)),
        notification_id: NotificationId(uuid(2)),
        account_id: account(1),
        topic: Topic::TransferPosted,
        event_id: MessageId(uuid(4)),
        correlation_id: CorrelationId(uuid(6)),
        created_at: Utc.with_ymd_and_hms(2026, 11, 22, 10, 0, 0).single().expect("an instant"),
        number: 1,
        attempts_before: 0,
        told: told.clone(),
        recipient: recipient("en"),
    }
}

pub(crate) const fn notification_id(number: u128) -> NotificationId {
    NotificationId(uuid(number))
}

/// A notification as a list shows it, with one delivery whose receiver said so much.
pub(crate) fn listed(number: u128, error_chars: usize) -> Notification {
    let delivery = Delivery {
        delivery_id: DeliveryId(uuid(number)),
        channel: Channel::Webhook,
        status: DeliveryStatus::Failed,
        attempts: 8,
        last_error: Some("x".repeat(error_chars)),
        next_attempt_at: None,
    };
    Notification {
        notification_id: notification_id(number),
        account_id: account(1),
        topic: Topic::AccountClosed,
        event_id: MessageId(uuid(4)),
        created_at: Utc.timestamp_nanos(0),
        deliveries: vec![delivery],
    }
}
