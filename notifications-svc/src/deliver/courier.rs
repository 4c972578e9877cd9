//! One courier carries the deliveries of one channel, so that a slow webhook holds up no e-mail.
//! Promise: what it has begun when the service stops, it ends and records.

use std::{sync::Arc, time::Duration};

use chrono::{TimeDelta, Utc};
use shared_events::{
    bus::{HandleError, Worker, Workshop},
    envelope::chain,
    notifications::Channel,
};
use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use super::{
    bells::Bells,
    mail::Mailer,
    record::{Ended, channel_label, record},
    webhook::Caller,
};
use crate::{
    domain::{Answer, Parcel, Schedule},
    store::deliveries,
};

/// How many deliveries of one channel are under way at once: enough to hide the latency of a mail
/// server or a webhook, few enough not to be taken for an attack.
const AT_ONCE_MAX: usize = 16;
/// The longest that one attempt may take. Less than the bus gives a stopping service.
const ATTEMPT_MAX: Duration = Duration::from_secs(20);
/// How long a claim holds: an attempt and the recording of it, with room for a slow database. After
/// that the courier is taken for lost.
const LEASE: TimeDelta = TimeDelta::seconds(60);
/// How often a courier looks when no bell rings: for retries, for what other processes have left,
/// for what was committed long after its ring.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After a ring a courier looks this often: the ring comes a moment before the commit.
const LOOK_EVERY_AFTER_RING: Duration = Duration::from_millis(10);
/// So many times after a ring, unless it finds something.
const LOOKS_AFTER_RING: u32 = 20;

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

    async fn send(&self, parcel: &Parcel) -> Answer {
        let Some(told) = parcel.told() else {
            return Answer::unsendable("its facts cannot be read by this version");
        };
        match self {
            Self::Email(mailer) => mailer.send(parcel, &told).await,
            Self::Webhook(caller) => caller.send(parcel, &told, Utc::now()).await,
        }
    }
}

/// Carries what is due on one channel.
pub(crate) struct Courier {
    pub(crate) way: Arc<Way>,
    pub(crate) schedule: Arc<Schedule>,
    pub(crate) bells: Arc<Bells>,
}

impl Worker for Courier {
    async fn run(self, workshop: Workshop, shutdown: CancellationToken) {
        let mut under_way = JoinSet::new();
        let mut looks_left = 0_u32;
        while !shutdown.is_cancelled() {
            let found = self.set_out(&workshop, &mut under_way).await;
            looks_left = if found { 0 } else { looks_left.saturating_sub(1) };
            let pause = if looks_left > 0 { LOOK_EVERY_AFTER_RING } else { LOOK_EVERY };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.bells.heard(self.way.channel()) => looks_left = LOOKS_AFTER_RING,
                Some(first) = under_way.join_next() => {
                    self.come_back(first, &mut under_way, &workshop, &shutdown).await;
                }
                () = tokio::time::sleep(pause) => {}
            }
        }
        while let Some(first) = under_way.join_next().await {
            self.come_back(first, &mut under_way, &workshop, &shutdown).await;
        }
    }
}

impl Courier {
    /// Claims what is due, as much as can be carried, and sets out. Says whether there was any.
    async fn set_out(&self, workshop: &Workshop, under_way: &mut JoinSet<Ended>) -> bool {
        let room = AT_ONCE_MAX.saturating_sub(under_way.len());
        if room == 0 {
            return false;
        }
        let parcels = match self.claim(workshop, room).await {
            Ok(parcels) => parcels,
            Err(error) => {
                warn!(channel = channel_label(self.way.channel()), error = %chain(&error),
                    "cannot look for what is due");
                return false;
            }
        };
        let found = !parcels.is_empty();
        for parcel in parcels {
            under_way.spawn(carry(Arc::clone(&self.way), parcel));
        }
        found
    }

    async fn claim(&self, workshop: &Workshop, room: usize) -> Result<Vec<Parcel>, HandleError> {
        let (now, limit) = (Utc::now(), i64::try_from(room).unwrap_or(i64::MAX));
        let mut work = workshop.begin().await?;
        let channel = self.way.channel();
        let due = deliveries::claim_in_tx(&mut work.tx(), channel, now, now + LEASE, limit).await?;
        work.commit().await?;
        Ok(due)
    }

    /// Records all that has ended by now in one transaction.
    async fn come_back(
        &self,
        first: Result<Ended, JoinError>,
        under_way: &mut JoinSet<Ended>,
        workshop: &Workshop,
        shutdown: &CancellationToken,
    ) {
        let more = std::iter::from_fn(|| under_way.try_join_next());
        let ended: Vec<Ended> = std::iter::once(first).chain(more).filter_map(survived).collect();
        self.record_until_done(workshop, shutdown, &ended).await;
    }

    /// Waits for a database that is away; nothing new is begun meanwhile. Where one attempt cannot
    /// be recorded, the others are, one by one.
    async fn record_until_done(
        &self,
        workshop: &Workshop,
        shutdown: &CancellationToken,
        ended: &[Ended],
    ) {
        let channel = self.way.channel();
        loop {
            let error = match record(workshop, channel, &self.schedule, ended).await {
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

/// One attempt.
async fn carry(way: Arc<Way>, parcel: Parcel) -> Ended {
    let (at, started) = (Utc::now(), Instant::now());
    let answer = timeout(ATTEMPT_MAX, way.send(&parcel)).await;
    let answer = answer.unwrap_or_else(|_| Answer::unreachable("no answer in time"));
    Ended { parcel, answer, at, took: started.elapsed() }
}

fn survived(joined: Result<Ended, JoinError>) -> Option<Ended> {
    joined.inspect_err(|error| error!(%error, "an attempt broke off; it will be made again")).ok()
}
