//! A service that dies or is restarted again and again. Only a message that it dies of is parked.

use anyhow::{Result, ensure};
use harness::{Bank, PATIENCE, wait_for, wait_value};

use super::{
    subject::{Ledger, Subject},
    tally::{
        Copies, begin, commands, each_is_done_once, nothing_parked, wait_number, wait_outbox_empty,
    },
};

const INNOCENTS: usize = 200;
/// More than the broker would have delivered a message before.
const RESTARTS: usize = 25;
/// The first deaths make every message in hand a suspect; the last ones show which message kills.
const DEATHS: usize = 3 + 4;
/// The insert of one message waits for the test, which kills the process then: as if the message
/// had killed the process.
const DEADLY: &str = "
    CREATE FUNCTION wait_for_death() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(43); RETURN NEW; END $$;
    CREATE TRIGGER deadly BEFORE INSERT ON journal FOR EACH ROW
        WHEN (NEW.reference = 'Poison') EXECUTE FUNCTION wait_for_death()";
const DYING: &str = "
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'advisory'";

pub(crate) async fn a_message_that_kills_its_service_is_parked_alone(bank: Bank) -> Result<()> {
    let (instance, subject) = begin::<Ledger>(&bank).await?;
    wait_outbox_empty::<Ledger>(&bank).await?;
    instance.stop().await?;
    bank.execute(Ledger::SERVICE, DEADLY).await?;
    let pool = bank.pool(Ledger::SERVICE).await?;
    let mut death = pool.acquire().await?;
    sqlx::query("SELECT pg_advisory_lock(43)").execute(&mut *death).await?;
    let innocent = commands(subject, INNOCENTS);
    let deadly = subject.poison();
    let mut sent = innocent.clone();
    sent.insert(INNOCENTS / 2, deadly.clone());
    bank.publish_all(&sent).await?;
    let mut deaths = 0;
    loop {
        instance.launch().await?;
        let dying =
            wait_value("the service dies, or has parked the message", PATIENCE, async || {
                if bank.number(Ledger::SERVICE, DYING).await? > 0 {
                    return Ok(Some(true));
                }
                Ok((!bank.parked(Ledger::SERVICE).await?.is_empty()).then_some(false))
            })
            .await?;
        if !dying {
            break;
        }
        instance.kill().await?;
        deaths += 1;
        ensure!(deaths <= DEATHS, "{deaths} deaths");
        wait_number(&bank, Ledger::SERVICE, DYING, 0).await?;
    }
    ensure!(deaths == DEATHS, "parked after {deaths} deaths");
    each_is_done_once(&bank, subject, &innocent, Copies::Some).await?;
    let parked = bank.parked(Ledger::SERVICE).await?;
    ensure!(parked.len() == 1 && parked[0].id == deadly.id().to_string(), "{parked:?}");
    ensure!(parked[0].reason == "kills_the_service", "{parked:?}");
    ensure!(parked[0].detail.contains("died 4 times"), "{parked:?}");
    ensure!(parked[0].body == deadly.body, "another body");
    let suspects = bank.number(Ledger::SERVICE, "SELECT count(*) FROM bus.suspects").await?;
    ensure!(suspects <= 1, "{suspects} messages are still suspected");
    Ok(())
}

/// Something else is wrong, for which it is killed again and again: nothing can be stored.
pub(crate) async fn restarts_alone_park_nothing(bank: Bank) -> Result<()> {
    let (instance, subject) = begin::<Ledger>(&bank).await?;
    wait_outbox_empty::<Ledger>(&bank).await?;
    let pool = bank.pool(Ledger::SERVICE).await?;
    let mut wrong = pool.begin().await?;
    sqlx::query("LOCK TABLE bus.outbox IN SHARE MODE").execute(&mut *wrong).await?;
    let sent = commands(subject, INNOCENTS);
    bank.publish_all(&sent).await?;
    for _ in 0..RESTARTS {
        instance.kill().await?;
        instance.start().await?;
        wait_for("the service holds the waiting messages", PATIENCE, async || {
            Ok(bank.ready(Ledger::SERVICE).await? == 0)
        })
        .await?;
    }
    wrong.rollback().await?;
    each_is_done_once(&bank, subject, &sent, Copies::Some).await?;
    nothing_parked::<Ledger>(&bank).await
}
