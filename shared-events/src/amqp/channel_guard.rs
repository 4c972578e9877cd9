//! A channel that does not outlive its use. Promise: whatever goes wrong after a channel was
//! opened, the channel is closed.

use std::ops::Deref;

use lapin::Channel;

use super::connection::discard;

/// Closes its channel when dropped. A handle that is merely dropped leaves the channel open: what
/// was delivered on it stays with nobody, and a consumer that the broker sets up late holds its
/// queue.
#[derive(Debug)]
pub(crate) struct ChannelGuard(Channel);

impl ChannelGuard {
    pub(crate) const fn new(channel: Channel) -> Self {
        Self(channel)
    }
}

impl Deref for ChannelGuard {
    type Target = Channel;

    fn deref(&self) -> &Channel {
        &self.0
    }
}

impl Drop for ChannelGuard {
    fn drop(&mut self) {
        discard(self.0.clone());
    }
}
