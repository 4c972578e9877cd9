//! One account and the payload of its notification.

use shared_events::{AccountId, TransferId};

use super::NotificationPayload;
use crate::recipients::Topic;

/// An event that concerns the holder of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotificationTrigger<'e> {
    pub(crate) account_id: AccountId,
    /// Whether the account exists for certain. A rejected transfer may name an account that never
    /// existed.
    pub(crate) is_certain: bool,
    pub(crate) payload: NotificationPayload<'e>,
}

impl NotificationTrigger<'_> {
    pub(crate) const fn topic(&self) -> Topic {
        self.payload.topic()
    }

    /// The transfer that the event is about, where there is one.
    pub(crate) const fn transfer_id(&self) -> Option<TransferId> {
        self.payload.transfer_id()
    }
}
