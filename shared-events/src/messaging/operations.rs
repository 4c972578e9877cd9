//! What operators and approvers ask a service: about its parked messages, and about commands that
//! need an approval. The queue `<service>.operations` has a single active consumer.

use super::{
    approvals::{ApprovalRequest, ApprovalsHandler},
    delivery_store::BatchHandler,
    handler::{HandleError, Idempotency, Outcome, Received},
    parked::{ParkedHandler, ParkedRequest, ParkedTransaction},
};
use crate::{
    message::{MessageSet, Undecodable},
    refusal::MessageRefused,
};

/// A query or a command to a service about its operations.
#[derive(Clone, Debug)]
pub(crate) enum OperationsRequest {
    Parked(ParkedRequest),
    Approval(ApprovalRequest),
}

const PARKED: usize = ParkedRequest::TYPES.len();
const ALL: [&str; PARKED + ApprovalRequest::TYPES.len()] = {
    let mut all = [""; PARKED + ApprovalRequest::TYPES.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = match at < PARKED {
            true => ParkedRequest::TYPES[at],
            false => ApprovalRequest::TYPES[at - PARKED],
        };
        at += 1;
    }
    all
};

impl MessageSet for OperationsRequest {
    const TYPES: &'static [&'static str] = &ALL;

    fn decode(kind: &str, data: &str) -> Result<Self, Undecodable> {
        match ApprovalRequest::TYPES.contains(&kind) {
            true => ApprovalRequest::decode(kind, data).map(Self::Approval),
            false => ParkedRequest::decode(kind, data).map(Self::Parked),
        }
    }

    fn canonical(&self) -> Vec<u8> {
        match self {
            Self::Parked(request) => request.canonical(),
            Self::Approval(request) => request.canonical(),
        }
    }
}

/// Handles them, one by one: a scan of parked messages holds the messages until the commit.
pub(crate) struct OperationsHandler {
    pub(crate) parked: ParkedHandler,
    pub(crate) approvals: ApprovalsHandler,
}

impl BatchHandler<ParkedTransaction> for OperationsHandler {
    type Message = OperationsRequest;
    /// The tables `bus.parked_commands` and `bus.approvals`.
    const IDEMPOTENCY: Idempotency = Idempotency::NaturalKey;

    async fn handle_in(
        &self,
        tx: &mut ParkedTransaction,
        batch: &[Received<OperationsRequest>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for received in batch {
            outcomes.push(match received.message() {
                OperationsRequest::Parked(request) => {
                    let [received] = batch else {
                        let why = "operators' requests are handled one by one";
                        return Err(HandleError::Hopeless(why.into()));
                    };
                    self.parked.handle(tx, received, request).await?
                }
                OperationsRequest::Approval(request) => {
                    let principal = received.principal.as_str();
                    self.approvals.handle(&mut tx.lease, request, principal).await?
                }
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
