//! What is due by the clock. Promise: it is done within a second of its time, or of the service's
//! start where the service was away; by one instance, once. Each kind of it has a file.

mod digits;
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
        let zone = self.time_zone;
        let done = [
            ("holds", workshop.bounded(holds::expire(workshop, zone)).await),
            ("interest", workshop.bounded(interest::capitalise(workshop, zone)).await),
            ("orders", workshop.bounded(orders::execute(workshop, zone, &self.calendar)).await),
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

impl Due {
    /// Says whether it needs no second try.
    async fn take_digits_off(&self, workshop: &Workshop) -> bool {
        let done = workshop.bounded(digits::take_off(workshop, self.time_zone)).await;
        done.inspect_err(|error| warn!(error = %chain(error), "cannot take digits off")).is_ok()
    }
}

impl Worker for Due {
    fn name(&self) -> String {
        "due".to_owned()
    }

    async fn run(&mut self, workshop: Workshop, shutdown: CancellationToken) {
        let mut is_short = false;
        while !shutdown.is_cancelled() {
            is_short = is_short || self.take_digits_off(&workshop).await;
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
