//! Why a command is refused. A refusal is an answer: its text is for whoever sent the command.

use std::fmt;

use shared_events::{
    AccountId,
    accounts::{AccountStatus, AccountsReason},
};

use crate::holders::rules::InvalidField;

/// Why a command is refused, and what the sender needs to know to do better.
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
    #[error("{}", _0.rule)]
    InvalidField(#[from] InvalidField),
    #[error("the command's id was used before, with other content")]
    IdempotencyConflict,
}

impl Refusal {
    /// The code that programs read.
    pub(crate) const fn reason(&self) -> AccountsReason {
        match self {
            Self::UnknownAccount(_) => AccountsReason::UnknownAccount,
            Self::AccountExists(_) => AccountsReason::AccountExists,
            Self::ExternalReferenceTaken(_) => AccountsReason::ExternalReferenceTaken,
            Self::WrongStatus { .. } => AccountsReason::WrongStatus,
            Self::InvalidField(_) => AccountsReason::InvalidField,
            Self::IdempotencyConflict => AccountsReason::IdempotencyConflict,
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
            | Self::IdempotencyConflict => None,
        }
    }
}

fn any_of(statuses: &[AccountStatus]) -> impl fmt::Display {
    let names: Vec<&str> = statuses.iter().map(|status| status.as_str()).collect();
    names.join(" or ")
}
