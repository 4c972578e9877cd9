//! The debit-credit benchmark of the same database server: the TPC-B of `pgbench`, as it comes
//! (simple protocol), in a database of its own.

use std::time::Duration;

use serde::Serialize;

use crate::{
    containers::{Containers, LEDGER_DB},
    fault::BenchError,
};

/// 2,000,000 accounts, 20 branches.
const SCALE: u32 = 20;
/// How many clients at a time: the better of these counts.
const CLIENTS: [u32; 2] = [8, 32];

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Pgbench {
    /// Of the better one.
    pub(crate) transactions_per_second: f64,
    pub(crate) clients: u32,
    pub(crate) scale: u32,
}

/// Runs it for so long with each number of clients.
pub(crate) async fn run(containers: &Containers, each: Duration) -> Result<Pgbench, BenchError> {
    let shell = async |script: String| containers.exec(LEDGER_DB, &["sh", "-ec", &script]).await;
    let psql = r#"psql -qX -U "$POSTGRES_USER" -d postgres"#;
    let pgbench = r#"pgbench -U "$POSTGRES_USER""#;
    shell(format!("{psql} -c 'DROP DATABASE IF EXISTS pgbench' -c 'CREATE DATABASE pgbench'"))
        .await?;
    shell(format!("{pgbench} --initialize --quiet --scale {SCALE} pgbench")).await?;
    let mut best: Option<Pgbench> = None;
    for clients in CLIENTS {
        let seconds = each.as_secs().max(1);
        let run = format!("{pgbench} --client {clients} --jobs 2 --time {seconds} pgbench");
        let printed = shell(run).await?;
        let wrong = || BenchError::Wrong(format!("pgbench printed no rate: {printed}"));
        let rate = rate(&printed).ok_or_else(wrong)?;
        if best.as_ref().is_none_or(|best| rate > best.transactions_per_second) {
            best = Some(Pgbench { transactions_per_second: rate, clients, scale: SCALE });
        }
    }
    shell(format!("{psql} -c 'DROP DATABASE pgbench' -c CHECKPOINT")).await?;
    best.ok_or_else(|| BenchError::Wrong("pgbench did not run".to_owned()))
}

fn rate(printed: &str) -> Option<f64> {
    let rate = printed.lines().find_map(|line| line.strip_prefix("tps = "))?;
    rate.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_found_in_what_pgbench_prints() {
        let printed =
            "latency average = 2.6 ms\ntps = 3058.123456 (without initial connection time)\n";
        assert_eq!(rate(printed), Some(3_058.123456));
        assert_eq!(rate("pgbench: error"), None);
    }
}
