//! The due work of the ledger, and the events that it announces. Each kind runs beside the others,
//! and none waits for another.

use futures_util::future::{BoxFuture, join_all};
use shared_events::{
    amqp::Health,
    messaging::{BackgroundJob, JobContext},
};
use tokio_util::sync::CancellationToken;

use super::outbound::events;
use crate::{
    bank_calendar::{BankTime, Calendar},
    digit_correction::correct_balances,
    due_work::{DueKind, keep_doing, measure},
    hold_expiry::HoldExpiry,
    interest::InterestJob,
    standing_orders::OrderJob,
};

/// The kinds whose postponed items are counted.
const KINDS: [&str; 3] = [HoldExpiry::NAME, InterestJob::NAME, OrderJob::NAME];

/// Does the due work.
pub(crate) struct DueJobs {
    time: BankTime,
    calendar: Calendar,
    health: Health,
}

impl DueJobs {
    pub(crate) const fn new(time: BankTime, calendar: Calendar, health: Health) -> Self {
        Self { time, calendar, health }
    }
}

impl BackgroundJob for DueJobs {
    fn name(&self) -> String {
        "due".to_owned()
    }

    async fn run(&mut self, context: JobContext, shutdown: CancellationToken) {
        let (time, calendar, health) = (self.time, self.calendar.clone(), &self.health);
        let (holds, interest) = (HoldExpiry { time }, InterestJob { time });
        let orders = OrderJob { time, calendar };
        let (context, shutdown) = (&context, &shutdown);
        // In boxes: one future with all kinds is larger than a thread's stack.
        let kinds: Vec<BoxFuture<'_, ()>> = vec![
            Box::pin(keep_doing(holds, events::expired_holds, context, health, shutdown)),
            Box::pin(keep_doing(interest, events::capitalised_months, context, health, shutdown)),
            Box::pin(keep_doing(orders, events::order_attempts, context, health, shutdown)),
            Box::pin(correct_balances(time, events::corrected_balances, context, shutdown)),
            Box::pin(measure(&KINDS, context, shutdown)),
        ];
        join_all(kinds).await;
    }
}
