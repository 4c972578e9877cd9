//! Checks the broker before a service uses it. Promise: the error names every missing exchange and
//! queue, and nothing is created: the broker boots with its definitions, which services may not
//! change.

use lapin::{
    ExchangeKind,
    options::{ExchangeDeclareOptions, QueueDeclareOptions},
    types::FieldTable,
};

use super::broker_channel::ChannelGuard;
use crate::amqp::{
    answer::{BusError, in_time},
    connection::Link,
};

/// Checks passively that exchanges and queues exist. Returns how many messages are ready in each
/// queue.
pub(crate) async fn verify(
    link: &Link,
    exchanges: &[&str],
    queues: &[String],
) -> Result<Vec<u32>, BusError> {
    let (mut missing, mut ready) = (Vec::new(), Vec::new());
    for exchange in exchanges {
        // A failed passive declaration closes the channel, so each declaration has its own.
        let channel = ChannelGuard::new(link.channel().await?);
        let options = ExchangeDeclareOptions { passive: true, ..Default::default() };
        let kind = ExchangeKind::Topic;
        let declared =
            channel.exchange_declare((*exchange).into(), kind, options, FieldTable::default());
        let declared = in_time("looking up an exchange", async { Ok(declared.await) }).await?;
        note(declared, &format!("exchange {exchange}"), &mut missing)?;
    }
    for queue in queues {
        let channel = ChannelGuard::new(link.channel().await?);
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let declared = channel.queue_declare(queue.as_str().into(), options, FieldTable::default());
        let declared = in_time("looking up a queue", async { Ok(declared.await) }).await?;
        ready.extend(declared.as_ref().map(lapin::Queue::message_count));
        note(declared.map(|_| ()), &format!("queue {queue}"), &mut missing)?;
    }
    match missing.is_empty() {
        true => Ok(ready),
        false => Err(BusError::Topology(missing.join(", "))),
    }
}

/// A refusal by the broker means that an object is missing or not permitted; any other error is a
/// fault.
fn note(answer: lapin::Result<()>, what: &str, missing: &mut Vec<String>) -> Result<(), BusError> {
    match answer {
        Ok(()) => Ok(()),
        Err(error) => match error.kind() {
            lapin::ErrorKind::ProtocolError(refusal) => {
                missing.push(format!("{what} ({refusal})"));
                Ok(())
            }
            _ => Err(error.into()),
        },
    }
}
