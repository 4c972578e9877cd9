//! The transcript of a run. Promise: two runs with the same events have the same transcript; the
//! speed of the services changes nothing.

use harness::{Names, Recorded};
use lapin::types::AMQPValue;
use shared_events::topology::PARTITION_KEY_HEADER;

const LINES_AT_END: usize = 4;

/// Chapters of steps; a step has a line for each event and reply.
#[derive(Debug, Default)]
pub(super) struct Transcript {
    pub(super) names: Names,
    text: String,
}

impl Transcript {
    /// Begins a chapter.
    pub(super) fn chapter(&mut self, title: &str) {
        self.text.push_str(&format!("\n==== {title}\n"));
    }

    /// Begins a step.
    pub(super) fn step(&mut self, title: &str) {
        self.text.push_str(&format!("\n-- {title}\n"));
    }

    /// Adds the events of a step.
    pub(super) fn events(&mut self, prefix: &str, events: Vec<Recorded>) {
        for recorded in in_order(events) {
            let line = self.line(&recorded);
            self.text.push_str(&format!("{prefix}{line}\n"));
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The last lines, for the error of a run that stops.
    pub(super) fn end(&self) -> String {
        let lines: Vec<&str> = self.text.lines().collect();
        lines[lines.len().saturating_sub(LINES_AT_END)..].join("\n")
    }

    /// An event with its envelope. A request that is the cause, a key that is the subject and a
    /// source that the type names are left out.
    fn line(&mut self, recorded: &Recorded) -> String {
        let event = &recorded.event;
        let mut name = |text: Option<String>| text.map(|text| self.names.of(&text));
        let id = name(Some(event.id.to_string()));
        let subject = name(event.subject.clone());
        let cause = name(event.causationid.map(|id| id.to_string()));
        let request = name(Some(event.correlationid.to_string()));
        let key = name(partition_key(recorded));
        let service = event.kind.split('.').next().map(|service| format!("/{service}"));
        let source = Some(event.source.clone()).filter(|source| Some(source) != service.as_ref());
        let request = request.filter(|request| Some(request) != cause.as_ref());
        let has_own_key = key.is_some() && key == subject;
        let key = key.filter(|_| !has_own_key);
        let mut line = event.kind.clone();
        for (field, value) in [
            ("id", id),
            ("subject", subject),
            ("cause", cause),
            ("request", request),
            ("source", source),
            ("key", key),
        ] {
            line.push_str(&value.map_or_else(String::new, |value| format!(" {field}={value}")));
        }
        line.push_str(if has_own_key { " keyed |" } else { " |" });
        line + &self.names.fields(&event.data)
    }
}

/// The services announce side by side, and deliveries end side by side: the events of a step
/// stand by service, each service's in the order of arrival, and the ends of deliveries by event,
/// account, channel and notification. Ids of notifications begin with their time.
fn in_order(mut events: Vec<Recorded>) -> Vec<Recorded> {
    events.sort_by_cached_key(|recorded| {
        let data = &recorded.event.data;
        let delivery = match data["channel"].is_string() && data["delivery_id"].is_string() {
            true => ["event_id", "account_id", "channel", "notification_id"]
                .map(|field| data[field].to_string())
                .join(" "),
            false => String::new(),
        };
        (recorded.event.source.clone(), delivery)
    });
    events
}

fn partition_key(recorded: &Recorded) -> Option<String> {
    let headers = recorded.properties.headers().as_ref()?;
    match headers.inner().get(PARTITION_KEY_HEADER)? {
        AMQPValue::LongString(key) => Some(key.to_string()),
        other => Some(format!("{other:?}")),
    }
}
