//! The benchmark against a small bank. Promise: its counts equal the rows of the bank, and its
//! report has every key; no speed is checked.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, bank::program, broker::CLIENT, facts};
use serde_json::Value;
use tokio::process::Command;

use super::cli_runner::wait_output;

pub(crate) fn facts() -> Vec<Fact> {
    facts![the_benchmark_counts_the_rows_of_the_bank]
}

async fn the_benchmark_counts_the_rows_of_the_bank(bank: Bank) -> Result<()> {
    bank.start_all(&["ledger", "notifications"]).await?;
    let ledger = bank.database_url("ledger").await?;
    let notifications = bank.database_url("notifications").await?;
    let parts = ["--json", "--only", "unbatched,latency-100", "--quick", "--seconds", "1"];
    let among = ["--accounts", "200", "--project", "none"];
    let databases =
        ["--ledger-database-url", &ledger, "--notifications-database-url", &notifications];
    let process = Command::new(program("bankwire-bench")?)
        .env("BENCH_AMQP_URL", bank.amqp_url(CLIENT))
        .args([&parts[..], &among, &databases].concat())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let output = wait_output(process).await?;
    ensure!(output.code == 0, "{output:?}");
    let report = output.json()?;

    let unbatched = &report["throughput"]["unbatched"];
    // Beside other facts a second may pass without any.
    ensure!(unbatched["transfers_per_second"].as_f64() >= Some(0.0), "{report}");
    let latency = &report["latency"]["at_100"];
    for end in ["to_event", "to_notification"] {
        let [p50, p99] = ["p50_ms", "p99_ms"].map(|quantile| latency[end][quantile].as_f64());
        ensure!(latency[end]["samples"] == 100 && p50 > Some(0.0) && p50 <= p99, "{report}");
    }
    // A second to warm up, and one that counts.
    let transfers = unbatched["transfers"].as_i64().context("a count")? + 200;
    let count =
        async |service, rows| bank.number(service, &format!("SELECT count(*) FROM {rows}")).await;
    let posted =
        count("ledger", "journal WHERE record::json #> '{outcome,posted}' IS NOT NULL").await?;
    ensure!(posted == transfers, "{posted} of {transfers} are posted: {report}");
    let actual = count("notifications", "notifications WHERE topic = 'transfer_posted'").await?;
    ensure!(actual == 2 * transfers, "{actual} notifications of {transfers} transfers: {report}");

    let keys = report["ratios"].as_object().context("there are ratios")?;
    let expected = [
        "batched_to_pgbench",
        "hot_to_uniform",
        "large_to_empty",
        "p50_to_floor",
        "p99_to_floor",
        "unbatched_to_bus",
        "unbatched_to_pgbench",
    ];
    ensure!(keys.keys().eq(expected) && keys.values().all(Value::is_null), "{report}");
    ensure!(report["after"]["outbox_rows"] == 0, "{report}");
    Ok(())
}
