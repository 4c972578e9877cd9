//! The access log of a service: who has asked for what. Promise: an answer to a query, also a
//! refusal, leaves the service only after its entry is stored; a batch of commands has no part in
//! it and no further statement. Messages that cannot be read or handled on `<service>.operations`
//! are parked instead.
//!
//! ```text
//! query ─> answered in its snapshot ─> entry ─┐
//! query ─> answered in its snapshot ─> entry ─┴> ONE insert, committed ─> replies
//! ```
//! While one group is written, the entries of other queries wait and are the next group: a group is
//! as large as the number of queries that are answered at a time. The commit does not wait for the
//! disk (`synchronous_commit = off`): a crash of the database server may lose the entries of the
//! last half second, and a crash of the service none.
//!
//! | promise | test |
//! |---|---|
//! | entries that wait are stored together | `entries_that_wait_are_stored_together` |
//! | nothing is answered without an entry | `an_answer_without_an_entry_does_not_leave` |
//! | an answer waits for its entry | `an_answer_waits_for_its_entry` |
//! | a query that nobody waits for harms no other | `an_abandoned_query_harms_no_other` |
//! | each query's subject is decided | `entry::each_query_has_its_subject` |
//!
//! ```text
//! entry     (pure) a query as it is recorded: author, subject, outcome
//! handler   lists entries for auditors; request: the query
//! repo      the table, a partition for each day
//! ```

mod entry;
mod handler;
mod repo;
mod request;

use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use metrics::counter;
use tokio::{
    sync::oneshot::{self, error::TryRecvError},
    time::Instant,
};
use tracing::warn;

pub(crate) use entry::AskedQuery;
pub(crate) use handler::AccessLogHandler;
pub(crate) use repo::{bytes, keep_days};
pub(crate) use request::AccessLogRequest;

use super::{
    database::{Database, Lease, in_time},
    database_fault::is_transient,
    handler::Event,
};
use crate::{envelope::chain, refusal::MessageRefused};
use entry::{Entry, code_of, is_unavailable};

/// The refusal of a query whose entry is not stored.
const NO_ENTRY: &str = "the access log of this service cannot be written, and nothing is answered \
                        without an entry in it; ask again";

/// After a group that could not be written, queries are refused for so long without an attempt: a
/// database in need gets no connections from it.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// The table of a log.
#[async_trait]
pub(crate) trait AccessTable: Send + Sync + 'static {
    /// Stores entries in one statement and commits them: all or none.
    async fn insert(&self, entries: &[Entry]) -> sqlx::Result<()>;
}

/// The table in the service's database, over a connection of its own.
pub(crate) struct PostgresAccessTable {
    database: Database,
    /// The connection of the last insert that ended well: its statement is prepared.
    idle: Mutex<Option<Lease>>,
}

impl PostgresAccessTable {
    fn new(database: &Database) -> Self {
        Self { database: database.unflushed(), idle: Mutex::default() }
    }

    fn idle(&self) -> MutexGuard<'_, Option<Lease>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn attempt(&self, idle: Option<Lease>, entries: &[Entry]) -> sqlx::Result<()> {
        let inserting = async {
            let mut lease = match idle {
                Some(lease) => lease,
                None => self.database.lease().await?,
            };
            repo::insert(&mut lease, entries).await?;
            Ok(lease)
        };
        *self.idle() = Some(in_time(inserting).await?);
        Ok(())
    }
}

#[async_trait]
impl AccessTable for PostgresAccessTable {
    async fn insert(&self, entries: &[Entry]) -> sqlx::Result<()> {
        let idle = self.idle().take();
        let was_idle = idle.is_some();
        match self.attempt(idle, entries).await {
            // The connection may have died since its last use.
            Err(error) if was_idle && is_transient(&error) => self.attempt(None, entries).await,
            done => done,
        }
    }
}

/// The access log, shared by all that answer queries.
pub(crate) struct AccessLog<T = PostgresAccessTable>(Arc<Group<T>>);

impl<T> Clone for AccessLog<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// An entry that is not stored yet, and the query that waits for that.
struct WaitingEntry {
    entry: Entry,
    stored: oneshot::Sender<bool>,
}

struct Group<T> {
    table: T,
    waiting: Mutex<Vec<WaitingEntry>>,
    /// Held while a group is written.
    writing: tokio::sync::Mutex<()>,
    /// The end of the pause after a group that could not be written.
    paused_until: Mutex<Option<Instant>>,
}

impl AccessLog {
    pub(crate) fn new(database: &Database) -> Self {
        Self::over(PostgresAccessTable::new(database))
    }
}

impl<T: AccessTable> AccessLog<T> {
    fn over(table: T) -> Self {
        let (waiting, writing) = (Mutex::default(), tokio::sync::Mutex::default());
        Self(Arc::new(Group { table, waiting, writing, paused_until: Mutex::default() }))
    }

    /// Records what became of a query. Returns the answer that may leave the service: the same, or
    /// a refusal where the entry is not stored.
    pub(crate) async fn record(&self, asked: AskedQuery, answer: Event) -> Event {
        match self.store(asked.entry(code_of(&answer), Some(&answer))).await {
            true => answer,
            false => unanswered(answer),
        }
    }

    /// The same of a query that is refused before its content is looked at.
    pub(crate) async fn record_refusal(
        &self,
        asked: AskedQuery,
        refusal: MessageRefused,
    ) -> MessageRefused {
        match self.store(asked.entry(refusal.code.as_str().to_owned(), None)).await {
            true => refusal,
            false => MessageRefused::unavailable(NO_ENTRY),
        }
    }

    /// Stores an entry, together with all that wait. Returns whether it is stored.
    async fn store(&self, entry: Entry) -> bool {
        let (stored, mut is_stored) = oneshot::channel();
        self.waiting().push(WaitingEntry { entry, stored });
        let _writing = self.0.writing.lock().await;
        match is_stored.try_recv() {
            Err(TryRecvError::Empty) => {}
            // Another query has written this entry, or has died while writing it.
            Ok(is_stored) => return is_stored,
            Err(TryRecvError::Closed) => return false,
        }
        let group = mem::take(&mut *self.waiting());
        let (entries, waiting): (Vec<Entry>, Vec<oneshot::Sender<bool>>) =
            group.into_iter().map(|waiting| (waiting.entry, waiting.stored)).unzip();
        let written = self.write(&entries).await;
        for stored in waiting {
            // A query that was abandoned has its entry all the same.
            let _ = stored.send(written);
        }
        written
    }

    async fn write(&self, entries: &[Entry]) -> bool {
        if self.paused_until().is_some_and(|until| Instant::now() < until) {
            return false;
        }
        match self.0.table.insert(entries).await {
            Ok(()) => true,
            Err(error) => {
                *self.paused_until() = Some(Instant::now() + FAILURE_PAUSE);
                warn!(error = %chain(&error), queries = entries.len(),
                    "the access log cannot be written; its queries are not answered");
                counter!("bus_access_log_failures_total").increment(1);
                false
            }
        }
    }

    fn paused_until(&self) -> MutexGuard<'_, Option<Instant>> {
        self.0.paused_until.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<WaitingEntry>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What leaves the service in place of an answer without an entry. Who is told that the service is
/// unavailable learns nothing, and is told why.
fn unanswered(answer: Event) -> Event {
    match is_unavailable(&answer) {
        true => answer,
        false => Event::new(&MessageRefused::unavailable(NO_ENTRY)),
    }
}

#[cfg(test)]
mod tests;
