//! A peer that is silent, or gone without a word: no reset, no error, nothing. Everything works
//! again within ten seconds after there is a peer.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use harness::{Bank, Direction, PATIENCE, wait_for};
use shared_events::ledger::GetTrialBalance;

use super::{
    subject::{Ledger, Subject},
    tally::{Copies, begin, commands, each_is_done_once, nothing_parked, wait_outbox_empty},
};

const COMMANDS: usize = 20;
/// The longest that anybody waits for a fault that is over.
const PROMPT: Duration = Duration::from_secs(10);
/// How long a caller waits beyond the end of an outage, on a machine that is busy with tests.
const SOON: Duration = Duration::from_secs(4);
/// How a frame of AMQP's `Basic.Consume` begins, after its channel and size.
const BASIC_CONSUME: &[u8] = &[0, 60, 0, 20];

/// The database moved, or the network between forgot its connections: in the middle of work.
pub(crate) async fn a_database_that_vanishes_is_replaced_in_seconds<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (instance, subject) = begin::<S>(&bank).await?;
    let mut sent = vec![subject.command()];
    bank.publish_all(&sent).await?;
    bank.events().outcome(sent[0].id()).await?;
    wait_outbox_empty::<S>(&bank).await?;
    instance.database().vanish();
    let vanished = Instant::now();
    sent.extend(commands(subject, COMMANDS));
    bank.publish_all(&sent[1..]).await?;
    for command in &sent[1..] {
        bank.events().outcome(command.id()).await?;
    }
    wait_outbox_empty::<S>(&bank).await?;
    ensure!(vanished.elapsed() < PROMPT, "after {:?}", vanished.elapsed());
    each_is_done_once(&bank, subject, &sent, Copies::One).await?;
    instance.wait_ready().await?;
    nothing_parked::<S>(&bank).await
}

/// More queries than are worked on at a time.
pub(crate) async fn queries_are_answered_when_the_database_has_vanished(bank: Bank) -> Result<()> {
    let (instance, _) = begin::<Ledger>(&bank).await?;
    let client = bank.client("asker")?;
    client.ask(GetTrialBalance::default()).await?;
    instance.database().vanish();
    let vanished = Instant::now();
    let asking = (0..10).map(|_| client.ask(GetTrialBalance::default()));
    futures_util::future::try_join_all(asking).await?;
    ensure!(vanished.elapsed() < PROMPT, "after {:?}", vanished.elapsed());
    Ok(())
}

/// Both are away, long enough that pauses between tries are as long as they get.
pub(crate) async fn a_caller_is_answered_moments_after_an_outage(bank: Bank) -> Result<()> {
    let (instance, subject) = begin::<Ledger>(&bank).await?;
    wait_outbox_empty::<Ledger>(&bank).await?;
    let replies = bank.replies("caller").await?;
    instance.broker().cut();
    instance.database().cut();
    bank.publish(&subject.command().with_reply_to(replies.address())).await?;
    wait_for("the service has retried for a while", PATIENCE, async || {
        Ok(instance.log()?.matches("consumer lost its channel").count() >= 20)
    })
    .await?;
    instance.broker().resume();
    instance.database().resume();
    let over = Instant::now();
    wait_for("the reply", PATIENCE, async || Ok(!replies.events().await?.is_empty())).await?;
    ensure!(over.elapsed() < SOON, "the caller waited {:?}", over.elapsed());
    Ok(())
}

/// The broker answers a subscription after its service has given up waiting for the answer.
pub(crate) async fn a_consumer_that_is_set_up_too_late_holds_no_message<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let instance = bank.prepare(S::SERVICE).await?;
    instance.broker().hold_answers_after(BASIC_CONSUME);
    instance.launch().await?;
    instance.wait_log("did not answer within 10 s while subscribing").await?;
    instance.broker().resume();
    instance.wait_ready().await?;
    let subject = S::prepare(&bank).await?;
    let sent = commands(subject, COMMANDS);
    bank.publish_all(&sent).await?;
    each_is_done_once(&bank, subject, &sent, Copies::One).await?;
    nothing_parked::<S>(&bank).await
}

/// An outbox that grows while `/readyz` is green is a bank that has stopped and does not say so.
pub(crate) async fn readiness_reports_events_that_are_held_up(bank: Bank) -> Result<()> {
    let (instance, subject) = begin::<Ledger>(&bank).await?;
    wait_outbox_empty::<Ledger>(&bank).await?;
    instance.broker().pause(Direction::ToClient, "/relay@");
    let held_up = Instant::now();
    bank.publish(&subject.command()).await?;
    wait_for("readiness names the waiting events", PATIENCE, async || {
        let readiness = instance.readiness().await?;
        Ok(!readiness.ready && readiness.parts.get("outbox").is_some_and(Option::is_some))
    })
    .await?;
    ensure!(held_up.elapsed() < PROMPT * 2, "after {:?}", held_up.elapsed());
    instance.broker().resume();
    instance.wait_ready().await
}

/// A primary that became a standby and kept its sessions.
pub(crate) async fn a_database_that_takes_no_writes_is_left_at_once(bank: Bank) -> Result<()> {
    let (instance, subject) = begin::<Ledger>(&bank).await?;
    wait_outbox_empty::<Ledger>(&bank).await?;
    let standby = "
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I
            SET default_transaction_read_only = on', current_database()); END $$;
        SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name <> 'tests'";
    bank.execute(Ledger::SERVICE, standby).await?;
    let sent = commands(subject, COMMANDS);
    bank.publish_all(&sent).await?;
    wait_for("the service has met the standby", PATIENCE, async || {
        let log = instance.log()?;
        Ok(log.contains("takes no writes") || log.contains("read-only transaction"))
    })
    .await?;
    let primary = "
        SET default_transaction_read_only = off;
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I
            RESET default_transaction_read_only', current_database()); END $$";
    bank.execute(Ledger::SERVICE, primary).await?;
    let again = Instant::now();
    bank.events().outcome(sent[0].id()).await?;
    ensure!(again.elapsed() < PROMPT, "after {:?}", again.elapsed());
    each_is_done_once(&bank, subject, &sent, Copies::One).await?;
    nothing_parked::<Ledger>(&bank).await
}
