//! Two instances of a service, on the same queues and the same database.

use anyhow::{Result, ensure};
use harness::{Bank, Direction, Message, PATIENCE, wait_for};
use shared_events::topology::SUBSCRIPTIONS;

use super::{
    subject::Subject,
    tally::{
        Copies, begin, commands, each_is_done_once, nothing_parked, wait_effects, wait_number,
        wait_outbox_empty,
    },
};

const COMMANDS: usize = 120;
/// Enough for each partition to get some.
const KEYS: usize = 24;

pub(crate) async fn two_instances_work_side_by_side<S: Subject>(bank: Bank) -> Result<()> {
    let (first, subject) = begin::<S>(&bank).await?;
    let second = bank.start(S::SERVICE).await?;
    let sent = keyed(commands(subject, COMMANDS));
    for some in sent.chunks(COMMANDS / 4) {
        bank.publish_all(some).await?;
    }
    wait_effects(&bank, subject, i64::try_from(COMMANDS)?).await?;
    each_is_done_once(&bank, subject, &sent, Copies::One).await?;
    nothing_parked::<S>(&bank).await?;
    if SUBSCRIPTIONS
        .iter()
        .any(|subscription| subscription.service == S::SERVICE && subscription.partitions.is_some())
    {
        // They share the partitions; elsewhere one works and the other is ready to.
        first.wait_metric("bus_batch_messages_count", 1.0).await?;
        let more = keyed(commands(subject, COMMANDS));
        bank.publish_all(&more).await?;
        second.wait_metric("bus_batch_messages_count", 1.0).await?;
    }
    Ok(())
}

/// The first dies with committed events that it could not publish, in the middle of work.
pub(crate) async fn when_one_of_two_is_killed_the_other_takes_over_what_it_left<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (first, subject) = begin::<S>(&bank).await?;
    let mut sent = vec![subject.command()];
    bank.publish_all(&sent).await?;
    bank.events().outcome(sent[0].id()).await?;
    wait_outbox_empty::<S>(&bank).await?;
    first.broker().pause(Direction::ToServer, "/relay@");
    let left_behind = commands(subject, COMMANDS);
    bank.publish_all(&left_behind).await?;
    sent.extend(left_behind);
    wait_effects(&bank, subject, i64::try_from(sent.len())?).await?;
    let second = bank.start(S::SERVICE).await?;
    let ours = "SELECT coalesce(sum(events), 0)::bigint FROM bus.outbox WHERE lane = 0";
    let ours = bank.number(S::SERVICE, ours).await?;
    let announced = i64::try_from(COMMANDS)? * S::EVENTS_OF_A_COMMAND;
    ensure!(ours == announced, "{ours} events wait on the first one's lane");
    // The first instance can acknowledge no delivery from now on.
    first.broker().pause(Direction::ToServer, "/consume@");
    let unfinished = commands(subject, COMMANDS);
    bank.publish_all(&unfinished).await?;
    sent.extend(unfinished);
    wait_for("the first is at work", PATIENCE, async || {
        let effects = bank.number(S::SERVICE, &subject.effects()).await?;
        Ok(effects > i64::try_from(COMMANDS)? + 1)
    })
    .await?;
    first.kill().await?;
    second.wait_log("took over from a relay that is gone").await?;
    each_is_done_once(&bank, subject, &sent, Copies::One).await?;
    wait_number(&bank, S::SERVICE, "SELECT count(*) FROM bus.outbox", 0).await?;
    nothing_parked::<S>(&bank).await
}

/// The same messages, spread over many keys.
fn keyed(messages: Vec<Message>) -> Vec<Message> {
    let with_key = |(place, message): (usize, Message)| {
        message.with_partition_key(Some(&format!("key-{}", place % KEYS)))
    };
    messages.into_iter().enumerate().map(with_key).collect()
}
