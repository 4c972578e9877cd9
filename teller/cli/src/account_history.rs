//! `teller account history`: who has changed what of an account, when, and with whose approval.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use clap::Args;
use serde::Serialize;
use serde_json::Value;
use shared_events::{
    AccountId,
    accounts::{
        ChainedChange, HistoryChange, HistoryRecord, HistoryTexts, RecordedAccount, StoredState,
    },
    code::Open,
    evidence::Authorship,
};
use teller_client::input;
use uuid::Uuid;

use crate::{
    failure::Failure,
    output::{Cell, Column, Text, or_empty, table},
    session::{Session, account_id},
};

#[derive(Debug, Args)]
pub(crate) struct History {
    /// The account: id, IBAN or external reference
    account: String,
}

/// A change as it is shown.
#[derive(Debug, Serialize)]
struct Shown {
    /// The place in the history of the whole bank.
    place: i64,
    /// The version of the account.
    number: i64,
    at: DateTime<Utc>,
    change: Open<HistoryChange>,
    author: Authorship,
    #[serde(skip_serializing_if = "Option::is_none")]
    command_id: Option<Uuid>,
    /// What differs from the state before.
    differences: Vec<Difference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payout: Option<AccountId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<shared_events::accounts::RecordedRefusal>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Whether the holder's data of that time were erased.
    erased: bool,
}

/// A field of the account before and after a change.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Difference {
    field: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// The fields of an account that have a value, by name.
type Fields = BTreeMap<String, String>;

impl History {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let bank = session.bank().await?;
        let account = account_id(&bank, key).await?;
        let records = bank.account_history(account).await?;
        let shown = shown(&records);
        session.out.show(&shown, || describe(&shown))?;
        Ok(())
    }
}

fn shown(records: &[ChainedChange]) -> Vec<Shown> {
    let (mut state, mut holder) = (Fields::new(), Fields::new());
    let mut all = Vec::with_capacity(records.len());
    for chained in records {
        // A record that cannot be read was written by a later version, or tampered with, which
        // `audit verify` finds.
        let record = serde_json::from_str::<HistoryRecord>(&chained.record);
        let Ok(HistoryRecord { author, command_id, at, account: Some(account), .. }) = record
        else {
            continue;
        };
        let RecordedAccount { number, change, state: after, payout, refusal, .. } = account;
        let after = fields_of(&after);
        let mut differences = differences(&state, &after);
        state = after;
        let texts = chained.texts.clone();
        if let Some(texts) = &texts {
            let after = holder_of(texts);
            differences.extend(self::differences(&holder, &after));
            holder = after;
        }
        all.push(Shown {
            place: chained.place,
            number,
            at,
            change,
            author,
            command_id,
            differences,
            payout,
            refusal,
            erased: texts.is_none(),
            reason: texts.and_then(|texts| texts.reason),
        });
    }
    all
}

fn fields_of(state: &StoredState) -> Fields {
    named(serde_json::to_value(state).unwrap_or_default())
}

fn holder_of(texts: &HistoryTexts) -> Fields {
    let texts = HistoryTexts { reason: None, ..texts.clone() };
    named(serde_json::to_value(texts).unwrap_or_default())
}

fn named(value: Value) -> Fields {
    let Value::Object(fields) = value else { return Fields::new() };
    let text = |value: Value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    fields.into_iter().map(|(name, value)| (name, text(value))).collect()
}

fn differences(before: &Fields, after: &Fields) -> Vec<Difference> {
    let names = before.keys().filter(|name| !after.contains_key(*name)).chain(after.keys());
    let difference = |name: &String| {
        let (before, after) = (before.get(name).cloned(), after.get(name).cloned());
        (before != after).then(|| Difference { field: name.clone(), before, after })
    };
    names.filter_map(difference).collect()
}

fn describe(all: &[Shown]) -> Text {
    let columns = ["at", "change", "author", "approved by", "differences", "reason"];
    let row = |shown: &Shown| -> Vec<Cell> {
        vec![
            shown.at.format("%Y-%m-%d %H:%M:%S UTC").to_string().into(),
            shown.change.to_string().into(),
            author(&shown.author).into(),
            or_empty(shown.author.approved_by.as_ref()).into(),
            Cell::Lines(lines(shown)),
            reason(shown).into(),
        ]
    };
    table(&columns.map(Column::Left), all.iter().map(row))
}

/// `clerk (jana.novakova@branch-7)`.
fn author(author: &Authorship) -> String {
    let Authorship { principal, actor, edited_by, .. } = author;
    let actor = actor.as_ref().map(|actor| format!(" ({actor})")).unwrap_or_default();
    let edited = edited_by.as_ref().map(|by| format!(", edited by {by}")).unwrap_or_default();
    format!("{principal}{actor}{edited}")
}

fn lines(shown: &Shown) -> Vec<String> {
    let difference = |Difference { field, before, after }: &Difference| match (before, after) {
        (None, after) => format!("{field}: {}", or_empty(after.as_ref())),
        (Some(before), None) => format!("{field}: {before} -> none"),
        (Some(before), Some(after)) => format!("{field}: {before} -> {after}"),
    };
    let payout = shown.payout.map(|account| format!("payout: {account}"));
    shown.differences.iter().map(difference).chain(payout).collect()
}

fn reason(shown: &Shown) -> String {
    match (&shown.reason, &shown.refusal) {
        (Some(reason), _) => reason.clone(),
        (None, Some(refusal)) => format!("{}, balance {}", refusal.reason, refusal.balance),
        (None, None) if shown.erased => "erased".to_owned(),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared_events::evidence::Hash256;

    use super::*;

    fn record(number: i64, change: &str, status: &str, texts: Option<Value>) -> ChainedChange {
        let record = json!({
            "version": 1,
            "author": { "principal": "clerk", "actor": "jana", "approved_by": "supervisor" },
            "at": "2026-11-22T09:31:16.500000Z",
            "account": {
                "account_id": Uuid::nil(), "number": number, "change": change,
                "state": {
                    "iban": "CZ", "product": "current", "currency": "EUR", "branch": "main",
                    "overdraft_limit": "0", "status": status,
                },
                "texts": Hash256::default(),
            },
        });
        ChainedChange {
            place: 10 + number,
            account_id: None,
            principal: None,
            number,
            hash: Hash256::default(),
            record: record.to_string(),
            texts: texts.map(|texts| serde_json::from_value(texts).expect("texts")),
            salt: None,
        }
    }

    #[test]
    fn a_change_is_shown_by_what_differs_from_the_state_before() {
        let ada = || json!({ "name": "Ada", "language": "en" });
        let reason = json!({ "name": "Ada", "language": "en", "reason": "card lost" });
        let renamed = json!({ "name": "Ada King", "language": "en" });
        let all = shown(&[
            record(1, "opened", "pending", Some(ada())),
            record(2, "frozen", "frozen", Some(reason)),
            record(3, "unfrozen", "active", None),
            record(4, "holder_updated", "active", Some(renamed)),
            record(5, "of_tomorrow", "active", Some(ada())),
        ]);
        assert_eq!(all[0].differences.len(), 8, "the first has everything");
        let lines: Vec<Vec<String>> = all[1..].iter().map(lines).collect();
        let expected: [&[&str]; 4] = [
            &["status: pending -> frozen"],
            &["status: frozen -> active"],
            &["name: Ada -> Ada King"],
            &["name: Ada King -> Ada"],
        ];
        assert_eq!(lines, expected);
        let reasons: Vec<String> = all.iter().map(self::reason).collect();
        assert_eq!(reasons, ["", "card lost", "erased", "", ""]);
        assert_eq!(author(&all[1].author), "clerk (jana)");
        assert_eq!(all[4].change.to_string(), "of_tomorrow");
    }

    #[test]
    fn an_erasure_is_shown_with_what_is_left() {
        let placeholder = json!({ "name": "erased", "language": "en" });
        let all = shown(&[
            record(1, "opened", "pending", None),
            record(2, "closed", "closed", None),
            record(3, "erased", "erased", Some(placeholder)),
        ]);
        let changes: Vec<String> = all.iter().map(|shown| shown.change.to_string()).collect();
        assert_eq!(changes, ["opened", "closed", "erased"]);
        let expected = ["status: closed -> erased", "language: en", "name: erased"];
        assert_eq!(lines(&all[2]), expected);
        assert_eq!(all.iter().map(reason).collect::<Vec<_>>(), ["erased", "erased", ""]);
    }

    #[test]
    fn a_value_that_goes_or_comes_is_a_difference() {
        let fields = |pairs: &[(&str, &str)]| -> Fields {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let found =
            differences(&fields(&[("a", "1"), ("b", "2")]), &fields(&[("b", "2"), ("c", "3")]));
        let names: Vec<(&str, bool, bool)> = found
            .iter()
            .map(|one| (one.field.as_str(), one.before.is_some(), one.after.is_some()))
            .collect();
        assert_eq!(names, [("a", true, false), ("c", false, true)]);
    }
}
