//! What was measured, as JSON and as a table. Promise: the keys are always the same; what was not
//! measured is `null`.

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use serde::Serialize;

use super::{
    bus::BusLimit, fault::BenchError, load::Throughput, machine::Machine, percentiles::Percentiles,
    pgbench::Pgbench, place::Place, store,
};

/// One run. `target/bench/latest.json` is this.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Whether it was the short run: shorter windows, a smaller large database.
    pub(super) quick: bool,
    pub(super) machine: Machine,
    pub(super) floor: Floor,
    /// By the name of the part.
    pub(super) throughput: BTreeMap<&'static str, Throughput>,
    pub(super) ratios: Ratios,
    pub(super) after: After,
}

/// What broker and database do alone.
#[derive(Debug, Default, Serialize)]
pub(super) struct Floor {
    pub(super) pgbench: Option<Pgbench>,
    pub(super) bus_limit: Option<BusLimit>,
    pub(super) hop: Option<Percentiles>,
    pub(super) commit: Option<Percentiles>,
}

impl Floor {
    /// The least that a transfer can take: two hops (command, event) and two commits (ledger,
    /// notifications), in milliseconds.
    pub(super) fn latency_ms(&self) -> Option<f64> {
        Some(2.0 * self.hop?.p50_ms + 2.0 * self.commit?.p50_ms)
    }
}

/// What counts, without a unit.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(super) struct Ratios {
    pub(super) unbatched_to_pgbench: Option<f64>,
    pub(super) batched_to_pgbench: Option<f64>,
    pub(super) unbatched_to_bus: Option<f64>,
}

/// The bank when all was over.
#[derive(Debug, Default, Serialize)]
pub(super) struct After {
    /// The most that any of the services has had.
    pub(super) service_memory_mib_max: Option<f64>,
    /// Of the largest process in each container, the most that it has had.
    pub(super) memory_mib: BTreeMap<String, f64>,
    /// In the ledger's database and in that of notifications.
    pub(super) outbox_rows: Option<i64>,
    pub(super) inbox_rows: Option<i64>,
}

impl Report {
    /// Works the ratios out from what is there.
    pub(super) fn compare(&mut self) {
        let rate = |part: &str| self.throughput.get(part).map(|it| it.transfers_per_second);
        let pgbench = self.floor.pgbench.as_ref().map(|it| it.transactions_per_second);
        // A transfer is two messages: the command and the event.
        let half_the_bus = self.floor.bus_limit.map(|it| it.messages_per_second / 2.0);
        self.ratios = Ratios {
            unbatched_to_pgbench: ratio(rate("unbatched"), pgbench),
            batched_to_pgbench: ratio(rate("batched_1000"), pgbench),
            unbatched_to_bus: ratio(rate("unbatched"), half_the_bus),
        };
    }
}

/// Relays are done a moment after the last event.
const OUTBOX_PATIENCE: Duration = Duration::from_secs(10);

impl Report {
    /// Looks at what the run leaves behind.
    pub(super) async fn look_after(&mut self, place: &Place) -> Result<(), BenchError> {
        for (name, container) in place.containers.iter() {
            self.after.memory_mib.insert(name.to_owned(), container.peak_memory_mib()?);
        }
        let services = self.after.memory_mib.iter().filter(|(name, _)| name.ends_with("-svc"));
        self.after.service_memory_mib_max = services.map(|(_, mib)| *mib).reduce(f64::max);
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

    /// Writes `latest.json` into a folder.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), BenchError> {
        let file = folder.join("latest.json");
        let json = serde_json::to_string_pretty(self).expect("a report is plain JSON");
        let doing = format!("write {}", file.display());
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(file, json + "\n"))
            .map_err(BenchError::system(doing))
    }
}

fn ratio(of: Option<f64>, to: Option<f64>) -> Option<f64> {
    Some(of? / to.filter(|it| *it > 0.0)?)
}
