//! A grant as the services evaluate it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rust_decimal::Decimal;

use super::rights::{Debit, Debited};
use crate::{
    accounts::{
        GRANT_BRANCHES_MAX, GRANT_CEILINGS_MAX, GRANTS_MAX, Grant, GrantBranches, GrantCeilings,
    },
    code::Open,
    money::Currency,
    topology::{OwnAccounts, Role, is_of_whole_bank},
};

/// The account of cash.
const CASH: &str = "cash";
/// The most characters of a branch's name.
const BRANCH_CHARS_MAX: usize = 40;

/// A grant of a known role.
#[derive(Clone, Debug)]
pub(super) struct HeldGrant {
    role: &'static Role,
    /// `None`: all branches.
    branches: Option<BTreeSet<Box<str>>>,
    /// `None`: any amount.
    ceilings: Option<BTreeMap<Currency, Decimal>>,
}

/// All grants of a principal.
#[derive(Clone, Debug, Default)]
pub struct Grants(Vec<Arc<HeldGrant>>);

impl HeldGrant {
    fn of(grant: &Grant) -> Option<Self> {
        let Open::Known(code) = grant.role else { return None };
        let branches = match &grant.branches {
            GrantBranches::All {} => None,
            GrantBranches::Only(names) => {
                Some(names.iter().map(|name| name.as_str().into()).collect())
            }
        };
        let ceilings = match &grant.ceilings {
            GrantCeilings::None {} => None,
            GrantCeilings::UpTo(all) => {
                let ceilings = all.iter().map(|money| (money.currency, money.amount.decimal()));
                Some(ceilings.collect())
            }
        };
        Some(Self { role: Role::of(code), branches, ceilings })
    }

    pub(super) fn is_for_type(&self, kind: &str) -> bool {
        self.role.sends().any(|sent| sent == kind)
            && (self.branches.is_none() || !is_of_whole_bank(kind))
    }

    pub(super) fn is_for_branch(&self, branch: &str) -> bool {
        self.branches.as_ref().is_none_or(|branches| branches.contains(branch))
    }

    /// Each customer of a branch is a counterparty of the bank's own accounts, so a grant for some
    /// branches does not show them.
    pub(super) const fn reads_own_accounts(&self) -> bool {
        self.role.reads_own_accounts && self.branches.is_none()
    }

    pub(super) const fn branches(&self) -> Option<&BTreeSet<Box<str>>> {
        self.branches.as_ref()
    }

    pub(super) fn permits(&self, debit: &Debit<'_>) -> bool {
        let debits = self.role.debits;
        let is_for_account = match debit.account {
            Debited::Customer { branch } => {
                (debits.customers || (debits.reversals && debit.is_reversal))
                    && self.is_for_branch(branch)
            }
            Debited::Own { code } => match debits.own {
                OwnAccounts::None => false,
                OwnAccounts::Cash => code.0 == CASH,
                OwnAccounts::All => true,
            },
        };
        is_for_account && self.is_below_ceiling(debit)
    }

    fn is_below_ceiling(&self, debit: &Debit<'_>) -> bool {
        self.ceilings.as_ref().is_none_or(|ceilings| {
            ceilings.get(&debit.currency).is_some_and(|ceiling| debit.amount <= *ceiling)
        })
    }
}

impl Grants {
    /// The grants; those of unknown roles are left out.
    #[must_use]
    pub fn of(grants: &[Grant]) -> Self {
        Self(grants.iter().filter_map(HeldGrant::of).map(Arc::new).collect())
    }

    /// The grants that permit messages of this type.
    pub(super) fn for_type(&self, kind: &str) -> Vec<Arc<HeldGrant>> {
        self.0.iter().filter(|grant| grant.is_for_type(kind)).cloned().collect()
    }

    /// Whether any grant permits messages of this type.
    #[must_use]
    pub fn permit_type(&self, kind: &str) -> bool {
        self.0.iter().any(|grant| grant.is_for_type(kind))
    }
}

/// A field of a grant that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub struct GrantFault {
    /// The path: `grants[0].branches`.
    pub field: String,
    /// The rule.
    pub rule: String,
}

/// Checks grants as a command or the file of principals gives them.
///
/// # Errors
/// When a field breaks its rule.
pub fn check_grants(grants: &[Grant]) -> Result<(), GrantFault> {
    if grants.len() > GRANTS_MAX {
        let rule = format!("at most {GRANTS_MAX}");
        return Err(GrantFault { field: "grants".to_owned(), rule });
    }
    for (number, grant) in grants.iter().enumerate() {
        let wrong = |field: &str, rule: String| {
            Err(GrantFault { field: format!("grants[{number}].{field}"), rule })
        };
        if let Open::Unknown(code) = &grant.role {
            return wrong("role", format!("{:?} is no role", code.as_str()));
        }
        if let GrantBranches::Only(branches) = &grant.branches {
            if !(1..=GRANT_BRANCHES_MAX).contains(&branches.len()) {
                return wrong("branches", format!("1 to {GRANT_BRANCHES_MAX}"));
            }
            if let Some(branch) = branches.iter().find(|branch| !is_branch(branch)) {
                return wrong("branches", format!("{branch:?}: {BRANCH_RULE}"));
            }
        }
        if let GrantCeilings::UpTo(ceilings) = &grant.ceilings {
            if ceilings.len() > GRANT_CEILINGS_MAX {
                return wrong("ceilings", format!("at most {GRANT_CEILINGS_MAX}"));
            }
            if ceilings.iter().any(|ceiling| ceiling.amount.decimal() < Decimal::ZERO) {
                return wrong("ceilings", "zero or more".to_owned());
            }
        }
    }
    Ok(())
}

/// The rule of [`is_branch`], in words.
pub const BRANCH_RULE: &str = "1 to 40 of a-z, 0-9 and -";

/// Whether a text is the name of a branch.
#[must_use]
pub fn is_branch(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=BRANCH_CHARS_MAX).contains(&name.len()) && name.chars().all(is_plain)
}
