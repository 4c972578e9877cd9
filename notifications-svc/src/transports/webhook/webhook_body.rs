//! What a webhook says. Promise: the same delivery has the same body at every attempt, and every
//! amount is a string.

use chrono::{DateTime, Utc};
use serde::Serialize;
use shared_events::{AccountId, MessageId, ids::NotificationId};

use crate::domain::{
    parcel::Parcel,
    told::{Told, webhook_type},
};

#[derive(Serialize)]
struct Body<'p> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: DateTime<Utc>,
    data: Data<'p>,
}

#[derive(Serialize)]
struct Data<'p> {
    notification_id: NotificationId,
    account_id: AccountId,
    event_id: MessageId,
    #[serde(flatten)]
    told: &'p Told,
}

/// The JSON body: `{"type":"transfer.posted","timestamp":"...","data":{...}}`.
pub(crate) fn body(parcel: &Parcel) -> String {
    let body = Body {
        kind: webhook_type(parcel.topic),
        timestamp: parcel.created_at,
        data: Data {
            notification_id: parcel.notification_id,
            account_id: parcel.account_id,
            event_id: parcel.event_id,
            told: &parcel.told,
        },
    };
    serde_json::to_string(&body).expect("facts write plain JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{movement, parcel};

    #[test]
    fn a_webhook_tells_what_happened_and_names_no_other_customer() {
        let told = Told::TransferPosted(movement());
        let body: serde_json::Value = serde_json::from_str(&body(&parcel(&told))).expect("JSON");
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
}
