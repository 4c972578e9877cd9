//! Attempts of a user of the broker. Promise: each attempt has a connection of its own, so a
//! refusal ends no other attempt.

use anyhow::{Context, Result, bail, ensure};
use harness::Bank;
use lapin::{
    BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ExchangeKind,
    options::{
        BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
        QueueBindOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
    },
    types::{AMQPValue, FieldTable},
};

use Act::{
    Bind, BindExchange, Declare, DeclareExchange, Delete, Publish, PublishCopy, Purge, Read, Speak,
    Unbind,
};

const REFUSED: &str = "ACCESS_REFUSED";

/// Something that a user of the broker tries to do.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// To this exchange, with this routing key.
    Publish(&'static str, &'static str),
    /// To an exchange, with a permitted key and another one in the header `CC`.
    PublishCopy(&'static str, &'static str, &'static str),
    /// To an exchange with a key, in the name of this user.
    Speak(&'static str, &'static str, &'static str),
    Read(&'static str),
    Declare(&'static str),
    DeclareExchange(&'static str),
    /// The queue to the exchange, with the key.
    Bind(&'static str, &'static str, &'static str),
    Unbind(&'static str, &'static str, &'static str),
    /// The first exchange to the second, with the key.
    BindExchange(&'static str, &'static str, &'static str),
    Purge(&'static str),
    Delete(&'static str),
}

/// A connection as a user, in the bank's virtual host.
pub(crate) async fn connect(bank: &Bank, user: &str) -> Result<Connection> {
    let named = ConnectionProperties::default()
        .with_connection_name(format!("integration-tests/rights of {user}").into());
    Ok(Connection::connect(&bank.amqp_url(user), named).await?)
}

/// A user of the broker in one virtual host.
#[derive(Clone, Copy)]
pub(crate) struct User<'b> {
    pub(crate) bank: &'b Bank,
    pub(crate) name: &'b str,
}

impl User<'_> {
    pub(crate) async fn may(self, acts: &[Act]) -> Result<()> {
        for act in acts {
            let tried = self.attempt(*act).await;
            tried.with_context(|| format!("{} may {act:?}", self.name))?;
        }
        Ok(())
    }

    /// It must be refused for want of rights, and for nothing else.
    pub(crate) async fn may_not(self, acts: &[Act]) -> Result<()> {
        for act in acts {
            match self.attempt(*act).await {
                Ok(()) => bail!("{} must not {act:?}", self.name),
                Err(error) => {
                    let why = format!("{error:#}");
                    let spoke = matches!(act, Speak(..)) && why.contains("user_id");
                    ensure!(why.contains(REFUSED) || spoke, "{} {act:?}: {why}", self.name);
                }
            }
        }
        Ok(())
    }

    /// On a connection of its own: a refusal ends the channel.
    pub(crate) async fn attempt(self, act: Act) -> Result<()> {
        let connection = connect(self.bank, self.name).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let done = self.act(&channel, act).await;
        connection.close(200, "done".into()).await?;
        done
    }

    async fn act(self, channel: &Channel, act: Act) -> Result<()> {
        let none = FieldTable::default;
        match act {
            Publish(exchange, key) => {
                publish(channel, exchange, key, properties_of(self.name)).await?;
            }
            PublishCopy(exchange, key, copy) => {
                let copies = vec![AMQPValue::LongString(copy.into())];
                let mut headers = none();
                headers.insert("CC".into(), AMQPValue::FieldArray(copies.into()));
                let properties = properties_of(self.name).with_headers(headers);
                publish(channel, exchange, key, properties).await?;
            }
            Speak(user, exchange, key) => {
                publish(channel, exchange, key, properties_of(user)).await?;
            }
            Read(queue) => {
                let (queue, tag) = (queue.into(), "rights".into());
                channel.basic_consume(queue, tag, BasicConsumeOptions::default(), none()).await?;
            }
            Declare(queue) => {
                let options = QueueDeclareOptions { durable: true, ..Default::default() };
                let mut arguments = none();
                arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
                channel.queue_declare(queue.into(), options, arguments).await?;
            }
            DeclareExchange(exchange) => {
                let options = ExchangeDeclareOptions { durable: true, ..Default::default() };
                let (name, kind) = (exchange.into(), ExchangeKind::Topic);
                channel.exchange_declare(name, kind, options, none()).await?;
            }
            Bind(queue, exchange, key) => {
                let (queue, options) = (queue.into(), QueueBindOptions::default());
                channel.queue_bind(queue, exchange.into(), key.into(), options, none()).await?;
            }
            Unbind(queue, exchange, key) => {
                channel.queue_unbind(queue.into(), exchange.into(), key.into(), none()).await?;
            }
            BindExchange(from, to, key) => {
                let (to, from, options) = (to.into(), from.into(), Default::default());
                channel.exchange_bind(to, from, key.into(), options, none()).await?;
            }
            Purge(queue) => {
                channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await?;
            }
            Delete(queue) => {
                channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await?;
            }
        }
        Ok(())
    }
}

fn properties_of(user: &str) -> BasicProperties {
    BasicProperties::default().with_user_id(user.into())
}

/// Where no queue is bound, as in the replies' exchange, the broker confirms all the same.
pub(crate) async fn publish(
    channel: &Channel,
    exchange: &str,
    key: &str,
    properties: BasicProperties,
) -> Result<()> {
    let options = BasicPublishOptions::default();
    let sent = channel.basic_publish(exchange.into(), key.into(), options, b"{}", properties);
    match sent.await?.await? {
        Confirmation::Ack(None) => Ok(()),
        other => bail!("not confirmed: {other:?}"),
    }
}
