//! Wakes the delivery workers of this process. Promise: a lost wake-up costs nothing but time:
//! workers also check by the clock, and workers of other processes get no wake-up at all.

use tokio::sync::Notify;

use crate::recipients::Channel;

/// A wake-up signal for each channel.
#[derive(Debug, Default)]
pub(crate) struct Wakeup {
    email: Notify,
    webhook: Notify,
}

impl Wakeup {
    /// Deliveries of these channels are about to be committed.
    pub(crate) fn notify(&self, channels: impl Iterator<Item = Channel>) {
        channels.for_each(|channel| self.signal(channel).notify_one());
    }

    /// Waits for a signal, or returns at once where one is still unseen.
    pub(super) async fn wait(&self, channel: Channel) {
        self.signal(channel).notified().await;
    }

    const fn signal(&self, channel: Channel) -> &Notify {
        match channel {
            Channel::Email => &self.email,
            Channel::Webhook => &self.webhook,
        }
    }
}
