//! What is due by the clock. Promise: it is done within a second of its time, or of the service's
//! start where the service was away; by one instance, once. Each kind of it has a file.

mod holds;
mod interest;
mod orders;

use std::time::Duration;

use chrono_tz::Tz;
use shared_events::{
    bus::{Worker, Workshop},
    envelope::chain,
};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::domain::Calendar;

/// How often it is looked for what is due.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Does what is due.
pub(crate) struct Due {
    time_zone: Tz,
    calendar: Calendar,
}

impl Due {
    pub(crate) const fn new(time_zone: Tz, calendar: Calendar) -> Self {
        Self { time_zone, calendar }
    }

    /// Does a bounded piece of each kind; what fails of one does not hold up the others. Says
    /// whether there may be more.
    async fn look(&self, workshop: &Workshop) -> bool {
        let done = [
            ("holds", holds::expire(workshop, self.time_zone).await),
            ("interest", interest::capitalise(workshop, self.time_zone).await),
            ("orders", orders::execute(workshop, self.time_zone, &self.calendar).await),
        ];
        let (mut more, mut failed) = (false, false);
        for (kind, done) in done {
            match done {
                Ok(any) => more |= any,
                Err(error) => {
                    warn!(kind, error = %chain(&error), "cannot do what is due");
                    failed = true;
                }
            }
        }
        more && !failed
    }
}

impl Worker for Due {
    async fn run(self, workshop: Workshop, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            if self.look(&workshop).await {
                continue;
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }
}
