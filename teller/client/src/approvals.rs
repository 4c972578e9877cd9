//! Commands that need the approval of another principal: list, show, approve, decline.

use shared_events::{
    CommandId, MessageId,
    approvals::{
        APPROVALS_PAGE_MAX, Approval, ApprovalDeclined, ApprovalFound, ApprovalGiven,
        ApprovalState, ApproveCommand, DeclineCommand, GetApproval, ListApprovals,
    },
};

use crate::{error::TellerError, owner::OwningService, teller::Teller};

impl Teller {
    /// The commands of a service in this state, or in any, over as many pages as there are.
    pub async fn list_approvals(
        &self,
        of: OwningService,
        state: Option<ApprovalState>,
    ) -> Result<Vec<Approval>, TellerError> {
        let mut found = Vec::new();
        let mut query = ListApprovals { state, after: None, limit: Some(APPROVALS_PAGE_MAX) };
        loop {
            let page = self.ask_owner(of, query.clone()).await?;
            found.extend(page.approvals);
            match page.next {
                Some(next) => query.after = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// One command with its content.
    pub async fn approval(
        &self,
        of: OwningService,
        command_id: CommandId,
    ) -> Result<ApprovalFound, TellerError> {
        self.ask_owner(of, GetApproval { command_id }).await
    }

    /// Approves a command.
    pub async fn approve(
        &self,
        of: OwningService,
        id: MessageId,
        command_id: CommandId,
    ) -> Result<Approval, TellerError> {
        let given: ApprovalGiven = self.send_owner(of, id, ApproveCommand { command_id }).await?;
        Ok(given.approval)
    }

    /// Refuses the approval of a command, or withdraws an own command.
    pub async fn decline(
        &self,
        of: OwningService,
        id: MessageId,
        command: DeclineCommand,
    ) -> Result<Approval, TellerError> {
        let declined: ApprovalDeclined = self.send_owner(of, id, command).await?;
        Ok(declined.approval)
    }
}
