//! The time limit of database work in background jobs.

use std::{future::Future, time::Duration};

use shared_events::messaging::HandleError;
use tokio::time::timeout;

/// The longest that one piece of database work may take. A database that is silent for so long is
/// away, even where its connection is open.
const DATABASE_MAX: Duration = Duration::from_secs(20);

/// Carries out database work within the limit. Work that exceeds the limit can be tried again.
pub(crate) async fn within_limit<T>(
    work: impl Future<Output = Result<T, HandleError>>,
) -> Result<T, HandleError> {
    let silent = |_| HandleError::Transient("the database does not answer".into());
    timeout(DATABASE_MAX, work).await.unwrap_or_else(|late| Err(silent(late)))
}
