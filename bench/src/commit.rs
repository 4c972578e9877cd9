//! How long a single commit takes on the ledger's database server: one row of 500 bytes, flushed.

use std::time::{Duration, Instant};

use crate::{bus::MESSAGE_BYTES, fault::BenchError, percentiles::Percentiles, place::Place, store};

/// As seldom as single messages are sent, so that both meet an idle machine.
const COMMITS_PER_SECOND: u32 = 100;

pub(crate) async fn run(place: &Place, window: Duration) -> Result<Percentiles, BenchError> {
    let ledger = place.ledger().await?;
    let mut scratch = store::make_scratch(&ledger).await?;
    let body = "x".repeat(MESSAGE_BYTES);
    let mut tick = tokio::time::interval(Duration::from_secs(1) / COMMITS_PER_SECOND);
    let (until, mut commits) = (Instant::now() + window, Vec::new());
    while Instant::now() < until {
        tick.tick().await;
        let began = Instant::now();
        store::commit(&mut scratch, &body).await?;
        commits.push(began.elapsed().as_secs_f64() * 1e3);
    }
    store::drop_scratch(&ledger).await?;
    Percentiles::of(commits).ok_or_else(|| BenchError::Wrong("no commit was measured".to_owned()))
}
