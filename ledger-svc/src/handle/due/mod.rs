//! What is due by the clock. Promise: it is done within a second of its time, or of the service's
//! start where the service was away; by one instance, once. Each kind of it has a file.

mod holds;
mod interest;
mod orders;

use std::time::Duration;

use chrono_tz::Tz;
use shared_events::{
    bus::{HandleError, Worker, Workshop},
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

    /// Does a bounded piece of each kind. Says whether there may be more.
    async fn look(&self, workshop: &Workshop) -> Result<bool, HandleError> {
        let more_holds = holds::expire(workshop, self.time_zone).await?;
        let more_interest = interest::capitalise(workshop, self.time_zone).await?;
        let more_orders = orders::execute(workshop, self.time_zone, &self.calendar).await?;
        Ok(more_holds || more_interest || more_orders)
    }
}

impl Worker for Due {
    async fn run(self, workshop: Workshop, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            match self.look(&workshop).await {
                Ok(true) => continue,
                Ok(false) => {}
                Err(error) => warn!(error = %chain(&error), "cannot do what is due"),
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }
}
