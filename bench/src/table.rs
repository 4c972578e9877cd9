//! The report for people: a row for each figure.

use crate::{overload::of_services, report::Report};

impl Report {
    /// The figures: name, value and unit of each.
    pub(crate) fn rows(&self) -> Vec<[String; 3]> {
        let mut rows = Vec::new();
        let mut row = |name: &str, value: Option<f64>, digits: usize, unit: &str| {
            rows.extend(
                value.map(|value| [name.to_owned(), format!("{value:.digits$}"), unit.to_owned()]),
            );
        };
        let floor = &self.floor;
        let pgbench = floor.pgbench.as_ref().map(|pgbench| pgbench.transactions_per_second);
        row("pgbench TPC-B", pgbench, 0, "transactions/s");
        row("bus alone", floor.bus_limit.map(|bus| bus.messages_per_second), 0, "messages/s");
        row("hop, p50", floor.hop.map(|hop| hop.p50_ms), 2, "ms");
        row("commit, p50", floor.commit.map(|commit| commit.p50_ms), 2, "ms");
        row("floor of latency", floor.latency_ms(), 2, "ms");
        for (name, throughput) in &self.throughput {
            row(name, Some(throughput.transfers_per_second), 0, "transfers/s");
            for (part, seconds) in &throughput.cpu_seconds_per_1000 {
                row(&format!("  {part}"), Some(*seconds), 4, "CPU s per 1,000 transfers");
            }
        }
        for (at, latency) in &self.latency {
            let ends = [("event", latency.to_event), ("notification", latency.to_notification)];
            for (end, percentiles) in ends {
                row(&format!("{at}, to {end}, p50"), Some(percentiles.p50_ms), 2, "ms");
                row("  p99", Some(percentiles.p99_ms), 2, "ms");
                row("  p99.9", Some(percentiles.p999_ms), 2, "ms");
            }
        }
        for (shape, rate) in self.shapes.iter().flat_map(|shapes| &shapes.median) {
            row(&format!("{shape:?}").to_lowercase(), Some(*rate), 0, "transfers/s");
        }
        let large = self.large.as_ref();
        row("empty", large.map(|large| large.empty), 0, "transfers/s");
        row("large", large.map(|large| large.large), 0, "transfers/s");
        let overload = self.overload.as_ref();
        row("overload, came", overload.map(|overload| overload.came), 0, "transfers/s");
        row("  posted meanwhile", overload.map(|overload| overload.posted), 0, "transfers/s");
        row("  and the rest in", overload.map(|overload| overload.drain_seconds), 1, "s");
        let memory = overload.and_then(|overload| of_services(&overload.memory_mib_before));
        row("  memory of a service before", memory, 0, "MiB");
        let memory = overload.and_then(|overload| of_services(&overload.memory_mib));
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
