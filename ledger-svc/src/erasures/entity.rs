//! An account whose texts are to be erased, and an erasure that is done.

use shared_events::AccountId;
use uuid::Uuid;

/// An account whose texts are to be erased.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    /// The account.
    pub(crate) account: AccountId,
    /// The event that asks for it, and its correlation.
    pub(crate) cause: Uuid,
    pub(crate) correlation: Uuid,
}

/// The texts of an account's payments are erased.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ErasedTexts {
    pub(crate) request: Request,
    /// The number of records whose texts were erased.
    pub(crate) records: u64,
    /// The number of records that contain their texts, which stay.
    pub(crate) kept: u64,
}
