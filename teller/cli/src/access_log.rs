//! `teller access log`: who has asked which service for what.

use std::num::NonZeroU16;

use clap::Args;
use futures_util::future::join_all;
use serde::Serialize;
use shared_events::{
    access_log::{AccessLogEntry, ListAccessLog},
    ids::AccessEntryId,
};
use teller_client::{OwningService, Teller, TellerError, input};

use crate::{
    failure::{Exit, Failure, chain},
    output::{Cell, Column, Text, note, or_empty, table},
    session::Session,
};

#[derive(Debug, Args)]
pub(crate) struct Log {
    /// The queries of this principal alone
    #[arg(long)]
    principal: Option<String>,
    /// The queries about this account, transfer, instruction, command or parked message alone: its
    /// id. What was not found stands under the name that the query gave it, such as an IBAN
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// From this instant on: 2026-11-22T12:00:00Z
    #[arg(long, value_name = "INSTANT")]
    since: Option<String>,
    /// After this entry: the last one of an earlier list
    #[arg(long, value_name = "ENTRY")]
    after: Option<AccessEntryId>,
    /// Before this instant
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
    /// The service alone: accounts, ledger or notifications
    #[arg(long)]
    service: Option<String>,
    /// How many entries, the oldest first
    #[arg(long, default_value = "1000")]
    limit: NonZeroU16,
}

/// An entry, and the service whose it is.
#[derive(Debug, Serialize)]
struct Shown {
    service: &'static str,
    #[serde(flatten)]
    entry: AccessLogEntry,
}

/// A service whose entries are missing.
#[derive(Debug, Serialize)]
struct Unanswered {
    service: &'static str,
    why: String,
}

/// The entries of all services that have answered, by time.
#[derive(Debug, Default, Serialize)]
struct Merged {
    entries: Vec<Shown>,
    /// Whether there are more than were asked for.
    more: bool,
    unanswered: Vec<Unanswered>,
}

/// What a service has answered.
type Answer = Result<(Vec<AccessLogEntry>, bool), TellerError>;

impl Log {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let services = match &self.service {
            Some(name) => vec![OwningService::named(name)?],
            None => OwningService::ALL.to_vec(),
        };
        let limit = usize::from(self.limit.get());
        let query = self.query()?;
        let bank = session.bank().await?;
        let merged = merge(ask(&bank, services, &query, limit).await, limit)?;
        session.out.show(&merged, || describe(&merged.entries))?;
        if session.json() {
            return merged.ended();
        }
        if let (true, Some(last)) = (merged.more, merged.entries.last()) {
            note(&format!("there are more: --after {}", last.entry.entry_id));
        }
        for Unanswered { service, why } in &merged.unanswered {
            note(&format!("error: entries of {service} are missing: {why}"));
        }
        merged.ended()
    }

    fn query(self) -> Result<ListAccessLog, input::InvalidInput> {
        let instant = |field, text: Option<String>| {
            text.as_deref().map(|text| input::instant(field, text)).transpose()
        };
        Ok(ListAccessLog {
            since: instant("since", self.since)?,
            until: instant("until", self.until)?,
            principal: self.principal,
            subject: self.subject,
            after: self.after,
            limit: None,
        })
    }
}

/// Asks all services at a time: one that is away delays no other.
async fn ask(
    bank: &Teller,
    services: Vec<OwningService>,
    query: &ListAccessLog,
    limit: usize,
) -> Vec<(&'static str, Answer)> {
    let ask = async |of: OwningService| (of.name(), bank.access_log(of, query, limit).await);
    join_all(services.into_iter().map(ask)).await
}

/// The first entries of all services. A refusal is the answer as a whole.
fn merge(answers: Vec<(&'static str, Answer)>, limit: usize) -> Result<Merged, TellerError> {
    let mut merged = Merged::default();
    for (service, answer) in answers {
        match answer {
            Ok((entries, more)) => {
                merged.more |= more;
                merged.entries.extend(entries.into_iter().map(|entry| Shown { service, entry }));
            }
            Err(error @ TellerError::NoAnswer(_)) => {
                merged.unanswered.push(Unanswered { service, why: chain(&error) });
            }
            Err(error) => return Err(error),
        }
    }
    merged.entries.sort_by_key(|shown| shown.entry.entry_id);
    merged.more |= merged.entries.len() > limit;
    merged.entries.truncate(limit);
    Ok(merged)
}

impl Merged {
    fn ended(&self) -> Result<(), Failure> {
        match self.unanswered.is_empty() {
            true => Ok(()),
            false => Err(Failure::Shown(Exit::NoAnswer)),
        }
    }
}

fn describe(all: &[Shown]) -> Text {
    let columns = ["at", "service", "principal", "query", "subject", "outcome"];
    let row = |Shown { service, entry }: &Shown| -> Vec<Cell> {
        let actor = entry.actor.as_ref().map(|actor| format!(" ({actor})")).unwrap_or_default();
        vec![
            entry.asked_at.format("%Y-%m-%d %H:%M:%S%.3f UTC").to_string().into(),
            (*service).to_owned().into(),
            format!("{}{actor}", entry.principal).into(),
            entry.query_type.clone().into(),
            or_empty(entry.subject.as_ref()).into(),
            entry.outcome.to_string().into(),
        ]
    };
    table(&columns.map(Column::Left), all.iter().map(row))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn entry(number: u128) -> AccessLogEntry {
        serde_json::from_value(json!({
            "entry_id": AccessEntryId(Uuid::from_u128(number)),
            "asked_at": "2026-11-22T09:31:16.500Z",
            "principal": "counter-7",
            "actor": "jana",
            "query_type": "ledger.balance.get.v1",
            "outcome": "answered",
        }))
        .expect("an entry")
    }

    fn ids(merged: &Merged) -> Vec<(u128, &'static str)> {
        let id = |shown: &Shown| (shown.entry.entry_id.uuid().as_u128(), shown.service);
        merged.entries.iter().map(id).collect()
    }

    fn no_answer() -> Answer {
        Err(TellerError::NoAnswer("it is away".into()))
    }

    #[test]
    fn entries_of_all_services_are_in_the_order_of_time() {
        let answers = || {
            vec![
                ("accounts", Ok((vec![entry(2), entry(5)], false))),
                ("ledger", Ok((vec![entry(1), entry(3)], false))),
            ]
        };
        let all = merge(answers(), 4).expect("entries");
        let expected = [(1, "ledger"), (2, "accounts"), (3, "ledger"), (5, "accounts")];
        assert_eq!((ids(&all), all.more), (expected.to_vec(), false));
        let first = merge(answers(), 3).expect("entries");
        assert_eq!((ids(&first), first.more), (expected[..3].to_vec(), true));
    }

    #[test]
    fn a_service_that_does_not_answer_is_named_and_a_refusal_ends_all() {
        let answers =
            vec![("accounts", Ok((vec![entry(2)], true))), ("notifications", no_answer())];
        let part = merge(answers, 4).expect("a part");
        assert_eq!((ids(&part), part.more), (vec![(2, "accounts")], true));
        assert_eq!(part.unanswered[0].service, "notifications");
        assert!(part.unanswered[0].why.contains("it is away"), "{:?}", part.unanswered);
        assert!(matches!(part.ended(), Err(Failure::Shown(Exit::NoAnswer))));
        let refusal = teller_client::Refusal::new("not_permitted", "no grant");
        let refused = vec![("ledger", no_answer()), ("accounts", Err(refusal.into()))];
        assert!(matches!(merge(refused, 4), Err(TellerError::Refused(_))));
    }
}
