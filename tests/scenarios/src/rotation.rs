//! New secrets and certificates while commands flow. Promise: nothing is lost, nobody waits ten
//! seconds, and no service is restarted.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, ensure};
use harness::{
    Bank, Fact, PATIENCE,
    bank::{Encrypted, replace},
    facts, wait_for, wait_value,
};
use reqwest::Method;
use serde_json::Value;
use shared_events::{
    MessageId,
    amqp::ConnectionParameters,
    client::{Client, SendOptions},
    ledger::SubmitTransfers,
    secret::Secret,
};

use super::bank_client::{cash, own, transfer};

pub(crate) fn facts() -> Vec<Fact> {
    let at_the_broker = facts![
        a_new_password_at_the_broker_loses_nothing,
        a_new_certificate_at_the_broker_loses_nothing,
        a_new_password_of_a_client_is_heeded_without_a_restart,
    ];
    let at_the_database = facts![
        a_new_password_at_the_database_loses_nothing,
        a_new_certificate_at_the_database_loses_nothing,
    ];
    at_the_broker.into_iter().map(Fact::with_own_broker).chain(at_the_database).collect()
}

/// The longest wait that a client may notice.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// Characters with a meaning in URLs, shells and SQL.
const NEXT_PASSWORD: &str = "next %41%ff@:/?#&\"'$(x)|áü";
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A client that pays without a pause.
struct Payments {
    stopped: Arc<AtomicBool>,
    paying: tokio::task::JoinHandle<Result<(usize, Duration)>>,
}

impl Payments {
    /// Begins, and returns after the first one.
    async fn begin(client: Client) -> Result<Self> {
        pay(&client).await?;
        let stopped = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&stopped);
        let paying = tokio::spawn(async move {
            let (mut paid, mut longest) = (1, Duration::ZERO);
            while !until.load(Ordering::Relaxed) {
                let began = Instant::now();
                pay(&client).await?;
                longest = longest.max(began.elapsed());
                paid += 1;
            }
            Ok((paid, longest))
        });
        Ok(Self { stopped, paying })
    }

    /// Ends the payments, of which each has to be in the books once.
    async fn end(self, bank: &Bank) -> Result<()> {
        self.stopped.store(true, Ordering::Relaxed);
        let (paid, longest) = self.paying.await??;
        ensure!(paid > 0 && longest < WAIT_MAX, "{paid} payments, the longest took {longest:?}");
        let posted = bank.number("ledger", "SELECT count(*) FROM journal").await?;
        ensure!(posted == i64::try_from(paid)?, "{posted} of {paid} payments are posted");
        let nothing_waits = async || Ok(bank.outbox("ledger").await? == 0);
        wait_for("every event is published", PATIENCE, nothing_waits).await
    }
}

async fn pay(client: &Client) -> Result<()> {
    let command = SubmitTransfers { transfers: vec![transfer(cash(), own("fees"), "1")?] };
    let options = SendOptions { deadline: PATIENCE, ..SendOptions::default() };
    let outcome = client.request(MessageId::new(), command, &options).await?;
    ensure!(outcome[0].kind == "ledger.transfers.posted.v1", "{outcome:?}");
    Ok(())
}

/// The connections of a user in this bank, as the broker sees them.
async fn listed(bank: &Bank, user: &str) -> Result<Vec<Value>> {
    let all = bank.broker().api(Method::GET, "connections", None).await?;
    let all = all.as_array().context("a list")?;
    let mine = |one: &&Value| one["vhost"] == bank.vhost() && one["user"] == user;
    Ok(all.iter().filter(mine).cloned().collect())
}

/// The same, as soon as the broker lists any: it does so after a while.
async fn connections(bank: &Bank, user: &str) -> Result<Vec<Value>> {
    wait_value(&format!("connections of {user}"), PATIENCE, async || {
        let listed = listed(bank, user).await?;
        Ok((!listed.is_empty()).then_some(listed))
    })
    .await
}

/// Closes every connection of a user, and waits until it has others that are `as_meant`. The broker
/// lists a connection some seconds late, so one from before may appear after the others.
async fn reconnect(bank: &Bank, user: &str, as_meant: impl Fn(&Value) -> bool) -> Result<()> {
    let name = |one: &Value| one["name"].as_str().map(str::to_owned);
    let old: Vec<String> = connections(bank, user).await?.iter().filter_map(name).collect();
    wait_for(&format!("{user} is back"), PATIENCE, async || {
        let listed = listed(bank, user).await?;
        let is_new = |one: &Value| name(one).is_some_and(|name| !old.contains(&name));
        let (new, before): (Vec<&Value>, Vec<&Value>) =
            listed.iter().partition(|one| is_new(one) && as_meant(one));
        for connection in before.iter().copied().filter_map(name) {
            let path = connection.replace(' ', "%20").replace('>', "%3E");
            // One that is closed already is listed for a while.
            let _ = bank.broker().api(Method::DELETE, &format!("connections/{path}"), None).await;
        }
        Ok(!new.is_empty() && before.is_empty())
    })
    .await
}

async fn encrypted_ledger(bank: &Bank, password: Option<&str>) -> Result<(Encrypted, Payments)> {
    let encrypted = match password {
        Some(password) => bank.encrypt_with_password("ledger", password).await?,
        None => bank.encrypt("ledger").await?,
    };
    bank.start("ledger").await?;
    let client = bank.client("payer")?;
    Ok((encrypted, Payments::begin(client).await?))
}

async fn a_new_password_at_the_broker_loses_nothing(bank: Bank) -> Result<()> {
    let (encrypted, payments) = encrypted_ledger(&bank, Some("first password")).await?;
    let file = encrypted.broker_password.as_ref().context("the ledger has a password")?;
    for password in [NEXT_PASSWORD, "third"] {
        bank.set_broker_password("ledger", password).await?;
        replace(file, password)?;
        reconnect(&bank, "ledger", |one| one["auth_mechanism"] == "PLAIN").await?;
    }
    bank.set_broker_password("ledger", "ledger-dev").await?;
    payments.end(&bank).await
}

async fn a_new_certificate_at_the_broker_loses_nothing(bank: Bank) -> Result<()> {
    let (encrypted, payments) = encrypted_ledger(&bank, None).await?;
    let validity = |one: &Value| one["peer_cert_validity"].as_str().map(str::to_owned);
    let before: Vec<_> = connections(&bank, "ledger").await?.iter().filter_map(validity).collect();
    ensure!(!before.is_empty(), "the broker shows no certificate");
    let end = SystemTime::now() + 30 * DAY;
    encrypted.renew(bank.certificates(), "ledger", end)?;
    let is_new = |one: &Value| validity(one).is_some_and(|one| !before.contains(&one));
    reconnect(&bank, "ledger", is_new).await?;
    payments.end(&bank).await
}

async fn a_new_password_at_the_database_loses_nothing(bank: Bank) -> Result<()> {
    let (encrypted, payments) = encrypted_ledger(&bank, None).await?;
    for password in [NEXT_PASSWORD, "third"] {
        bank.set_database_password(&encrypted, password).await?;
        replace(&encrypted.database_password, password)?;
        reopen_sessions(&bank, &encrypted).await?;
    }
    payments.end(&bank).await
}

/// Ends every session of the ledger in its database, and waits until it has others.
async fn reopen_sessions(bank: &Bank, encrypted: &Encrypted) -> Result<()> {
    let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    let now = bank.number("ledger", now).await?;
    bank.end_sessions(encrypted).await?;
    // An ended session is listed for a moment.
    let sessions = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
         AND application_name <> 'tests' AND backend_start > to_timestamp({now} / 1000000.0)"
    );
    let is_back = async || Ok(bank.number("ledger", &sessions).await? > 0);
    wait_for("the ledger is back", WAIT_MAX, is_back).await
}

async fn a_new_certificate_at_the_database_loses_nothing(bank: Bank) -> Result<()> {
    let (encrypted, payments) = encrypted_ledger(&bank, None).await?;
    let serial = "SELECT CASE WHEN count(DISTINCT client_serial) = 1
                  THEN (max(client_serial) % 1000000007)::bigint ELSE 0 END
                  FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                  WHERE datname = current_database() AND application_name <> 'tests'";
    let before = bank.number("ledger", serial).await?;
    encrypted.renew(bank.certificates(), "ledger", SystemTime::now() + 30 * DAY)?;
    ensure!(before != 0, "sessions have several certificates before the first rotation");
    // A session that is being opened meanwhile may have the certificate from before.
    wait_for("the new certificate is the only one in use", PATIENCE, async || {
        reopen_sessions(&bank, &encrypted).await?;
        let after = bank.number("ledger", serial).await?;
        Ok(after != 0 && after != before)
    })
    .await?;
    payments.end(&bank).await
}

async fn a_new_password_of_a_client_is_heeded_without_a_restart(bank: Bank) -> Result<()> {
    let _ledger = bank.start("ledger").await?;
    let file = std::env::temp_dir().join(format!("client-{}", uuid::Uuid::now_v7()));
    replace(&file, "teller-dev")?;
    let url = format!("amqp://teller@{}/{}", bank.broker().amqp().address(), bank.vhost());
    let amqp = ConnectionParameters::new(&url, Some(Secret::File(file.clone())))?;
    let client = Client::new(amqp, "payer");
    let payments = Payments::begin(client).await?;
    bank.set_broker_password("teller", NEXT_PASSWORD).await?;
    replace(&file, NEXT_PASSWORD)?;
    reconnect(&bank, "teller", |_| true).await?;
    bank.set_broker_password("teller", "teller-dev").await?;
    payments.end(&bank).await
}
