//! Messages as clients in other languages send them. Promise: a message with one meaning is handled
//! with any properties around it; a message without meaning, or with two, is answered with each
//! field that is wrong, on the queue on which its client listens.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Message, PATIENCE, broker::CLIENT, wait_for};
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable},
};
use shared_events::{envelope::CONTENT_TYPE, topology::ATTEMPT_HEADER};

use super::{
    subject::Subject,
    tally::{Copies, begin, each_is_done_once, wait_effects},
};

/// Commands as they come from programs that know AMQP and JSON well enough.
fn sloppy<S: Subject>(subject: S) -> Vec<Message> {
    let good = || subject.command();
    let with = |message: Message, edit: fn(BasicProperties) -> BasicProperties| {
        let properties = edit(message.properties.clone());
        Message { properties, ..message }
    };
    let body = good();
    let marked = [b"\xef\xbb\xbf".as_slice(), &body.body].concat();
    let mut nested = FieldTable::default();
    nested.insert("x".into(), AMQPValue::FieldArray(vec![].into()));
    vec![
        good().with_content_type(&format!("{CONTENT_TYPE}; charset=utf-8")),
        good().with_content_type("Application/CloudEvents+JSON ;Charset=\"UTF-8\"; x=y"),
        body.with_body(marked),
        with(good(), |command| command.with_content_encoding("utf-8".into())),
        with(good(), |command| {
            command.with_timestamp(u64::MAX).with_priority(255).with_delivery_mode(1)
        }),
        with(good(), |command| {
            command.with_expiration("86400000".into()).with_app_id("x".repeat(255).into())
        }),
        with(good(), |command| {
            command.with_correlation_id("\u{202e}7".into()).with_type("A.B".into())
        }),
        good().with_header(ATTEMPT_HEADER, AMQPValue::FieldTable(nested.clone())),
        good().with_header(ATTEMPT_HEADER, AMQPValue::LongLongInt(i64::MIN)),
        good().with_header("x-parked-reason", AMQPValue::Double(1.5)),
        good().with_header("x-first-death-queue", AMQPValue::FieldTable(nested)),
    ]
}

/// Bodies that two readers would read as two messages, or none.
fn ambiguous<S: Subject>(subject: S) -> Vec<(Message, &'static str)> {
    let good = || subject.command();
    let edited = |from: &str, to: &str| {
        let message = good();
        let text = String::from_utf8_lossy(&message.body).replacen(from, to, 1);
        message.with_body(text)
    };
    let twice = {
        let message = good();
        let again = [message.body.as_slice(), b"\n", &message.body].concat();
        message.with_body(again)
    };
    vec![
        (edited("{\"spec", "{\"type\":\"x.y.v1\",\"spec"), "type stands twice"),
        (edited("{\"spec", "{\"x\":1,\"\\u0078\":2,\"spec"), "x stands twice"),
        (edited("\"data\":{", "\"data\":{\"note\":{\"a\":1,\"a\":2},"), "data.note.a stands twice"),
        (twice, "more than one JSON document"),
        (good().with_content_type(&format!("{CONTENT_TYPE}; charset=latin1")), "latin1"),
        (gzipped(good()), "gzip"),
    ]
}

fn gzipped(message: Message) -> Message {
    let properties = message.properties.clone().with_content_encoding("gzip".into());
    Message { properties, ..message }
}

pub(crate) async fn messages_of_any_client_are_handled_or_answered<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (_instance, subject) = begin::<S>(&bank).await?;
    let replies = bank.replies("asker").await?;
    let good = sloppy(subject);
    bank.publish_all(&good).await?;
    each_is_done_once(&bank, subject, &good, Copies::One).await?;
    let ambiguous = ambiguous(subject);
    for (message, _) in &ambiguous {
        bank.publish(&message.clone().with_reply_to(replies.address())).await?;
    }
    let parked = bank.wait_parked(S::SERVICE, ambiguous.len()).await?;
    for (message, detail) in &ambiguous {
        let id = message.properties.message_id().as_ref().context("the message has an id")?;
        let found = parked.iter().find(|parked| parked.id == id.as_str()).context(*detail)?;
        ensure!(found.reason == "undecodable" && found.detail.contains(detail), "{found:?}");
    }
    // One more than were good: the command by which their number was known.
    wait_effects(&bank, subject, i64::try_from(good.len())? + 1).await
}

/// A client that knows of message queues and nothing of the envelope.
pub(crate) async fn a_reply_names_every_field_that_is_missing<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (_instance, subject) = begin::<S>(&bank).await?;
    let replies = bank.replies("rpc").await?;
    let bare = |body: &str| {
        let Message { exchange, routing_key, properties, .. } = subject.command();
        let content_type = properties.content_type().clone().unwrap_or_default();
        let headers = properties.headers().clone().unwrap_or_default();
        let properties = BasicProperties::default()
            .with_content_type(content_type)
            .with_headers(headers)
            .with_correlation_id("request-7".into());
        let body = body.as_bytes().to_vec();
        let message = Message { exchange, routing_key, properties, body };
        message.with_user(CLIENT).with_reply_to(replies.address())
    };
    bank.publish(&bare(r#"{"time":"yesterday","actor":7,"data":{}}"#)).await?;
    wait_for("the client is told", PATIENCE, async || Ok(replies.events().await?.len() == 1))
        .await?;
    let reply = replies.events().await?.remove(0);
    let asked = reply.properties.correlation_id().as_ref().map(ToString::to_string);
    ensure!(asked.as_deref() == Some("request-7"), "{asked:?}");
    let wrong = reply.event.data["wrong"].as_array().context("each thing is named")?;
    let fields: Vec<&str> = wrong.iter().filter_map(|field| field["field"].as_str()).collect();
    let expected = ["specversion", "id", "source", "type", "time", "correlationid", "actor"];
    ensure!(fields == expected, "{wrong:?}");
    ensure!(
        wrong[4]["rule"].as_str().is_some_and(|field| field.contains("an instant")),
        "{wrong:?}"
    );
    ensure!(bank.wait_parked(S::SERVICE, 1).await?.len() == 1, "the message is parked once");
    Ok(())
}
