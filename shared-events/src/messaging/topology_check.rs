//! Looks at the broker before using it. Promise: what is missing is named, all of it, and nothing
//! is created: the broker boots with its definitions, services may not change them.

use lapin::{
    ExchangeKind,
    options::{ExchangeDeclareOptions, QueueDeclareOptions},
    types::FieldTable,
};

use super::broker_channel::ChannelGuard;
use crate::amqp::connection::{BusError, Link, in_time};

/// Checks passively that exchanges and queues exist.
pub(crate) async fn verify(
    link: &Link,
    exchanges: &[&str],
    queues: &[String],
) -> Result<(), BusError> {
    let mut missing = Vec::new();
    for exchange in exchanges {
        // A failed passive declaration closes the channel: each asks on its own.
        let channel = ChannelGuard::new(link.channel().await?);
        let options = ExchangeDeclareOptions { passive: true, ..Default::default() };
        let kind = ExchangeKind::Topic;
        let asked =
            channel.exchange_declare((*exchange).into(), kind, options, FieldTable::default());
        let asked = in_time("looking for an exchange", async { Ok(asked.await) }).await?;
        note(asked, &format!("exchange {exchange}"), &mut missing)?;
    }
    for queue in queues {
        let channel = ChannelGuard::new(link.channel().await?);
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let asked = channel.queue_declare(queue.as_str().into(), options, FieldTable::default());
        let asked = in_time("looking for a queue", async { Ok(asked.await) }).await?;
        note(asked.map(|_| ()), &format!("queue {queue}"), &mut missing)?;
    }
    match missing.is_empty() {
        true => Ok(()),
        false => Err(BusError::Topology(missing.join(", "))),
    }
}

/// A refusal by the broker means that the thing is not there, or not for us; the rest is a fault.
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
