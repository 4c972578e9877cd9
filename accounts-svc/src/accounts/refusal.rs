//! The reasons for refusing a command. A refusal is an answer: its text is for the sender.

use std::fmt;

use shared_events::{AccountId, approvals::NeededApproval};

use super::entity::AccountStatus;
use crate::fields::InvalidField;

/// The reason for refusing a command, with the facts that help the sender.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no account {0}")]
    UnknownAccount(AccountId),
    #[error("account {0} was opened by another command")]
    AccountExists(AccountId),
    #[error("another account has the external reference {0:?}")]
    ExternalReferenceTaken(String),
    #[error("the account is {}; it must be {}", is.as_str(), any_of(needs))]
    WrongStatus { is: AccountStatus, needs: &'static [AccountStatus] },
    #[error("the account was closed too recently: the bank still keeps the holder's data")]
    ClosedTooRecently,
    #[error("{}", _0.rule)]
    InvalidField(#[from] InvalidField),
    #[error("the account is of the branch {0:?}, for which no grant of the sender is")]
    NotPermitted(String),
    #[error("no grant of the sender permits a payout of any amount")]
    PayoutNotPermitted,
    #[error("the command needs the approval of another principal")]
    NeedsApproval(Vec<NeededApproval>),
    #[error("the command's id was used before, with other content")]
    IdempotencyConflict,
}

impl Refusal {
    /// The code of the reason in logs and metrics. In the contract it has the same name.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::UnknownAccount(_) => "unknown_account",
            Self::AccountExists(_) => "account_exists",
            Self::ExternalReferenceTaken(_) => "external_reference_taken",
            Self::WrongStatus { .. } | Self::ClosedTooRecently => "wrong_status",
            Self::InvalidField(_) => "invalid_field",
            Self::NotPermitted(_) | Self::PayoutNotPermitted => "not_permitted",
            Self::NeedsApproval(_) => "needs_approval",
            Self::IdempotencyConflict => "idempotency_conflict",
        }
    }

    /// The field that breaks a rule, where there is one.
    pub(crate) const fn field(&self) -> Option<&'static str> {
        match self {
            Self::InvalidField(invalid) => Some(invalid.field),
            Self::UnknownAccount(_)
            | Self::AccountExists(_)
            | Self::ExternalReferenceTaken(_)
            | Self::WrongStatus { .. }
            | Self::ClosedTooRecently
            | Self::NotPermitted(_)
            | Self::PayoutNotPermitted
            | Self::NeedsApproval(_)
            | Self::IdempotencyConflict => None,
        }
    }
}

fn any_of(statuses: &[AccountStatus]) -> impl fmt::Display {
    let names: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
    names.join(" or ")
}
