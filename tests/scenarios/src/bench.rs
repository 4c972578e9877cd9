//! The benchmark against a bank as small as a fact's. Promise: nothing of how fast it is; what it
//! counts is what is there, and its report has every key.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, facts};
use serde_json::Value;

use super::clerk::Clerk;

pub(crate) fn facts() -> Vec<Fact> {
    facts![the_benchmark_counts_what_is_there]
}

async fn the_benchmark_counts_what_is_there(bank: Bank) -> Result<()> {
    bank.start_all(&["ledger", "notifications"]).await?;
    let ledger = bank.database_url("ledger").await?;
    let notifications = bank.database_url("notifications").await?;
    let parts = ["bench", "--only", "unbatched,latency-100", "--quick", "--seconds", "1"];
    let among = ["--accounts", "200", "--project", "none"];
    let databases =
        ["--ledger-database-url", &ledger, "--notifications-database-url", &notifications];
    let arguments = [&parts[..], &among, &databases].concat();
    let report = Clerk::of(&bank)?.json(&arguments).await?;

    let unbatched = &report["throughput"]["unbatched"];
    // Beside other facts a second may pass without any.
    ensure!(unbatched["transfers_per_second"].as_f64() >= Some(0.0), "{report}");
    let latency = &report["latency"]["at_100"];
    for end in ["to_event", "to_notification"] {
        let [p50, p99] = ["p50_ms", "p99_ms"].map(|it| latency[end][it].as_f64());
        ensure!(latency[end]["samples"] == 100 && p50 > Some(0.0) && p50 <= p99, "{report}");
    }
    // A second to warm up, and one that counts.
    let transfers = unbatched["transfers"].as_i64().context("a count")? + 200;
    let count =
        async |service, rows| bank.number(service, &format!("SELECT count(*) FROM {rows}")).await;
    let posted =
        count("ledger", "journal WHERE record::json #> '{outcome,posted}' IS NOT NULL").await?;
    ensure!(posted == transfers, "{posted} of {transfers} are posted: {report}");
    let told = count("notifications", "notifications WHERE topic = 'transfer_posted'").await?;
    ensure!(told == 2 * transfers, "{told} notifications of {transfers} transfers: {report}");

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
