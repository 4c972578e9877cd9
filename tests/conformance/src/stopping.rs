//! SIGTERM.

use anyhow::{Result, ensure};
use harness::{Bank, Direction, PATIENCE, wait_for};

use super::{
    subject::Subject,
    tally::{Copies, begin, commands, each_is_done_once, nothing_parked, wait_outbox_empty},
};

/// More than a service takes at a time.
const COMMANDS: usize = 600;
const STOPPING: &str = "stopping: finishing work in progress";
const INSERT_IS_WAITING: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'relation'";

/// It is told to stop within a transaction, with more work waiting.
pub(crate) async fn a_graceful_stop_leaves_nothing_half_done<S: Subject>(bank: Bank) -> Result<()> {
    let (instance, subject) = begin::<S>(&bank).await?;
    wait_outbox_empty::<S>(&bank).await?;
    let pool = bank.pool(S::SERVICE).await?;
    let mut obstacle = pool.begin().await?;
    sqlx::query("LOCK TABLE bus.outbox IN SHARE MODE").execute(&mut *obstacle).await?;
    let sent = commands(subject, COMMANDS);
    bank.publish_all(&sent).await?;
    wait_for("the service is within a transaction", PATIENCE, async || {
        Ok(bank.number(S::SERVICE, INSERT_IS_WAITING).await? == 1)
    })
    .await?;
    let release = async {
        instance.wait_log(STOPPING).await?;
        Ok(obstacle.rollback().await?)
    };
    tokio::try_join!(instance.stop(), release)?;
    let done = bank.number(S::SERVICE, &subject.effects()).await?;
    ensure!(done > 0, "the batch in hand was given up");
    let outbox = bank.outbox(S::SERVICE).await?;
    ensure!(outbox == 0, "{outbox} events were left unpublished");
    let queue = bank.queue_with_messages(S::SERVICE).await?;
    let left = i64::from(bank.depth(&queue).await?);
    ensure!(left > 0, "the service stopped after all commands");
    ensure!(done + left == i64::try_from(COMMANDS)?, "{done} done, {left} left");
    instance.start().await?;
    each_is_done_once(&bank, subject, &sent, Copies::One).await?;
    nothing_parked::<S>(&bank).await
}

pub(crate) async fn a_graceful_stop_waits_for_confirms<S: Subject>(bank: Bank) -> Result<()> {
    let (instance, subject) = begin::<S>(&bank).await?;
    wait_outbox_empty::<S>(&bank).await?;
    instance.broker().pause(Direction::ToClient, "/relay@");
    let sent = commands(subject, 5);
    bank.publish_all(&sent).await?;
    wait_for("a confirm is held up", PATIENCE, async || {
        let held = instance.broker().held(Direction::ToClient, "/relay@") > 0;
        Ok(held && bank.outbox(S::SERVICE).await? == 5 * S::EVENTS_OF_A_COMMAND)
    })
    .await?;
    let release = async {
        instance.wait_log(STOPPING).await?;
        let unconfirmed = bank.outbox(S::SERVICE).await?;
        ensure!(unconfirmed == 5 * S::EVENTS_OF_A_COMMAND, "{unconfirmed} events are unconfirmed");
        instance.broker().resume();
        Ok(())
    };
    tokio::try_join!(instance.stop(), release)?;
    let outbox = bank.outbox(S::SERVICE).await?;
    ensure!(outbox == 0, "{outbox} events were not seen to be confirmed");
    instance.start().await?;
    each_is_done_once(&bank, subject, &sent, Copies::One).await
}
