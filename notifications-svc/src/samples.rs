//! Values of several capabilities for tests.

use chrono::{NaiveDate, TimeZone, Utc};
use shared_events::{
    AccountId, CorrelationId, Currency, Iban, MessageId, Money, TransferId,
    ids::{DeliveryId, NotificationId},
    ledger::Direction,
};
use uuid::Uuid;

use crate::{
    deliveries::{Delivery, DeliveryStatus, PendingDelivery},
    notifications::{ListedNotification, Notification},
    recipients::{Channel, RecipientContact, SigningKeys, Topic},
    triggers::{Movement, NotificationPayload},
};

pub(crate) const fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

pub(crate) const fn account(number: u128) -> AccountId {
    AccountId(uuid(number))
}

pub(crate) fn iban() -> Iban {
    Iban::try_new("CZ6508000000192000145399").expect("the registry's example")
}

pub(crate) fn money(amount: &str, currency: &str) -> Money {
    Money {
        amount: amount.parse().expect("an amount"),
        currency: currency.parse::<Currency>().expect("a currency"),
    }
}

pub(crate) fn movement() -> Movement<'static> {
    Movement {
        transfer_id: TransferId(uuid(5)),
        direction: Direction::Debit,
        money: money("1234.5", "EUR"),
        counterparty: None,
        balance: "98765.5".parse().expect("an amount"),
        reference: Some("Rent".into()),
        end_to_end_id: None,
        booking_date: NaiveDate::from_ymd_opt(2026, 11, 22).expect("a day"),
        reverses: None,
        hold_id: None,
        rate: None,
    }
}

pub(crate) fn recipient(language: &str) -> RecipientContact {
    RecipientContact {
        iban: Some(iban().as_str().to_owned()),
        name: "Ada King".to_owned(),
        language: language.to_owned(),
        email: Some("ada@example.com".to_owned()),
        webhook: None,
        keys: SigningKeys::default(),
    }
}

pub(crate) fn pending_delivery(payload: NotificationPayload<'static>) -> PendingDelivery {
    PendingDelivery {
        id: DeliveryId(uuid(3)),
        notification_id: NotificationId(uuid(2)),
        account_id: account(1),
        topic: Topic::TransferPosted,
        event_id: MessageId(uuid(4)),
        correlation_id: CorrelationId(uuid(6)),
        created_at: Utc.with_ymd_and_hms(2026, 11, 22, 10, 0, 0).single().expect("an instant"),
        attempt: 1,
        attempts_before: 0,
        payload,
        recipient: recipient("en"),
    }
}

pub(crate) const fn notification_id(number: u128) -> NotificationId {
    NotificationId(uuid(number))
}

/// A notification as a list shows it, with one delivery whose last error has so many characters.
pub(crate) fn listed_notification(number: u128, error_chars: usize) -> ListedNotification {
    let delivery = Delivery {
        id: DeliveryId(uuid(number)),
        channel: Channel::Webhook,
        status: DeliveryStatus::Failed,
        attempts: 8,
        last_error: Some("x".repeat(error_chars)),
        next_attempt_at: None,
    };
    let notification = Notification {
        id: notification_id(number),
        account_id: account(1),
        topic: Topic::AccountClosed,
        event_id: MessageId(uuid(4)),
        created_at: Utc.timestamp_nanos(0),
    };
    ListedNotification { notification, deliveries: vec![delivery] }
}
