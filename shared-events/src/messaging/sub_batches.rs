//! Batches within which each id comes once. Promise: order is kept.

use std::collections::HashSet;

use super::handler::{Handler, Idempotency, Received};

/// Cuts a batch where an id comes again: within one transaction the inbox sees each id once.
pub(crate) fn sub_batches<H: Handler>(
    messages: &[Received<H::Message>],
) -> Vec<&[Received<H::Message>]> {
    if messages.is_empty() {
        return vec![];
    }
    let (mut sub_batches, mut start, mut ids) = (Vec::new(), 0, HashSet::new());
    for (place, message) in messages.iter().enumerate() {
        if !ids.insert(message.id()) && H::IDEMPOTENCY == Idempotency::Inbox {
            sub_batches.push(&messages[start..place]);
            start = place;
            ids = HashSet::from([message.id()]);
        }
    }
    sub_batches.push(&messages[start..]);
    sub_batches
}
