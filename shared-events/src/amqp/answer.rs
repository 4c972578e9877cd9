//! The broker's answers. Promise: a caller gets an answer or an error within a bound, and the error
//! says what failed.

use std::time::Duration;

use lapin::protocol::{AMQPErrorKind, AMQPSoftError};

use crate::secret::SecretError;

/// A broker that takes longer for any answer counts as away.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the broker cannot be used now.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The AMQP layer failed.
    #[error("the broker refused or was lost")]
    Broker(#[from] lapin::Error),
    /// The password cannot be read.
    #[error("there is no login for the broker")]
    Secret(#[from] SecretError),
    /// No answer in time.
    #[error("the broker did not answer within {} s while {doing}", .after.as_secs())]
    Timeout {
        /// The request.
        doing: &'static str,
        /// The bound of the wait.
        after: Duration,
    },
    /// The broker did not confirm a message.
    #[error("the broker did not confirm message {message_id}: {answer}")]
    Unconfirmed {
        /// The message.
        message_id: String,
        /// The broker's answer.
        answer: String,
    },
    /// The consumer was cancelled or its channel closed.
    #[error("the broker ended the consumer of {queue}")]
    ConsumerEnded {
        /// The queue.
        queue: String,
    },
    /// No role of the user includes a type of message.
    #[error("{user} has no role with a right to {to}")]
    NotPermitted {
        /// The user of the broker.
        user: String,
        /// The refused act: `send ledger.period.close.v1`.
        to: String,
    },
    /// Exchanges or queues are missing.
    #[error("the broker lacks what this service needs: {0}")]
    Topology(String),
}

/// Bounds the wait for an answer: a blocked or lost broker gives none.
pub(crate) async fn in_time<T>(
    doing: &'static str,
    asked: impl Future<Output = Result<T, BusError>>,
) -> Result<T, BusError> {
    let timeout = BusError::Timeout { doing, after: ANSWER_TIMEOUT };
    tokio::time::timeout(ANSWER_TIMEOUT, asked).await.unwrap_or(Err(timeout))
}

/// Whether the broker refused access to `name` for want of a right (AMQP's code 403).
pub(crate) fn is_refusal_of(error: &lapin::Error, name: &str) -> bool {
    match error.kind() {
        lapin::ErrorKind::ProtocolError(refusal) => {
            *refusal.kind() == AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED)
                && refusal.get_message().as_str().contains(name)
        }
        _ => false,
    }
}
