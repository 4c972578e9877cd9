//! Queries and commands about approvals. Promise: one set of them serves every service; a service
//! receives its own types alone, by the bindings of its queue.

use crate::{
    approvals::{ApproveCommand, DeclineCommand, GetApproval, ListApprovals},
    owned::owned_set,
};

owned_set! {
    /// A query or a command about approvals.
    pub(crate) enum ApprovalRequest {
        List(ListApprovals) "list",
        Get(GetApproval) "get",
        Approve(ApproveCommand) "approve",
        Decline(DeclineCommand) "decline",
    }
}
