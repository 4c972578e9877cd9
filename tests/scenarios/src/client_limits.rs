//! The limits of a client. Promise: a client that goes beyond one is stopped or slowed down, and no
//! other user of the broker notices.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, PATIENCE, facts, wait_for, wait_value};
use lapin::{
    BasicProperties,
    options::{BasicPublishOptions, QueueBindOptions},
    types::FieldTable,
};
use shared_events::{
    Message as _, MessageId,
    client::SendOptions,
    ledger::GetTrialBalance,
    topology::{COMMANDS, EVENTS},
};

use crate::{
    principals::{client_of, declare, locked_out, refusal},
    rights::acts::connect,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_client_has_so_many_connections_and_channels_and_no_more,
        a_client_with_too_many_queues_is_locked_out_alone,
        a_client_that_sends_without_pause_is_slowed_down_alone,
        a_client_that_publishes_without_committing_is_locked_out,
        a_client_with_too_many_bindings_is_locked_out,
    ]
}

async fn a_client_has_so_many_connections_and_channels_and_no_more(bank: Bank) -> Result<()> {
    let mut greedy = bank.add_client(&["customer_channel"]).await?;
    (greedy.max_connections, greedy.max_channels) = (2, 3);
    bank.put_client(&greedy).await?;
    let first = connect(&bank, &greedy.name).await?;
    let _second = connect(&bank, &greedy.name).await?;
    wait_for("the third connection is refused", PATIENCE, async || {
        Ok(refusal(connect(&bank, &greedy.name).await)?.contains("connection limit"))
    })
    .await?;
    let mut channels = Vec::new();
    // The broker counts a channel some moments after it has opened.
    let refused = wait_value("a channel is refused", PATIENCE, async || {
        match first.create_channel().await {
            Ok(channel) => channels.push(channel),
            Err(error) => return Ok(Some(error)),
        }
        Ok(None)
    })
    .await?;
    ensure!(refused.to_string().contains("user limit"), "{refused}");
    ensure!(channels.len() < 30, "{} channels were opened before", channels.len());
    let other = bank.add_client(&["customer_channel"]).await?;
    connect(&bank, &other.name).await?.create_channel().await?;
    Ok(())
}

async fn a_client_with_too_many_queues_is_locked_out_alone(bank: Bank) -> Result<()> {
    let mut greedy = bank.add_client(&["customer_channel"]).await?;
    greedy.max_queues = 3;
    bank.put_client(&greedy).await?;
    let other = bank.add_client(&["customer_channel"]).await?;
    let others = connect(&bank, &other.name).await?;
    let connection = connect(&bank, &greedy.name).await?;
    for number in 0..4 {
        let queue = format!("{}{number}", greedy.queue_prefix());
        declare(&connection, &queue, vec![]).await?;
    }
    locked_out(&bank, &greedy, &connection).await?;
    declare(&others, &format!("{}own", other.queue_prefix()), vec![]).await?;
    ensure!(others.status().connected(), "the other client was disconnected");
    // Its queues are still there.
    bank.depth(&format!("{}0", greedy.queue_prefix())).await?;
    Ok(())
}

/// The client has sent five seconds' worth of its rate when it is blocked, and then takes minutes.
async fn a_client_that_sends_without_pause_is_slowed_down_alone(bank: Bank) -> Result<()> {
    bank.start_all(&["accounts", "ledger"]).await?;
    let mut flooding = bank.add_client(&["auditor"]).await?;
    flooding.max_kib_per_second = 1;
    bank.put_client(&flooding).await?;
    let flood = client_of(&bank, &flooding)?;
    let auditing = bank.add_client(&["auditor"]).await?;
    let auditor = client_of(&bank, &auditing)?;
    let blocked = async {
        let patience = SendOptions { deadline: Duration::from_secs(3), ..SendOptions::default() };
        loop {
            let asking = flood.request(MessageId::new(), GetTrialBalance::default(), &patience);
            if asking.await.is_err() {
                return anyhow::Ok(());
            }
        }
    };
    tokio::time::timeout(PATIENCE, blocked).await.context("the client is never blocked")??;
    for _ in 0..20 {
        let answer = tokio::time::timeout(PATIENCE, auditor.ask(GetTrialBalance::default())).await;
        answer.context("the other client waits, too")??;
    }
    flooding.max_kib_per_second = 10_000;
    bank.put_client(&flooding).await?;
    wait_for("the client may send again", PATIENCE, async || {
        Ok(flood.ask(GetTrialBalance::default()).await.is_ok())
    })
    .await
}

/// The broker keeps such messages in the memory of the channel, where no bound counts them.
async fn a_client_that_publishes_without_committing_is_locked_out(bank: Bank) -> Result<()> {
    let hoarder = bank.add_client(&["auditor"]).await?;
    let connection = connect(&bank, &hoarder.name).await?;
    let channel = connection.create_channel().await?;
    channel.tx_select().await?;
    for _ in 0..150 {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let key = GetTrialBalance::TYPE.into();
        channel.basic_publish(COMMANDS.into(), key, options, b"{}", properties).await?;
    }
    locked_out(&bank, &hoarder, &connection).await
}

/// Each takes memory of the broker, and time of each event.
async fn a_client_with_too_many_bindings_is_locked_out(bank: Bank) -> Result<()> {
    let greedy = bank.add_client(&["auditor"]).await?;
    let connection = connect(&bank, &greedy.name).await?;
    let queue = format!("{}all", greedy.queue_prefix());
    let channel = declare(&connection, &queue, vec![]).await?;
    for number in 0..2_001 {
        let (options, key) = (QueueBindOptions { nowait: true }, format!("accounts.x{number}.#"));
        let arguments = FieldTable::default();
        channel
            .queue_bind(
                queue.as_str().into(),
                EVENTS.into(),
                key.as_str().into(),
                options,
                arguments,
            )
            .await?;
    }
    locked_out(&bank, &greedy, &connection).await
}
