//! SIGKILL at every point between a delivery and its acknowledgement. A proxy holds back the bytes
//! that must not arrive, so that the process dies at exactly that point.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use harness::{Bank, Direction, Instance, Message, PATIENCE, wait_for};
use sqlx::Connection;

use super::{
    subject::Subject,
    tally::{
        Copies, begin, by_cause, commands, each_is_done_once, in_order, nothing_parked,
        wait_effects, wait_number, wait_outbox_empty,
    },
};

const COMMANDS: usize = 5;
/// The longest that a service needs to make good the loss after a fault.
const PROMPT: Duration = Duration::from_secs(10);
/// The key of the advisory lock by which a test holds a commit up.
const COMMIT_LOCK: i64 = 42;
/// Commits that announce something wait for the lock, in their last moment.
const COMMIT_WAITS: &str = "
    CREATE FUNCTION wait_for_the_test() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(42); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER wait_for_the_test AFTER INSERT ON bus.outbox
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wait_for_the_test()";
const COMMIT_IS_WAITING: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'advisory'";
const INSERT_IS_WAITING: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'relation'";

pub(crate) async fn a_crash_before_the_commit_leaves_the_message_to_be_done<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (instance, subject) = begin::<S>(&bank).await?;
    wait_outbox_empty::<S>(&bank).await?;
    let pool = bank.pool(S::SERVICE).await?;
    let mut obstacle = pool.begin().await?;
    sqlx::query("LOCK TABLE bus.outbox IN SHARE MODE").execute(&mut *obstacle).await?;
    let sent = commands(subject, COMMANDS);
    bank.publish_all(&sent).await?;
    wait_number(&bank, S::SERVICE, INSERT_IS_WAITING, 1).await?;
    instance.kill().await?;
    obstacle.rollback().await?;
    let effects = bank.number(S::SERVICE, &subject.effects()).await?;
    ensure!(effects == 0, "{effects} effects of a transaction that was never committed");
    instance.start().await?;
    each_is_done_once(&bank, subject, &sent, Copies::One).await?;
    nothing_parked::<S>(&bank).await
}

pub(crate) async fn a_crash_after_the_commit_and_before_the_ack_has_one_effect<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (instance, subject) = begin::<S>(&bank).await?;
    instance.broker().pause(Direction::ToServer, "/consume@");
    let sent = commands(subject, COMMANDS);
    bank.publish_all(&sent).await?;
    wait_effects(&bank, subject, i64::try_from(COMMANDS)?).await?;
    // Announced and confirmed: only the acknowledgement is missing.
    wait_outbox_empty::<S>(&bank).await?;
    wait_for("an acknowledgement is held up", PATIENCE, async || {
        Ok(instance.broker().held(Direction::ToServer, "/consume@") > 0)
    })
    .await?;
    die(&instance).await?;
    wait_for("the messages are back in their queue", PATIENCE, async || {
        Ok(bank.ready(S::SERVICE).await? == u32::try_from(COMMANDS)?)
    })
    .await?;
    instance.start().await?;
    each_is_done_once(&bank, subject, &sent, Copies::One).await?;
    nothing_parked::<S>(&bank).await
}

pub(crate) async fn a_crash_between_commit_and_publish_loses_no_event<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (instance, subject) = begin::<S>(&bank).await?;
    wait_outbox_empty::<S>(&bank).await?;
    instance.broker().pause(Direction::ToServer, "/relay@");
    let mut sent = commands(subject, COMMANDS);
    bank.publish_all(&sent).await?;
    wait_effects(&bank, subject, i64::try_from(COMMANDS)?).await?;
    die(&instance).await?;
    let left = bank.outbox(S::SERVICE).await?;
    let announced = i64::try_from(COMMANDS)? * S::EVENTS_OF_A_COMMAND;
    ensure!(left == announced, "{left} events wait for the broker");
    let led_to = by_cause(&bank).await?;
    ensure!(sent.iter().all(|sent| !led_to.contains_key(&sent.id())), "nothing was published");
    // The events of the dead process are published before any new event.
    sent.push(subject.command());
    bank.publish_all(&sent[COMMANDS..]).await?;
    instance.start().await?;
    each_is_done_once(&bank, subject, &sent, Copies::One).await?;
    in_order(&bank, &sent).await?;
    nothing_parked::<S>(&bank).await
}

pub(crate) async fn a_lost_confirm_repeats_with_the_same_message_id<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (instance, subject) = begin::<S>(&bank).await?;
    let sent = publish_without_confirms(&bank, &instance, subject).await?;
    die(&instance).await?;
    instance.start().await?;
    each_came_again(&bank, &sent).await?;
    each_is_done_once(&bank, subject, &sent, Copies::Some).await?;
    nothing_parked::<S>(&bank).await
}

/// The same without a crash: the process goes on, on another connection.
pub(crate) async fn a_confirm_lost_with_its_connection_repeats_with_the_same_message_id<
    S: Subject,
>(
    bank: Bank,
) -> Result<()> {
    let (instance, subject) = begin::<S>(&bank).await?;
    let sent = publish_without_confirms(&bank, &instance, subject).await?;
    instance.broker().cut_once();
    instance.broker().resume();
    each_came_again(&bank, &sent).await?;
    each_is_done_once(&bank, subject, &sent, Copies::Some).await?;
    nothing_parked::<S>(&bank).await
}

/// The connection to the database is lost between the commit and its answer: the service cannot
/// know that it has committed.
pub(crate) async fn a_commit_whose_answer_is_lost_has_one_effect_and_loses_no_event<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (instance, subject) = begin::<S>(&bank).await?;
    let pool = bank.pool(S::SERVICE).await?;
    let mut holder = pool.acquire().await?;
    sqlx::query("SELECT pg_advisory_lock($1)").bind(COMMIT_LOCK).execute(&mut *holder).await?;
    bank.execute(S::SERVICE, COMMIT_WAITS).await?;
    let sent = commands(subject, COMMANDS);
    bank.publish_all(&sent).await?;
    wait_number(&bank, S::SERVICE, COMMIT_IS_WAITING, 1).await?;
    let before = bank.number(S::SERVICE, &subject.effects()).await?;
    ensure!(before == 0, "{before} effects before the commit");
    instance.database().pause(Direction::ToClient, "");
    holder.detach().close().await?;
    wait_for("the commit is done", PATIENCE, async || {
        Ok(bank.number(S::SERVICE, &subject.effects()).await? > 0)
    })
    .await?;
    instance.database().cut_once();
    instance.database().resume();
    // The relay finds the events again at once, and not when it next scans the table for old
    // events.
    let lost = Instant::now();
    bank.events().outcome(sent[0].id()).await?;
    ensure!(lost.elapsed() < PROMPT, "its event came after {:?}", lost.elapsed());
    each_is_done_once(&bank, subject, &sent, Copies::One).await?;
    nothing_parked::<S>(&bank).await
}

/// Kills an instance, and lets its proxies forget what was asked of them.
async fn die(instance: &Instance) -> Result<()> {
    instance.kill().await?;
    instance.broker().cut_once();
    instance.database().cut_once();
    instance.broker().resume();
    instance.database().resume();
    Ok(())
}

/// Commands whose events the broker has, and the service does not know it.
async fn publish_without_confirms<S: Subject>(
    bank: &Bank,
    instance: &Instance,
    subject: S,
) -> Result<Vec<Message>> {
    wait_outbox_empty::<S>(bank).await?;
    instance.broker().pause(Direction::ToClient, "/relay@");
    let sent = commands(subject, COMMANDS);
    bank.publish_all(&sent).await?;
    wait_for("the broker has every event", PATIENCE, async || {
        let events = by_cause(bank).await?;
        Ok(sent.iter().all(|sent| events.contains_key(&sent.id())))
    })
    .await?;
    let left = bank.outbox(S::SERVICE).await?;
    let announced = i64::try_from(COMMANDS)? * S::EVENTS_OF_A_COMMAND;
    ensure!(left == announced, "{left} events are unconfirmed");
    Ok(sent)
}

async fn each_came_again(bank: &Bank, sent: &[Message]) -> Result<()> {
    wait_for("every event comes again", PATIENCE, async || {
        let events = by_cause(bank).await?;
        Ok(sent.iter().all(|sent| events.get(&sent.id()).is_some_and(|events| events.len() >= 2)))
    })
    .await
}
