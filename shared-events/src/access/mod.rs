//! What a principal may do. Promise: pure functions of its grants; what no grant permits is not
//! permitted, and a grant of an unknown role permits nothing.
//!
//! ```text
//! grant      a grant as the services evaluate it: its role and its bounds
//! directory  all principals of a bank, and what they may do with a message of some type
//! rights     the grants for one message: types, branches, accounts, amounts
//! ```
//! The roles, with their types and the accounts that they may debit, stand in
//! [`topology::ROLES`](crate::topology::ROLES).

mod directory;
mod grant;
mod rights;

pub use directory::AccessDirectory;
pub use grant::{BRANCH_RULE, GrantFault, Grants, check_grants, is_branch};
pub use rights::{Debit, Debited, Rights};

pub use crate::accounts::{
    Grant, GrantBranches, GrantCeilings, MAIN_BRANCH, PRINCIPALS_MAX, PrincipalGrants, RoleCode,
};
