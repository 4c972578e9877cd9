//! The report for people: a row for each figure.

use crate::{overload::of_services, report::Report};

impl Report {
    /// What was measured: name, value and unit of each figure.
    pub(crate) fn rows(&self) -> Vec<[String; 3]> {
        let mut rows = Vec::new();
        let mut row = |name: &str, value: Option<f64>, digits: usize, unit: &str| {
            rows.extend(
                value.map(|value| [name.to_owned(), format!("{value:.digits$}"), unit.to_owned()]),
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
        for (at, it) in &self.latency {
            let ends = [("event", it.to_event), ("notification", it.to_notification)];
            for (end, it) in ends {
                row(&format!("{at}, to {end}, p50"), Some(it.p50_ms), 2, "ms");
                row("  p99", Some(it.p99_ms), 2, "ms");
                row("  p99.9", Some(it.p999_ms), 2, "ms");
            }
        }
        for (shape, rate) in self.shapes.iter().flat_map(|it| &it.median) {
            row(&format!("{shape:?}").to_lowercase(), Some(*rate), 0, "transfers/s");
        }
        let large = self.large.as_ref();
        row("empty", large.map(|it| it.empty), 0, "transfers/s");
        row("large", large.map(|it| it.large), 0, "transfers/s");
        let overload = self.overload.as_ref();
        row("overload, came", overload.map(|it| it.came), 0, "transfers/s");
        row("  posted meanwhile", overload.map(|it| it.posted), 0, "transfers/s");
        row("  and the rest in", overload.map(|it| it.drain_seconds), 1, "s");
        let memory = overload.and_then(|it| of_services(&it.memory_mib_before));
        row("  memory of a service before", memory, 0, "MiB");
        let memory = overload.and_then(|it| of_services(&it.memory_mib));
        row("  and then", memory, 0, "MiB");
        let ratios = &self.ratios;
        row("unbatched / pgbench", ratios.unbatched_to_pgbench, 2, "");
        row("batched (1,000) / pgbench", ratios.batched_to_pgbench, 2, "");
        row("unbatched / half the bus", ratios.unbatched_to_bus, 2, "");
        row("p50 at 100/s / floor", ratios.p50_to_floor, 2, "");
        row("p99 at 1,000/s / floor", ratios.p99_to_floor, 2, "");
        row("hot / uniform", ratios.hot_to_uniform, 2, "");
        row("large / empty", ratios.large_to_empty, 2, "");
        row("memory of a service, most", self.after.service_memory_mib_max, 0, "MiB");
        let after = &self.after;
        row("outbox at the end", after.outbox_rows.map(count), 0, "rows");
        row("inbox at the end", after.inbox_rows.map(count), 0, "rows");
        rows
    }
}

#[allow(clippy::cast_precision_loss, reason = "rows are far fewer than 2^53")]
fn count(rows: i64) -> f64 {
    rows as f64
}
