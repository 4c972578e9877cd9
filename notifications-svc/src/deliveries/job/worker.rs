//! One courier carries the deliveries of one channel, so that a slow webhook holds up no e-mail.
//! Promise: what it has begun when the service stops, it ends and records; a receiver that hangs, a
//! row that cannot be read and a bug that panics hold up themselves and nothing else.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt;
use metrics::counter;
use shared_events::{
    envelope::chain,
    ids::DeliveryId,
    messaging::{BackgroundJob, HandleError, JobContext},
    notifications::Channel,
};
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};
use uuid::Uuid;

use super::{
    recording::{Ended, channel_label, record},
    wakeup::Bells,
};
use crate::{
    domain::{Answer, Candidate, Limits, Parcel, Schedule, Traffic},
    store::claims::{self, Unreadable},
};
use crate::{
    time_limit::in_time,
    transports::{email::mail::Mailer, webhook::client::Caller},
};

/// E-mail goes to one server, which does not like more connections than these.
const EMAIL_LIMITS: Limits =
    Limits { in_all: 16, apart: 12, slow: 4, per_place: 8, per_account: 4 };
/// Webhooks go to as many servers as there are holders: enough to hide the latency of good ones,
/// few enough of one not to be taken for an attack. Ten that hang cost ten slots of 64.
const WEBHOOK_LIMITS: Limits =
    Limits { in_all: 64, apart: 32, slow: 10, per_place: 8, per_account: 4 };
/// The longest that one attempt may take. Less than the bus gives a stopping service.
const ATTEMPT_MAX: Duration = Duration::from_secs(20);
/// How long a claim holds: an attempt and the recording of it, with room for a slow database. After
/// that the courier is taken for lost.
const LEASE_SECONDS: f64 = 60.0;
/// What this version cannot read is looked at again after this time.
const SET_ASIDE_SECONDS: f64 = 600.0;
/// How often a courier looks when no bell rings: for retries, for what other processes have left,
/// for what was committed long after its ring.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After a ring a courier looks this often: the ring comes a moment before the commit.
const LOOK_EVERY_AFTER_RING: Duration = Duration::from_millis(10);
/// So many times after a ring, unless it finds something.
const LOOKS_AFTER_RING: u32 = 20;
/// How many due deliveries are looked at in one statement.
const CANDIDATES_MAX: i64 = 256;
/// How many such statements one claim makes: each closes at least one host or account more.
const STATEMENTS_MAX: usize = 8;

/// The way that a courier takes.
pub(crate) enum Way {
    Email(Mailer),
    Webhook(Caller),
}

impl Way {
    const fn channel(&self) -> Channel {
        match self {
            Self::Email(_) => Channel::Email,
            Self::Webhook(_) => Channel::Webhook,
        }
    }

    const fn limits(&self) -> Limits {
        match self {
            Self::Email(_) => EMAIL_LIMITS,
            Self::Webhook(_) => WEBHOOK_LIMITS,
        }
    }

    async fn send(&self, parcel: &Parcel) -> Answer {
        match self {
            Self::Email(mailer) => mailer.send(parcel).await,
            Self::Webhook(caller) => caller.send(parcel).await,
        }
    }
}

/// Carries what is due on one channel.
pub(crate) struct Courier {
    way: Arc<Way>,
    schedule: Arc<Schedule>,
    bells: Arc<Bells>,
    traffic: Traffic,
    under_way: JoinSet<Ended>,
}

impl BackgroundJob for Courier {
    fn name(&self) -> String {
        format!("courier {}", self.label())
    }

    async fn run(&mut self, workshop: JobContext, shutdown: CancellationToken) {
        let mut looks_left = 0_u32;
        while !shutdown.is_cancelled() {
            let round = AssertUnwindSafe(self.round(&workshop, &shutdown, looks_left));
            looks_left = match round.catch_unwind().await {
                Ok(looks_left) => looks_left,
                Err(_) => {
                    error!(channel = self.label(), "a round of the courier panicked; going on");
                    // What it had taken on and did not send must not count for ever.
                    self.traffic = Traffic::new(self.way.limits());
                    let _ = timeout(LOOK_EVERY, shutdown.cancelled()).await;
                    0
                }
            };
        }
        while let Some(first) = self.under_way.join_next().await {
            self.come_back(first, &workshop, &shutdown).await;
        }
    }
}

impl Courier {
    pub(crate) fn new(way: Way, schedule: Arc<Schedule>, bells: Arc<Bells>) -> Self {
        let traffic = Traffic::new(way.limits());
        Self { way: Arc::new(way), schedule, bells, traffic, under_way: JoinSet::new() }
    }

    fn label(&self) -> &'static str {
        channel_label(self.way.channel())
    }

    /// Sets out with what is due, then waits for the next thing to do. Says how many quick looks
    /// are left of those that a ring allows.
    async fn round(
        &mut self,
        workshop: &JobContext,
        shutdown: &CancellationToken,
        looks_left: u32,
    ) -> u32 {
        let found = self.set_out(workshop).await;
        let looks_left = if found { 0 } else { looks_left.saturating_sub(1) };
        let pause = if looks_left > 0 { LOOK_EVERY_AFTER_RING } else { LOOK_EVERY };
        let bells = Arc::clone(&self.bells);
        tokio::select! {
            () = shutdown.cancelled() => looks_left,
            () = bells.heard(self.way.channel()) => LOOKS_AFTER_RING,
            Some(first) = self.under_way.join_next() => {
                self.come_back(first, workshop, shutdown).await;
                looks_left
            }
            () = tokio::time::sleep(pause) => looks_left,
        }
    }

    /// Claims what is due, as much as can be carried, and sets out. Says whether there was any.
    async fn set_out(&mut self, workshop: &JobContext) -> bool {
        let mut chosen = Vec::new();
        let claimed = match self.traffic.room() {
            0 => Ok(vec![]),
            _ => in_time(self.claim(workshop, &mut chosen)).await,
        };
        let mut chosen: HashMap<DeliveryId, Candidate> =
            chosen.into_iter().map(|candidate| (candidate.delivery_id, candidate)).collect();
        let parcels = claimed.unwrap_or_else(|error| {
            warn!(channel = self.label(), error = %chain(&error), "cannot look for what is due");
            vec![]
        });
        let found = !parcels.is_empty();
        for parcel in parcels {
            if let Some(candidate) = chosen.remove(&parcel.delivery_id) {
                self.under_way.spawn(carry(Arc::clone(&self.way), candidate, parcel));
            }
        }
        // Somebody else has these, or nobody: they are due as before.
        chosen.values().for_each(|candidate| self.traffic.release(candidate));
        found
    }

    /// One transaction: looks, chooses by who may be written to, claims. `chosen` is what has been
    /// taken on, whether the transaction is committed or not.
    async fn claim(
        &mut self,
        workshop: &JobContext,
        chosen: &mut Vec<Candidate>,
    ) -> Result<Vec<Parcel>, HandleError> {
        let mut work = workshop.begin().await?;
        let channel = self.way.channel();
        for _ in 0..STATEMENTS_MAX {
            let now = std::time::Instant::now();
            let closed = self.traffic.closed(now);
            let ids = ids_of(chosen);
            let due =
                claims::due_in_tx(&mut work.tx(), channel, &closed, &ids, CANDIDATES_MAX).await?;
            let is_all = (due.len() as u64) < CANDIDATES_MAX.unsigned_abs();
            chosen.extend(due.into_iter().filter(|candidate| self.traffic.admit(candidate, now)));
            if is_all || self.traffic.room() == 0 {
                break;
            }
        }
        if chosen.is_empty() {
            work.commit().await?;
            return Ok(vec![]);
        }
        let rows = claims::claim_in_tx(&mut work.tx(), &ids_of(chosen), LEASE_SECONDS).await?;
        let (mut parcels, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
        for row in rows {
            match row {
                Ok(parcel) => parcels.push(parcel),
                Err(row) => unreadable.push(row),
            }
        }
        if !unreadable.is_empty() {
            claims::set_aside_in_tx(&mut work.tx(), &unreadable, SET_ASIDE_SECONDS).await?;
        }
        work.commit().await?;
        unreadable.iter().for_each(|row| self.report(row));
        Ok(parcels)
    }

    fn report(&self, row: &Unreadable) {
        counter!("notifications_set_aside_total", "channel" => self.label()).increment(1);
        warn!(delivery.id = %row.id, channel = self.label(), why = row.why,
            "a delivery cannot be read by this version; set aside");
    }

    /// Records all that has ended by now in one transaction.
    async fn come_back(
        &mut self,
        first: Result<Ended, JoinError>,
        workshop: &JobContext,
        shutdown: &CancellationToken,
    ) {
        let more = std::iter::from_fn(|| self.under_way.try_join_next());
        let ended: Vec<Ended> = std::iter::once(first).chain(more).filter_map(survived).collect();
        for one in &ended {
            self.traffic.ended(&one.candidate, one.took);
            if let Some(pause) = one.answer.retry_after {
                let until = std::time::Instant::now() + pause;
                self.traffic.pause(one.candidate.account_id, until);
            }
        }
        self.record_until_done(workshop, shutdown, &ended).await;
    }

    /// Waits for a database that is away; nothing new is begun meanwhile. Where one attempt cannot
    /// be recorded, the others are, one by one.
    async fn record_until_done(
        &self,
        workshop: &JobContext,
        shutdown: &CancellationToken,
        ended: &[Ended],
    ) {
        let channel = self.way.channel();
        loop {
            let error = match in_time(record(workshop, channel, &self.schedule, ended)).await {
                Ok(()) => return,
                Err(error) => error,
            };
            match (&error, ended) {
                (HandleError::Transient(_), _) if shutdown.is_cancelled() => {
                    warn!(attempts = ended.len(), error = %chain(&error),
                        "stopping without recording; these deliveries will be tried again");
                    return;
                }
                (HandleError::Transient(_), _) => {
                    warn!(attempts = ended.len(), error = %chain(&error), "recording later");
                    let _ = timeout(LOOK_EVERY, shutdown.cancelled()).await;
                }
                (HandleError::Hopeless(_), [one]) => {
                    error!(delivery.id = %one.parcel.delivery_id, error = %chain(&error),
                        "an attempt cannot be recorded; its delivery will be tried again");
                    return;
                }
                (HandleError::Hopeless(_), _) => {
                    for one in ended {
                        let alone = std::slice::from_ref(one);
                        Box::pin(self.record_until_done(workshop, shutdown, alone)).await;
                    }
                    return;
                }
            }
        }
    }
}

fn ids_of(candidates: &[Candidate]) -> Vec<Uuid> {
    candidates.iter().map(|candidate| candidate.delivery_id.uuid()).collect()
}

/// One attempt. One that panics has failed like any other: it is tried again, and given up in the
/// end.
async fn carry(way: Arc<Way>, candidate: Candidate, parcel: Parcel) -> Ended {
    let started = Instant::now();
    let sending = AssertUnwindSafe(timeout(ATTEMPT_MAX, way.send(&parcel))).catch_unwind();
    let answer = match sending.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(_)) => Answer::unreachable("no answer in time"),
        Err(_) => {
            error!(delivery.id = %parcel.delivery_id, "an attempt panicked");
            Answer::unreachable("the attempt broke off by a fault of the service")
        }
    };
    Ended { candidate, parcel, answer, started, took: started.elapsed() }
}

fn survived(joined: Result<Ended, JoinError>) -> Option<Ended> {
    joined.inspect_err(|error| error!(%error, "an attempt broke off; it will be made again")).ok()
}
