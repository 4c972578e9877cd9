//! Who may do what: principals and their grants.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    code::{Open, codes},
    ids::CommandId,
    message::{Query, messages},
    money::Money,
};

/// The maximal number of principals of a bank.
pub const PRINCIPALS_MAX: usize = 1_000;
/// The maximal number of grants of a principal.
pub const GRANTS_MAX: usize = 20;
/// The maximal number of ceilings of a grant.
pub const GRANT_CEILINGS_MAX: usize = 20;
/// The maximal number of commands of a grant that need an approval.
pub const GRANT_APPROVED_COMMANDS_MAX: usize = 40;
/// The maximal number of branches of a grant.
pub const GRANT_BRANCHES_MAX: usize = 100;
/// The branch of accounts that were opened without one.
pub const MAIN_BRANCH: &str = "main";

codes! {
    /// A role: the commands and queries that its principals may send, and the accounts that they
    /// may debit.
    pub enum RoleCode {
        /// Pays and asks for customers: a web bank, an app, a payment gateway.
        CustomerChannel = "customer_channel",
        /// Opens and administers accounts, takes and pays out cash.
        Clerk = "clerk",
        /// Unfreezes accounts, and decides on limits and terms.
        Supervisor = "supervisor",
        /// Moves the bank's own money, sets terms and closes periods.
        Treasury = "treasury",
        /// Reads everything, and changes nothing.
        Auditor = "auditor",
        /// Keeps the bank running: deliveries, parked messages, principals.
        Operator = "operator",
        /// Keeps the signed ends of the chains outside the bank.
        Witness = "witness",
    }
}

/// A role, and the bounds within which a principal has it. All bounds are required: a bound that is
/// left out or misspelt must not grant more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Grant {
    /// The role. A role of a later release grants nothing to a reader that does not know it.
    pub role: Open<RoleCode>,
    /// The branches whose accounts the grant is for.
    pub branches: GrantBranches,
    /// The most that one debit may move.
    pub ceilings: GrantCeilings,
    /// What of it another principal has to approve.
    pub approval: GrantApproval,
}

/// The branches of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantBranches {
    /// The accounts of all branches, and what is the whole bank's.
    All {},
    /// The accounts of these branches, 1 to 100.
    Only(
        #[schemars(length(min = 1, max = 100), inner(regex(pattern = "^[a-z0-9-]{1,40}$")))]
        Vec<String>,
    ),
}

/// The ceilings of a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantCeilings {
    /// Any amount.
    None {},
    /// Up to these amounts, one for each currency, at most 20; nothing in another currency.
    UpTo(#[schemars(length(max = 20))] Vec<Money>),
}

/// What another principal has to approve before it is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantApproval {
    /// Nothing.
    None {},
    /// Some commands, and debits of some amounts.
    Needed(ApprovalBounds),
}

/// The commands and the debits of a grant that another principal has to approve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalBounds {
    /// The commands that need an approval whatever they debit, as types without version:
    /// `accounts.limits.set`. At most 40.
    #[schemars(
        length(max = 40),
        inner(length(max = 64), regex(pattern = "^[a-z_]+(\\.[a-z_]+){2}$"))
    )]
    pub commands: Vec<String>,
    /// The most that one debit may move without an approval.
    pub ceilings: GrantCeilings,
}

impl Grant {
    /// A role without bounds.
    #[must_use]
    pub fn of_role(role: RoleCode) -> Self {
        let (branches, ceilings) = (GrantBranches::All {}, GrantCeilings::None {});
        Self { role: role.into(), branches, ceilings, approval: GrantApproval::None {} }
    }
}

/// A principal, a user of the broker, with its grants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrincipalGrants {
    /// The principal's name.
    pub principal: String,
    /// The grants; none of a principal that may do nothing any more.
    pub grants: Vec<Grant>,
}

/// `accounts.access.set.v1`: gives a principal exactly these grants, instead of those that it had.
/// Answered by
/// `accounts.access.changed.v1` or `accounts.access.rejected.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SetAccess {
    /// The principal: the name of a user of the broker.
    #[schemars(regex(pattern = "^[a-z][a-z0-9-]{0,31}$"))]
    pub principal: String,
    /// The grants; without any, the principal may do nothing.
    #[schemars(length(max = 20))]
    pub grants: Vec<Grant>,
}

/// `accounts.access.changed.v1`: the grants of a principal have changed. The change holds in all
/// services once they have received the next `accounts.access.current.v1`, which is announced with
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessChanged {
    /// The principal.
    pub principal: String,
    /// The grants before this change.
    pub before: Vec<Grant>,
    /// The grants now.
    pub grants: Vec<Grant>,
    /// The principal that changed them; absent if they come from the file of principals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// The number of this change; the first change of a bank has the number 1.
    pub version: i64,
}

codes! {
    /// The reason why the grants of a principal were not changed.
    pub enum AccessReason {
        /// A field breaks a rule; `field` names it.
        InvalidField = "invalid_field",
        /// No grant of the sender permits the command.
        NotPermitted = "not_permitted",
        /// Afterwards no principal could change grants.
        LastOperator = "last_operator",
        /// An earlier command had the same id and other content.
        IdempotencyConflict = "idempotency_conflict",
    }
}

/// `accounts.access.rejected.v1`: the grants of a principal were not changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessRejected {
    /// The id of the refused command.
    pub command_id: CommandId,
    /// The principal that the command named.
    pub principal: String,
    /// The reason.
    pub reason: Open<AccessReason>,
    /// The field that breaks a rule, if the reason is a field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule, in words.
    pub message: String,
}

/// `accounts.access.current.v1`: all principals with their grants, as they are now. Announced with
/// each change, and twice a minute without one: a service that has not heard it for a quarter of an
/// hour permits nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessCurrent {
    /// The number of the last change.
    pub version: i64,
    /// The instant at which these were the grants.
    pub at: DateTime<Utc>,
    /// The principals that have a grant.
    pub principals: Vec<PrincipalGrants>,
}

/// `accounts.access.list.v1`: asks for all principals with their grants.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListAccess {}

/// `accounts.access.listed.v1`: all principals, in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccessListed {
    /// The principals.
    pub principals: Vec<PrincipalGrants>,
    /// The number of the last change.
    pub version: i64,
}

const SUBJECT: &str = "access";

messages! {
    Command "accounts.access.set.v1" SetAccess, subject |message| message.principal.clone();
    Event "accounts.access.changed.v1" AccessChanged, subject |message| message.principal.clone();
    Event "accounts.access.rejected.v1" AccessRejected, subject |message| message.principal.clone();
    Event "accounts.access.current.v1" AccessCurrent, subject |_| SUBJECT.to_owned();
    Query "accounts.access.list.v1" ListAccess, subject |_| SUBJECT.to_owned();
    Reply "accounts.access.listed.v1" AccessListed, subject |_| SUBJECT.to_owned();
}

impl Query for ListAccess {
    type Reply = AccessListed;
}
