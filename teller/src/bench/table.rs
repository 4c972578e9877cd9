//! The report as a table for people.

use super::report::Report;
use crate::cli::{Column, table};

impl Report {
    /// What was measured: a line for each figure.
    pub(crate) fn table(&self) -> String {
        let mut rows = Vec::new();
        let mut row = |name: &str, value: Option<f64>, digits: usize, unit: &str| {
            rows.extend(
                value.map(|it| vec![name.to_owned(), format!("{it:.digits$}"), unit.to_owned()]),
            );
        };
        let floor = &self.floor;
        let pgbench = floor.pgbench.as_ref().map(|it| it.transactions_per_second);
        row("pgbench TPC-B", pgbench, 0, "transactions/s");
        row("bus alone", floor.bus_limit.map(|it| it.messages_per_second), 0, "messages/s");
        row("hop, p50", floor.hop.map(|it| it.p50_ms), 2, "ms");
        row("commit, p50", floor.commit.map(|it| it.p50_ms), 2, "ms");
        row("floor of latency", floor.latency_ms(), 2, "ms");
        for (name, it) in &self.throughput {
            row(name, Some(it.transfers_per_second), 0, "transfers/s");
            for (part, seconds) in &it.cpu_seconds_per_1000 {
                row(&format!("  {part}"), Some(*seconds), 4, "CPU s per 1,000 transfers");
            }
        }
        row("unbatched / pgbench", self.ratios.unbatched_to_pgbench, 2, "");
        row("batched (1,000) / pgbench", self.ratios.batched_to_pgbench, 2, "");
        row("unbatched / half the bus", self.ratios.unbatched_to_bus, 2, "");
        row("memory of a service, most", self.after.service_memory_mib_max, 0, "MiB");
        let columns = [Column::Left("figure"), Column::Right("value"), Column::Left("unit")];
        table(&columns, rows)
    }
}
