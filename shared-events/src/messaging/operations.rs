//! What operators, approvers and auditors ask a service: about its parked messages, about commands
//! that need an approval, and about its access log. The queue `<service>.operations` has a single
//! active consumer.

use tracing::info;

use super::{
    access_log::{AccessLog, AccessLogHandler, AccessLogRequest, AskedQuery},
    approvals::{ApprovalRequest, ApprovalsHandler},
    delivery_store::BatchHandler,
    handler::{HandleError, Idempotency, Outcome, Received},
    parked::{ParkedHandler, ParkedRequest, ParkedTransaction},
};
use crate::{
    message::{Message as _, MessageSet, Undecodable},
    refusal::MessageRefused,
};

/// A query or a command to a service about its operations.
#[derive(Clone, Debug)]
pub(crate) enum OperationsRequest {
    Parked(ParkedRequest),
    Approval(ApprovalRequest),
    AccessLog(AccessLogRequest),
}

const PARKED: usize = ParkedRequest::TYPES.len();
const WITH_APPROVALS: usize = PARKED + ApprovalRequest::TYPES.len();
const COUNT: usize = WITH_APPROVALS + AccessLogRequest::TYPES.len();
const ALL: [&str; COUNT] = {
    let mut all = [""; COUNT];
    let mut at = 0;
    while at < COUNT {
        all[at] = if at < PARKED {
            ParkedRequest::TYPES[at]
        } else if at < WITH_APPROVALS {
            ApprovalRequest::TYPES[at - PARKED]
        } else {
            AccessLogRequest::TYPES[at - WITH_APPROVALS]
        };
        at += 1;
    }
    all
};

impl MessageSet for OperationsRequest {
    const TYPES: &'static [&'static str] = &ALL;

    fn decode(kind: &str, data: &str) -> Result<Self, Undecodable> {
        if ApprovalRequest::TYPES.contains(&kind) {
            return ApprovalRequest::decode(kind, data).map(Self::Approval);
        }
        if AccessLogRequest::TYPES.contains(&kind) {
            return AccessLogRequest::decode(kind, data).map(Self::AccessLog);
        }
        ParkedRequest::decode(kind, data).map(Self::Parked)
    }

    fn canonical(&self) -> Vec<u8> {
        match self {
            Self::Parked(request) => request.canonical(),
            Self::Approval(request) => request.canonical(),
            Self::AccessLog(request) => request.canonical(),
        }
    }
}

/// A request as the access log sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Logged {
    /// A command: it is recorded where it has its effect.
    Command,
    /// A query about the whole service.
    List,
    /// A query about one parked message or one command.
    Of(String),
}

impl OperationsRequest {
    fn logged(&self) -> Logged {
        match self {
            Self::Parked(ParkedRequest::List(_))
            | Self::Approval(ApprovalRequest::List(_))
            | Self::AccessLog(AccessLogRequest::List(_)) => Logged::List,
            Self::Parked(ParkedRequest::Get(query)) => Logged::Of(query.message.clone()),
            Self::Approval(ApprovalRequest::Get(query)) => Logged::Of(query.command_id.to_string()),
            Self::Parked(
                ParkedRequest::Replay(_) | ParkedRequest::Drop(_) | ParkedRequest::Edit(_),
            )
            | Self::Approval(ApprovalRequest::Approve(_) | ApprovalRequest::Decline(_)) => {
                Logged::Command
            }
        }
    }
}

/// The query of a request that is one, as the access log records it.
fn asked(received: &Received<OperationsRequest>) -> Option<AskedQuery> {
    let subject = match received.message().logged() {
        Logged::Command => return None,
        Logged::List => None,
        Logged::Of(subject) => Some(subject),
    };
    Some(AskedQuery::about(subject.as_deref(), &received.envelope, received.principal.as_str()))
}

/// The outcome of a command. A refusal leaves a line in the log, and nothing else.
fn logged(received: &Received<OperationsRequest>, outcome: Outcome) -> Outcome {
    if let Outcome::Done { told, .. } = &outcome
        && told.iter().any(|event| event.kind == MessageRefused::TYPE)
    {
        let (kind, principal) = (&*received.envelope.kind, received.principal.as_str());
        info!(command.id = %received.id(), kind, principal, "refused a command about operations");
    }
    outcome
}

/// Handles them, one by one: a scan of parked messages holds the messages until the commit.
pub(crate) struct OperationsHandler {
    pub(crate) parked: ParkedHandler,
    pub(crate) approvals: ApprovalsHandler,
    pub(crate) access_log: AccessLog,
    pub(crate) listing: AccessLogHandler,
}

impl OperationsHandler {
    async fn outcome(
        &self,
        tx: &mut ParkedTransaction,
        received: &Received<OperationsRequest>,
    ) -> Result<Outcome, HandleError> {
        if let Some(why) = received.rights.refusal() {
            return Ok(Outcome::refused(&MessageRefused::not_permitted(why)));
        }
        match received.message() {
            OperationsRequest::Parked(request) => self.parked.handle(tx, received, request).await,
            OperationsRequest::Approval(request) => {
                let principal = received.principal.as_str();
                Ok(self.approvals.handle(&mut tx.lease, request, principal).await?)
            }
            OperationsRequest::AccessLog(request) => {
                let listed = self.listing.handle(&mut tx.lease, request).await?;
                Ok(Outcome::Done { announce: vec![], told: vec![listed] })
            }
        }
    }

    /// Records the answers to a query. Returns what may leave the service.
    async fn recorded(&self, asked: AskedQuery, outcome: Outcome) -> Outcome {
        let Outcome::Done { announce, told } = outcome else { return outcome };
        let mut recorded = Vec::with_capacity(told.len());
        for answer in told {
            recorded.push(self.access_log.record(asked.clone(), answer).await);
        }
        Outcome::Done { announce, told: recorded }
    }
}

impl BatchHandler<ParkedTransaction> for OperationsHandler {
    type Message = OperationsRequest;
    /// The tables `bus.parked_commands` and `bus.approvals`.
    const IDEMPOTENCY: Idempotency = Idempotency::NaturalKey;
    /// A refused query has an entry in the access log, too.
    const REFUSES_ITSELF: bool = true;

    async fn handle_in(
        &self,
        tx: &mut ParkedTransaction,
        batch: &[Received<OperationsRequest>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for received in batch {
            if let (OperationsRequest::Parked(_), false) = (received.message(), batch.len() == 1) {
                let why = "operators' requests are handled one by one";
                return Err(HandleError::Hopeless(why.into()));
            }
            let asked = asked(received);
            let outcome = self.outcome(tx, received).await?;
            outcomes.push(match asked {
                Some(asked) => self.recorded(asked, outcome).await,
                None => logged(received, outcome),
            });
        }
        Ok(outcomes)
    }

    /// Never asked for: the inbox is not used.
    fn outcome_of_conflict(&self, received: &Received<OperationsRequest>) -> Outcome {
        let why = format!("message id {} came before with other content", received.id());
        Outcome::Hopeless { why }
    }

    fn outcome_without_right(&self, _: &Received<OperationsRequest>, why: &str) -> Outcome {
        Outcome::refused(&MessageRefused::not_permitted(why))
    }
}
