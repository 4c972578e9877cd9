//! Messages that nobody can read, handle or take. Each ends where an operator sees it, and none
//! stands in the way of another.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Direction, Instance, Message, PATIENCE, Parked, wait_for};
use shared_events::{
    MessageId,
    envelope::{CONTENT_TYPE, CONTENT_TYPE_BATCH, MESSAGE_BYTES_MAX},
    topology::{COMMANDS, UNROUTED},
};

use super::{
    subject::Subject,
    tally::{Copies, begin, commands, each_is_done_once, wait_number},
};

/// A message that breaks the contract: its fault, and the reason and detail of its parking.
struct Broken {
    what: &'static str,
    message: Message,
    reason: &'static str,
    detail: &'static str,
}

fn broken<S: Subject>(subject: S) -> Vec<Broken> {
    let good = || subject.command();
    let broken = |what, message, reason, detail| Broken { what, message, reason, detail };
    let undecodable = |what, message, detail| broken(what, message, "undecodable", detail);
    let kind = good().routing_key;
    let unknown = kind.replace(".v1", ".v9");
    let future =
        good().edited(|envelope| envelope["type"] = unknown.as_str().into()).to(COMMANDS, &unknown);
    let large = good();
    let filler = " ".repeat(MESSAGE_BYTES_MAX + 1 - large.body.len());
    let large_body = [large.body.as_slice(), filler.as_bytes()].concat();
    vec![
        undecodable("no JSON", good().with_body("{"), "not a CloudEvent"),
        undecodable("not UTF-8", good().with_body([0xff, 0xfe]), "not UTF-8"),
        undecodable("text", good().with_content_type("text/plain"), "text/plain"),
        undecodable("no content type", good().with_content_type(""), "content type"),
        undecodable("no envelope", good().with_body(r#"{"amount":"1"}"#), "specversion"),
        undecodable("an unknown version", future, ".v9"),
        undecodable(
            "no data",
            good().edited(|envelope| envelope["data"] = serde_json::json!({})),
            "missing field",
        ),
        undecodable(
            "an empty batch",
            good().with_body("[]").with_content_type(CONTENT_TYPE_BATCH),
            "without any",
        ),
        broken("oversized", large.with_body(large_body), "oversized", "1048577 bytes"),
    ]
}

pub(crate) async fn an_undecodable_message_is_parked_with_its_reason_and_blocks_no_other<
    S: Subject,
>(
    bank: Bank,
) -> Result<()> {
    let (_instance, subject) = begin::<S>(&bank).await?;
    let replies = bank.replies("asker").await?;
    let mut broken = broken(subject);
    let mut good = Vec::new();
    for case in &mut broken {
        case.message = case.message.clone().with_reply_to(replies.address());
        good.push(subject.command());
        bank.publish_all(&[case.message.clone(), good[good.len() - 1].clone()]).await?;
    }
    each_is_done_once(&bank, subject, &good, Copies::One).await?;
    let parked = bank.wait_parked(S::SERVICE, broken.len()).await?;
    ensure!(parked.len() == broken.len(), "{} are parked", parked.len());
    for case in &broken {
        is_parked::<S>(case, &parked).with_context(|| case.what)?;
    }
    wait_for("whoever asked is told", PATIENCE, async || {
        Ok(replies.events().await?.len() == broken.len())
    })
    .await?;
    for reply in replies.events().await? {
        let event = reply.event;
        ensure!(event.kind == "bank.message.refused.v1" && event.data["code"] == "unreadable");
    }
    Ok(())
}

fn is_parked<S: Subject>(broken: &Broken, parked: &[Parked]) -> Result<()> {
    let id = broken.message.properties.message_id().as_ref().context("the message has an id")?;
    let found = parked
        .iter()
        .find(|parked| parked.id == id.as_str())
        .context("the message is not parked")?;
    ensure!(found.reason == broken.reason, "reason {:?}", found.reason);
    ensure!(found.detail.contains(broken.detail), "detail {:?}", found.detail);
    ensure!(found.queue.starts_with(S::COMMANDS), "queue {:?}", found.queue);
    ensure!(found.body == broken.message.body, "another body");
    let content_type = broken.message.properties.content_type().as_ref();
    ensure!(content_type.is_some_and(|text| text.as_str() == found.content_type), "content type");
    let header = |name: &str| found.headers.get(name).with_context(|| format!("no {name}"));
    chrono::DateTime::parse_from_rfc3339(header("x-parked-at")?).context("x-parked-at")?;
    let by = header("x-parked-by")?;
    ensure!(by.starts_with(&format!("{}-svc/", S::SERVICE)), "parked by {by}");
    Ok(())
}

pub(crate) async fn a_poison_message_in_a_batch_harms_only_itself<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (instance, subject) = begin::<S>(&bank).await?;
    bank.execute(S::SERVICE, S::POISON_GUARD).await?;
    let good = commands(subject, 10);
    let poison = subject.poison();
    let mut batch = good.clone();
    batch.insert(5, poison.clone());
    in_one_batch(&bank, &instance, &batch).await?;
    each_is_done_once(&bank, subject, &good, Copies::One).await?;
    instance.wait_log("its messages are attempted one by one").await?;
    let parked = bank.wait_parked(S::SERVICE, 1).await?;
    ensure!(parked.len() == 1 && parked[0].id == poison.id().to_string(), "{parked:?}");
    ensure!(parked[0].reason == "hopeless" && parked[0].detail.contains("poison"), "{parked:?}");
    ensure!(parked[0].body == poison.body, "another body");
    Ok(())
}

/// Lets messages come to an instance all at once.
async fn in_one_batch(bank: &Bank, instance: &Instance, messages: &[Message]) -> Result<()> {
    instance.broker().pause(Direction::ToClient, "/consume@");
    bank.publish_all(messages).await?;
    let size: usize = messages.iter().map(|message| message.body.len()).sum();
    wait_for("the messages are on their way", PATIENCE, async || {
        Ok(instance.broker().held(Direction::ToClient, "/consume@") >= u64::try_from(size)?)
    })
    .await?;
    instance.broker().resume();
    Ok(())
}

/// One event without data, one that the database refuses, and good ones around.
pub(crate) async fn a_joined_message_with_poison_events_parks_only_those<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (_instance, subject) = begin::<S>(&bank).await?;
    let followed = subject.followed(&bank).await?;
    bank.execute(S::SERVICE, S::POISON_GUARD).await?;
    let before = bank.number(S::SERVICE, followed.count).await?;
    let empty = followed.good[0].clone().edited(|envelope| {
        envelope["id"] = MessageId::new().to_string().into();
        envelope["data"] = serde_json::json!({});
    });
    let mut events = followed.good.clone();
    events.splice(1..1, [empty.clone(), followed.poison.clone()]);
    bank.publish(&Message::joined(&events)).await?;
    let good = i64::try_from(followed.good.len())?;
    wait_number(&bank, S::SERVICE, followed.count, before + good).await?;
    let parked = bank.wait_parked(S::SERVICE, 2).await?;
    ensure!(parked.len() == 2, "{parked:?}");
    for (event, reason) in [(empty, "undecodable"), (followed.poison, "hopeless")] {
        let id = event.id();
        let found = parked.iter().find(|parked| parked.id == id.to_string());
        let found = found.with_context(|| format!("{reason}: not parked"))?;
        ensure!(found.reason == reason && found.queue.starts_with(S::EVENTS), "{found:?}");
        ensure!(found.content_type == CONTENT_TYPE, "one event, not a batch: {found:?}");
        let body: serde_json::Value = serde_json::from_slice(&found.body)?;
        ensure!(body["id"] == id.to_string().as_str(), "{body}");
    }
    Ok(())
}

pub(crate) async fn a_command_that_nobody_takes_goes_to_bank_unrouted(bank: Bank) -> Result<()> {
    let strange = Message::new(COMMANDS, "ledger.money.print.v1", "{}").with_id("strange");
    bank.publish(&strange).await?;
    let unrouted = bank.look(UNROUTED).await?;
    ensure!(unrouted.len() == 1 && unrouted[0].id == "strange", "{unrouted:?}");
    ensure!(unrouted[0].kind == "ledger.money.print.v1" && unrouted[0].body == b"{}");
    Ok(())
}
