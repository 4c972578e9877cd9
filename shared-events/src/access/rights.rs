//! The rights for one message.

use std::{collections::BTreeSet, sync::Arc};

use rust_decimal::Decimal;

use super::grant::HeldGrant;
use crate::{ledger::AccountCode, money::Currency};

/// What the author of a message may do with it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Rights(Held);

#[derive(Clone, Debug)]
enum Held {
    /// The author is a service of the bank.
    Everything,
    /// The grants that permit messages of this type.
    Granted(Arc<[Arc<HeldGrant>]>),
    /// No grant does.
    Nothing(Arc<str>),
    /// The grants are not known, or were not confirmed lately.
    Unknown(Arc<str>),
}

/// An account that is debited.
#[derive(Clone, Copy, Debug)]
pub enum Debited<'a> {
    /// A customer's account.
    Customer {
        /// The branch that keeps the account.
        branch: &'a str,
    },
    /// One of the bank's own accounts.
    Own {
        /// Its code.
        code: &'a AccountCode,
    },
}

/// A debit of an instruction.
#[derive(Clone, Copy, Debug)]
pub struct Debit<'a> {
    /// The account.
    pub account: Debited<'a>,
    /// The amount.
    pub amount: Decimal,
    /// The currency of the amount.
    pub currency: Currency,
    /// Whether it takes money back that the account has received.
    pub is_reversal: bool,
}

impl Rights {
    /// The rights of the bank's services, and of work that no message asks for.
    #[must_use]
    pub const fn everything() -> Self {
        Self(Held::Everything)
    }

    /// No rights, for this reason.
    #[must_use]
    pub fn nothing(why: impl Into<Arc<str>>) -> Self {
        Self(Held::Nothing(why.into()))
    }

    /// Rights that cannot be told at the moment, for this reason: the message has to wait.
    #[must_use]
    pub fn unknown(why: impl Into<Arc<str>>) -> Self {
        Self(Held::Unknown(why.into()))
    }

    /// Why the rights cannot be told at the moment, if that is so.
    #[must_use]
    pub fn lack(&self) -> Option<&str> {
        match &self.0 {
            Held::Unknown(why) => Some(why),
            Held::Everything | Held::Granted(_) | Held::Nothing(_) => None,
        }
    }

    pub(super) fn granted(grants: Vec<Arc<HeldGrant>>) -> Self {
        Self(Held::Granted(grants.into()))
    }

    /// Why the author may not send the message at all, if that is so.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        match &self.0 {
            Held::Nothing(why) | Held::Unknown(why) => Some(why),
            Held::Everything | Held::Granted(_) => None,
        }
    }

    /// Whether the rights hold for accounts of this branch.
    #[must_use]
    pub fn hold_for_branch(&self, branch: &str) -> bool {
        match &self.0 {
            Held::Everything => true,
            Held::Granted(grants) => grants.iter().any(|grant| grant.is_for_branch(branch)),
            Held::Nothing(_) | Held::Unknown(_) => false,
        }
    }

    /// The branches for whose accounts the rights hold. `None`: all branches.
    #[must_use]
    pub fn branches(&self) -> Option<BTreeSet<&str>> {
        match &self.0 {
            Held::Everything => None,
            Held::Granted(grants) => {
                let branches: Option<Vec<_>> =
                    grants.iter().map(|grant| grant.branches()).collect();
                let named = branches?.into_iter().flatten();
                Some(named.map(|branch| &**branch).collect())
            }
            Held::Nothing(_) | Held::Unknown(_) => Some(BTreeSet::new()),
        }
    }

    /// Whether the rights hold for the bank's own accounts, as far as they are read.
    #[must_use]
    pub fn read_own_accounts(&self) -> bool {
        match &self.0 {
            Held::Everything => true,
            Held::Granted(grants) => grants.iter().any(|grant| grant.reads_own_accounts()),
            Held::Nothing(_) | Held::Unknown(_) => false,
        }
    }

    /// Whether some grant permits the debit.
    #[must_use]
    pub fn permit(&self, debit: &Debit<'_>) -> bool {
        match &self.0 {
            Held::Everything => true,
            Held::Granted(grants) => grants.iter().any(|grant| grant.permits(debit)),
            Held::Nothing(_) | Held::Unknown(_) => false,
        }
    }
}
