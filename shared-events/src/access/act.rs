//! What a command does, as far as its author needs a right for it.

use crate::{
    accounts::RoleCode,
    approvals::{CoveredDebit, NeededApproval},
    ledger::AccountCode,
    money::Money,
};

/// A part of a command for which the author needs a right.
#[derive(Clone, Copy, Debug)]
pub enum Act<'a> {
    /// The command is about the whole bank.
    OfWholeBank,
    /// The command is about an account of this branch.
    OnBranch(&'a str),
    /// The command debits an account.
    Debit(Debit<'a>),
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
    /// The money. `None`: nobody knows yet how much, such as the balance of a closed account.
    pub money: Option<Money>,
    /// Whether it takes money back that the account has received.
    pub is_reversal: bool,
}

impl Act<'_> {
    /// The approval that the act needs of a principal that may do it in these roles.
    pub(super) fn needed(&self, roles: &[RoleCode]) -> NeededApproval {
        let (branch, debit) = match self {
            Self::OfWholeBank => (None, CoveredDebit::None {}),
            Self::OnBranch(branch) => (Some((*branch).to_owned()), CoveredDebit::None {}),
            Self::Debit(debit) => {
                let branch = match debit.account {
                    Debited::Customer { branch } => Some(branch.to_owned()),
                    Debited::Own { .. } => None,
                };
                (branch, debit.money.map_or(CoveredDebit::Any {}, CoveredDebit::UpTo))
            }
        };
        let roles = roles.iter().map(|code| (*code).into()).collect();
        NeededApproval { roles, branch, debit }
    }
}
