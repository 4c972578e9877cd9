//! The results of a run. Promise: the last lines of a run name each fact that failed, with the
//! first line and the root cause of its error.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

const SLOWEST_SHOWN: usize = 5;
/// A longer cause is cut: the whole error stands further above.
const CAUSE_CHARS_MAX: usize = 300;

/// The result of one fact.
#[derive(Clone, Debug)]
struct FactResult {
    name: String,
    duration: Duration,
    /// The line of [`cause`] and the lines of the diagnosis, if the fact failed.
    failure: Option<(String, String)>,
}

/// The results of all facts that have ended. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Results(Arc<Mutex<Vec<FactResult>>>);

impl Results {
    pub(crate) fn add(&self, name: String, duration: Duration, failure: Option<(String, String)>) {
        let result = FactResult { name, duration, failure };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(result);
    }

    fn sorted_by<K: Ord>(&self, key: impl FnMut(&FactResult) -> K) -> Vec<FactResult> {
        let mut results = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        results.sort_by_key(key);
        results
    }

    /// A line for each fact with its duration, the slowest first.
    fn durations(&self) -> Vec<String> {
        let line = |result: FactResult| {
            format!("  {:6.1} s  {}", result.duration.as_secs_f32(), result.name)
        };
        let slowest_first = self.sorted_by(|result| std::cmp::Reverse(result.duration));
        slowest_first.into_iter().map(line).collect()
    }

    /// The durations of all facts, for a file.
    pub(crate) fn all_durations(&self) -> String {
        self.durations().join("\n") + "\n"
    }

    /// The end of a run: the slowest facts, then the facts that failed. `scripts/test` reads the
    /// lines that begin with `FAILED`.
    pub(crate) fn report(&self) -> String {
        let durations = self.durations();
        let slowest = durations[..durations.len().min(SLOWEST_SHOWN)].join("\n");
        let all = self.sorted_by(|result| result.name.clone());
        let failed = all.iter().filter_map(|result| Some((&result.name, result.failure.as_ref()?)));
        let shown = |(name, (cause, diagnosis)): (&String, &(String, String))| {
            let diagnosis: String = diagnosis.lines().map(|line| format!("\n  {line}")).collect();
            format!("FAILED {name}: {cause}{diagnosis}")
        };
        let failed: Vec<String> = failed.map(shown).collect();
        match failed.len() {
            0 => format!("slowest:\n{slowest}"),
            count => {
                let lines = failed.join("\n");
                format!("slowest:\n{slowest}\n\n{count} of {} facts failed:\n{lines}", all.len())
            }
        }
    }
}

/// The first line of an error, and the first line of its root cause where there is one.
pub(crate) fn cause(error: &anyhow::Error) -> String {
    let first_line = |text: String| {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty());
        line.unwrap_or("no reason given").to_owned()
    };
    let mut cause = first_line(error.to_string());
    if let Some(root) = error.chain().skip(1).last() {
        cause = format!("{cause}, because: {}", first_line(root.to_string()));
    }
    match cause.char_indices().nth(CAUSE_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &cause[..end]),
        None => cause,
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn a_report_names_each_failed_fact_with_its_first_line_and_root_cause() {
        let results = Results::default();
        results.add("bank::good".to_owned(), Duration::from_secs(3), None);
        let told = |cause: String| Some((cause, "queue q: 1 ready".to_owned()));
        let error = anyhow!("the queue is empty\nand was").context("no reply");
        let error = error.context("\n\n  waited 90 s for: a reply\nto a query");
        results.add("bank::bad".to_owned(), Duration::from_secs(2), told(cause(&error)));
        let long = cause(&anyhow!("x".repeat(CAUSE_CHARS_MAX + 1)));
        results.add("audit::long".to_owned(), Duration::from_secs(1), told(long));
        let report = results.report();
        let (durations, failed) = report.split_once("2 of 3 facts failed:\n").expect("two failed");
        let cut = "x".repeat(CAUSE_CHARS_MAX);
        let expected = format!(
            "FAILED audit::long: {cut}...\n  queue q: 1 ready\n\
             FAILED bank::bad: waited 90 s for: a reply, because: the queue is empty\n  \
             queue q: 1 ready"
        );
        assert_eq!(failed, expected);
        assert!(durations.starts_with("slowest:\n     3.0 s  bank::good\n"), "{durations}");
    }

    #[test]
    fn a_report_of_a_good_run_names_no_failure() {
        let results = Results::default();
        results.add("bank::good".to_owned(), Duration::from_secs(3), None);
        assert_eq!(results.report(), "slowest:\n     3.0 s  bank::good");
    }
}
