//! What is due by the clock. Promise: it is done within a second of its time, or of the service's
//! start where the service was away; by one instance, once. Each kind of it has a file, and none
//! waits for another; what cannot be handled is set aside, seen, and in nobody's way.

use futures_util::future::{BoxFuture, join_all};
use shared_events::{
    amqp::Health,
    messaging::{BackgroundJob, JobContext},
};
use tokio_util::sync::CancellationToken;

use crate::legacy::domain::Calendar;
use crate::legacy::handle::bank_time::BankTime;

use crate::{
    digit_correction::job as digits,
    due_work::{gauges, job::keep_doing},
    hold_expiry::job::Holds,
    interest::job::Interest,
    standing_orders::job::Orders,
};

/// Does what is due.
pub(crate) struct Due {
    time: BankTime,
    calendar: Calendar,
    health: Health,
}

impl Due {
    pub(crate) const fn new(time: BankTime, calendar: Calendar, health: Health) -> Self {
        Self { time, calendar, health }
    }
}

impl BackgroundJob for Due {
    fn name(&self) -> String {
        "due".to_owned()
    }

    async fn run(&mut self, workshop: JobContext, shutdown: CancellationToken) {
        let (time, calendar, health) = (self.time, self.calendar.clone(), &self.health);
        // In boxes: all of it in one future is more than a thread's stack has room for.
        let parts: Vec<BoxFuture<'_, ()>> = vec![
            Box::pin(keep_doing(Holds { time }, &workshop, health, &shutdown)),
            Box::pin(keep_doing(Interest { time }, &workshop, health, &shutdown)),
            Box::pin(keep_doing(Orders { time, calendar }, &workshop, health, &shutdown)),
            Box::pin(digits::keep_trying(time, &workshop, &shutdown)),
            Box::pin(gauges::measure(&workshop, &shutdown)),
        ];
        join_all(parts).await;
    }
}
