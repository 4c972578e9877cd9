//! A grant as the services evaluate it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use rust_decimal::Decimal;

use super::{
    act::{Act, Debit, Debited},
    check::without_version,
    debits::OwnAccounts,
    role_types::is_of_whole_bank,
    roles::Role,
};
use crate::{
    accounts::{
        ApprovalBounds, EraseHolder, Grant, GrantApproval, GrantBranches, GrantCeilings, RoleCode,
    },
    approvals::{CoveredDebit, NeededApproval},
    code::Open,
    message::Message as _,
    money::{Currency, Money},
};

/// The account of cash.
const CASH: &str = "cash";

/// A grant of a known role.
#[derive(Clone, Debug)]
pub(super) struct HeldGrant {
    role: &'static Role,
    /// `None`: all branches.
    branches: Option<BTreeSet<Box<str>>>,
    ceilings: Ceilings,
    /// `None`: nothing needs an approval.
    approval: Option<HeldApproval>,
}

/// What of a grant another principal has to approve.
#[derive(Clone, Debug)]
struct HeldApproval {
    /// Types without version.
    commands: BTreeSet<Box<str>>,
    /// What needs no approval.
    ceilings: Ceilings,
}

/// The most that one debit may move. `None`: any amount.
#[derive(Clone, Debug)]
struct Ceilings(Option<BTreeMap<Currency, Decimal>>);

impl Ceilings {
    fn of(ceilings: &GrantCeilings) -> Self {
        match ceilings {
            GrantCeilings::None {} => Self(None),
            GrantCeilings::UpTo(all) => {
                let ceilings = all.iter().map(|money| (money.currency, money.amount.decimal()));
                Self(Some(ceilings.collect()))
            }
        }
    }

    /// Whether they cover this amount; `None`: whatever amount it is.
    fn cover(&self, money: Option<Money>) -> bool {
        let Some(ceilings) = &self.0 else { return true };
        money.is_some_and(|money| {
            let ceiling = ceilings.get(&money.currency);
            ceiling.is_some_and(|ceiling| money.amount.decimal() <= *ceiling)
        })
    }
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
        let ceilings = Ceilings::of(&grant.ceilings);
        let approval = match &grant.approval {
            GrantApproval::None {} => None,
            GrantApproval::Needed(ApprovalBounds { commands, ceilings }) => Some(HeldApproval {
                commands: commands.iter().map(|name| name.as_str().into()).collect(),
                ceilings: Ceilings::of(ceilings),
            }),
        };
        Some(Self { role: Role::of(code), branches, ceilings, approval })
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
    pub(super) const fn is_of_staff(&self) -> bool {
        self.role.reads_own_accounts
    }

    pub(super) const fn reads_own_accounts(&self) -> bool {
        self.role.reads_own_accounts && self.branches.is_none()
    }

    pub(super) const fn branches(&self) -> Option<&BTreeSet<Box<str>>> {
        self.branches.as_ref()
    }

    pub(super) const fn role(&self) -> RoleCode {
        self.role.code
    }

    /// Whether the grant permits the act, with or without an approval.
    pub(super) fn permits(&self, act: &Act<'_>) -> bool {
        match act {
            Act::OfWholeBank => true,
            Act::OnBranch(branch) => self.is_for_branch(branch),
            Act::Debit(debit) => self.permits_debit(debit),
        }
    }

    fn permits_debit(&self, debit: &Debit<'_>) -> bool {
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
        is_for_account && self.ceilings.cover(debit.money)
    }

    /// Whether commands of this type need an approval whatever they do.
    fn always_needs_approval(&self, kind: &str) -> bool {
        let (kind, approval) = (without_version(kind), self.approval.as_ref());
        kind == without_version(EraseHolder::TYPE)
            || approval.is_some_and(|approval| approval.commands.contains(kind))
    }

    /// Whether some act of some command may need an approval.
    fn has_approval_ceilings(&self) -> bool {
        self.approval.as_ref().is_some_and(|approval| approval.ceilings.0.is_some())
    }

    /// Whether a debit of so much is done without an approval.
    fn is_below_approval(&self, debit: &Debit<'_>) -> bool {
        self.approval.as_ref().is_none_or(|approval| approval.ceilings.cover(debit.money))
    }

    /// Whether the principal with this grant may approve what needs this approval.
    fn approves(&self, needed: &NeededApproval) -> bool {
        let is_for_role = needed.roles.iter().any(|role| match role {
            Open::Known(code) => self.role.approves.contains(code),
            Open::Unknown(_) => false,
        });
        let is_for_branch = match &needed.branch {
            Some(branch) => self.is_for_branch(branch),
            None => self.branches.is_none(),
        };
        is_for_role
            && is_for_branch
            && match &needed.debit {
                CoveredDebit::None {} => true,
                CoveredDebit::UpTo(money) => self.ceilings.cover(Some(*money)),
                CoveredDebit::Any {} => self.ceilings.cover(None),
            }
    }
}

/// A grant that permits messages of some type.
#[derive(Clone, Debug)]
pub(super) struct TypeGrant {
    grant: Arc<HeldGrant>,
    /// Whether commands of this type need an approval whatever they do.
    is_always_approved: bool,
}

impl TypeGrant {
    pub(super) fn grant(&self) -> &HeldGrant {
        &self.grant
    }

    pub(super) fn needs_approval(&self, act: &Act<'_>) -> bool {
        self.is_always_approved
            || match act {
                Act::OfWholeBank | Act::OnBranch(_) => false,
                Act::Debit(debit) => !self.grant.is_below_approval(debit),
            }
    }

    /// Whether some act of a command of this type may need an approval.
    pub(super) fn may_need_approval(&self) -> bool {
        self.is_always_approved || self.grant.has_approval_ceilings()
    }
}

impl Grants {
    /// The grants; those of unknown roles are left out.
    #[must_use]
    pub fn of(grants: &[Grant]) -> Self {
        Self(grants.iter().filter_map(HeldGrant::of).map(Arc::new).collect())
    }

    /// The grants that permit messages of this type.
    pub(super) fn for_type(&self, kind: &str) -> Vec<TypeGrant> {
        let grants = self.0.iter().filter(|grant| grant.is_for_type(kind));
        let of_type = |grant: &Arc<HeldGrant>| TypeGrant {
            grant: Arc::clone(grant),
            is_always_approved: grant.always_needs_approval(kind),
        };
        grants.map(of_type).collect()
    }

    /// Whether any grant permits messages of this type.
    #[must_use]
    pub fn permit_type(&self, kind: &str) -> bool {
        self.0.iter().any(|grant| grant.is_for_type(kind))
    }

    /// Whether the principal with these grants may approve what needs this approval.
    #[must_use]
    pub fn approve(&self, needed: &NeededApproval) -> bool {
        self.0.iter().any(|grant| grant.approves(needed))
    }

    /// Whether the principal reads everything.
    #[must_use]
    pub fn read_all(&self) -> bool {
        self.0.iter().any(|grant| grant.role.reads_all() && grant.branches.is_none())
    }
}
