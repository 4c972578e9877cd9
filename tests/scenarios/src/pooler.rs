//! Services that reach their databases through PgBouncer. Promise: a supported pool mode works as
//! well as no pooler; an unsupported one ends the service at its start, with a sentence that names
//! the remedy.

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use harness::{Bank, Fact, Instance, PATIENCE, facts, wait_for};
use shared_events::topology::SERVICES;

use super::bank_client::BankClient;

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_bank_works_through_pgbouncer_in_session_mode,
        a_pooler_that_lends_sessions_is_refused_at_the_start,
        a_login_that_cannot_succeed_is_not_tried_again,
    ]
}

/// Notes under which settings rows of the outbox come and go.
const NOTE_SETTINGS: &str = "
    CREATE TABLE noted (doing text, settings text, PRIMARY KEY (doing, settings));
    CREATE FUNCTION note_settings() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        INSERT INTO noted VALUES (TG_OP, concat_ws(' ',
            current_setting('statement_timeout'),
            current_setting('idle_in_transaction_session_timeout'),
            current_setting('client_connection_check_interval')))
        ON CONFLICT DO NOTHING;
        RETURN NULL; END $$;
    CREATE TRIGGER note_settings AFTER INSERT OR DELETE ON bus.outbox
        FOR EACH STATEMENT EXECUTE FUNCTION note_settings()";
const NOTED: &str = "SELECT count(*) FROM noted WHERE settings = '1min 1min 1s'";
const SESSIONS: &str = "SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name <> 'tests' AND client_addr";
const SHARED: &str = "in PgBouncer set pool_mode = session and keep server_reset_query";

async fn a_bank_works_through_pgbouncer_in_session_mode(bank: Bank) -> Result<()> {
    let pooler = bank.pool_databases(&["pool_mode = session"]).await?;
    let services = bank.start_all(&SERVICES).await?;
    bank.execute("ledger", NOTE_SETTINGS).await?;
    let mut client = BankClient::new(bank)?;
    let ada = client.account("ada").await?;
    ensure!(client.deposit(ada, "1").await? == "posted");
    try_join_all(services.iter().map(Instance::stop)).await?;
    try_join_all(services.iter().map(Instance::start)).await?;
    ensure!(client.deposit(ada, "2").await? == "posted");
    try_join_all(services.iter().map(Instance::kill)).await?;
    try_join_all(services.iter().map(Instance::start)).await?;
    ensure!(client.deposit(ada, "4").await? == "posted");
    for service in SERVICES {
        wait_for(&format!("{service} has published all"), PATIENCE, async || {
            Ok(client.bank.outbox(service).await? == 0)
        })
        .await?;
        let through = format!("{SESSIONS} = '{pooler}'");
        let past = format!("{SESSIONS} <> '{pooler}'");
        ensure!(client.bank.number(service, &through).await? > 0, "{service} is not pooled");
        ensure!(client.bank.number(service, &past).await? == 0, "{service} goes past the pooler");
    }
    let posted = "SELECT count(*) FROM journal";
    ensure!(
        client.bank.number("ledger", posted).await? == 3,
        "a deposit was posted twice, or never"
    );
    let noted = "SELECT count(*) FROM noted";
    ensure!(client.bank.number("ledger", noted).await? == 2, "rows of the outbox come and go");
    ensure!(client.bank.number("ledger", NOTED).await? == 2, "a session has other settings");
    Ok(())
}

/// For any session that the pooler lends next, and also where the pooler resets each session.
async fn a_pooler_that_lends_sessions_is_refused_at_the_start(bank: Bank) -> Result<()> {
    for settings in [
        &["pool_mode = transaction"][..],
        &["pool_mode = transaction", "server_round_robin = 1"],
        &["pool_mode = transaction", "server_reset_query_always = 1"],
        &["pool_mode = transaction", "max_prepared_statements = 0"],
        &["pool_mode = statement"],
    ] {
        bank.pool_databases(settings).await?;
        // The second start finds the sessions of the first one.
        for _ in 0..2 {
            ends_with(&bank, "ledger", SHARED).await?;
        }
    }
    for service in ["accounts", "notifications"] {
        ends_with(&bank, service, SHARED).await?;
    }
    Ok(())
}

async fn a_login_that_cannot_succeed_is_not_tried_again(bank: Bank) -> Result<()> {
    let wrong = "the database refuses the role or the password";
    bank.set("ledger", "BANKWIRE_DATABASE__PASSWORD", "wrong");
    ends_with(&bank, "ledger", wrong).await?;
    bank.set("ledger", "BANKWIRE_DATABASE__PASSWORD", "p😀");
    ends_with(&bank, "ledger", "BANKWIRE_DATABASE__PASSWORD has a character that cannot").await?;
    bank.pool_databases(&["pool_mode = session"]).await?;
    bank.set("accounts", "BANKWIRE_DATABASE__PASSWORD", "wrong");
    ends_with(&bank, "accounts", wrong).await
}

/// Starts a service, which ends by itself and says why.
async fn ends_with(bank: &Bank, service: &str, sentence: &str) -> Result<()> {
    let instance = bank.prepare(service).await?;
    instance.launch().await?;
    let status = instance.wait_exit().await?;
    let log = instance.log()?;
    ensure!(status.code() == Some(1), "{service}: {status}: {log}");
    ensure!(log.contains(sentence), "{service}: {log}");
    ensure!(!log.contains('😀'), "a part of the password is told: {log}");
    Ok(())
}
