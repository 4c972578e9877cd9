//! A command with what became of its approval.

use chrono::{DateTime, Utc};
use lapin::BasicProperties;

use crate::{
    approvals::{
        Approval, ApprovalDeclined, ApprovalExpired, ApprovalGiven, ApprovalRequested,
        ApprovalState, NeededApproval,
    },
    ids::{CommandId, CorrelationId},
    messaging::{handler::Event, republish::OriginalMessage},
};

/// A command that was set aside.
#[derive(Clone, Debug)]
pub(crate) struct ApprovalRecord {
    pub(crate) command: CommandId,
    pub(crate) digest: Vec<u8>,
    pub(crate) kind: String,
    pub(crate) principal: String,
    pub(crate) actor: Option<String>,
    pub(crate) edited_by: Option<String>,
    pub(crate) correlation: CorrelationId,
    pub(crate) needs: Vec<NeededApproval>,
    pub(crate) requested_at: DateTime<Utc>,
    pub(crate) deadline: DateTime<Utc>,
    pub(crate) state: ApprovalState,
    pub(crate) decided_by: Option<String>,
    pub(crate) decided_at: Option<DateTime<Utc>>,
    pub(crate) reason: Option<String>,
    pub(crate) content: SetAsideContent,
}

/// The command as it was delivered.
#[derive(Clone, Debug)]
pub(crate) struct SetAsideContent {
    pub(crate) queue: String,
    pub(crate) content_type: String,
    /// `None` once the command is back in its queue or has ended, and where it was not asked for.
    pub(crate) body: Option<Vec<u8>>,
}

impl ApprovalRecord {
    /// Whether the principal has written the command, or changed it.
    pub(crate) fn is_of(&self, principal: &str) -> bool {
        self.principal == principal || self.edited_by.as_deref() == Some(principal)
    }

    /// Whether the command waits for an approval at this instant.
    pub(crate) fn waits_at(&self, now: DateTime<Utc>) -> bool {
        self.state == ApprovalState::Waiting && now <= self.deadline
    }

    /// The command, for its queue.
    pub(super) fn original(&self) -> Option<OriginalMessage> {
        Some(OriginalMessage {
            queue: self.content.queue.clone(),
            author: Some(self.principal.clone()),
            edited_by: self.edited_by.clone(),
            properties: BasicProperties::default(),
            id: self.command.to_string(),
            kind: self.kind.clone(),
            content_type: self.content.content_type.clone(),
            body: self.content.body.clone()?,
        })
    }

    /// The record as the contract shows it.
    pub(crate) fn shown(&self) -> Approval {
        let record = self.clone();
        Approval {
            command_id: record.command,
            command_type: record.kind,
            principal: record.principal,
            actor: record.actor,
            edited_by: record.edited_by,
            needs: record.needs,
            requested_at: record.requested_at,
            deadline: record.deadline,
            state: record.state.into(),
            decided_by: record.decided_by,
            decided_at: record.decided_at,
            reason: record.reason,
        }
    }

    /// The event of the record's state, of a service's own type.
    pub(crate) fn event(&self, service: &str, approvers: &str) -> Event {
        let approval = self.shown();
        match self.state {
            ApprovalState::Waiting => {
                let message = format!(
                    "{} needs the approval of another principal until {}; {approvers} approve it",
                    self.kind,
                    self.deadline.format("%Y-%m-%dT%H:%M:%SZ"),
                );
                Event::owned(service, &ApprovalRequested { approval, message })
            }
            ApprovalState::Approved | ApprovalState::Handled => {
                Event::owned(service, &ApprovalGiven { approval })
            }
            ApprovalState::Declined => Event::owned(service, &ApprovalDeclined { approval }),
            ApprovalState::Expired => Event::owned(service, &ApprovalExpired { approval }),
        }
    }
}
