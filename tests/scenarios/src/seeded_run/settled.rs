//! The wait for a bank at rest. Promise: no service has work left when the wait is over: not for
//! an event of another service, not for a delivery, not for anything that is due.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use harness::{Bank, PATIENCE, Recorded, wait_for};
use serde_json::Value;
use shared_events::{
    Message,
    accounts::{
        AccountActivated, AccountCloseRefused, AccountClosed, AccountClosing, AccountFrozen,
        AccountOpened, AccountUnfrozen, HolderUpdated, LimitsChanged,
    },
    ledger::{HoldsReleased, LegsPosted, TransfersHeld, TransfersPosted, TransfersRejected},
};

/// The open work of each service: events that the broker has not confirmed, deliveries that have
/// not ended, and the work that the ledger's clock makes due. A date of an order or a month that
/// cannot be done yet has a later day.
const OPEN_WORK: [(&str, &str); 3] = [
    ("accounts", "SELECT count(*) FROM bus.outbox"),
    (
        "notifications",
        "SELECT (SELECT count(*) FROM bus.outbox)
            + (SELECT count(*) FROM deliveries WHERE status = 'pending')",
    ),
    (
        "ledger",
        "WITH clock AS (SELECT public.clock_timestamp() AS instant,
             (public.clock_timestamp() AT TIME ZONE 'Europe/Prague')::date AS today)
         SELECT (SELECT count(*) FROM bus.outbox)
            + (SELECT count(*) FROM holds, clock
               WHERE status = 'open' AND expires_at <= instant)
            + (SELECT count(*) FROM orders, clock WHERE next_day <= today)
            + (SELECT count(*) FROM interest_due, clock
               WHERE NOT waits AND month < date_trunc('month', today))",
    ),
];

/// The events so far whose consequences have come.
#[derive(Debug, Default)]
pub(super) struct Settled {
    events: usize,
    customers: BTreeSet<String>,
}

impl Settled {
    /// Waits until the bank is at rest. Returns the events since the last time.
    pub(super) async fn wait(&mut self, bank: &Bank) -> Result<Vec<Recorded>> {
        let mut events = vec![];
        let mut was_idle = false;
        loop {
            let new = bank.events().since(self.events).await?;
            if was_idle && new.is_empty() {
                return Ok(events);
            }
            for event in &new {
                self.consequence_of(bank, event).await?;
            }
            self.events += new.len();
            events.extend(new);
            wait_for("no service has work", PATIENCE, async || is_idle(bank).await).await?;
            was_idle = true;
        }
    }

    /// Waits until each service has followed this event.
    async fn consequence_of(&mut self, bank: &Bank, recorded: &Recorded) -> Result<()> {
        let (kind, data) = (recorded.event.kind.as_str(), &recorded.event.data);
        let account = data["account_id"].as_str().unwrap_or_default();
        let version = data["version"].as_i64().unwrap_or_default();
        let later = |kinds: &'static [&'static str]| answer(bank, account, version, kinds);
        match kind {
            AccountOpened::TYPE => {
                self.customers.insert(account.to_owned());
                recipient(bank, account, version).await?;
                later(&[AccountActivated::TYPE]).await?;
            }
            HolderUpdated::TYPE => recipient(bank, account, version).await?,
            AccountClosing::TYPE => {
                later(&[AccountClosed::TYPE, AccountCloseRefused::TYPE]).await?;
            }
            AccountFrozen::TYPE
            | AccountUnfrozen::TYPE
            | AccountClosed::TYPE
            | LimitsChanged::TYPE => {
                let followed = format!(
                    "SELECT count(*) FROM accounts WHERE id = '{account}'
                         AND greatest(followed_status, followed_limit) >= {version}"
                );
                wait_count(bank, "ledger", &followed).await?;
            }
            _ => {}
        }
        if self.notifies(kind, data) {
            let id = recorded.event.id;
            let made = format!("SELECT count(*) FROM notifications WHERE event_id = '{id}'");
            wait_count(bank, "notifications", &made).await?;
        }
        Ok(())
    }

    /// Whether an event makes a notification, as the card of the notifications service says.
    fn notifies(&self, kind: &str, data: &Value) -> bool {
        let items = |name: &str| data[name].as_array().cloned().unwrap_or_default();
        let is_customer = |party: &Value| {
            party["account_id"].as_str().is_some_and(|id| self.customers.contains(id))
        };
        match kind {
            AccountFrozen::TYPE => match data["blocks"].is_null() {
                true => data["previous_blocks"] != "both",
                false => data["previous_blocks"] != data["blocks"],
            },
            AccountUnfrozen::TYPE | AccountClosed::TYPE => true,
            TransfersPosted::TYPE => items("transfers").iter().any(|transfer| {
                [&transfer["debtor"], &transfer["creditor"]].map(is_customer) != [false; 2]
            }),
            TransfersRejected::TYPE | TransfersHeld::TYPE => {
                items("transfers").iter().any(|transfer| is_customer(&transfer["debtor"]))
            }
            LegsPosted::TYPE => items("transfers").iter().any(|transfer| {
                let legs = transfer["legs"].as_array();
                legs.is_some_and(|legs| legs.iter().any(|leg| is_customer(&leg["account"])))
            }),
            HoldsReleased::TYPE => items("holds").iter().any(|hold| {
                let released = &hold["released"];
                released["cause"] != "captured" && is_customer(&released["debtor"])
            }),
            _ => false,
        }
    }
}

/// Whether no service has work. One statement for each service: the end of a piece of work and its
/// events appear together.
async fn is_idle(bank: &Bank) -> Result<bool> {
    let open = OPEN_WORK.map(|(service, work)| bank.number(service, work));
    let open = try_join_all(open).await?;
    ensure!(open.iter().all(|count| *count == 0), "accounts, notifications, ledger: {open:?}");
    Ok(true)
}

/// Waits for the event that answers a change of an account.
async fn answer(bank: &Bank, account: &str, version: i64, kinds: &[&str]) -> Result<()> {
    wait_for(&format!("{kinds:?} of {account}"), PATIENCE, async || {
        let events = bank.events().events().await?;
        Ok(events.iter().any(|answer| {
            let data = &answer.event.data;
            kinds.contains(&answer.event.kind.as_str())
                && data["account_id"] == account
                && data["version"].as_i64() > Some(version)
        }))
    })
    .await
}

/// Waits until the notifications service knows this version of a holder.
async fn recipient(bank: &Bank, account: &str, version: i64) -> Result<()> {
    let known = format!(
        "SELECT count(*) FROM recipients WHERE account_id = '{account}' AND version >= {version}"
    );
    wait_count(bank, "notifications", &known).await
}

async fn wait_count(bank: &Bank, service: &str, query: &str) -> Result<()> {
    wait_for(query, PATIENCE, async || Ok(bank.number(service, query).await? > 0)).await
}
