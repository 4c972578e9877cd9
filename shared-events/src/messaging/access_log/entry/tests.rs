//! Each query of the contract, and texts of people and of strangers.

use std::{fs, path::Path};

use serde_json::{Value, json};

use super::*;
use crate::{catalogue::PUBLISHED, envelope::read_envelopes, message::Kind};

const ACCOUNT: &str = "01a2029a-7777-7d22-9a0b-2f5d1c7e0001";

/// What each query of a service's own asks for, by its golden message. Those about approvals,
/// parked messages and the log itself: `operations`.
const SUBJECTS: [(&str, Option<&str>); 23] = [
    ("accounts.access.list.v1", None),
    ("accounts.account.get.v1", Some("data.key")),
    ("accounts.account.list.v1", None),
    ("accounts.books.get.v1", None),
    ("accounts.history.get.v1", Some("data.account_id")),
    ("ledger.balance.get.v1", Some("data.account")),
    ("ledger.balance_at.get.v1", Some("data.account")),
    ("ledger.books.get.v1", None),
    ("ledger.entries.find.v1", Some("data.account")),
    ("ledger.instruction.get.v1", Some("data.transfer_id")),
    ("ledger.instructions.preview.v1", None),
    ("ledger.interest.get.v1", Some("data.account_id")),
    ("ledger.journal.get.v1", None),
    ("ledger.monitor.list.v1", Some("data.account_id")),
    ("ledger.order.get.v1", Some("data.account_id")),
    ("ledger.order.list.v1", Some("data.account_id")),
    ("ledger.payments.find.v1", None),
    ("ledger.period.get.v1", None),
    ("ledger.statement.get.v1", Some("data.account")),
    ("ledger.transfer.get.v1", Some("data.transfer_id")),
    ("ledger.trial_balance.get.v1", None),
    ("notifications.notification.list.v1", Some("data.account_id")),
    ("notifications.preferences.get.v1", Some("data.account_id")),
];

fn golden(kind: &str) -> RawEnvelope {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let text = fs::read(folder.join(format!("{kind}.json"))).expect("each type has a golden file");
    let read = read_envelopes(crate::envelope::CONTENT_TYPE, &text).expect("an envelope");
    read.into_iter().next().expect("one")
}

/// The only text below a field: `{"account_id":"..."}` or the id itself.
fn text_in(value: &Value) -> &str {
    match value {
        Value::String(text) => text,
        Value::Object(fields) => text_in(fields.values().next().expect("a field")),
        other => panic!("{other}"),
    }
}

#[test]
fn each_query_has_its_subject() {
    let is_owned = |kind: &str| {
        [".parked.", ".approvals.", ".access_log."].iter().any(|part| kind.contains(part))
    };
    let queries = PUBLISHED.iter().filter(|entry| entry.kind == Kind::Query);
    for kind in queries.map(|entry| entry.kind_name).filter(|kind| !is_owned(kind)) {
        let (_, field) = SUBJECTS.iter().find(|(known, _)| *known == kind).unwrap_or_else(|| {
            panic!("{kind}: say here what it asks for, and in `SubjectFields` where that stands")
        });
        let query = golden(kind);
        let data: Value = serde_json::from_str(query.data.get()).expect("data");
        let field = field.map(|field| &data[field.trim_start_matches("data.")]);
        let asked = AskedQuery::of(&query, "counter-7");
        assert_eq!(asked.subject.as_deref(), field.map(text_in), "{kind}");
    }
    let owned = SUBJECTS.iter().filter(|(kind, _)| catalogue::find(kind).is_none());
    assert_eq!(owned.count(), 0, "only published types");
}

#[test]
fn fields_that_the_service_does_not_read_change_no_subject() {
    let other = AccountId::new();
    for (kind, field, more) in [
        ("accounts.history.get.v1", "account_id", json!({ "key": 7, "transfer_id": "x" })),
        ("notifications.notification.list.v1", "account_id", json!({ "account": [] })),
        ("ledger.transfer.get.v1", "transfer_id", json!({ "account_id": other })),
        ("accounts.account.get.v1", "key", json!({ "account_id": other })),
    ] {
        let mut query = golden(kind);
        let mut data: Value = serde_json::from_str(query.data.get()).expect("data");
        let expected = text_in(&data[field]).to_owned();
        for (name, value) in more.as_object().expect("fields") {
            data[name] = value.clone();
        }
        query.data = serde_json::value::to_raw_value(&data).expect("JSON");
        assert_eq!(AskedQuery::of(&query, "counter-7").subject, Some(expected), "{kind}");
    }
}

#[test]
fn texts_of_people_stay_out() {
    let subject = |data: Value| subject_in(&data.to_string());
    let iban = "CZ6508000000192000145399";
    assert_eq!(subject(json!({ "key": { "iban": iban } })).as_deref(), Some(iban));
    assert_eq!(subject(json!({ "key": { "external_reference": "Jan Novák" } })), None);
    assert_eq!(subject(json!({ "name": { "reference": "Jan Novák" } })), None);
    assert_eq!(subject(json!({ "account": { "code": "cash" } })).as_deref(), Some("cash"));
    assert_eq!(subject(json!({ "account_id": "Jan Novák" })), None, "no id");
    assert_eq!(subject(json!("Jan Novák")), None);
    let both = json!({ "account_id": ACCOUNT, "transfer_id": MessageId::new() });
    assert_eq!(subject(both).as_deref(), Some(ACCOUNT), "an account before anything else");
}

fn answer(kind: &'static str, subject: &str, data: &Value) -> Event {
    let data = serde_json::value::to_raw_value(data).expect("JSON");
    Event { kind, subject: subject.to_owned(), partition_key: None, data }
}

#[test]
fn an_account_is_recorded_by_its_id_once_it_is_found() {
    let asked = || AskedQuery { subject: Some("cash".to_owned()), ..unread("x.y.v1") };
    let found = answer("ledger.balance.found.v1", ACCOUNT, &json!({}));
    let entry = asked().entry(code_of(&found), Some(&found));
    assert_eq!((entry.subject.as_deref(), &*entry.outcome), (Some(ACCOUNT), "answered"));
    let unknown = Event::new(&MessageRefused::not_found("no such account"));
    let entry = asked().entry(code_of(&unknown), Some(&unknown));
    assert_eq!((entry.subject.as_deref(), &*entry.outcome), (Some("cash"), "not_found"));
    let list = answer("accounts.account.listed.v1", "accounts", &json!({}));
    assert_eq!(unread("x.y.v1").entry(code_of(&list), Some(&list)).subject, None);
}

fn unread(kind: &str) -> AskedQuery {
    AskedQuery::unread(kind, None, "counter-7")
}

#[test]
fn texts_are_short_lines() {
    let long = format!("{}\u{0}\n", "ř".repeat(100_000));
    let mut query = golden("ledger.balance.get.v1");
    query.actor = Some(format!("jana\u{0}\n{long}"));
    query.kind = long.clone();
    let entry = AskedQuery::about(Some(&long), &query, &long);
    let entry = entry.entry("answered".to_owned(), None);
    let texts = [entry.actor, entry.subject, Some(entry.kind), Some(entry.principal)];
    for text in texts.into_iter().flatten() {
        assert!(text.len() <= 3 * TEXT_BYTES_MAX && !text.contains(['\0', '\n']), "{text:?}");
        assert!(text.len() > 200, "{text:?}");
    }
    // Three bytes stand in for the least visible ones.
    let worst = "\u{1}".repeat(100_000);
    assert_eq!(line(&worst).len(), 3 * TEXT_BYTES_MAX);
}

#[test]
fn an_entry_has_the_time_of_its_id() {
    let before = Utc::now().timestamp_millis();
    let entry = unread("x.y.v1").entry("answered".to_owned(), None);
    let after = Utc::now().timestamp_millis();
    let at = entry.asked_at.timestamp_millis();
    assert!((before..=after).contains(&at), "{before} {at} {after}");
    assert_eq!(entry.id.get_version_num(), 7);
}
