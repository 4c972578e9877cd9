//! Publishes without waiting. Promise: the broker has confirmed each message that `finish` counts,
//! one by one; no more than a window of messages is unconfirmed at a time.

use lapin::{
    BasicProperties, Channel, Confirmation, Connection, PublisherConfirm,
    options::{BasicPublishOptions, ConfirmSelectOptions},
    types::ShortString,
};
use shared_events::amqp::ConnectionParameters;
use tokio::{sync::mpsc, task::JoinHandle};

use crate::fault::BenchError;

/// A connection to the broker, to its virtual host `vhost` or to the URL's.
pub(crate) async fn connect(
    amqp: &ConnectionParameters,
    vhost: Option<&str>,
) -> Result<Connection, BenchError> {
    let amqp = match vhost {
        Some(vhost) => amqp.clone().in_vhost(vhost),
        None => amqp.clone(),
    };
    Ok(amqp.connect("teller/bench").await?)
}

/// Where messages go.
pub(crate) struct Publisher {
    channel: Channel,
    exchange: ShortString,
    key: ShortString,
    unconfirmed: mpsc::Sender<PublisherConfirm>,
    confirming: JoinHandle<Result<u64, BenchError>>,
}

impl Publisher {
    pub(crate) async fn open(
        connection: &Connection,
        exchange: &str,
        key: &str,
        window: usize,
    ) -> Result<Self, BenchError> {
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let (unconfirmed, confirms) = mpsc::channel(window);
        let confirming = tokio::spawn(count(confirms));
        Ok(Self { channel, exchange: exchange.into(), key: key.into(), unconfirmed, confirming })
    }

    /// Hands a message to the broker.
    pub(crate) async fn publish(
        &self,
        body: &[u8],
        properties: BasicProperties,
    ) -> Result<(), BenchError> {
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let (exchange, key) = (self.exchange.clone(), self.key.clone());
        let confirm = self.channel.basic_publish(exchange, key, options, body, properties).await?;
        // Where the reader of the confirms has ended, `finish` reports the cause.
        let _ = self.unconfirmed.send(confirm).await;
        Ok(())
    }

    /// Waits until all is confirmed, and counts it.
    pub(crate) async fn finish(self) -> Result<u64, BenchError> {
        drop(self.unconfirmed);
        let confirmed = self.confirming.await;
        confirmed.map_err(|error| BenchError::Wrong(error.to_string()))?
    }
}

async fn count(mut confirms: mpsc::Receiver<PublisherConfirm>) -> Result<u64, BenchError> {
    let mut confirmed = 0;
    while let Some(confirm) = confirms.recv().await {
        let answer = match confirm.await? {
            Confirmation::Ack(None) => {
                confirmed += 1;
                continue;
            }
            Confirmation::Ack(Some(returned)) => {
                format!("returned the message: {}", returned.reply_text)
            }
            Confirmation::Nack(_) => "refused the message".to_owned(),
            Confirmation::NotRequested => "confirms nothing".to_owned(),
        };
        return Err(BenchError::Wrong(format!("a message was not taken: the broker {answer}")));
    }
    Ok(confirmed)
}
