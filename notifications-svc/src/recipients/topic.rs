//! How enums of the contract are called in the database. Promise: no word changes its meaning.

use shared_events::notifications::{Channel, DeliveryStatus, Topic};

pub(crate) const fn topic_word(topic: Topic) -> &'static str {
    match topic {
        Topic::TransferPosted => "transfer_posted",
        Topic::TransferRejected => "transfer_rejected",
        Topic::TransferHeld => "transfer_held",
        Topic::HoldReleased => "hold_released",
        Topic::AccountFrozen => "account_frozen",
        Topic::AccountUnfrozen => "account_unfrozen",
        Topic::AccountClosed => "account_closed",
    }
}

/// The words of all topics that this version knows.
pub(crate) fn topic_words() -> [&'static str; 7] {
    Topic::ALL.map(topic_word)
}

pub(crate) fn read_topic(word: &str) -> sqlx::Result<Topic> {
    let found = Topic::ALL.into_iter().find(|topic| topic_word(*topic) == word);
    found.ok_or_else(|| unknown("topic", word))
}

pub(crate) const fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Email => "email",
        Channel::Webhook => "webhook",
    }
}

pub(crate) fn read_channel(word: &str) -> sqlx::Result<Channel> {
    let channels = [Channel::Email, Channel::Webhook];
    let found = channels.into_iter().find(|channel| channel_word(*channel) == word);
    found.ok_or_else(|| unknown("channel", word))
}

pub(crate) const fn status_word(status: DeliveryStatus) -> &'static str {
    match status {
        DeliveryStatus::Pending => "pending",
        DeliveryStatus::Succeeded => "succeeded",
        DeliveryStatus::Failed => "failed",
    }
}

pub(crate) fn read_status(word: &str) -> sqlx::Result<DeliveryStatus> {
    let statuses = [DeliveryStatus::Pending, DeliveryStatus::Succeeded, DeliveryStatus::Failed];
    let found = statuses.into_iter().find(|status| status_word(*status) == word);
    found.ok_or_else(|| unknown("delivery_status", word))
}

/// A newer version of the service has written something that this one does not know.
fn unknown(kind: &str, word: &str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{word:?} is no {kind} known here").into())
}
