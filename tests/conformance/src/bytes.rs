//! Bytes that no driver sends, in the properties of a message. They cost that message and nothing
//! else: not a connection, not a neighbour.

use anyhow::{Context, Result, ensure};
use harness::{
    Bank, Message,
    broker::{CLIENT, TESTER},
    raw::{RawProperty, raw_nested, raw_text},
};
use lapin::types::AMQPValue;
use shared_events::{
    envelope::CONTENT_TYPE,
    topology::{COMMANDS, PARTITION_KEY_HEADER},
};

use super::{
    subject::Subject,
    tally::{Copies, begin, commands, each_is_done_once},
};

const NEIGHBOURS: usize = 305;
/// Much deeper than a recursive parser's stack.
const DEPTH: usize = 4_000;
/// Text in Latin-1, which is not UTF-8.
const NO_TEXT: &[u8] = b"caf\xe9";

/// A part of a message that is no text, and the message as it goes over the wire.
struct Strange {
    part: &'static str,
    routing_key: Vec<u8>,
    properties: Vec<RawProperty>,
    body: Vec<u8>,
}

/// A message with these properties. It goes where its neighbours go.
fn raw(message: &Message, headers: &[(&[u8], Vec<u8>)], more: &[RawProperty]) -> Strange {
    let own = message.properties.headers().as_ref();
    let key = match own.and_then(|own| own.inner().get(PARTITION_KEY_HEADER)) {
        Some(AMQPValue::LongString(key)) => {
            vec![(PARTITION_KEY_HEADER.as_bytes(), raw_text(key.as_bytes()))]
        }
        _ => vec![],
    };
    let headers = RawProperty::headers(&[&key, headers].concat());
    let user = RawProperty::user_id(CLIENT.as_bytes());
    let begin = [RawProperty::content_type(CONTENT_TYPE.as_bytes()), headers, user];
    Strange {
        part: "",
        routing_key: message.routing_key.clone().into_bytes(),
        properties: [&begin, more].concat(),
        body: message.body.clone(),
    }
}

fn strange<S: Subject>(subject: S) -> Vec<Strange> {
    let with = |part, property| Strange { part, ..raw(&subject.command(), &[], &[property]) };
    let keyed = raw(&subject.command(), &[(NO_TEXT, raw_text(b"value"))], &[]);
    let kind = subject.command().routing_key;
    let routing_key = [kind.trim_end_matches("v1").as_bytes(), NO_TEXT].concat();
    vec![
        with("message_id", RawProperty::message_id(NO_TEXT)),
        with("type", RawProperty::kind(NO_TEXT)),
        with("reply_to", RawProperty::reply_to(NO_TEXT)),
        with("app_id", RawProperty::app_id(NO_TEXT)),
        Strange { part: "headers' key", ..keyed },
        Strange { part: "routing key", routing_key, ..raw(&subject.command(), &[], &[]) },
    ]
}

pub(crate) async fn bytes_that_are_no_text_cost_one_message_each<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (instance, subject) = begin::<S>(&bank).await?;
    let mut good = commands(subject, NEIGHBOURS);
    let (before, after) = good.split_at(NEIGHBOURS / 2);
    bank.publish_all(before).await?;
    let strange = strange(subject);
    let deep = subject.command();
    let mut publisher = bank.raw_publisher(TESTER).await?;
    for message in &strange {
        publisher
            .publish(COMMANDS, &message.routing_key, &message.properties, &message.body)
            .await?;
    }
    // Deep headers are a stranger's business: the command is one like others.
    let nested = raw(&deep, &[(b"deep", raw_nested(DEPTH))], &[]);
    publisher.publish(COMMANDS, &nested.routing_key, &nested.properties, &nested.body).await?;
    publisher.finish().await?;
    bank.publish_all(after).await?;
    good.push(deep);
    each_is_done_once(&bank, subject, &good, Copies::One).await?;

    let parked = bank.wait_parked(S::SERVICE, strange.len()).await?;
    ensure!(parked.len() == strange.len(), "{} are parked: {parked:?}", parked.len());
    for message in &strange {
        let why = format!("its {} is not UTF-8 text", message.part);
        let found = parked.iter().find(|parked| parked.detail == why);
        let found = found.with_context(|| format!("{why}: {parked:?}"))?;
        ensure!(found.reason == "undecodable", "{found:?}");
    }
    let log = instance.log()?;
    ensure!(!log.contains("lost its channel"), "a connection was lost");
    Ok(())
}
