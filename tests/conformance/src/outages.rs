//! The broker or the database is away. Nobody restarts a service for that.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, ensure};
use harness::{Bank, Direction, Instance, Message, PATIENCE, wait_for};

use super::{
    subject::{Accounts, Ledger, Notifications, Subject},
    tally::{
        Copies, begin, commands, each_is_done_once, nothing_parked, wait_effects, wait_outbox_empty,
    },
};

const COMMANDS: usize = 30;

pub(crate) async fn a_database_outage_parks_nothing_and_loses_nothing<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (instance, subject) = begin::<S>(&bank).await?;
    let mut sent = commands(subject, COMMANDS);
    bank.publish_all(&sent).await?;
    wait_effects(&bank, subject, i64::try_from(COMMANDS)?).await?;
    let delivered = wait_statistics::<S>(&bank, 0).await?;
    instance.database().cut();
    let meanwhile = commands(subject, COMMANDS);
    bank.publish_all(&meanwhile).await?;
    sent.extend(meanwhile);
    // Some seconds: its pauses grow from try to try.
    instance.wait_metric("bus_transaction_retries_total", 6.0).await?;
    let readiness = instance.readiness().await?;
    ensure!(!readiness.ready, "the service reports ready");
    ensure!(readiness.parts.get("database").is_some_and(Option::is_some), "{readiness:?}");
    instance.database().resume();
    each_is_done_once(&bank, subject, &sent, Copies::One).await?;
    instance.wait_ready().await?;
    // Each message was delivered once: it was kept, not given back to be counted.
    let delivered = wait_statistics::<S>(&bank, delivered + u64::try_from(COMMANDS)?).await?;
    let redelivered = bank.statistic(S::SERVICE, "redeliver").await?;
    ensure!(redelivered == 0, "{redelivered} of {delivered} deliveries were repeated");
    nothing_parked::<S>(&bank).await
}

/// An operator who restarts a service during a database outage must not make the outage worse.
pub(crate) async fn a_stop_during_a_database_outage_gives_everything_back<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (instance, subject) = begin::<S>(&bank).await?;
    wait_outbox_empty::<S>(&bank).await?;
    instance.database().cut();
    let sent = commands(subject, COMMANDS);
    bank.publish_all(&sent).await?;
    instance.wait_metric("bus_transaction_retries_total", 1.0).await?;
    instance.stop().await?;
    wait_for("the messages are back in their queue", PATIENCE, async || {
        Ok(bank.ready(S::SERVICE).await? == u32::try_from(COMMANDS)?)
    })
    .await?;
    instance.database().resume();
    instance.start().await?;
    each_is_done_once(&bank, subject, &sent, Copies::One).await?;
    nothing_parked::<S>(&bank).await
}

/// Waits until the broker's statistics know of so many deliveries, and of an end of them.
async fn wait_statistics<S: Subject>(bank: &Bank, at_least: u64) -> Result<u64> {
    let mut delivered = 0;
    wait_for("the statistics are up to date", PATIENCE, async || {
        delivered = bank.statistic(S::SERVICE, "deliver").await?;
        let acknowledged = bank.statistic(S::SERVICE, "ack").await?;
        ensure!(delivered == acknowledged, "{acknowledged} of {delivered} are acknowledged");
        Ok(delivered >= at_least.max(u64::try_from(COMMANDS)?))
    })
    .await?;
    Ok(delivered)
}

pub(crate) async fn a_service_starts_before_its_broker_and_its_database<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let instance = bank.prepare(S::SERVICE).await?;
    instance.broker().cut();
    instance.database().cut();
    instance.launch().await?;
    wait_part(&instance, "database").await?;
    instance.database().resume();
    wait_part(&instance, "broker").await?;
    instance.broker().resume();
    instance.wait_ready().await?;
    let subject = S::prepare(&bank).await?;
    let sent = commands(subject, COMMANDS);
    bank.publish_all(&sent).await?;
    each_is_done_once(&bank, subject, &sent, Copies::One).await
}

/// Waits until an instance says that a part whose name begins so does not work.
async fn wait_part(instance: &Instance, part: &str) -> Result<()> {
    wait_for(&format!("{} misses its {part}", instance.label()), PATIENCE, async || {
        let readiness = instance.readiness().await?;
        let mut parts = readiness.parts.iter();
        let said = parts.any(|(name, why)| name.starts_with(part) && why.is_some());
        ensure!(!readiness.ready && said, "{readiness:?}");
        Ok(true)
    })
    .await
}

/// Stopped and started within its process: clients are told.
pub(crate) async fn a_broker_restart_loses_nothing_and_services_reconnect_by_themselves(
    bank: Bank,
) -> Result<()> {
    let broker = bank.clone();
    through(bank, async move || broker.broker().restart_app().await).await
}

/// SIGKILL to the whole container: nobody is told anything.
pub(crate) async fn a_broker_crash_loses_nothing_and_services_reconnect_by_themselves(
    bank: Bank,
) -> Result<()> {
    let broker = bank.clone();
    let crash = async move || {
        broker.broker().kill().await?;
        broker.broker().start_again().await
    };
    through(bank, crash).await
}

/// Events wait in the outbox meanwhile, and `/readyz` says why.
pub(crate) async fn a_broker_short_of_memory_holds_events_up_and_is_named(
    bank: Bank,
) -> Result<()> {
    let (instance, subject) = begin::<Ledger>(&bank).await?;
    let sent = commands(subject, COMMANDS);
    instance.broker().pause(Direction::ToClient, "/consume@");
    bank.publish_all(&sent).await?;
    bank.broker().run_short_of_memory().await?;
    instance.broker().resume();
    wait_part(&instance, "ledger-svc/relay").await?;
    wait_effects(&bank, subject, i64::try_from(COMMANDS)?).await?;
    let waiting = bank.outbox(Ledger::SERVICE).await?;
    ensure!(waiting > 0, "no event waits for the broker");
    bank.broker().have_memory_again().await?;
    each_is_done_once(&bank, subject, &sent, Copies::One).await?;
    instance.wait_ready().await
}

/// All three services work while something happens to the broker.
async fn through(bank: Bank, happening: impl AsyncFnOnce() -> Result<()>) -> Result<()> {
    let (ledger, transfers) = begin::<Ledger>(&bank).await?;
    let (accounts, holders) = begin::<Accounts>(&bank).await?;
    let notifications = bank.start(Notifications::SERVICE).await?;
    let preferences = Notifications::about(&bank, holders.account()).await?;
    let over = AtomicBool::new(false);
    let happening = async {
        // In the middle of work, not before it.
        wait_effects_at_least(&bank, transfers, 20).await?;
        happening().await?;
        over.store(true, Ordering::Relaxed);
        Ok(())
    };
    let ((), sent_transfers, sent_holders, sent_preferences) = tokio::try_join!(
        happening,
        keep_sending(&bank, transfers, &over),
        keep_sending(&bank, holders, &over),
        keep_sending(&bank, preferences, &over),
    )?;
    each_is_done_once(&bank, transfers, &sent_transfers, Copies::Some).await?;
    each_is_done_once(&bank, holders, &sent_holders, Copies::Some).await?;
    each_is_done_once(&bank, preferences, &sent_preferences, Copies::Some).await?;
    for instance in [ledger, accounts, notifications] {
        ensure!(instance.is_running().await?, "{} has ended", instance.label());
        instance.wait_ready().await?;
    }
    nothing_parked::<Ledger>(&bank).await?;
    nothing_parked::<Accounts>(&bank).await?;
    nothing_parked::<Notifications>(&bank).await
}

async fn wait_effects_at_least<S: Subject>(bank: &Bank, subject: S, count: i64) -> Result<()> {
    wait_for("work is under way", PATIENCE, async || {
        Ok(bank.number(S::SERVICE, &subject.effects()).await? >= count)
    })
    .await
}

/// Sends commands, each until the broker has it, until it is over. A command that was sent again
/// because its confirm was lost may be there twice.
async fn keep_sending<S: Subject>(
    bank: &Bank,
    subject: S,
    over: &AtomicBool,
) -> Result<Vec<Message>> {
    let mut sent = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let command = subject.command();
        bank.publish_through(&command).await?;
        sent.push(command);
    }
    Ok(sent)
}
