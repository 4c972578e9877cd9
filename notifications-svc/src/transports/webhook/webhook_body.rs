//! The JSON body of a webhook. Promise: the same delivery has the same body at every attempt, and
//! every amount is a string.

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared_events::{AccountId, MessageId, ids::NotificationId, text::visible_json};

use crate::{deliveries::PendingDelivery, recipients::Topic, triggers::NotificationPayload};

#[derive(Serialize)]
struct WebhookBody<'p> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: DateTime<Utc>,
    data: WebhookData<'p>,
}

#[derive(Serialize)]
struct WebhookData<'p> {
    notification_id: NotificationId,
    account_id: AccountId,
    event_id: MessageId,
    #[serde(flatten)]
    payload: &'p NotificationPayload<'static>,
}

/// The body of a delivery: `{"type":"transfer.posted","timestamp":"...","data":{...}}`.
pub(super) fn webhook_body(delivery: &PendingDelivery) -> String {
    let body = WebhookBody {
        kind: webhook_type(delivery.topic),
        timestamp: delivery.created_at,
        data: WebhookData {
            notification_id: delivery.notification_id,
            account_id: delivery.account_id,
            event_id: delivery.event_id,
            payload: &delivery.payload,
        },
    };
    let json = serde_json::to_string(&body).expect("a payload writes plain JSON");
    // The receiver reads the same value, and a log or a terminal of the receiver obeys no text of a
    // stranger.
    visible_json(&json).into_owned()
}

/// The name of a topic in the body's `type`.
const fn webhook_type(topic: Topic) -> &'static str {
    match topic {
        Topic::TransferPosted => "transfer.posted",
        Topic::TransferRejected => "transfer.rejected",
        Topic::TransferHeld => "transfer.held",
        Topic::HoldReleased => "hold.released",
        Topic::AccountFrozen => "account.frozen",
        Topic::AccountUnfrozen => "account.unfrozen",
        Topic::AccountClosed => "account.closed",
    }
}

#[cfg(test)]
mod tests {
    use shared_events::text::first_hidden;

    use super::*;
    use crate::{
        samples::{movement, pending_delivery},
        triggers::Movement,
    };

    #[test]
    fn a_webhook_has_the_facts_and_names_no_other_customer() {
        let payload = NotificationPayload::TransferPosted(movement());
        let body: serde_json::Value =
            serde_json::from_str(&webhook_body(&pending_delivery(payload))).expect("JSON");
        assert_eq!(
            body,
            serde_json::json!({
                "type": "transfer.posted",
                "timestamp": "2026-11-22T10:00:00Z",
                "data": {
                    "notification_id": "00000000-0000-0000-0000-000000000002",
                    "account_id": "00000000-0000-0000-0000-000000000001",
                    "event_id": "00000000-0000-0000-0000-000000000004",
                    "topic": "transfer_posted",
                    "transfer_id": "00000000-0000-0000-0000-000000000005",
                    "direction": "debit",
                    "money": {"amount": "1234.50", "currency": "EUR"},
                    "balance": "98765.5",
                    "reference": "Rent",
                    "booking_date": "2026-11-22"
                }
            })
        );
    }
    #[test]
    fn a_text_of_a_stranger_arrives_exactly_and_steers_nothing() {
        let evil = "a\u{1b}[2J\u{9b}31m\u{202e}\u{2028}\u{61c}\r\n\u{7f}\u{fffe}b";
        let payload = NotificationPayload::TransferPosted(Movement {
            reference: Some(evil.into()),
            ..movement()
        });
        let body = webhook_body(&pending_delivery(payload));
        assert_eq!(first_hidden(&body), None, "{body}");
        let read: serde_json::Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(read["data"]["reference"], evil);
    }
}
