//! The broker's answers. Promise: a caller gets an answer or an error within a bound, and the error
//! says what failed.

use std::time::Duration;

/// A broker that takes longer for any answer counts as away.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Why the broker cannot be used now.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// The AMQP layer failed.
    #[error("the broker refused or was lost")]
    Broker(#[from] lapin::Error),
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
