//! Version 1 of the messages about approvals. Promise: their shapes are written once; each service
//! has types of its own with these shapes, such as `ledger.approvals.list.v1`.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    accounts::RoleCode,
    code::{Open, codes},
    ids::CommandId,
    money::Money,
    owned::{Asks, Shape as _, shapes},
};

/// The maximal number of approvals on one page of a list.
pub const APPROVALS_PAGE_MAX: u32 = 500;
/// The maximal number of parts of a command that need approvals of different kinds.
pub const NEEDS_MAX: usize = 100;
/// The maximal number of characters of the reason of a refused approval.
pub const DECLINE_REASON_CHARS_MAX: usize = 200;

codes! {
    /// The state of a command that needs an approval.
    pub enum ApprovalState {
        /// The command waits for an approval. Nothing was done.
        Waiting = "waiting",
        /// The command is approved, and is handled next.
        Approved = "approved",
        /// The command was handled after its approval: done, or refused for another reason. Its own
    /// answer says which.
        Handled = "handled",
        /// The approval was refused, or the author has withdrawn the command. Nothing was done.
        Declined = "declined",
        /// Nobody has approved the command before its deadline. Nothing was done.
        Expired = "expired",
    }
}

/// The debit that an approval covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CoveredDebit {
    /// The command debits nothing.
    None {},
    /// A debit of this amount.
    UpTo(Money),
    /// A debit of an amount that nobody knows yet, such as the balance of a closed account.
    Any {},
}

/// A part of a command that needs an approval: what the approver's grants must cover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NeededApproval {
    /// The roles in which the author may do it with an approval. The approver needs a role that
    /// approves one of them.
    #[schemars(length(max = 20))]
    pub roles: Vec<Open<RoleCode>>,
    /// The branch of the account. Absent if the account is the bank's own or the command is about
    /// the whole bank: the approver then needs a grant for all branches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// The debit, which the ceilings of the approver's grant must cover.
    pub debit: CoveredDebit,
}

/// A command that needs an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Approval {
    /// The id of the command.
    pub command_id: CommandId,
    /// The type of the command.
    pub command_type: String,
    /// The author of the command. Another principal has to approve it.
    pub principal: String,
    /// The person or program on whose behalf the author acts, as the author says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The operator that has edited the command while it was parked, and may not approve it either.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_by: Option<String>,
    /// What the approver's grants must cover: all of it.
    #[schemars(length(max = 100))]
    pub needs: Vec<NeededApproval>,
    /// The time at which the service has set the command aside.
    pub requested_at: DateTime<Utc>,
    /// The time until which the command can be approved.
    pub deadline: DateTime<Utc>,
    /// The state.
    pub state: Open<ApprovalState>,
    /// The principal that approved or declined the command, or withdrew its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<String>,
    /// The time of this decision, or of the expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime<Utc>>,
    /// The reason of a decline, as its author wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// `<service>.approvals.list.v1`: asks for the commands that need or needed an approval, the oldest
/// first, in pages. An asker sees its own commands, those that it may approve, and as an auditor
/// all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListApprovals {
    /// Lists the commands in this state only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<ApprovalState>,
    /// Lists the commands after this one: the `next` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<CommandId>,
    /// The maximal number of items, 1 to 500; 100 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: Option<u32>,
}

/// `<service>.approvals.listed.v1`: a page of commands. A page can have fewer items than its limit,
/// since it leaves out what is none of the asker's business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalsListed {
    /// The commands of this page.
    pub approvals: Vec<Approval>,
    /// The start of the next page. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<CommandId>,
}

/// `<service>.approvals.get.v1`: asks for one command that needs or needed an approval, with its
/// content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetApproval {
    /// The id of the command.
    pub command_id: CommandId,
}

/// `<service>.approvals.found.v1`: one command, with its content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalFound {
    /// The command.
    pub approval: Approval,
    /// The `data` of the command. Absent where the command does not wait any more: the service
    /// keeps no copy; or where it is too large for this message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

/// `<service>.approvals.approve.v1`: approves a command, which is then handled. Answered by
/// `<service>.approvals.approved.v1`; a second approval changes nothing and gets the same answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApproveCommand {
    /// The id of the command.
    pub command_id: CommandId,
}

/// `<service>.approvals.decline.v1`: refuses the approval of a command, or withdraws an own one.
/// Answered by `<service>.approvals.declined.v1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeclineCommand {
    /// The id of the command.
    pub command_id: CommandId,
    /// The reason, for the author: 1 to 200 visible characters.
    #[schemars(length(min = 1, max = 200))]
    pub reason: String,
}

/// `<service>.approvals.requested.v1`: a command needs an approval and waits for one. The answer to
/// the command, too: nothing was done yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalRequested {
    /// The command.
    pub approval: Approval,
    /// Why it needs an approval and who can give it, in words.
    pub message: String,
}

/// `<service>.approvals.approved.v1`: a command is approved. Its own answer follows as an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalGiven {
    /// The command.
    pub approval: Approval,
}

/// `<service>.approvals.declined.v1`: the approval of a command was refused, or the command was
/// withdrawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalDeclined {
    /// The command.
    pub approval: Approval,
}

/// `<service>.approvals.expired.v1`: nobody has approved a command before its deadline.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ApprovalExpired {
    /// The command.
    pub approval: Approval,
}

shapes! {
    "approvals":
    Query "list.v1" ListApprovals;
    Reply "listed.v1" ApprovalsListed;
    Query "get.v1" GetApproval;
    Reply "found.v1" ApprovalFound;
    Command "approve.v1" ApproveCommand;
    Command "decline.v1" DeclineCommand;
    Event "requested.v1" ApprovalRequested;
    Event "approved.v1" ApprovalGiven;
    Event "declined.v1" ApprovalDeclined;
    Event "expired.v1" ApprovalExpired;
}

const fn requests(place: usize) -> [&'static str; 4] {
    [
        ListApprovals::TYPES[place],
        GetApproval::TYPES[place],
        ApproveCommand::TYPES[place],
        DeclineCommand::TYPES[place],
    ]
}

/// The queries and commands about the approvals of each service.
pub const REQUESTS: [[&str; 4]; 3] = [requests(0), requests(1), requests(2)];

impl Asks for ListApprovals {
    type Answer = ApprovalsListed;
}

impl Asks for GetApproval {
    type Answer = ApprovalFound;
}
