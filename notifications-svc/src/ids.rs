//! Ids of notifications and deliveries. Promise: the same event makes the same ids, on every
//! instance and every time; newer events make greater ids.
//!
//! The ids have the layout of UUIDv7 (RFC 9562, 5.7): the event's time, then hashed bits.

use chrono::{DateTime, Utc};
use shared_events::{
    AccountId, MessageId, TransferId,
    ids::{DeliveryId, NotificationId},
};
use uuid::{Builder, Uuid};

use crate::recipients::Channel;

/// The id of the notification that the holder of an account gets of an event about a transfer, or
/// about the account itself.
pub(crate) fn notification_id(
    event_id: MessageId,
    event_time: DateTime<Utc>,
    account_id: AccountId,
    transfer_id: Option<TransferId>,
) -> NotificationId {
    let transfer = transfer_id.map_or(Uuid::nil(), TransferId::uuid);
    let name = [account_id.uuid().into_bytes(), transfer.into_bytes()].concat();
    // A clock before 1970 would be wrong; such ids come first.
    let millis = u64::try_from(event_time.timestamp_millis()).unwrap_or(0);
    NotificationId(timed(millis, Uuid::new_v5(&event_id.uuid(), &name)))
}

/// The id of the delivery of a notification through a channel.
pub(crate) fn delivery_id(notification_id: NotificationId, channel: Channel) -> DeliveryId {
    let notification = notification_id.uuid();
    let millis = u64::try_from(notification.as_u128() >> 80).unwrap_or(0);
    DeliveryId(timed(millis, Uuid::new_v5(&notification, channel.as_str().as_bytes())))
}

/// The least id that a notification or a delivery of an event of this time can have.
pub(crate) fn first_id_of(time: DateTime<Utc>) -> Uuid {
    let millis = u128::try_from(time.timestamp_millis()).unwrap_or_default();
    // An id has 48 bits for the time.
    Uuid::from_u128(millis.min(0xffff_ffff_ffff) << 80)
}

fn timed(millis: u64, hash: Uuid) -> Uuid {
    let mut bits = [0; 10];
    bits.copy_from_slice(&hash.as_bytes()[..10]);
    Builder::from_unix_timestamp_millis(millis, &bits).into_uuid()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn ids_follow_from_the_event_and_its_time() {
        let (event, account) = (MessageId::new(), AccountId::new());
        let (time, transfer) = (Utc::now(), Some(TransferId::new()));
        let id = notification_id(event, time, account, transfer);
        assert_eq!(id, notification_id(event, time, account, transfer));
        assert_ne!(id, notification_id(event, time, AccountId::new(), transfer));
        assert_ne!(id, notification_id(event, time, account, None));
        assert_ne!(id, notification_id(MessageId::new(), time, account, transfer));
        assert!(id < notification_id(event, time + TimeDelta::milliseconds(1), account, transfer));
        assert_eq!(id.uuid().get_version_num(), 7);
    }

    #[test]
    fn each_channel_has_its_delivery_of_the_same_time() {
        let id = notification_id(MessageId::new(), Utc::now(), AccountId::new(), None);
        let (email, webhook) = (delivery_id(id, Channel::Email), delivery_id(id, Channel::Webhook));
        assert_ne!(email, webhook);
        assert_eq!(email, delivery_id(id, Channel::Email));
        assert_eq!(email.uuid().get_timestamp(), id.uuid().get_timestamp());
    }

    #[test]
    fn an_id_lies_within_its_millisecond() {
        let id = Uuid::now_v7();
        let (seconds, nanos) = id.get_timestamp().expect("a time").to_unix();
        let made = DateTime::from_timestamp(i64::try_from(seconds).expect("small"), nanos);
        let made = made.expect("an instant");
        assert!(first_id_of(made) <= id);
        assert!(id < first_id_of(made + TimeDelta::milliseconds(1)));
    }
}
