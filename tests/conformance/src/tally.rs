//! Counting. A fact sends commands, lets something happen to the service, and ends here: each
//! command had one effect and led to one event, and nothing is left anywhere.

use std::collections::HashMap;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Instance, Message, PATIENCE, Recorded, wait_for, wait_value};
use shared_events::MessageId;

use super::subject::Subject;

/// How often one and the same event may have been published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copies {
    /// Once: nothing went wrong on the way to the broker.
    One,
    /// Again with the same id: whether the broker had it was not known.
    Some,
}

/// A running service and its subject.
pub(crate) async fn begin<S: Subject>(bank: &Bank) -> Result<(Instance, S)> {
    let instance = bank.start(S::SERVICE).await?;
    let subject = S::prepare(bank).await?;
    Ok((instance, subject))
}

/// Some new commands.
pub(crate) fn commands<S: Subject>(subject: S, count: usize) -> Vec<Message> {
    (0..count).map(|_| subject.command()).collect()
}

/// Waits until a query gives a number.
pub(crate) async fn wait_number(
    bank: &Bank,
    service: &str,
    query: &str,
    number: i64,
) -> Result<()> {
    wait_for(&format!("{query} = {number}"), PATIENCE, async || {
        let found = bank.number(service, query).await?;
        ensure!(found == number, "found {found}");
        Ok(true)
    })
    .await
}

/// Waits until so many commands have had their effect.
pub(crate) async fn wait_effects<S: Subject>(bank: &Bank, subject: S, count: i64) -> Result<()> {
    wait_number(bank, S::SERVICE, &subject.effects(), count).await
}

/// Waits until no committed event waits for the broker.
pub(crate) async fn wait_outbox_empty<S: Subject>(bank: &Bank) -> Result<()> {
    wait_number(bank, S::SERVICE, "SELECT count(*) FROM bus.outbox", 0).await
}

/// These commands, and no others of the subject, are done: each has had one effect and led to one
/// event. Sends one more command behind them, by which it knows that nothing more comes.
pub(crate) async fn each_is_done_once<S: Subject>(
    bank: &Bank,
    subject: S,
    commands: &[Message],
    copies: Copies,
) -> Result<()> {
    wait_value("every command leads to an event", PATIENCE, async || {
        let events = by_cause(bank).await?;
        let missing = commands.iter().filter(|command| !events.contains_key(&command.id())).count();
        ensure!(missing == 0, "{missing} of {} do not yet", commands.len());
        Ok(Some(()))
    })
    .await?;
    let marker = subject.command();
    bank.publish(&marker).await?;
    bank.events().outcome(marker.id()).await?;
    wait_outbox_empty::<S>(bank).await?;
    let effects = bank.number(S::SERVICE, &subject.effects()).await?;
    let expected = i64::try_from(commands.len())? + 1;
    ensure!(effects == expected, "{}: {expected} commands had {effects} effects", S::SERVICE);
    let faults = bank.number(S::SERVICE, S::FAULTS).await?;
    ensure!(faults == 0, "{faults} rows do not fit the others");
    let events = by_cause(bank).await?;
    for command in commands {
        let led_to = events.get(&command.id()).context("every command has led to an event")?;
        one_event(command, led_to, copies)?;
    }
    Ok(())
}

fn one_event(command: &Message, led_to: &[Recorded], copies: Copies) -> Result<()> {
    let first = &led_to[0];
    for other in &led_to[1..] {
        let (id, first_id) = (other.event.id, first.event.id);
        let what = format!("command {} led to {}", command.id(), first.event.kind);
        ensure!(id == first_id, "{what} {first_id}, and to {} {id}", other.event.kind);
        ensure!(other.event.data == first.event.data, "{what}, and to another with its id");
        ensure!(copies == Copies::Some, "{what} {} times", led_to.len());
    }
    Ok(())
}

/// The events of these commands came in the order of the commands.
pub(crate) async fn in_order(bank: &Bank, commands: &[Message]) -> Result<()> {
    let events = bank.events().events().await?;
    let place = |command: &Message| {
        events.iter().position(|event| event.event.causationid == Some(command.id()))
    };
    let places: Vec<_> = commands.iter().map(place).collect();
    ensure!(places.is_sorted(), "events came in another order than their commands: {places:?}");
    Ok(())
}

/// All events by the message that led to them.
pub(crate) async fn by_cause(bank: &Bank) -> Result<HashMap<MessageId, Vec<Recorded>>> {
    let mut events: HashMap<MessageId, Vec<Recorded>> = HashMap::new();
    for event in bank.events().events().await? {
        if let Some(cause) = event.event.causationid {
            events.entry(cause).or_default().push(event);
        }
    }
    Ok(events)
}

/// Nothing was given up, and nothing waits for another try.
pub(crate) async fn nothing_parked<S: Subject>(bank: &Bank) -> Result<()> {
    let parked = bank.parked(S::SERVICE).await?;
    ensure!(parked.is_empty(), "parked: {parked:?}");
    let waiting = bank.waiting(S::SERVICE).await?;
    ensure!(waiting.is_empty(), "messages wait for another try: {waiting:?}");
    Ok(())
}
