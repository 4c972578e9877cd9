//! The client's connection to the bank. Promise: a command goes out under the caller's id, and the
//! result is its outcome, a refusal, or an error that asks the caller to send the command again.

use std::time::Duration;

use shared_events::{
    Message, MessageId, Query,
    accounts::{AccessRejected, AccountsCommandRejected},
    amqp::BusError,
    approvals::{Approval, ApprovalDeclined, ApprovalExpired, ApprovalRequested},
    client::{Client, RequestError, SendOptions, Watch},
    envelope::RawEnvelope,
    ledger::{ArrangementRejected, LedgerCommandRejected},
    notifications::{NotificationsCommandRejected, RecoveryRejected},
    owned::{Ledger, Of, Shape as _},
    refusal::RefusalCode,
};
use tokio::time::Instant;

use crate::{
    backoff::Backoff,
    error::{Refusal, TellerError, unexpected},
};

/// How many questions, or commands that need no order, are on their way at a time.
pub const AT_ONCE: usize = 64;

/// A client of the bank. Cheap to clone; clones share one connection.
#[derive(Clone, Debug)]
pub struct Teller {
    pub(crate) client: Client,
    options: SendOptions,
}

impl Teller {
    /// A client over `client`, which connects when first used. Waits 30 s for each answer.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client, options: SendOptions::default() }
    }

    /// Waits this long for each answer.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.options.deadline = timeout;
        self
    }

    /// Sends on behalf of this person or system.
    #[must_use]
    pub fn with_actor(mut self, actor: Option<String>) -> Self {
        self.options.actor = actor;
        self
    }

    /// How long each answer is waited for.
    #[must_use]
    pub const fn timeout(&self) -> Duration {
        self.options.deadline
    }

    /// Connects now, to learn early that it cannot be done.
    pub async fn connect(&self) -> Result<(), TellerError> {
        Ok(self.client.connect().await?)
    }

    /// Connects, trying again until the timeout.
    pub async fn connect_patiently(&self) -> Result<(), TellerError> {
        let (until, mut backoff) = (self.until(), Backoff::start());
        loop {
            match self.connect().await {
                Err(_) if Instant::now() < until => backoff.wait().await,
                done => return done,
            }
        }
    }

    /// Events from now on, of types that match any of `patterns` (AMQP topics: `ledger.#`).
    pub async fn watch(&self, patterns: &[String]) -> Result<Watch, TellerError> {
        Ok(self.client.watch(patterns).await?)
    }

    /// The options of a command. Commands with the same `key` are handled in the order of sending.
    pub(crate) fn options(&self, key: Option<&str>) -> SendOptions {
        SendOptions { partition_key: key.map(str::to_owned), ..self.options.clone() }
    }

    /// When waiting that begins now is given up.
    #[must_use]
    pub fn until(&self) -> Instant {
        Instant::now() + self.options.deadline
    }

    /// Sends a command and waits for the event of type `E` that answers it.
    pub(crate) async fn send<C: Message, E: Message>(
        &self,
        id: MessageId,
        command: C,
    ) -> Result<E, TellerError> {
        let events = self.client.request(id, command, &self.options).await?;
        match events.iter().find(|event| event.kind == E::TYPE) {
            Some(event) => Ok(event.read()?),
            None => Err(refusal_in(&events)),
        }
    }

    /// The same of a command whose answer has an older version, too: of a service of before, or of
    /// one that repeats what it has answered before.
    pub(crate) async fn send_to_any<C: Message, Old: Message, E: Message + From<Old>>(
        &self,
        id: MessageId,
        command: C,
    ) -> Result<E, TellerError> {
        let events = self.client.request(id, command, &self.options).await?;
        let of = |kind: &str| events.iter().find(|event| event.kind == kind);
        match (of(E::TYPE), of(Old::TYPE)) {
            (Some(event), _) => Ok(event.read()?),
            (None, Some(event)) => Ok(event.read::<Old>()?.into()),
            (None, None) => Err(refusal_in(&events)),
        }
    }

    /// Asks a question, again where the service cannot answer at the moment.
    pub async fn ask<Q: Query + Clone>(&self, query: Q) -> Result<Q::Reply, TellerError> {
        let (until, mut backoff) = (self.until(), Backoff::start());
        loop {
            let asked = self.client.request(MessageId::new(), query.clone(), &self.options);
            match asked.await {
                Ok(reply) => return Ok(first(&reply)?.read()?),
                Err(RequestError::Refused(refused))
                    if refused.code == RefusalCode::Unavailable && Instant::now() < until =>
                {
                    backoff.wait().await;
                }
                Err(RequestError::NoOutcome { after, last, .. }) => {
                    let late = Unanswered { seconds: after.as_secs(), last };
                    return Err(TellerError::NoAnswer(late.into()));
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// A question without an answer. It may be asked again, and needs no id for that.
#[derive(Debug, thiserror::Error)]
#[error("none came in {seconds} s")]
struct Unanswered {
    seconds: u64,
    #[source]
    last: Option<BusError>,
}

fn first(reply: &[RawEnvelope]) -> Result<&RawEnvelope, TellerError> {
    reply.first().ok_or_else(|| unexpected(reply))
}

/// The refusal that a service announces in place of the expected event.
pub(crate) fn refusal_in(events: &[RawEnvelope]) -> TellerError {
    match events.first() {
        Some(event) => refusal(event).unwrap_or_else(|| unexpected(events)),
        None => unexpected(events),
    }
}

fn refusal(event: &RawEnvelope) -> Option<TellerError> {
    let refusal = match event.kind.as_str() {
        AccountsCommandRejected::TYPE => event.read().map(|rejected: AccountsCommandRejected| {
            Refusal::new(rejected.reason, rejected.message).with_field(rejected.field)
        }),
        AccessRejected::TYPE => event.read().map(|rejected: AccessRejected| {
            Refusal::new(rejected.reason, rejected.message).with_field(rejected.field)
        }),
        NotificationsCommandRejected::TYPE => {
            event.read().map(|rejected: NotificationsCommandRejected| {
                Refusal::new(rejected.reason, rejected.message).with_field(rejected.field)
            })
        }
        RecoveryRejected::TYPE => event.read().map(|rejected: RecoveryRejected| {
            Refusal::new(rejected.reason, rejected.message).with_field(rejected.field)
        }),
        ArrangementRejected::TYPE => event.read().map(|rejected: ArrangementRejected| {
            Refusal::new(rejected.reason, rejected.message).with_field(rejected.field)
        }),
        LedgerCommandRejected::TYPE => event
            .read()
            .map(|rejected: LedgerCommandRejected| Refusal::new(rejected.reason, rejected.message)),
        kind if ApprovalRequested::TYPES.contains(&kind) => {
            let requested = event.read::<Of<Ledger, ApprovalRequested>>().map(Of::into_inner);
            return Some(requested.map_or_else(TellerError::from, |requested| {
                TellerError::NeedsApproval(requested.into())
            }));
        }
        kind if ApprovalDeclined::TYPES.contains(&kind) => {
            let read = event.read::<Of<Ledger, ApprovalDeclined>>().map(Of::into_inner);
            read.map(|declined| not_approved("approval_declined", declined.approval))
        }
        kind if ApprovalExpired::TYPES.contains(&kind) => {
            let read = event.read::<Of<Ledger, ApprovalExpired>>().map(Of::into_inner);
            read.map(|expired| not_approved("approval_expired", expired.approval))
        }
        _ => return None,
    };
    Some(refusal.map_or_else(TellerError::from, TellerError::from))
}

/// The refusal of a command that nobody has approved.
fn not_approved(code: &str, approval: Approval) -> Refusal {
    let Approval { decided_by, reason, deadline, .. } = approval;
    let message = match (decided_by, reason) {
        (Some(by), Some(reason)) => format!("by {by}: {reason}"),
        _ => format!("nobody has approved it until {deadline}"),
    };
    Refusal::new(code, message)
}
