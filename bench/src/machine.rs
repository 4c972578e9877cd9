//! The machine of the figures. Promise: no figure without it.

use serde::Serialize;

use crate::{
    containers::{LEDGER_DB, read},
    fault::BenchError,
    place::Place,
};

/// How often a write is flushed to measure a flush.
const FLUSHES: u32 = 500;

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_mib: u64,
    pub(crate) kernel: String,
    /// How long 8 KiB take to be written and flushed (`O_DSYNC`) where the ledger's database lies,
    /// in milliseconds.
    pub(crate) fsync_ms: Option<f64>,
    pub(crate) measured_at: String,
}

impl Machine {
    pub(crate) async fn look(place: &Place) -> Result<Self, BenchError> {
        let text = |file: &str| read(&file.into());
        let (cpus, memory) = (text("/proc/cpuinfo")?, text("/proc/meminfo")?);
        let cpu = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let kib = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
        let kib = kib.and_then(|text| text.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        Ok(Self {
            cpu: cpu
                .map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, model)| model.to_owned()),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: kib.unwrap_or_default() / 1024,
            kernel: text("/proc/sys/kernel/osrelease")?.trim().to_owned(),
            fsync_ms: flush_ms(place).await?,
            measured_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        })
    }
}

async fn flush_ms(place: &Place) -> Result<Option<f64>, BenchError> {
    if !place.containers.has(LEDGER_DB) {
        return Ok(None);
    }
    let script = format!(
        "cd \"$PGDATA\"
         LC_ALL=C dd if=/dev/zero of=flushed bs=8k count={FLUSHES} oflag=dsync 2>&1
         rm flushed"
    );
    let printed = place.containers.exec(LEDGER_DB, &["sh", "-ec", &script]).await?;
    let seconds = seconds(&printed);
    let wrong = || BenchError::Wrong(format!("dd printed no time: {printed}"));
    Ok(Some(seconds.ok_or_else(wrong)? * 1e3 / f64::from(FLUSHES)))
}

/// `4096000 bytes (4.1 MB, 3.9 MiB) copied, 0.0595 s, 68.8 MB/s`
fn seconds(printed: &str) -> Option<f64> {
    let (_, after) = printed.split_once(" copied, ")?;
    after.split_once(" s")?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_found_in_what_dd_prints() {
        let printed = "500+0 records in\n500+0 records out\n\
            4096000 bytes (4.1 MB, 3.9 MiB) copied, 0.0595 s, 68.8 MB/s\n";
        assert_eq!(seconds(printed), Some(0.0595));
    }
}
