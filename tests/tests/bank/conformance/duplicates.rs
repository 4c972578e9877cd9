//! The same message again.

use anyhow::{Result, ensure};
use integration_tests::{Bank, Direction, PATIENCE, wait_for};
use serde_json::Value;
use shared_events::MessageId;
use uuid::Uuid;

use super::{
    subject::{Accounts, Subject},
    tally::{Copies, begin, each_is_done_once, nothing_parked, wait_effects},
};

/// Within one batch, and in a later one.
pub(crate) async fn a_duplicate_delivery_has_one_effect<S: Subject>(bank: Bank) -> Result<()> {
    let (instance, subject) = begin::<S>(&bank).await?;
    let (first, second) = (subject.command(), subject.command());
    instance.broker().pause(Direction::ToClient, "/consume@");
    bank.publish_all(&[first.clone(), first.clone(), second.clone(), first.clone()]).await?;
    wait_for("the messages are on their way", PATIENCE, async || {
        Ok(instance.broker().held(Direction::ToClient, "/consume@") > 0)
    })
    .await?;
    instance.broker().resume();
    wait_effects(&bank, subject, 2).await?;
    bank.publish(&first).await?;
    each_is_done_once(&bank, subject, &[first, second], Copies::One).await?;
    nothing_parked::<S>(&bank).await
}

pub(crate) async fn a_command_sent_again_is_told_the_same_outcome<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (_instance, subject) = begin::<S>(&bank).await?;
    let replies = bank.replies("asker").await?;
    let command = subject.command().with_reply_to(replies.address());
    for asked in 1..=3 {
        bank.publish(&command).await?;
        wait_for("an answer", PATIENCE, async || Ok(replies.events().await?.len() >= asked))
            .await?;
    }
    let answers = replies.events().await?;
    let told: Vec<(String, &Value)> =
        answers.iter().map(|it| (it.event.id.to_string(), &it.event.data)).collect();
    ensure!(told.iter().all(|it| *it == told[0]), "told differently: {told:?}");
    let announced = bank.events().outcome(command.id()).await?;
    ensure!(told[0] == (announced.event.id.to_string(), &announced.event.data));
    let correlated = |it: &lapin::BasicProperties| {
        it.correlation_id().as_ref().map(ToString::to_string) == Some(command.id().to_string())
    };
    ensure!(answers.iter().all(|it| correlated(&it.properties)), "replies name the command");
    each_is_done_once(&bank, subject, &[command], Copies::One).await
}

pub(crate) async fn the_same_id_with_other_content_is_refused_as_a_conflict<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (_instance, subject) = begin::<S>(&bank).await?;
    let command = subject.command();
    bank.publish(&command).await?;
    wait_effects(&bank, subject, 1).await?;
    bank.publish(&subject.altered(&command)).await?;
    let is_conflict = |data: &Value| data.to_string().contains("\"idempotency_conflict\"");
    wait_for("the conflict is announced", PATIENCE, async || {
        let events = bank.events().caused_by(command.id()).await?;
        Ok(events.iter().any(|it| is_conflict(&it.event.data)))
    })
    .await?;
    // The first content is still what the id stands for.
    bank.publish(&command).await?;
    let marker = subject.command();
    bank.publish(&marker).await?;
    bank.events().outcome(marker.id()).await?;
    let events = bank.events().caused_by(command.id()).await?;
    let conflicts = events.iter().filter(|it| is_conflict(&it.event.data)).count();
    ensure!((events.len(), conflicts) == (2, 1), "{events:?}");
    wait_effects(&bank, subject, 2).await?;
    nothing_parked::<S>(&bank).await
}

/// The inbox has a table for each day of message ids, and one for ids of another kind.
pub(crate) async fn ids_of_any_kind_are_known_once_and_old_days_go_whole(bank: Bank) -> Result<()> {
    let (_instance, subject) = begin::<Accounts>(&bank).await?;
    let of_today = subject.command();
    let random = MessageId(Uuid::new_v5(&Uuid::now_v7(), b"random")).to_string();
    let other = subject.command().with_id(&random).edited(|it| it["id"] = random.clone().into());
    bank.publish_all(&[of_today.clone(), other.clone(), of_today, other]).await?;
    wait_effects(&bank, subject, 2).await?;
    let marker = subject.command();
    bank.publish(&marker).await?;
    bank.events().outcome(marker.id()).await?;
    wait_effects(&bank, subject, 3).await?;
    let lying = async |table: &str| {
        let query = format!("SELECT count(*) FROM bus.inbox WHERE tableoid = {table}");
        bank.number(Accounts::SERVICE, &query).await
    };
    let today = "('bus.inbox_' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD'))::regclass";
    ensure!(lying(today).await? >= 2, "today's ids lie in today's table");
    ensure!(lying("'bus.inbox_rest'::regclass").await? == 1, "a random id lies beside the days");
    // As seen from far in the future.
    bank.execute(Accounts::SERVICE, "SELECT bus.keep_inbox(7, -9)").await?;
    let days = r"SELECT count(*) FROM pg_class WHERE relname ~ '^inbox_[0-9]{8}$'";
    let days = bank.number(Accounts::SERVICE, days).await?;
    ensure!(days == 0, "{days} days are left");
    nothing_parked::<Accounts>(&bank).await
}
