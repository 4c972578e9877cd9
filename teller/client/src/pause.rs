//! Waiting for what the bank does in its own time.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(1);

/// Pauses that grow from look to look.
#[derive(Debug)]
pub struct Pause(Duration);

impl Pause {
    /// The first pause.
    #[must_use]
    pub const fn new() -> Self {
        Self(FIRST)
    }

    /// Waits for the pause; the next one is twice as long.
    pub async fn wait(&mut self) {
        tokio::time::sleep(self.0).await;
        self.0 = (self.0 * 2).min(LONGEST);
    }
}
