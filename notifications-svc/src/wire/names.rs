//! Channels, topics and statuses in the contract and in this service.

use shared_events::notifications as contract;

use crate::{
    deliveries::DeliveryStatus,
    recipients::{Channel, Topic},
};

pub(super) const fn own_channel(channel: contract::Channel) -> Channel {
    match channel {
        contract::Channel::Email => Channel::Email,
        contract::Channel::Webhook => Channel::Webhook,
    }
}

pub(super) const fn own_topic(topic: contract::Topic) -> Topic {
    match topic {
        contract::Topic::TransferPosted => Topic::TransferPosted,
        contract::Topic::TransferRejected => Topic::TransferRejected,
        contract::Topic::TransferHeld => Topic::TransferHeld,
        contract::Topic::HoldReleased => Topic::HoldReleased,
        contract::Topic::AccountFrozen => Topic::AccountFrozen,
        contract::Topic::AccountUnfrozen => Topic::AccountUnfrozen,
        contract::Topic::AccountClosed => Topic::AccountClosed,
    }
}

pub(super) const fn channel(channel: Channel) -> contract::Channel {
    match channel {
        Channel::Email => contract::Channel::Email,
        Channel::Webhook => contract::Channel::Webhook,
    }
}

pub(super) const fn topic(topic: Topic) -> contract::Topic {
    match topic {
        Topic::TransferPosted => contract::Topic::TransferPosted,
        Topic::TransferRejected => contract::Topic::TransferRejected,
        Topic::TransferHeld => contract::Topic::TransferHeld,
        Topic::HoldReleased => contract::Topic::HoldReleased,
        Topic::AccountFrozen => contract::Topic::AccountFrozen,
        Topic::AccountUnfrozen => contract::Topic::AccountUnfrozen,
        Topic::AccountClosed => contract::Topic::AccountClosed,
    }
}

pub(super) const fn status(status: DeliveryStatus) -> contract::DeliveryStatus {
    match status {
        DeliveryStatus::Pending => contract::DeliveryStatus::Pending,
        DeliveryStatus::Succeeded => contract::DeliveryStatus::Succeeded,
        DeliveryStatus::Failed => contract::DeliveryStatus::Failed,
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    fn name<T: Serialize>(of_contract: T) -> serde_json::Value {
        serde_json::to_value(of_contract).expect("a name")
    }

    #[test]
    fn names_in_the_database_are_those_of_the_contract() {
        for own in Topic::ALL {
            assert_eq!(name(topic(own)), own.as_str());
            assert_eq!(own_topic(topic(own)), own);
        }
        let published: Vec<Topic> = contract::Topic::ALL.iter().copied().map(own_topic).collect();
        assert_eq!(published, Topic::ALL);
        for own in Channel::ALL {
            assert_eq!(name(channel(own)), own.as_str());
            assert_eq!(own_channel(channel(own)), own);
        }
        for own in [DeliveryStatus::Pending, DeliveryStatus::Succeeded, DeliveryStatus::Failed] {
            assert_eq!(name(status(own)), own.as_str());
            assert_eq!(DeliveryStatus::from_name(own.as_str()).ok(), Some(own));
        }
    }
}
