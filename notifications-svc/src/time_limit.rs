//! Bounds work with the database.

use std::{future::Future, time::Duration};

use shared_events::messaging::HandleError;
use tokio::time::timeout;

/// The longest that one piece of work with the database may take. A database that is silent for so
/// long is away, whatever its connection says.
const DATABASE_MAX: Duration = Duration::from_secs(20);

/// Bounds work with the database.
pub(crate) async fn in_time<T>(
    work: impl Future<Output = Result<T, HandleError>>,
) -> Result<T, HandleError> {
    let silent = |_| HandleError::Transient("the database does not answer".into());
    timeout(DATABASE_MAX, work).await.unwrap_or_else(|late| Err(silent(late)))
}
