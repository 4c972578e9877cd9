//! Requests about accounts: commands of clients and answers of the ledger, with checked fields.

use shared_events::{AccountId, Amount};

use super::{
    closing::Closing,
    entity::CloseRefusal,
    freezing::Freeze,
    limits::{LimitChange, NewLimits},
    opening::CheckedOpening,
};
use crate::{fields::InvalidField, holders::Holder};

/// A client's command. A field that breaks a rule is kept as such: whether the account exists is
/// answered first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AccountRequest {
    /// Open an account.
    Open { account_id: AccountId, opening: CheckedOpening },
    /// Change an account.
    Change { account_id: AccountId, change: Result<ChangeRequest, InvalidField> },
}

/// A change of an account that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChangeRequest {
    Freeze(Freeze),
    Unfreeze,
    Close(Closing),
    SetLimits(NewLimits),
    ChangeLimits(LimitChange),
    UpdateHolder(Holder),
    Erase,
}

impl AccountRequest {
    /// The account that the command names.
    pub(crate) const fn account_id(&self) -> AccountId {
        match self {
            Self::Open { account_id, .. } | Self::Change { account_id, .. } => *account_id,
        }
    }

    /// The account, where the command erases one.
    pub(crate) const fn erased(&self) -> Option<AccountId> {
        match self {
            Self::Change { account_id, change: Ok(ChangeRequest::Erase) } => Some(*account_id),
            Self::Change { .. } | Self::Open { .. } => None,
        }
    }

    /// The new account, where the command opens one.
    pub(crate) const fn opening(&self) -> Option<&CheckedOpening> {
        match self {
            Self::Open { opening, .. } => Some(opening),
            Self::Change { .. } => None,
        }
    }
}

/// The ledger's answer to an opening or a closing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LedgerAnswer {
    pub(crate) account_id: AccountId,
    pub(crate) content: LedgerDecision,
}

/// The ledger's part in an account's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LedgerDecision {
    /// The ledger has opened its side.
    Opened,
    /// Nothing is on the account, and nothing can be posted on it any more.
    Locked { closing_version: Option<i64> },
    /// The account cannot be locked.
    CloseRefused { reason: CloseRefusal, balance: Amount, closing_version: Option<i64> },
}
