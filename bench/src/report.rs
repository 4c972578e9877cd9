//! The report, as JSON and as a table. Promise: the keys are always the same; a figure that was not
//! measured is `null`.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::{
    bus::BusLimit,
    fault::BenchError,
    large::Large,
    latency::Latency,
    load::Throughput,
    machine::Machine,
    overload::{Overload, of_services},
    percentiles::Percentiles,
    pgbench::Pgbench,
    place::Place,
    shapes::Shapes,
    store,
    traffic::Shape,
};

/// One run. `target/bench/latest.json` is this.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Whether it was the short run: shorter windows, a smaller large database.
    pub(crate) quick: bool,
    pub(crate) machine: Machine,
    pub(crate) floor: Floor,
    /// By the name of the part.
    pub(crate) throughput: BTreeMap<&'static str, Throughput>,
    pub(crate) latency: BTreeMap<&'static str, Latency>,
    pub(crate) shapes: Option<Shapes>,
    pub(crate) large: Option<Large>,
    pub(crate) overload: Option<Overload>,
    pub(crate) ratios: Ratios,
    pub(crate) after: After,
}

/// The floor: broker and database alone.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Floor {
    pub(crate) pgbench: Option<Pgbench>,
    pub(crate) bus_limit: Option<BusLimit>,
    pub(crate) hop: Option<Percentiles>,
    pub(crate) commit: Option<Percentiles>,
}

impl Floor {
    /// The least that a transfer can take: two hops (command, event) and two commits (ledger,
    /// notifications), in milliseconds.
    pub(crate) fn latency_ms(&self) -> Option<f64> {
        Some(2.0 * self.hop?.p50_ms + 2.0 * self.commit?.p50_ms)
    }
}

/// The figures that count, without a unit.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Ratios {
    pub(crate) unbatched_to_pgbench: Option<f64>,
    pub(crate) batched_to_pgbench: Option<f64>,
    pub(crate) unbatched_to_bus: Option<f64>,
    pub(crate) p50_to_floor: Option<f64>,
    pub(crate) p99_to_floor: Option<f64>,
    pub(crate) hot_to_uniform: Option<f64>,
    pub(crate) large_to_empty: Option<f64>,
}

/// The bank when all was over.
#[derive(Debug, Default, Serialize)]
pub(crate) struct After {
    /// The most that any of the services has had.
    pub(crate) service_memory_mib_max: Option<f64>,
    /// Of the largest process in each container, the most that it has had.
    pub(crate) memory_mib: BTreeMap<String, f64>,
    /// In the ledger's database and in that of notifications.
    pub(crate) outbox_rows: Option<i64>,
    pub(crate) inbox_rows: Option<i64>,
}

impl Report {
    /// Computes the ratios.
    pub(crate) fn compare(&mut self) {
        let rate = |part: &str| self.throughput.get(part).map(|part| part.transfers_per_second);
        let pgbench = self.floor.pgbench.as_ref().map(|pgbench| pgbench.transactions_per_second);
        // A transfer is two messages: the command and the event.
        let half_the_bus = self.floor.bus_limit.map(|bus| bus.messages_per_second / 2.0);
        let latency = |at: &str| self.latency.get(at).map(|latency| latency.to_notification);
        let floor = self.floor.latency_ms();
        let shape = |shape| self.shapes.as_ref()?.median.get(&shape).copied();
        let large = self.large.as_ref();
        self.ratios = Ratios {
            unbatched_to_pgbench: ratio(rate("unbatched"), pgbench),
            batched_to_pgbench: ratio(rate("batched_1000"), pgbench),
            unbatched_to_bus: ratio(rate("unbatched"), half_the_bus),
            p50_to_floor: ratio(latency("at_100").map(|percentiles| percentiles.p50_ms), floor),
            p99_to_floor: ratio(latency("at_1000").map(|percentiles| percentiles.p99_ms), floor),
            hot_to_uniform: ratio(shape(Shape::Hot), shape(Shape::Uniform)),
            large_to_empty: ratio(large.map(|large| large.large), large.map(|large| large.empty)),
        };
    }
}

/// Relays are done a moment after the last event.
const OUTBOX_PATIENCE: Duration = Duration::from_secs(10);

impl Report {
    /// Looks at what the run leaves behind.
    pub(crate) async fn look_after(&mut self, place: &Place) -> Result<(), BenchError> {
        self.after.memory_mib = place.containers.peak_memory_mib()?;
        self.after.service_memory_mib_max = of_services(&self.after.memory_mib);
        let databases = [place.ledger().await?, place.notifications().await?];
        let until = Instant::now() + OUTBOX_PATIENCE;
        loop {
            let (mut outbox, mut inbox) = (0, 0);
            for database in &databases {
                let rows = store::boxes(database).await?;
                (outbox, inbox) = (outbox + rows.0, inbox + rows.1);
            }
            (self.after.outbox_rows, self.after.inbox_rows) = (Some(outbox), Some(inbox));
            if outbox == 0 || Instant::now() > until {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Writes `latest.json` and `latest.svg` into a folder.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), BenchError> {
        let json = serde_json::to_string_pretty(self).expect("a report is plain JSON");
        let doing = format!("write into {}", folder.display());
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(folder.join("latest.json"), json + "\n"))
            .and_then(|()| std::fs::write(folder.join("latest.svg"), self.plot()))
            .map_err(BenchError::system(doing))
    }
}

fn ratio(of: Option<f64>, to: Option<f64>) -> Option<f64> {
    Some(of? / to.filter(|rate| *rate > 0.0)?)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn throughput(rate: f64) -> Throughput {
        Throughput {
            transfers_per_second: rate,
            transfers_per_command: 1,
            shape: Shape::Uniform,
            accounts: 10_000,
            seconds: 15.0,
            transfers: 90_000,
            drain_seconds: 0.5,
            cpu_seconds_per_1000: BTreeMap::new(),
            bytes_per_transfer: BTreeMap::new(),
        }
    }

    fn percentiles(p50_ms: f64, p99_ms: f64) -> Percentiles {
        Percentiles { samples: 1_000, p50_ms, p99_ms, p999_ms: 40.0, max_ms: 50.0 }
    }

    fn latency(per_second: u32, to_notification: Percentiles) -> Latency {
        Latency {
            per_second,
            to_event: percentiles(1.0, 2.0),
            to_notification,
            notification_seen_by: "created_at",
            sent_late: percentiles(0.1, 0.2),
        }
    }

    fn measured() -> Report {
        let pgbench = Pgbench { transactions_per_second: 3_000.0, clients: 32, scale: 20 };
        let bus_limit =
            BusLimit { messages_per_second: 16_000.0, in_flight: 4_000, message_bytes: 500 };
        let mut report = Report {
            floor: Floor {
                pgbench: Some(pgbench),
                bus_limit: Some(bus_limit),
                hop: Some(percentiles(1.5, 4.0)),
                commit: Some(percentiles(0.5, 1.0)),
            },
            throughput: BTreeMap::from([
                ("unbatched", throughput(6_000.0)),
                ("batched_100", throughput(20_000.0)),
                ("batched_1000", throughput(30_000.0)),
            ]),
            latency: BTreeMap::from([
                ("at_100", latency(100, percentiles(8.0, 90.0))),
                ("at_1000", latency(1_000, percentiles(9.0, 28.0))),
            ]),
            shapes: Some(Shapes {
                median: BTreeMap::from([(Shape::Uniform, 6_000.0), (Shape::Hot, 4_500.0)]),
                windows: BTreeMap::new(),
            }),
            large: Some(Large {
                accounts: 1_000_000,
                entries: 5_000_000,
                empty_accounts: 10_000,
                fill_seconds: 60.0,
                empty: 6_000.0,
                large: 5_400.0,
                empty_windows: vec![],
                large_windows: vec![],
            }),
            ..Report::default()
        };
        report.compare();
        report
    }

    #[test]
    fn ratios_are_of_the_figures_that_they_name() {
        let expected = json!({
            "unbatched_to_pgbench": 2.0,
            "batched_to_pgbench": 10.0,
            "unbatched_to_bus": 0.75,
            "p50_to_floor": 2.0,
            "p99_to_floor": 7.0,
            "hot_to_uniform": 0.75,
            "large_to_empty": 0.9,
        });
        let json = serde_json::to_value(measured()).expect("a report is plain JSON");
        assert_eq!(json["ratios"], expected);
    }

    #[test]
    fn what_was_not_measured_is_null_and_its_key_is_there() {
        let mut report = Report::default();
        report.compare();
        let json = serde_json::to_value(report).expect("a report is plain JSON");
        let keys = |of: &Value| -> Vec<String> {
            of.as_object().expect("an object").keys().cloned().collect()
        };
        let measured = serde_json::to_value(measured()).expect("a report is plain JSON");
        assert_eq!(keys(&json["ratios"]), keys(&measured["ratios"]));
        assert!(json["ratios"].as_object().expect("an object").values().all(Value::is_null));
        for key in ["service_memory_mib_max", "outbox_rows"] {
            assert_eq!(json["after"].get(key), Some(&Value::Null));
        }
    }

    #[test]
    fn a_rate_of_nothing_is_no_ratio() {
        assert_eq!(ratio(Some(1.0), Some(0.0)), None);
        assert_eq!(ratio(None, Some(1.0)), None);
    }

    #[test]
    fn table_and_plot_say_what_was_measured() {
        let report = measured();
        let row = ["unbatched / half the bus", "0.75", ""].map(str::to_owned);
        assert!(report.rows().contains(&row), "{:?}", report.rows());
        let plot = report.plot();
        // Bars are as long as their values: of the longest, and of one that is a fifth of it.
        assert!(plot.contains(r##"width="430.0" height="16" fill="#3b6ea5""##), "{plot}");
        assert!(plot.contains(r##"width="86.0" height="16" fill="#3b6ea5""##), "{plot}");
        assert_eq!(plot.matches("<text").count(), plot.matches("</text>").count());
    }
}
