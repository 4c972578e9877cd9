//! The pauses between two looks at work that the bank does in its own time.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(1);

/// Pauses between queries that wait for a change: each twice as long as the one before, at most a
/// second.
#[derive(Debug)]
pub struct Backoff(Duration);

impl Backoff {
    /// The first pause is 20 ms long.
    #[must_use]
    pub const fn start() -> Self {
        Self(FIRST)
    }

    /// Waits for one pause.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST);
    }
}
