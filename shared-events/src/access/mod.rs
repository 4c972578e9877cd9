//! What a principal may do. Promise: pure functions of its grants; what no grant permits is not
//! permitted, and a grant of an unknown role permits nothing.
//!
//! ```text
//! roles      the roles: what each may send, read, debit and approve; role_types: in groups;
//!            debits: of which accounts
//! check      the rules of grants
//! grant      a grant as the services evaluate it: its role and its bounds
//! directory  all principals of a bank, and what they may do with a message of some type
//! act        what a command does, as far as its author needs a right
//! rights     the grants for one message, which judge its acts
//! ```

mod act;
mod check;
mod debits;
mod directory;
mod grant;
mod rights;
mod role_types;
mod roles;

pub use act::{Act, Debit, Debited};
pub use check::{BRANCH_RULE, GrantFault, check_grants, is_branch};
pub use debits::{Debits, OwnAccounts};
pub use directory::AccessDirectory;
pub use grant::Grants;
pub use rights::{Rights, Verdict};
pub use role_types::{SET_ACCESS, is_of_whole_bank};
pub use roles::{ROLES, Role};

pub use crate::accounts::{
    ApprovalBounds, Grant, GrantApproval, GrantBranches, GrantCeilings, MAIN_BRANCH,
    PRINCIPALS_MAX, PrincipalGrants, RoleCode,
};
