//! The services' parts of an erasure.

use chrono::{DateTime, Utc};
use shared_events::AccountId;

/// A part of an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The texts of the account's payments.
    Ledger,
    /// The addresses, and what the holder was told.
    Notifications,
}

/// A service has erased its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PartErased {
    pub(crate) account_id: AccountId,
    pub(crate) part: Part,
}

/// All services have erased their parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Completed {
    pub(crate) account_id: AccountId,
    pub(crate) erased_at: DateTime<Utc>,
    pub(crate) completed_at: DateTime<Utc>,
}
