//! Rights in the databases. Promise: the role that a service runs as can carry out every statement
//! of the service, adds to the journal and to the history without changing them, and changes no
//! table.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, PATIENCE, facts, wait_for};
use shared_events::topology::SERVICES;
use sqlx::{AssertSqlSafe, Executor as _, PgPool};

use crate::bank_client::BankClient;

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_role_may_carry_out_every_statement_of_its_service,
        a_role_changes_neither_the_journal_nor_a_table,
        a_role_reads_no_other_database,
        days_and_months_are_made_by_the_role_of_the_service,
        a_service_waits_for_the_migrations_of_its_version,
    ]
}

/// PostgreSQL: insufficient privilege.
const FORBIDDEN: &str = "42501";

/// The plan of a statement is made only for a role that may carry it out.
async fn a_role_may_carry_out_every_statement_of_its_service(bank: Bank) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for service in SERVICES {
        let pool = bank.pool_of(service, service).await?;
        let mut count = 0;
        for statements in [format!("{service}-svc/.sqlx"), "shared-events/.sqlx".to_owned()] {
            for file in std::fs::read_dir(folder.join(&statements))? {
                let file: serde_json::Value =
                    serde_json::from_slice(&std::fs::read(file?.path())?)?;
                let statement = file["query"].as_str().context("a file has its statement")?;
                if statement.trim_start().starts_with("CALL") {
                    continue;
                }
                let explain = AssertSqlSafe(format!("EXPLAIN (GENERIC_PLAN) {statement}"));
                pool.execute(sqlx::raw_sql(explain)).await.with_context(|| statement.to_owned())?;
                count += 1;
            }
        }
        ensure!(count > 20, "{service}: {count} statements");
    }
    Ok(())
}

async fn a_role_changes_neither_the_journal_nor_a_table(bank: Bank) -> Result<()> {
    bank.start_all(&SERVICES).await?;
    let mut client = BankClient::new(bank)?;
    let ada = client.account("ada").await?;
    ensure!(client.deposit(ada, "1").await? == "posted");
    let bank = &client.bank;
    let ledger = bank.pool_of("ledger", "ledger").await?;
    let month = "SELECT max(relname)::text FROM pg_class WHERE relname ~ '^journal_[0-9]{6}$'";
    let month: String = sqlx::query_scalar(month).fetch_one(&ledger).await?;
    for statement in [
        "UPDATE journal SET record = record",
        "DELETE FROM journal",
        "TRUNCATE journal",
        "UPDATE entries SET amount = amount",
        "DELETE FROM entries",
        "UPDATE interest_capitalised SET debit_interest = 0",
        "UPDATE periods_closed SET through = through",
        "DELETE FROM chains",
        "DELETE FROM holds",
        &format!("INSERT INTO {month} SELECT * FROM journal LIMIT 0"),
        &format!("DELETE FROM {month}"),
        "ALTER TABLE journal DISABLE TRIGGER ALL",
        "DROP TRIGGER append_only ON journal",
        "DROP TABLE entries",
        "LOCK TABLE journal IN ACCESS EXCLUSIVE MODE",
        "CREATE TABLE mine (x integer)",
        "CREATE TABLE bus.mine (x integer)",
        "CREATE TEMPORARY TABLE journal_ahead (x integer)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE OR REPLACE FUNCTION keep_journal(integer) RETURNS void LANGUAGE sql AS ''",
        "SET session_replication_role = replica",
        "SET ROLE ledger_owner",
        "GRANT ledger_owner TO ledger",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        "DELETE FROM _sqlx_migrations",
        "UPDATE bus.parked_commands SET principal = 'eve'",
        "UPDATE bus.access_log SET principal = 'eve'",
        "DELETE FROM bus.access_log",
        "DELETE FROM bus.access_log_rest",
        "TRUNCATE bus.access_log",
        "DROP TABLE bus.access_log_rest",
    ] {
        forbidden(&ledger, statement).await?;
    }
    let today = "SELECT bus.drop_inbox_day((now() AT TIME ZONE 'UTC')::date)";
    let young = ledger.execute(today).await.expect_err("today's ids are needed");
    ensure!(young.to_string().contains("not old enough"), "{young}");
    let accounts = bank.pool_of("accounts", "accounts").await?;
    for statement in [
        "DELETE FROM accounts",
        "UPDATE access_changes SET grants = '[]'",
        "DELETE FROM access_changes",
        "UPDATE history SET record = record",
        "UPDATE history SET texts = NULL, salt = NULL",
        "DELETE FROM history",
        "TRUNCATE history",
        "ALTER TABLE history DISABLE TRIGGER ALL",
        "DROP TRIGGER append_only ON history",
        "INSERT INTO history_end VALUES (false, 0, '')",
        "DELETE FROM history_end",
    ] {
        forbidden(&accounts, statement).await?;
    }
    let notifications = bank.pool_of("notifications", "notifications").await?;
    forbidden(&notifications, "DELETE FROM recipients").await
}

async fn forbidden(pool: &PgPool, statement: &str) -> Result<()> {
    // In a transaction that never commits: a statement that is permitted changes nothing either.
    let mut tx = pool.begin().await?;
    let done = tx.execute(sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))).await;
    let error = done.err().with_context(|| format!("permitted: {statement}"))?;
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    ensure!(code.as_deref() == Some(FORBIDDEN), "{statement}: {error}");
    Ok(())
}

async fn a_role_reads_no_other_database(bank: Bank) -> Result<()> {
    for service in SERVICES {
        for other in SERVICES.into_iter().filter(|other| *other != service) {
            let pool = bank.pool_of(other, service).await?;
            let error = pool.execute("SELECT 1").await.err();
            let error =
                error.with_context(|| format!("{service} reads the database of {other}"))?;
            ensure!(error.to_string().contains("permission denied for database"), "{error}");
        }
    }
    Ok(())
}

async fn days_and_months_are_made_by_the_role_of_the_service(bank: Bank) -> Result<()> {
    let ledger = bank.pool_of("ledger", "ledger").await?;
    ledger.execute("SELECT keep_journal(14)").await?;
    ledger.execute(sqlx::raw_sql("CALL bus.keep_days(30, 29)")).await?;
    let months = r"SELECT count(*) FROM pg_class WHERE relname ~ '^journal_[0-9]{6}$'";
    ensure!(bank.number("ledger", months).await? >= 15);
    let days = r"SELECT count(*) FROM pg_class WHERE relname ~ '^inbox_[0-9]{8}$'";
    ensure!(bank.number("ledger", days).await? >= 31);
    Ok(())
}

async fn a_service_waits_for_the_migrations_of_its_version(bank: Bank) -> Result<()> {
    let last = "DELETE FROM _sqlx_migrations WHERE version =
        (SELECT max(version) FROM _sqlx_migrations)";
    bank.execute("ledger", last).await?;
    let ledger = bank.prepare("ledger").await?;
    ledger.launch().await?;
    wait_for("the ledger says what it waits for", PATIENCE, async || {
        let readiness = ledger.readiness().await?;
        let why = readiness.parts.get("database").cloned().flatten().unwrap_or_default();
        Ok(!readiness.ready && why.contains("is missing: `ledger-svc migrate` runs it"))
    })
    .await?;
    bank.migrate("ledger").await?;
    ledger.wait_ready().await
}
