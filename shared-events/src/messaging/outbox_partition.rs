//! Assigns outbox rows to relays. Promise: a partition has one relay at a time; a partition whose
//! relay died is found and emptied by another.
//!
//! Every process takes a partition by an advisory lock on a session of its own, and writes that
//! partition's number (column `lane`) on its rows. The lock ends with the session, so a crash frees
//! the partition.
//!
//! | promise | test |
//! |---|---|
//! | one relay for a partition | `each_process_takes_the_first_free_partition` |
//! | orphans are adopted, rows of live relays are not | `only_rows_of_dead_relays_are_adopted` |

use std::sync::{
    Arc,
    atomic::{AtomicI16, Ordering},
};

use super::{
    outbox::{OutboxRow, PartitionNumber},
    partition_session::PartitionSession,
};

/// The most processes of one service at a time.
const PARTITIONS: PartitionNumber = 16;
/// Rows of our own partition that are this old and not in memory were committed while the
/// connection was lost. Where such a row is on its way all the same, its message is published
/// twice, under the same id.
const UNNOTICED_AFTER: &str = "30 seconds";

/// The partition that this process writes to, known to all its tasks.
#[derive(Clone, Debug, Default)]
pub(crate) struct CurrentPartition(Arc<AtomicI16>);

impl CurrentPartition {
    pub(crate) fn get(&self) -> PartitionNumber {
        self.0.load(Ordering::Relaxed)
    }
}

/// A held partition, and the session that holds its lock.
#[derive(Debug)]
pub(crate) struct OutboxPartition<C> {
    number: PartitionNumber,
    session: C,
}

impl<C: PartitionSession> OutboxPartition<C> {
    /// Takes the first free partition. Fails when the database is away or all are taken.
    pub(crate) async fn take(mut session: C, current: &CurrentPartition) -> sqlx::Result<Self> {
        for number in 0..PARTITIONS {
            if session.try_lock(number).await? {
                current.0.store(number, Ordering::Relaxed);
                return Ok(Self { number, session });
            }
        }
        Err(sqlx::Error::Protocol(format!("all {PARTITIONS} outbox lanes are taken")))
    }

    pub(crate) const fn number(&self) -> PartitionNumber {
        self.number
    }

    /// Adopts rows of partitions whose relay is gone, and returns them in the order of their ids.
    pub(crate) async fn adopt_orphans(&mut self) -> sqlx::Result<Vec<OutboxRow>> {
        let mut adopted = Vec::new();
        for orphan in self.session.other_partitions(self.number).await? {
            if self.session.try_lock(orphan).await? {
                adopted.extend(self.session.adopt(self.number, orphan).await?);
                self.session.unlock(orphan).await?;
                tracing::info!(orphan, rows = adopted.len(), "took over from a relay that is gone");
            }
        }
        adopted.sort_unstable_by_key(|row| row.id);
        Ok(adopted)
    }

    /// The first rows that an earlier relay of this partition left, in the order of their ids.
    pub(crate) async fn leftovers(&mut self) -> sqlx::Result<Vec<OutboxRow>> {
        self.session.rows_older_than(self.number, "0 seconds").await
    }

    /// Rows that this process has committed without an answer.
    pub(crate) async fn unnoticed(&mut self) -> sqlx::Result<Vec<OutboxRow>> {
        self.session.rows_older_than(self.number, UNNOTICED_AFTER).await
    }
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashMap,
        sync::{Mutex, MutexGuard, PoisonError},
    };

    use super::*;
    use crate::messaging::outbox::row_with_id;

    /// The session that holds each partition's lock.
    type Locks = HashMap<PartitionNumber, u32>;
    /// The partition of each row.
    type Rows = HashMap<i64, PartitionNumber>;

    /// The locks and the table of a database in memory.
    #[derive(Clone, Default)]
    struct FakeDatabase(Arc<Mutex<(Locks, Rows)>>);

    impl FakeDatabase {
        fn tables(&self) -> MutexGuard<'_, (Locks, Rows)> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner)
        }

        fn session(&self, id: u32) -> FakeSession {
            FakeSession { id, database: self.clone() }
        }
    }

    struct FakeSession {
        id: u32,
        database: FakeDatabase,
    }

    impl Drop for FakeSession {
        fn drop(&mut self) {
            self.database.tables().0.retain(|_, session| *session != self.id);
        }
    }

    impl PartitionSession for FakeSession {
        async fn try_lock(&mut self, number: PartitionNumber) -> sqlx::Result<bool> {
            Ok(*self.database.tables().0.entry(number).or_insert(self.id) == self.id)
        }

        async fn unlock(&mut self, number: PartitionNumber) -> sqlx::Result<()> {
            self.database.tables().0.remove(&number);
            Ok(())
        }

        async fn other_partitions(
            &mut self,
            own: PartitionNumber,
        ) -> sqlx::Result<Vec<PartitionNumber>> {
            let tables = self.database.tables();
            let mut others: Vec<_> = tables.1.values().copied().filter(|n| *n != own).collect();
            others.sort_unstable();
            others.dedup();
            Ok(others)
        }

        async fn adopt(
            &mut self,
            own: PartitionNumber,
            orphan: PartitionNumber,
        ) -> sqlx::Result<Vec<OutboxRow>> {
            let mut tables = self.database.tables();
            let orphans = tables.1.iter_mut().filter(|(_, number)| **number == orphan);
            Ok(orphans
                .map(|(id, number)| {
                    *number = own;
                    row_with_id(*id)
                })
                .collect())
        }

        async fn rows_older_than(
            &mut self,
            _: PartitionNumber,
            _: &str,
        ) -> sqlx::Result<Vec<OutboxRow>> {
            Ok(vec![])
        }
    }

    #[tokio::test]
    async fn each_process_takes_the_first_free_partition() {
        let database = FakeDatabase::default();
        let current = CurrentPartition::default();
        let mut held = Vec::new();
        for id in 0..16 {
            let taken = OutboxPartition::take(database.session(id), &current).await;
            held.push(taken.expect("a partition is free"));
        }
        let numbers: Vec<_> = held.iter().map(OutboxPartition::number).collect();
        assert_eq!(numbers, (0..16).collect::<Vec<_>>());
        assert!(OutboxPartition::take(database.session(99), &current).await.is_err());
        drop(held.remove(3));
        let next = OutboxPartition::take(database.session(100), &current).await;
        assert_eq!(next.expect("the fourth is free again").number(), 3);
        assert_eq!(current.get(), 3, "new rows go to the partition that is held");
    }

    #[tokio::test]
    async fn only_rows_of_dead_relays_are_adopted() {
        let database = FakeDatabase::default();
        let current = CurrentPartition::default();
        let mut own = OutboxPartition::take(database.session(1), &current).await.expect("free");
        let alive = OutboxPartition::take(database.session(2), &current).await.expect("free");
        let rows = [(7, 0), (9, 1), (4, 2), (6, 3), (5, 2)];
        database.tables().1.extend(rows);
        let adopted = own.adopt_orphans().await.expect("the database answers");
        let ids: Vec<_> = adopted.iter().map(|row| row.id).collect();
        assert_eq!(ids, [4, 5, 6], "in the order of ids over all orphans");
        assert_eq!(database.tables().1[&9], alive.number(), "its relay is alive");
        assert_eq!(database.tables().0.len(), 2, "the orphans' locks are free again");
    }
}
