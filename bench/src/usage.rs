//! The use of a stretch of work: CPU seconds of each container, and of the load generator.

use std::collections::BTreeMap;

use crate::{
    containers::{Containers, read},
    fault::BenchError,
};

/// The load generator among the containers.
pub(crate) const GENERATOR: &str = "load-generator";
/// The unit of `/proc`: Linux has always shown 100 ticks a second to programs.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds until now.
#[derive(Clone, Debug)]
pub(crate) struct Usage(BTreeMap<String, f64>);

impl Usage {
    pub(crate) fn now(containers: &Containers) -> Result<Self, BenchError> {
        let mut usage = BTreeMap::from([(GENERATOR.to_owned(), own_cpu_seconds()?)]);
        for (name, container) in containers.iter() {
            usage.insert(name.to_owned(), container.cpu_seconds()?);
        }
        Ok(Self(usage))
    }

    /// CPU seconds for 1,000 transfers from `self` until `later`.
    pub(crate) fn per_thousand(&self, later: &Self, transfers: f64) -> BTreeMap<String, f64> {
        let used = later.0.iter().filter_map(|(name, seconds)| {
            let used = seconds - self.0.get(name)?;
            Some((name.clone(), used * 1_000.0 / transfers))
        });
        used.collect()
    }
}

fn own_cpu_seconds() -> Result<f64, BenchError> {
    let stat = read(&"/proc/self/stat".into())?;
    ticks(&stat)
        .map(|ticks| ticks / TICKS_PER_SECOND)
        .ok_or_else(|| BenchError::Wrong("/proc/self/stat is not understood".to_owned()))
}

/// User and system time in `/proc/<pid>/stat` (proc_pid_stat(5), fields 14 and 15). The second
/// field is a name that may contain anything.
fn ticks(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(user + system)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let stat = "42 (a) b (c) S 1 42 42 0 -1 4194560 10 20 30 40 57 13 0 0 20 0 4 0 99";
        assert_eq!(ticks(stat), Some(70.0));
    }

    #[test]
    fn what_is_used_is_counted_for_a_thousand_transfers() {
        let at = |seconds| Usage(BTreeMap::from([("ledger-svc".to_owned(), seconds)]));
        let used = at(10.0).per_thousand(&at(12.0), 4_000.0);
        assert_eq!(used["ledger-svc"], 0.5);
    }
}
