//! Wakes couriers of this process. Promise: nothing but time is lost with a ring: couriers also
//! look by the clock, and those of other processes hear no bell at all.

use shared_events::notifications::Channel;
use tokio::sync::Notify;

/// A bell for each channel.
#[derive(Debug, Default)]
pub(crate) struct Bells {
    email: Notify,
    webhook: Notify,
}

impl Bells {
    /// Deliveries of these channels are about to be committed.
    pub(crate) fn ring(&self, channels: impl Iterator<Item = Channel>) {
        channels.for_each(|channel| self.of(channel).notify_one());
    }

    /// Waits for a ring, or for one that nobody has heard.
    pub(crate) async fn heard(&self, channel: Channel) {
        self.of(channel).notified().await;
    }

    const fn of(&self, channel: Channel) -> &Notify {
        match channel {
            Channel::Email => &self.email,
            Channel::Webhook => &self.webhook,
        }
    }
}
