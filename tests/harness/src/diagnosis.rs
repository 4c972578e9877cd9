//! What a bank was doing when a fact failed. Promise: a reader of the last lines of a run sees
//! where the bank's messages were, and what its services had warned of.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::{Bank, Instance};

/// The broker counts messages every five seconds; a broker that a fact has stopped answers never.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
const WARNINGS_SHOWN: usize = 4;
/// A longer warning is cut: the whole log is kept.
const WARNING_CHARS_MAX: usize = 300;
/// What every service of a test warns of at its start.
const USUAL: &str = "a public secret of development is in use";

/// A line for each queue that is not as it should be, and the last warnings of each instance.
pub(crate) async fn diagnosis(bank: &Bank, instances: &[Instance]) -> String {
    let path = format!("queues/{}", bank.vhost());
    let asking = bank.broker().api(Method::GET, &path, None);
    let mut lines: Vec<String> = match tokio::time::timeout(ANSWER_TIMEOUT, asking).await {
        Ok(Ok(queues)) => queues.as_array().into_iter().flatten().filter_map(unusual).collect(),
        Ok(Err(error)) => vec![format!("the broker does not list its queues: {error}")],
        Err(_) => vec!["the broker does not list its queues in time".to_owned()],
    };
    lines.extend(instances.iter().flat_map(warnings));
    lines.join("\n")
}

/// A queue with messages, and a queue of work that nobody reads.
fn unusual(queue: &Value) -> Option<String> {
    let name = queue["name"].as_str()?;
    let count = |field: &str| queue[field].as_u64().unwrap_or(0);
    let [ready, held, consumers] =
        ["messages_ready", "messages_unacknowledged", "consumers"].map(count);
    let is_of_client = name.starts_with("client.") || name == "bank.audit";
    let has_reader = name.contains(".retry.") || name.ends_with(".parked") || consumers > 0;
    let is_unusual = ready + held > 0 || !has_reader && name != "bank.unrouted";
    (is_unusual && !is_of_client).then(|| {
        format!("queue {name}: {ready} ready, {held} unacknowledged, {consumers} consumers")
    })
}

fn warnings(instance: &Instance) -> Vec<String> {
    let log = instance.log().unwrap_or_default();
    let is_warning = |line: &&str| line.contains(" WARN ") || line.contains(" ERROR ");
    let all: Vec<&str> =
        log.lines().filter(is_warning).filter(|line| !line.contains(USUAL)).collect();
    let last = &all[all.len().saturating_sub(WARNINGS_SHOWN)..];
    let cut = |line: &str| line.chars().take(WARNING_CHARS_MAX).collect::<String>();
    last.iter().map(|line| format!("{}: {}", instance.label(), cut(line))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn queues_with_messages_or_without_readers_are_unusual() {
        let queue = |name: &str, ready: u32, held: u32, consumers: u32| {
            unusual(&json!({
                "name": name,
                "messages_ready": ready,
                "messages_unacknowledged": held,
                "consumers": consumers,
            }))
        };
        let lost = "queue ledger.commands.2: 1 ready, 0 unacknowledged, 0 consumers";
        assert_eq!(queue("ledger.commands.2", 1, 0, 0).as_deref(), Some(lost));
        assert!(queue("ledger.commands.2", 0, 0, 0).is_some());
        assert!(queue("ledger.commands.2", 0, 1, 1).is_some());
        assert!(queue("accounts.events.retry.10m", 1, 0, 0).is_some());
        assert!(queue("accounts.parked", 1, 0, 0).is_some());
        assert_eq!(queue("ledger.commands.2", 0, 0, 1), None);
        assert_eq!(queue("accounts.events.retry.10m", 0, 0, 0), None);
        assert_eq!(queue("bank.unrouted", 0, 0, 0), None);
        assert_eq!(queue("client.scenario.recorder", 9, 0, 0), None);
    }
}
