//! One message after another. Promise: each message finds the bank as
//! the messages before have left it, at an instant that is the same in every run.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use harness::{Bank, Message, PATIENCE, Recorded, Recorder, wait_value};
use serde_json::Value;
use shared_events::{
    AccountId, MessageId, TransferId,
    ids::{DeliveryId, MonitorId, OrderId},
    ledger::Instruction,
    topology::SERVICES,
};
use sqlx::{Postgres, Transaction};

use super::{seed::Seed, settled::Settled, transcript::Transcript};
use crate::mail_server::MailServer;

/// The bank's time zone in this run.
const TIME_ZONE: &str = "Europe/Prague";
/// Three attempts, close together.
const ATTEMPTS: &str = "0,0.1,0.1";

/// A bank whose ledger reads a clock that stands still, and a client with ids of the seed.
pub(super) struct Session {
    pub(super) bank: Bank,
    pub(super) seed: Seed,
    pub(super) transcript: Transcript,
    /// The number of messages sent, by type.
    pub(super) sent: BTreeMap<&'static str, usize>,
    named: BTreeMap<&'static str, usize>,
    replies: Recorder,
    replied: usize,
    settled: Settled,
    chains: Option<Transaction<'static, Postgres>>,
}

impl Session {
    /// Starts the three services at `instant`.
    pub(super) async fn open(
        bank: Bank,
        seed: Seed,
        mail_server: &MailServer,
        instant: &str,
    ) -> Result<Self> {
        bank.set("ledger", "BANKWIRE_BANK__TIME_ZONE", TIME_ZONE);
        bank.set("notifications", "BANKWIRE_SMTP__URL", mail_server.url());
        bank.set("notifications", "BANKWIRE_DELIVERY__SCHEDULE", ATTEMPTS);
        set_clock(&bank, instant).await?;
        let path = "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I
            SET search_path = public, pg_catalog', current_database()); END $$";
        bank.execute("ledger", path).await?;
        bank.start_all(&SERVICES).await?;
        // The ledger's clock never goes back: not behind the day of its migrations either.
        bank.execute("ledger", &format!("UPDATE chains SET decided_at = '{instant}'")).await?;
        let replies = bank.replies("seeded").await?;
        let mut session = Self {
            bank,
            seed,
            sent: BTreeMap::new(),
            named: BTreeMap::new(),
            replies,
            replied: 0,
            settled: Settled::default(),
            transcript: Transcript::default(),
            chains: None,
        };
        session.hold_chains().await?;
        Ok(session)
    }

    /// Leaves one chain of the journal to the ledger: the ledger takes any chain that is free, and
    /// would not take the same in every run.
    async fn hold_chains(&mut self) -> Result<()> {
        let mut held = self.bank.pool("ledger").await?.begin().await?;
        sqlx::query("SELECT FROM chains WHERE chain > 0 FOR UPDATE").execute(&mut *held).await?;
        self.chains = Some(held);
        Ok(())
    }

    /// Sends a command under a new id.
    pub(super) async fn send<C: shared_events::Message + Clone>(
        &mut self,
        command: C,
    ) -> Result<()> {
        let id = self.message_id();
        self.send_as(id, command).await
    }

    /// Sends a command under this id.
    pub(super) async fn send_as<C: shared_events::Message>(
        &mut self,
        id: MessageId,
        command: C,
    ) -> Result<()> {
        self.send_message::<C>(&Message::of(id, command)).await
    }

    /// Sends a command three times: again, and with other content under its id.
    pub(super) async fn send_again<C: shared_events::Message + Clone>(
        &mut self,
        command: C,
        other: C,
    ) -> Result<()> {
        let id = self.message_id();
        for command in [command.clone(), command, other] {
            self.send_as(id, command).await?;
        }
        Ok(())
    }

    /// Sends a command for which the ledger needs all chains of the journal.
    pub(super) async fn send_for_all_chains<C: shared_events::Message>(
        &mut self,
        id: MessageId,
        command: C,
    ) -> Result<()> {
        if let Some(held) = self.chains.take() {
            held.rollback().await?;
        }
        self.send_as(id, command).await?;
        self.hold_chains().await
    }

    /// Sends a message of type `C`, and waits until the bank has nothing more to do.
    pub(super) async fn send_message<C: shared_events::Message>(
        &mut self,
        message: &Message,
    ) -> Result<()> {
        let reply = self.reply_to::<C>(message).await?;
        let announced = self.announced().await?;
        let is_announced = |event| announced.iter().any(|other| is_same(event, other));
        let repeats = reply.iter().all(is_announced);
        self.transcript.events("", announced);
        if !repeats {
            self.transcript.events("reply ", reply);
        }
        Ok(())
    }

    /// Sends a query. The transcript has its reply.
    pub(super) async fn ask<Q: shared_events::Query>(&mut self, query: Q) -> Result<()> {
        self.ask_plain(query, |_| {}).await
    }

    /// The same, with the data of the reply made plain first.
    pub(super) async fn ask_plain<Q: shared_events::Query>(
        &mut self,
        query: Q,
        plain: fn(&mut Value),
    ) -> Result<()> {
        let id = MessageId(self.seed.id());
        self.name("query", id);
        let mut reply = self.reply_to::<Q>(&Message::of(id, query)).await?;
        reply.iter_mut().for_each(|reply| plain(&mut reply.event.data));
        self.transcript.events("reply ", reply);
        Ok(())
    }

    /// Moves the ledger's clock, and waits until all that is due by then is done.
    pub(super) async fn advance_to(&mut self, instant: &str) -> Result<()> {
        set_clock(&self.bank, instant).await?;
        self.transcript.step(instant);
        let announced = self.announced().await?;
        self.transcript.events("", announced);
        Ok(())
    }

    /// The events since the last time, when the bank is at rest.
    async fn announced(&mut self) -> Result<Vec<Recorded>> {
        let announced = self.settled.wait(&self.bank).await;
        announced.with_context(|| self.transcript.end())
    }

    async fn reply_to<M: shared_events::Message>(
        &mut self,
        message: &Message,
    ) -> Result<Vec<Recorded>> {
        *self.sent.entry(M::TYPE).or_default() += 1;
        let name = self.transcript.names.of(&message.id().to_string());
        self.transcript.step(&format!("{} {name}", M::TYPE));
        self.bank.publish(&message.clone().with_reply_to(self.replies.address())).await?;
        let (before, what) = (self.replied, format!("a reply to {}", message.id()));
        let reply = wait_value(&what, PATIENCE, async || {
            let replies = self.replies.since(before).await?;
            Ok((!replies.is_empty()).then_some(replies))
        });
        let reply = reply.await.with_context(|| self.transcript.end())?;
        self.replied += reply.len();
        Ok(reply)
    }
}

/// Ids of the seed, each with a name: `account-3`.
impl Session {
    fn name(&mut self, kind: &'static str, id: impl std::fmt::Display) {
        let number = self.named.entry(kind).or_default();
        *number += 1;
        self.transcript.names.add(id, format!("{kind}-{number}"));
    }

    pub(super) fn message_id(&mut self) -> MessageId {
        let id = MessageId(self.seed.id());
        self.name("command", id);
        id
    }

    pub(super) fn account_id(&mut self, name: &str) -> AccountId {
        let id = AccountId(self.seed.id());
        self.transcript.names.add(id, name);
        id
    }

    pub(super) fn transfer_id(&mut self) -> TransferId {
        let id = TransferId(self.seed.id());
        self.name("transfer", id);
        id
    }

    pub(super) fn order_id(&mut self) -> OrderId {
        let id = OrderId(self.seed.id());
        self.name("order", id);
        id
    }

    pub(super) fn monitor_id(&mut self) -> MonitorId {
        let id = MonitorId(self.seed.id());
        self.name("monitor", id);
        id
    }

    pub(super) fn delivery_id(&mut self) -> DeliveryId {
        let id = DeliveryId(self.seed.id());
        self.name("delivery", id);
        id
    }

    /// The same instruction under a new id of the seed.
    pub(super) fn own(&mut self, instruction: Instruction) -> Instruction {
        Instruction { transfer_id: self.transfer_id(), ..instruction }
    }
}

/// The clock of the ledger's database stands still at this instant.
async fn set_clock(bank: &Bank, instant: &str) -> Result<()> {
    let clock = format!(
        "CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz
             LANGUAGE sql VOLATILE AS $$ SELECT timestamptz '{instant}' $$"
    );
    bank.execute("ledger", &clock).await
}

fn is_same(one: &Recorded, other: &Recorded) -> bool {
    (one.event.id, &one.event.kind, &one.event.data)
        == (other.event.id, &other.event.kind, &other.event.data)
}
