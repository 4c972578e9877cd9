//! The proof of the books. Promise: a change of any column that the proof covers, and a row that
//! was left out, added or moved, is found and named.

mod authors;
mod books;
mod export;
mod months;
mod tamper;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, facts};
use serde_json::{Value, json};
use shared_events::ledger::SubmitTransfers;
use teller_audit::{Anchors, Verdict, Verified, verify_books};
use teller_client::Teller;

use super::bank_client::{BankClient, cash, customer, transfer};
use tamper::{TABLES, Tamperer, another};

pub(crate) fn facts() -> Vec<Fact> {
    let (authors, exports, months) = (authors::facts(), export::facts(), months::facts());
    let here = facts![
        tampering_with_any_column_is_found,
        rows_left_out_put_in_or_moved_are_found,
        a_rewritten_chain_is_found_by_its_anchor,
        the_database_refuses_to_change_the_journal,
        honest_books_verify_while_the_bank_works,
    ];
    here.into_iter().chain(authors).chain(exports).chain(months).collect()
}

/// The columns that the proof does not cover, and the reasons.
const EXCEPTIONS: [(&str, &str, &str, &str); 12] = [
    ("ledger", "accounts", "spent_day", "counts towards limits; no money"),
    ("ledger", "accounts", "spent_on_day", "counts towards limits; no money"),
    ("ledger", "accounts", "spent_in_month", "counts towards limits; no money"),
    ("ledger", "accounts", "monitored", "follows from the monitors; no money"),
    ("ledger", "chains", "closed_through", "follows from the closings of periods; no money"),
    ("ledger", "chains", "decided_at", "keeps the ledger's instants in order; no money"),
    ("accounts", "history_end", "single", "the table has one row"),
    ("accounts", "accounts", "opened_at", "for people; the history has it"),
    ("accounts", "accounts", "changed_at", "for people; the history has it"),
    ("accounts", "access_changes", "changed_by", "for people; the history has it"),
    ("accounts", "access_changes", "command_id", "for people; the history has it"),
    ("accounts", "access_changes", "changed_at", "for people; the history has it"),
];

/// The rows in which a column can be changed so that it matters, and that the database itself lets
/// be changed: what it refuses is no test of the proof.
fn condition(service: &str, table: &str, column: &str) -> &'static str {
    match (service, table, column) {
        ("ledger", "accounts", "code") => "code IS NOT NULL",
        ("ledger", "accounts", "blocked") => "status = 'frozen'",
        (
            "ledger",
            "accounts",
            "status" | "branch" | "overdraft_limit" | "transfer_limit" | "daily_limit"
            | "monthly_limit" | "minimum_balance" | "followed_status" | "followed_limit",
        ) => "code IS NULL",
        ("ledger", "accounts", _) => "version > 1",
        (_, "holds", "status") => "status <> 'open'",
        (_, "holds", "remaining") => "status = 'open'",
        (_, "history", "account_id" | "texts" | "salt") => "account_id IS NOT NULL",
        (_, "history", "principal") => "principal IS NOT NULL",
        _ => "true",
    }
}

/// Books with records of every kind, and an auditor who proves them.
async fn open(bank: Bank) -> Result<(BankClient, Teller)> {
    let mut client = BankClient::with_services(bank).await?;
    books::write(&mut client).await?;
    let auditor = Teller::new(client.bank.client("auditor")?);
    Ok((client, auditor))
}

async fn verdict(auditor: &Teller, anchors: &Anchors) -> Result<Verdict> {
    Ok(verify_books(auditor, anchors, |_, _| {}).await?)
}

async fn verified(auditor: &Teller, anchors: &Anchors) -> Result<Verified> {
    match verdict(auditor, anchors).await? {
        Verdict::Verified(verified) => Ok(verified),
        Verdict::Different(difference) => anyhow::bail!("honest books differ: {difference}"),
    }
}

/// The difference that the proof finds, as a program is told.
async fn found(auditor: &Teller, anchors: &Anchors, what: &str) -> Result<Value> {
    match verdict(auditor, anchors).await? {
        Verdict::Different(difference) => Ok(serde_json::to_value(difference)?),
        Verdict::Verified(_) => anyhow::bail!("{what}: was not found"),
    }
}

/// The ends of the proved chains, as anchors of a later proof.
fn anchors(verified: Verified) -> Anchors {
    Anchors { ends: verified.ends, history: verified.history.into_iter().collect() }
}

/// Whether a difference names a row so.
fn names(difference: &Value, row: &Value) -> bool {
    row.as_object().into_iter().flatten().all(|(field, value)| difference[field] == *value)
}

async fn tampering_with_any_column_is_found(bank: Bank) -> Result<()> {
    let (client, auditor) = open(bank).await?;
    verified(&auditor, &Anchors::default()).await?;
    let (mut nth, mut covered) = (0, 0);
    for (service, table, _) in TABLES {
        let table = Tamperer::of_service(&client.bank, service, table)?;
        table.keep().await?;
        let columns = table.columns().await?;
        let excepted: Vec<&str> = EXCEPTIONS
            .iter()
            .filter(|(service, of, ..)| (*service, *of) == (table.service, table.table))
            .map(|(_, _, column, _)| *column)
            .collect();
        for name in &excepted {
            ensure!(
                columns.iter().any(|column| column.0 == *name),
                "an exception for no column: {name}"
            );
        }
        for (column, kind) in columns {
            if excepted.contains(&column.as_str()) {
                continue;
            }
            let condition = condition(table.service, table.table, &column);
            // Another row for each column.
            nth += 7;
            let row = table.row(condition, nth).await?;
            let changed = table.change(&row, &column, &another(&column, &kind)?).await?;
            let what = format!("{}: {}.{column} of {}", table.service, table.table, changed[0]);
            let difference = found(&auditor, &Anchors::default(), &what).await?;
            let named = changed.iter().any(|name| names(&difference, name));
            ensure!(named, "{what}: the proof names another row: {difference}");
            table.restore().await?;
            covered += 1;
        }
    }
    ensure!(covered >= 72, "only {covered} columns");
    verified(&auditor, &Anchors::default()).await?;
    Ok(())
}

async fn rows_left_out_put_in_or_moved_are_found(bank: Bank) -> Result<()> {
    let (client, auditor) = open(bank).await?;
    for (service, table, _) in TABLES {
        Tamperer::of_service(&client.bank, service, table)?.keep().await?;
    }
    for (n, (service, name, _)) in (3..).zip(TABLES) {
        let table = Tamperer::of_service(&client.bank, service, name)?;
        let condition = match (service, name) {
            ("ledger", "accounts") => "version > 2",
            // Without its only row the service answers nothing, which is no proof either.
            (_, "history_end") => continue,
            _ => "true",
        };
        let row = table.row(condition, n).await?;
        let left_out = table.name(&row).await?;
        table.unguarded(&format!("DELETE FROM {name} WHERE {row}")).await?;
        let what = format!("a row of {name} left out: {left_out}");
        let difference = found(&auditor, &Anchors::default(), &what).await?;
        ensure!(names(&difference, &left_out), "{what}: {difference}");
        table.restore().await?;
    }
    let longest = "SELECT chain::bigint FROM journal GROUP BY chain ORDER BY count(*) DESC LIMIT 1";
    let longest = client.bank.number("ledger", longest).await?.to_string();
    for (service, name, statement, named) in MOVED {
        let table = Tamperer::of_service(&client.bank, service, name)?;
        let statement = statement.replace("$chain", &longest);
        table.unguarded(&statement).await?;
        let difference = found(&auditor, &Anchors::default(), &statement).await?;
        let named: Value = serde_json::from_str(&named.replace("$chain", &longest))?;
        ensure!(names(&difference, &named), "{statement}: {difference}");
        table.restore().await?;
    }
    verified(&auditor, &Anchors::default()).await?;
    Ok(())
}

/// The service, the table, the statement, and the difference that the proof must name. `$chain` is
/// the longest chain.
const MOVED: [(&str, &str, &str, &str); 17] = [
    (
        "ledger",
        "accounts",
        "UPDATE accounts SET status = 'active', followed_status = 1, version = version - 1
         WHERE status = 'closed'",
        r#"{"table": "accounts", "column": "followed_status"}"#,
    ),
    (
        "ledger",
        "journal",
        "INSERT INTO journal SELECT gen_random_uuid(), digest, $chain, 1001, hash, record
         FROM journal LIMIT 1",
        r#"{"table": "journal", "chain": $chain, "place": 1001, "column": "row"}"#,
    ),
    (
        "ledger",
        "journal",
        "INSERT INTO journal SELECT gen_random_uuid(), digest, 7, place, hash, record
         FROM journal LIMIT 1",
        r#"{"table": "journal", "column": "chain"}"#,
    ),
    (
        "ledger",
        "journal",
        "UPDATE journal SET place = 1002 WHERE chain = $chain AND place = 2;
         UPDATE journal SET place = 2 WHERE chain = $chain AND place = 3;
         UPDATE journal SET place = 3 WHERE chain = $chain AND place = 1002",
        r#"{"table": "journal", "chain": $chain, "place": 2}"#,
    ),
    (
        "ledger",
        "journal",
        "UPDATE journal SET record = replace(record, '\"principal\":\"', '\"principal\":\"not-')
         WHERE chain = $chain AND place = 2",
        r#"{"table": "journal", "chain": $chain, "place": 2}"#,
    ),
    (
        "ledger",
        "journal",
        "UPDATE journal SET reference = NULL, end_to_end_id = NULL, salt = NULL
         WHERE salt IS NOT NULL",
        r#"{"table": "journal", "column": "salt"}"#,
    ),
    // No index sees it: the other of its place is in another month's table.
    (
        "ledger",
        "journal",
        "INSERT INTO journal SELECT '0190a000-0000-5000-8000-000000000000', digest, chain, place,
             hash, record FROM journal WHERE chain = $chain AND place = 2",
        r#"{"table": "journal", "chain": $chain, "place": 3, "column": "place"}"#,
    ),
    (
        "ledger",
        "journal",
        "DELETE FROM journal WHERE chain = $chain AND place > 2",
        r#"{"table": "journal", "chain": $chain, "place": 3, "column": "row"}"#,
    ),
    (
        "ledger",
        "entries",
        "INSERT INTO entries SELECT account_id, version + 1000000, transfer_id, amount,
             balance_after, booking_date, value_date, posted_at FROM entries LIMIT 1",
        r#"{"table": "entries", "column": "number of rows"}"#,
    ),
    (
        "ledger",
        "entries",
        "INSERT INTO entries SELECT '0190a000-0000-7000-8000-000000000000'::uuid, version,
             transfer_id, amount, balance_after, booking_date, value_date, posted_at
         FROM entries LIMIT 1",
        r#"{"table": "entries", "account_id": "0190a000-0000-7000-8000-000000000000"}"#,
    ),
    (
        "ledger",
        "holds",
        "INSERT INTO holds SELECT '0190a000-0000-7000-8000-000000000000'::uuid, debtor_id,
             creditor_id, currency, remaining, status, expires_at, placed_on FROM holds LIMIT 1",
        r#"{"table": "holds", "transfer_id": "0190a000-0000-7000-8000-000000000000"}"#,
    ),
    (
        "ledger",
        "reversals",
        "INSERT INTO reversals VALUES ('0190a000-0000-7000-8000-000000000000', 1)",
        r#"{"table": "reversals", "transfer_id": "0190a000-0000-7000-8000-000000000000"}"#,
    ),
    (
        "ledger",
        "chains",
        "INSERT INTO chains SELECT 4, 0, hash FROM chains LIMIT 1",
        r#"{"chain": 4}"#,
    ),
    (
        "accounts",
        "history",
        r#"UPDATE history SET record = replace(record, '"principal":"', '"principal":"not-')
         WHERE place = 3"#,
        r#"{"table": "history", "place": 3}"#,
    ),
    (
        "accounts",
        "history",
        "UPDATE history SET texts = NULL, salt = NULL WHERE place =
             (SELECT max(place) FROM history WHERE account_id IS NOT NULL)",
        r#"{"table": "history", "column": "texts"}"#,
    ),
    (
        "accounts",
        "history",
        "DELETE FROM history WHERE place > 5",
        r#"{"table": "history", "place": 6, "column": "row"}"#,
    ),
    (
        "accounts",
        "access_changes",
        "INSERT INTO access_changes (version, principal, grants) VALUES (1000, 'eve', '[]')",
        r#"{"table": "grants", "column": "row"}"#,
    ),
];

/// An attacker who can rewrite everything computes all hashes again. An anchor from before still
/// finds the change.
async fn a_rewritten_chain_is_found_by_its_anchor(bank: Bank) -> Result<()> {
    let (client, auditor) = open(bank).await?;
    let seen = anchors(verified(&auditor, &Anchors::default()).await?);
    let journal = Tamperer::of(&client.bank, "journal")?;
    // The last rejection is the end of its chain.
    let last =
        "(SELECT transfer_id FROM journal ORDER BY record::json->>'decided_at' DESC LIMIT 1)";
    let rewrite = format!(
        "UPDATE journal SET record = replace(record, '5000.00', '6000.00')
             WHERE transfer_id = {last};
         UPDATE journal SET hash = sha256(coalesce((SELECT hash FROM journal earlier
                 WHERE earlier.chain = journal.chain AND earlier.place = journal.place - 1),
                 decode(repeat('00', 32), 'hex')) || digest || convert_to(record, 'UTF8'))
             WHERE transfer_id = {last};
         UPDATE chains SET hash = journal.hash FROM journal
             WHERE chains.chain = journal.chain AND transfer_id = {last}"
    );
    journal.unguarded(&rewrite).await?;
    let difference = found(&auditor, &Anchors::default(), "another amount").await?;
    ensure!(difference["column"] == "digest", "the digest is of another amount: {difference}");

    let cut = format!(
        "UPDATE chains SET place = journal.place - 1, hash = coalesce((SELECT hash FROM journal
                 earlier WHERE earlier.chain = journal.chain AND earlier.place = journal.place - 1),
                 decode(repeat('00', 32), 'hex'))
             FROM journal WHERE chains.chain = journal.chain AND transfer_id = {last};
         DELETE FROM journal WHERE transfer_id = {last}"
    );
    journal.unguarded(&cut).await?;
    let now = anchors(verified(&auditor, &Anchors::default()).await?);
    let chain = seen
        .ends
        .iter()
        .zip(&now.ends)
        .find(|(seen, now)| seen != now)
        .context("one is shorter")?
        .0;
    let difference = found(&auditor, &seen, "a rejection cut off").await?;
    let named = json!({"table": "anchor", "chain": chain.chain, "place": chain.place});
    ensure!(names(&difference, &named), "{difference}");
    verified(&auditor, &now).await?;
    Ok(())
}

async fn the_database_refuses_to_change_the_journal(bank: Bank) -> Result<()> {
    let (client, auditor) = open(bank).await?;
    let mut tables = months::tables(&client.bank).await?;
    ensure!(tables.len() >= 4, "this month, two to come and the rest: {tables:?}");
    tables.push("journal".to_owned());
    let mut columns: Vec<_> = tables.iter().map(|table| (table.as_str(), "place")).collect();
    columns.push(("entries", "amount"));
    for (table, column) in columns {
        for statement in [
            format!("UPDATE {table} SET {column} = {column} + 1"),
            format!("UPDATE {table} SET {column} = {column} WHERE false"),
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
        ] {
            // Texts are erased by way of the whole journal.
            let may_erase = table == "journal" && statement.ends_with("WHERE false");
            let refused = client.bank.execute("ledger", &statement).await;
            let why = refused.err().map(|error| format!("{error:#}")).unwrap_or_default();
            ensure!(may_erase || why.contains("is append-only"), "{statement}: {why:?}");
        }
    }
    verified(&auditor, &Anchors::default()).await?;
    Ok(())
}

async fn honest_books_verify_while_the_bank_works(bank: Bank) -> Result<()> {
    const COMMANDS: usize = 8;
    let (mut client, auditor) = open(bank).await?;
    let dave = client.account("dave").await?;
    let work = async || {
        for _ in 0..COMMANDS {
            let transfers: Result<Vec<_>> =
                (0..20).map(|_| transfer(cash(), customer(dave), "1")).collect();
            client.request(SubmitTransfers { transfers: transfers? }).await?;
        }
        anyhow::Ok(())
    };
    let (mut proved, mut ends) = (vec![], Anchors::default());
    for _ in 0..4 {
        // The last proof is the anchor of the next.
        let (worked, verified) = tokio::join!(work(), verified(&auditor, &ends));
        worked?;
        let verified = verified?;
        proved.push(verified.records);
        ends = anchors(verified);
    }
    ensure!(proved.first() < proved.last(), "the bank did not work meanwhile: {proved:?}");
    verified(&auditor, &Anchors::default()).await?;
    Ok(())
}
