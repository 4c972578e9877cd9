//! The same message again.

use anyhow::{Result, ensure};
use chrono::Utc;
use harness::{Bank, Direction, Message, PATIENCE, wait_for};
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

pub(crate) async fn a_command_sent_again_gets_the_same_outcome<S: Subject>(
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
    let actual: Vec<(String, &Value)> =
        answers.iter().map(|answer| (answer.event.id.to_string(), &answer.event.data)).collect();
    ensure!(actual.iter().all(|event| *event == actual[0]), "told differently: {actual:?}");
    let announced = bank.events().outcome(command.id()).await?;
    ensure!(actual[0] == (announced.event.id.to_string(), &announced.event.data));
    let correlated = |properties: &lapin::BasicProperties| {
        properties.correlation_id().as_ref().map(ToString::to_string)
            == Some(command.id().to_string())
    };
    ensure!(
        answers.iter().all(|answer| correlated(&answer.properties)),
        "replies name the command"
    );
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
        Ok(events.iter().any(|event| is_conflict(&event.event.data)))
    })
    .await?;
    // The first content is still what the id stands for.
    bank.publish(&command).await?;
    let marker = subject.command();
    bank.publish(&marker).await?;
    bank.events().outcome(marker.id()).await?;
    let events = bank.events().caused_by(command.id()).await?;
    let conflicts = events.iter().filter(|event| is_conflict(&event.event.data)).count();
    ensure!((events.len(), conflicts) == (2, 1), "{events:?}");
    wait_effects(&bank, subject, 2).await?;
    nothing_parked::<S>(&bank).await
}

/// The inbox has a table for each day of message ids, and one for ids of another kind.
pub(crate) async fn ids_of_any_kind_are_known_once_and_old_days_go_whole(bank: Bank) -> Result<()> {
    let (_instance, subject) = begin::<Accounts>(&bank).await?;
    let of_today = subject.command();
    let random = MessageId(Uuid::new_v5(&Uuid::now_v7(), b"random")).to_string();
    let other = subject
        .command()
        .with_id(&random)
        .edited(|envelope| envelope["id"] = random.clone().into());
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
    for age in [40, 30, 27] {
        make_day(&bank, age).await?;
    }
    bank.execute(Accounts::SERVICE, "CALL bus.keep_days(7, 29)").await?;
    for (age, is_kept) in [(40, false), (30, false), (27, true), (0, true)] {
        ensure!(has_day(&bank, age).await? == is_kept, "the day before {age} days");
    }
    nothing_parked::<Accounts>(&bank).await
}

/// Makes the table of the inbox for the day that is so many days ago.
async fn make_day(bank: &Bank, age: u32) -> Result<()> {
    let make = format!(
        "DO $$ DECLARE day date := (now() AT TIME ZONE 'UTC')::date - {age}; BEGIN
            EXECUTE format('CREATE TABLE bus.inbox_%s PARTITION OF bus.inbox
                FOR VALUES FROM (%L) TO (%L)', to_char(day, 'YYYYMMDD'),
                bus.first_id(day), bus.first_id(day + 1));
        END $$"
    );
    bank.execute(Accounts::SERVICE, &make).await
}

async fn has_day(bank: &Bank, age: u32) -> Result<bool> {
    let table = format!(
        "SELECT count(*) FROM pg_class
         WHERE relname = 'inbox_' || to_char((now() AT TIME ZONE 'UTC')::date - {age}, 'YYYYMMDD')"
    );
    Ok(bank.number(Accounts::SERVICE, &table).await? == 1)
}

/// Its day is about to go when it comes, and is gone when it comes again.
pub(crate) async fn an_old_id_that_is_sent_again_has_one_effect(bank: Bank) -> Result<()> {
    let (_instance, subject) = begin::<Accounts>(&bank).await?;
    make_day(&bank, 27).await?;
    let old = made(subject, 7, 27);
    bank.publish(&old).await?;
    wait_effects(&bank, subject, 1).await?;
    let before = bank.events().outcome(old.id()).await?;
    let drop_its_day = "
        DO $$ BEGIN EXECUTE format('DROP TABLE bus.inbox_%s',
            to_char((now() AT TIME ZONE 'UTC')::date - 27, 'YYYYMMDD')); END $$";
    bank.execute(Accounts::SERVICE, drop_its_day).await?;
    let replies = bank.replies("asker").await?;
    bank.publish(&old.clone().with_reply_to(replies.address())).await?;
    wait_for("the outcome is repeated", PATIENCE, async || Ok(!replies.events().await?.is_empty()))
        .await?;
    let actual = replies.events().await?;
    ensure!(actual[0].event.id == before.event.id, "told {:?}", actual[0].event);
    each_is_done_once(&bank, subject, &[old], Copies::One).await?;
    nothing_parked::<Accounts>(&bank).await
}

/// Of a client whose clock ran ahead, and of one whose ids tell no time.
pub(crate) async fn ids_of_the_future_and_without_a_time_have_one_effect(bank: Bank) -> Result<()> {
    let (_instance, subject) = begin::<Accounts>(&bank).await?;
    let sent = [made(subject, 7, -60), made(subject, 7, -1), made(subject, 4, 7_000)];
    bank.publish_all(&sent).await?;
    wait_effects(&bank, subject, i64::try_from(sent.len())?).await?;
    bank.execute(Accounts::SERVICE, "CALL bus.keep_days(90, 29)").await?;
    bank.publish_all(&sent).await?;
    each_is_done_once(&bank, subject, &sent, Copies::One).await?;
    nothing_parked::<Accounts>(&bank).await
}

/// Nobody knows any more whether it was handled when it was new.
pub(crate) async fn an_id_older_than_what_is_known_is_refused_with_the_reason(
    bank: Bank,
) -> Result<()> {
    let (_instance, subject) = begin::<Accounts>(&bank).await?;
    let replies = bank.replies("asker").await?;
    let ancient = made(subject, 7, 40).with_reply_to(replies.address());
    bank.publish(&ancient).await?;
    let parked = bank.wait_parked(Accounts::SERVICE, 1).await?;
    ensure!(parked[0].id == ancient.id().to_string(), "{parked:?}");
    ensure!(parked[0].reason == "hopeless" && parked[0].detail.contains("so old"), "{parked:?}");
    wait_for("whoever asked is told", PATIENCE, async || {
        Ok(replies.events().await?.first().is_some_and(|event| {
            event.event.data["message"].as_str().is_some_and(|why| why.contains("so old"))
        }))
    })
    .await?;
    wait_effects(&bank, subject, 0).await?;
    // A parked message with this reason had no effect: an operator may send it back.
    let replayed = ancient.clone().retried_by(Accounts::SERVICE, Accounts::COMMANDS);
    bank.publish(&replayed).await?;
    each_is_done_once(&bank, subject, &[ancient], Copies::One).await
}

/// The client that begins a saga can compute the ids of the events that the saga publishes next.
pub(crate) async fn a_command_under_the_id_of_an_event_harms_nothing(bank: Bank) -> Result<()> {
    let (_instance, subject) = begin::<Accounts>(&bank).await?;
    let followed = subject.followed(&bank).await?;
    let before = bank.number(Accounts::SERVICE, followed.count).await?;
    let event = &followed.good[0];
    let id = event.id().to_string();
    let first =
        subject.command().with_id(&id).edited(|envelope| envelope["id"] = id.clone().into());
    bank.publish(&first).await?;
    wait_effects(&bank, subject, 1).await?;
    bank.publish(event).await?;
    wait_for("the event is followed", PATIENCE, async || {
        Ok(bank.number(Accounts::SERVICE, followed.count).await? == before + 1)
    })
    .await?;
    // Each of them is still known.
    bank.publish_all(&[event.clone(), first]).await?;
    let marker = subject.command();
    bank.publish(&marker).await?;
    wait_effects(&bank, subject, 2).await?;
    nothing_parked::<Accounts>(&bank).await
}

/// A command whose id is of this version and was made so many days ago.
fn made<S: Subject>(subject: S, version: u8, days_ago: i64) -> Message {
    let mut bytes = *Uuid::now_v7().as_bytes();
    let millis = Utc::now().timestamp_millis() - days_ago * 86_400_000;
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6] = (version << 4) | (bytes[6] & 0x0f);
    let id = Uuid::from_bytes(bytes).to_string();
    subject.command().with_id(&id).edited(|envelope| envelope["id"] = id.clone().into())
}
