//! The trait of a channel's transport.

use std::future::Future;

use super::{AttemptResult, PendingDelivery, TrafficLimits};
use crate::recipients::Channel;

/// Sends the deliveries of one channel.
pub(crate) trait Transport: Send + Sync + 'static {
    const CHANNEL: Channel;
    /// The most attempts under way at once.
    const LIMITS: TrafficLimits;

    /// Makes one attempt.
    fn send(&self, delivery: &PendingDelivery) -> impl Future<Output = AttemptResult> + Send;
}
