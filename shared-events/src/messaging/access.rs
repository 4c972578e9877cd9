//! The grants of all principals, in memory. Promise: a message is judged by grants that the
//! accounts service has confirmed lately, and by no statement; without such grants commands wait,
//! and none is refused.
//!
//! ```text
//! accounts.access.current ─> <service>.grants ─> bus.access (one row) ─(every instance reads it
//! twice a second)─> memory ─> the rights of each message
//! ```
//! Tests: `a_later_announcement_replaces_an_earlier_one`, and those of `access`.

use std::{num::NonZeroU16, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::{
    database::{Database, Tx, in_time},
    handler::{HandleError, Handler, Idempotency, Outcome, Received},
};
use crate::{
    access::{AccessDirectory, PrincipalGrants, Rights},
    accounts::AccessCurrent,
    amqp::health::Health,
    envelope::chain,
    topology::SERVICES,
};

/// The part of a service that knows the grants, as the service's health names it.
pub(crate) const PART: &str = "access";
/// How far the clocks of two machines differ at most: grants from later than that were announced by
/// nobody.
const CLOCKS_APART_MAX: TimeDelta = TimeDelta::minutes(1);
/// How old confirmed grants may be, unless the configuration says otherwise.
const GRANTS_AGE_MAX: Duration = Duration::from_secs(15 * 60);
/// The time within which a command must be approved, unless the configuration says otherwise.
const APPROVAL_WITHIN: Duration = Duration::from_secs(24 * 3_600);
/// How many days the access log keeps, unless the configuration says otherwise.
const LOG_DAYS: NonZeroU16 = NonZeroU16::new(400).expect("not zero");
/// How long a starting service waits for the announcements of its queue.
const HANDLED_WITHIN: Duration = Duration::from_secs(10);
/// The interval in which an instance reads the row.
const READ_INTERVAL: Duration = Duration::from_millis(500);

/// The limits in time of what principals may do, and of what is kept about it.
#[derive(Clone, Copy, Debug)]
pub struct AccessLimits {
    /// Grants permit nothing that the accounts service has not confirmed for so long.
    pub grants_age_max: Duration,
    /// A command that needs an approval expires after so long without one.
    pub approval_within: Duration,
    /// The access log keeps so many days.
    pub log_days: NonZeroU16,
}

impl Default for AccessLimits {
    fn default() -> Self {
        Self {
            grants_age_max: GRANTS_AGE_MAX,
            approval_within: APPROVAL_WITHIN,
            log_days: LOG_DAYS,
        }
    }
}

/// The grants in memory, shared by all consumers of a process.
#[derive(Clone, Debug)]
pub(crate) struct AccessBoard {
    current: watch::Sender<Arc<AccessDirectory>>,
    age_max: TimeDelta,
    approval_within: TimeDelta,
    /// How many announcements of those that waited when the service started it has not handled.
    waiting: watch::Sender<u32>,
}

/// The grants at one moment: all messages of a batch are judged by the same.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    directory: Arc<AccessDirectory>,
    age_max: TimeDelta,
    now: DateTime<Utc>,
}

impl AccessBoard {
    pub(crate) fn new(limits: AccessLimits) -> Self {
        let delta = |duration| TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX);
        Self {
            current: watch::Sender::default(),
            age_max: delta(limits.grants_age_max),
            approval_within: delta(limits.approval_within),
            waiting: watch::Sender::new(0),
        }
    }

    /// The grants as they are known here.
    pub(crate) fn directory(&self) -> Arc<AccessDirectory> {
        Arc::clone(&self.current.borrow())
    }

    /// The time within which a command must be approved.
    pub(crate) const fn approval_within(&self) -> TimeDelta {
        self.approval_within
    }

    pub(crate) fn authority(&self) -> Authority {
        Authority { directory: self.directory(), age_max: self.age_max, now: Utc::now() }
    }

    /// Says how many announcements wait in the queue of the starting service.
    pub(crate) fn expect_waiting(&self, count: u32) {
        self.waiting.send_replace(count);
    }

    /// Waits until an announcement is known, after those that waited in the queue: a grant may be
    /// gone since the stored one. Not for long: another instance may have taken some.
    pub(crate) async fn known(&self) {
        let mut waiting = self.waiting.subscribe();
        // The senders live as long as this board.
        let is_behind = *waiting.borrow() > 0;
        if is_behind {
            let handled = waiting.wait_for(|waiting| *waiting == 0);
            let _ = tokio::time::timeout(HANDLED_WITHIN, handled).await;
            // What was handled is committed and read by then.
            tokio::time::sleep(2 * READ_INTERVAL).await;
        }
        self.fresh().await;
    }

    /// Waits until the grants are known and not too old.
    pub(crate) async fn fresh(&self) {
        let mut changes = self.current.subscribe();
        let is_fresh = |_: &Arc<AccessDirectory>| self.authority().lack().is_none();
        let _ = changes.wait_for(is_fresh).await;
    }

    fn handled(&self, count: usize) {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.waiting.send_modify(|waiting| *waiting = waiting.saturating_sub(count));
    }

    /// Keeps the memory up to date until `shutdown`.
    pub(crate) async fn follow(
        self,
        database: Database,
        health: Health,
        shutdown: CancellationToken,
    ) {
        while !shutdown.is_cancelled() {
            if let Err(error) = self.read(&database).await {
                warn!(error = %chain(&error), "the grants of the principals cannot be read");
            }
            self.report(&health);
            let _ = tokio::time::timeout(READ_INTERVAL, shutdown.cancelled()).await;
        }
    }

    async fn read(&self, database: &Database) -> sqlx::Result<()> {
        let known = self.current.borrow().at();
        let mut lease = database.lease().await?;
        let row = sqlx::query!(
            "SELECT at, announced FROM bus.access WHERE $1::timestamptz IS NULL OR at > $1",
            known,
        );
        let row = in_time(row.fetch_optional(&mut *lease)).await?;
        lease.give_back();
        let Some(row) = row else { return Ok(()) };
        match serde_json::from_str::<AccessCurrent>(&row.announced) {
            Ok(current) => self.learn(&AccessCurrent { at: row.at, ..current }),
            Err(error) => warn!(%error, "the announced grants cannot be read"),
        }
        Ok(())
    }

    /// Replaces the grants in memory.
    pub(crate) fn learn(&self, current: &AccessCurrent) {
        let before = self.current.send_replace(Arc::new(AccessDirectory::of(current)));
        if before.version() != current.version || before.at().is_none() {
            info!(version = current.version, "the grants of the principals are known");
        }
    }

    fn report(&self, health: &Health) {
        match self.authority().lack() {
            None => health.good(PART),
            Some(lack) => health.bad(PART, lack),
        }
    }
}

impl Authority {
    /// What `principal` may do with a message of this type.
    pub(crate) fn rights(&self, principal: &str, kind: &str) -> Rights {
        match SERVICES.contains(&principal) {
            true => Rights::everything(),
            false => match self.lack() {
                Some(lack) => Rights::unknown(lack),
                None => self.directory.rights(principal, kind),
            },
        }
    }

    /// Why nothing is permitted at the moment, if that is so.
    fn lack(&self) -> Option<String> {
        let Some(at) = self.directory.at() else {
            return Some("the grants of the principals are not known here yet".to_owned());
        };
        let age = self.now.signed_duration_since(at);
        if age < -CLOCKS_APART_MAX {
            return Some(format!("the grants of the principals are of {at}, which is to come"));
        }
        (age > self.age_max).then(|| {
            let seconds = age.num_seconds();
            format!(
                "the accounts service has confirmed the grants of the principals {seconds} s ago"
            )
        })
    }
}

crate::message_set! {
    /// The announcements that a service follows.
    pub(crate) enum AccessAnnouncement {
        Current(AccessCurrent),
    }
}

/// Stores the announced grants.
pub(crate) struct AccessHandler(pub(crate) AccessBoard);

impl Handler for AccessHandler {
    type Message = AccessAnnouncement;
    // The instant of an announcement.
    const IDEMPOTENCY: Idempotency = Idempotency::NaturalKey;

    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<AccessAnnouncement>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let announced = batch.iter().map(|received| match received.message() {
            AccessAnnouncement::Current(current) => current,
        });
        // The last of a backlog replaces all before. By the instant and not by the version, which
        // falls where the accounts service's database is restored.
        if let Some(last) = announced.max_by_key(|current| current.at) {
            store(tx.connection(), last).await?;
        }
        self.0.handled(batch.len());
        Ok(vec![Outcome::silent(); batch.len()])
    }
}

/// Stores the grants of all principals as they are since this instant, in the accounts service's
/// own database, where no queue brings them.
///
/// # Errors
/// When the statement fails.
pub async fn store_access_in_tx(
    tx: &mut Tx<'_>,
    (version, at): (i64, DateTime<Utc>),
    principals: Vec<PrincipalGrants>,
) -> sqlx::Result<()> {
    store(tx.connection(), &AccessCurrent { version, at, principals }).await
}

async fn store(connection: &mut PgConnection, current: &AccessCurrent) -> sqlx::Result<()> {
    let announced = serde_json::to_string(current).expect("a message writes plain JSON");
    sqlx::query!(
        "INSERT INTO bus.access AS known (version, at, announced) VALUES ($1, $2, $3)
         ON CONFLICT (one) DO UPDATE SET version = $1, at = $2, announced = $3
         WHERE known.at < $2 OR known.at > clock_timestamp() + interval '1 minute'",
        current.version,
        current.at,
        announced,
    )
    .execute(connection)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        access::{Grant, RoleCode},
        messaging::test_messages::{CLIENT, COMMAND, granting},
    };

    fn authority(age: TimeDelta) -> Authority {
        let authority = granting(vec![Grant::of_role(RoleCode::Clerk)]).authority();
        Authority { now: authority.now + age, ..authority }
    }

    #[test]
    fn grants_permit_until_they_are_too_old() {
        let age_max = TimeDelta::from_std(GRANTS_AGE_MAX).expect("a quarter of an hour");
        for (age, permits) in [
            (TimeDelta::zero(), true),
            (age_max - TimeDelta::seconds(1), true),
            (age_max + TimeDelta::seconds(1), false),
            // Clocks differ, but not by minutes: somebody has written it.
            (-CLOCKS_APART_MAX, true),
            (-CLOCKS_APART_MAX - TimeDelta::seconds(1), false),
        ] {
            let rights = authority(age).rights(CLIENT, COMMAND);
            assert_eq!(rights.lack().is_none(), permits, "{age}: {:?}", rights.lack());
            assert!(authority(age).rights("ledger", "any.type.v1").refusal().is_none(), "{age}");
        }
    }

    #[test]
    fn nothing_is_permitted_before_the_first_announcement() {
        let rights = AccessBoard::new(AccessLimits::default()).authority().rights(CLIENT, COMMAND);
        assert!(rights.lack().is_some_and(|why| why.contains("not known here yet")));
    }

    #[tokio::test]
    async fn a_later_announcement_replaces_an_earlier_one() {
        let board = granting(vec![Grant::of_role(RoleCode::Clerk)]);
        board.fresh().await;
        let principals = vec![];
        board.learn(&AccessCurrent { version: 2, at: Utc::now(), principals });
        let rights = board.authority().rights(CLIENT, COMMAND);
        assert_eq!(
            rights.refusal(),
            Some("acme may not send accounts.account.open.v1; nobody may")
        );
    }
}
