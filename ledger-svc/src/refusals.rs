//! Refusals of arrangements and queries. Promise: a refused message changes nothing, and its author
//! learns which field breaks which rule.

use shared_events::{approvals::NeededApproval, messaging::HandleError, refusal::MessageRefused};

/// A rule that a field breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenRule {
    /// The field.
    pub field: &'static str,
    /// The values that the field may have.
    pub rule: String,
}

impl BrokenRule {
    pub(crate) fn new(field: &'static str, rule: impl Into<String>) -> Self {
        Self { field, rule: rule.into() }
    }
}

/// Why an arrangement was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArrangementReason {
    /// The ledger has no such customer's account.
    UnknownAccount,
    /// The account is closed, or about to be closed.
    AccountClosed,
    /// A field breaks a rule.
    InvalidField,
    /// The account has the most that it may have.
    TooMany,
    /// The account has no such monitor.
    UnknownMonitor,
    /// The account has no such order with a date left.
    UnknownOrder,
    /// The command's id was used before, with other content.
    IdempotencyConflict,
    /// No grant of the author permits it.
    NotPermitted,
}

/// A refused arrangement.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) reason: ArrangementReason,
    pub(crate) field: Option<&'static str>,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(reason: ArrangementReason, message: impl Into<String>) -> Self {
        Self { reason, field: None, message: message.into() }
    }

    pub(crate) fn invalid(field: &'static str, rule: impl Into<String>) -> Self {
        Self { field: Some(field), ..Self::new(ArrangementReason::InvalidField, rule) }
    }
}

impl From<BrokenRule> for Refusal {
    fn from(broken: BrokenRule) -> Self {
        Self::invalid(broken.field, broken.rule)
    }
}

/// Why an arrangement was not made.
#[derive(Debug)]
pub(crate) enum ArrangementError {
    /// The arrangement is refused, and changes nothing.
    Refused(Refusal),
    /// The arrangement needs the approval of another principal first.
    NeedsApproval(Vec<NeededApproval>),
    /// The command could not be handled.
    Failed(HandleError),
}

impl From<Refusal> for ArrangementError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<BrokenRule> for ArrangementError {
    fn from(broken: BrokenRule) -> Self {
        Self::Refused(broken.into())
    }
}

impl From<HandleError> for ArrangementError {
    fn from(error: HandleError) -> Self {
        Self::Failed(error)
    }
}

/// Why a query has no answer.
#[derive(Debug)]
pub(crate) enum QueryError {
    /// The query is refused.
    Refused(MessageRefused),
    /// The query could not be handled.
    Failed(HandleError),
}

impl From<MessageRefused> for QueryError {
    fn from(refusal: MessageRefused) -> Self {
        Self::Refused(refusal)
    }
}

impl From<HandleError> for QueryError {
    fn from(error: HandleError) -> Self {
        Self::Failed(error)
    }
}
