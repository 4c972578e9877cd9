//! The contract as its users see it. Promise: the checked-in files agree with the types, every
//! published version is read for ever, and a reader refuses a message that the schema refuses.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use jsonschema::Validator;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use shared_events::{
    Amount, Envelope, MessageSet, Money,
    accounts::CloseAccount,
    catalogue::{Entry, PUBLISHED, find},
    documents::{SCHEMAS, documents, envelope_schema},
    envelope::{CONTENT_TYPE, CONTENT_TYPE_BATCH, RawEnvelope, chain, read_envelopes},
    ledger::LedgerCommand,
    message::{Kind, Undecodable},
    topology::{SUBSCRIPTIONS, any_version, exchange_of},
};

const TO_RENDER: &str = "run `cargo run -p shared-events --example render` and commit the result";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn files_in(folder: &Path) -> BTreeSet<String> {
    let files = fs::read_dir(folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let name = |file: fs::DirEntry| file.file_name().to_string_lossy().into_owned();
    files.map(|file| name(file.expect("a folder can be listed"))).collect()
}

/// A checked-in envelope with data of a published type.
struct Golden {
    file: String,
    entry: &'static Entry,
    envelope: Value,
    /// Whether only required fields are there.
    minimal: bool,
}

impl Golden {
    fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let read = |file: String| {
            let stem = file.strip_suffix(".json").expect("golden files are JSON");
            // `<type>.json`, or `<type>.<case>.json`: what cannot all stand in one message.
            let (entry, case) = match (find(stem), stem.rsplit_once('.')) {
                (None, Some((kind, case))) => (find(kind), case),
                (found, _) => (found, ""),
            };
            let entry = entry.unwrap_or_else(|| panic!("{file}: not a published type"));
            let minimal = case == "minimal";
            let text = fs::read_to_string(folder.join(&file)).expect("golden files are UTF-8");
            let envelope = serde_json::from_str(&text).expect("golden files are JSON");
            Self { file, entry, envelope, minimal }
        };
        files_in(&folder).into_iter().map(read).collect()
    }

    fn data(&self) -> &Value {
        &self.envelope["data"]
    }

    fn schema(&self) -> Value {
        self.entry.schema().to_value()
    }

    fn validator(&self) -> Validator {
        validator(&self.schema())
    }

    /// This data as a reader of today reads and writes it.
    fn recode(&self, data: &Value) -> Result<Value, Undecodable> {
        let json = self.entry.recode(&data.to_string())?;
        Ok(serde_json::from_str(&json).expect("messages write JSON"))
    }
}

fn validator(schema: &Value) -> Validator {
    let options = jsonschema::options().should_validate_formats(true);
    options.build(schema).expect("generated schemas are schemas")
}

fn read_one(envelope: &Value) -> RawEnvelope {
    let mut envelopes = read_envelopes(CONTENT_TYPE, envelope.to_string().as_bytes())
        .unwrap_or_else(|error| panic!("{}: {envelope}", chain(&error)));
    envelopes.pop().expect("one event is one envelope")
}

fn as_value<D: serde::Serialize>(envelope: &Envelope<D>) -> Value {
    serde_json::to_value(envelope).expect("an envelope is JSON")
}

shared_events::message_set! {
    /// The smallest set of messages.
    enum Closings {
        Close(CloseAccount),
    }
}

#[test]
fn generated_files_are_those_of_today() {
    let current = |(path, text): &(String, String)| {
        fs::read_to_string(root().join(path)).is_ok_and(|found| found == *text)
    };
    let stale: Vec<_> = documents().into_iter().filter(|document| !current(document)).collect();
    let names: Vec<_> = stale.iter().map(|(path, _)| path).collect();
    assert!(names.is_empty(), "stale: {names:#?}\n{TO_RENDER}");
}

#[test]
fn no_stray_file_lies_among_the_schemas() {
    let expected: BTreeSet<String> = documents()
        .into_keys()
        .filter_map(|path| Some(path.strip_prefix(SCHEMAS)?.trim_start_matches('/').to_owned()))
        .collect();
    let stray: Vec<_> = files_in(&root().join(SCHEMAS)).difference(&expected).cloned().collect();
    assert!(stray.is_empty(), "not generated, and not part of the contract: {stray:?}");
}

#[test]
fn every_published_type_has_a_golden_file() {
    let all = Golden::all();
    let full = all.iter().filter(|golden| !golden.minimal);
    let golden: BTreeSet<&str> = full.map(|golden| golden.entry.kind_name).collect();
    let kinds = PUBLISHED.iter().map(|entry| entry.kind_name);
    let missing: Vec<_> = kinds.filter(|kind| !golden.contains(kind)).collect();
    assert!(missing.is_empty(), "write shared-events/tests/golden/<type>.json for {missing:#?}");
}

#[test]
fn the_readme_lists_every_published_type_on_its_exchange() {
    let readme = fs::read_to_string(root().join("shared-events/README.md")).expect("a README");
    for entry in PUBLISHED {
        let kind = format!("{:?}", entry.kind).to_lowercase();
        let exchange = exchange_of(entry.kind_name).expect("it is published");
        let row = format!("| `{}` | {kind} | `{exchange}` | ", entry.kind_name);
        assert!(readme.contains(&row), "shared-events/README.md has no row {row}");
    }
}

#[test]
fn every_command_and_query_is_taken_by_one_queue() {
    let is_asked = |entry: &&Entry| matches!(entry.kind, Kind::Command | Kind::Query);
    for entry in PUBLISHED.iter().filter(is_asked) {
        let taken = SUBSCRIPTIONS.iter().filter(|queue| queue.types.contains(&entry.kind_name));
        assert_eq!(taken.count(), 1, "{}", entry.kind_name);
    }
}

#[test]
fn a_golden_message_is_read_and_written_unchanged() {
    for golden in Golden::all() {
        let envelope = read_one(&golden.envelope);
        assert_eq!(envelope.kind, golden.entry.kind_name, "{}", golden.file);
        assert_eq!(as_value(&envelope), golden.envelope, "{}", golden.file);
        let again = golden.recode(golden.data()).expect(&golden.file);
        if golden.minimal {
            assert!(contains(&again, golden.data()), "{}: {again}", golden.file);
            let once_more = golden.recode(&again).expect(&golden.file);
            assert_eq!(once_more, again, "{}: defaults do not last", golden.file);
        } else {
            assert_eq!(again, *golden.data(), "{}", golden.file);
        }
    }
}

/// Whether `whole` says all that `part` says: defaults may have been added.
fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => part
            .iter()
            .all(|(name, part)| whole.get(name).is_some_and(|whole| contains(whole, part))),
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len() && whole.iter().zip(part).all(|(a, b)| contains(a, b))
        }
        (whole, part) => whole == part,
    }
}

#[test]
fn golden_messages_are_what_their_schemas_say() {
    let envelopes = validator(&envelope_schema());
    for golden in Golden::all() {
        for (of, validator, value) in [
            ("envelope", &envelopes, &golden.envelope),
            ("data", &golden.validator(), golden.data()),
        ] {
            let errors = validator.iter_errors(value);
            let errors: Vec<_> =
                errors.map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{} ({of}): {errors:#?}", golden.file);
        }
    }
}

#[test]
fn golden_messages_show_every_field_and_minimal_ones_the_required() {
    let mut found = BTreeMap::<&str, BTreeSet<String>>::new();
    for golden in Golden::all() {
        if golden.minimal {
            let schema = golden.schema();
            let required = schema["required"].as_array().into_iter().flatten();
            let required: BTreeSet<&str> = required.filter_map(Value::as_str).collect();
            let shown: BTreeSet<&str> = keys(golden.data()).into_iter().collect();
            assert_eq!(shown, required, "{}", golden.file);
        } else {
            fields_in(golden.data(), found.entry(golden.entry.kind_name).or_default());
        }
    }
    let missing = found.into_iter().filter_map(|(kind, found)| {
        let mut all = BTreeSet::new();
        fields_of(&find(kind)?.schema().to_value(), &mut all);
        let missing: Vec<String> = all.difference(&found).cloned().collect();
        (!missing.is_empty()).then_some((kind, missing))
    });
    let missing: Vec<_> = missing.collect();
    assert!(missing.is_empty(), "nothing shows these fields: {missing:#?}");
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().into_iter().flat_map(Map::keys).map(String::as_str).collect()
}

/// The names of all fields that a schema describes, save those of which only one can be there.
fn fields_of(schema: &Value, names: &mut BTreeSet<String>) {
    for (keyword, value) in schema.as_object().into_iter().flatten() {
        if keyword == "properties" {
            names.extend(keys(value).into_iter().map(str::to_owned));
        }
        if keyword != "oneOf" {
            fields_of(value, names);
        }
    }
}

fn fields_in(value: &Value, names: &mut BTreeSet<String>) {
    names.extend(keys(value).into_iter().map(str::to_owned));
    let children = value.as_object().into_iter().flat_map(Map::values);
    for child in children.chain(value.as_array().into_iter().flatten()) {
        fields_in(child, names);
    }
}

/// The JSON pointers of everything in `value` that is no object and no array.
fn leaves(value: &Value, at: &str, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| leaves(field, &format!("{at}/{name}"), found));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(n, item)| leaves(item, &format!("{at}/{n}"), found));
        }
        leaf => drop(found.insert(at.to_owned(), leaf.clone())),
    }
}

#[test]
fn no_schema_and_no_reader_takes_a_number_for_an_amount() {
    for golden in Golden::all() {
        let (validator, mut found) = (golden.validator(), BTreeMap::new());
        leaves(golden.data(), "", &mut found);
        let mut amounts = 0;
        for (pointer, leaf) in found {
            let Some(number) = leaf.as_str().and_then(|text| text.parse::<f64>().ok()) else {
                continue;
            };
            for wrong in [json!(number), json!(7), json!("1e5"), json!(",5")] {
                let is_text = wrong.is_string();
                let mut data = golden.data().clone();
                *data.pointer_mut(&pointer).expect("it was found there") = wrong;
                // Where any text may stand, the number was one by chance.
                if is_text && validator.is_valid(&data) {
                    continue;
                }
                amounts += usize::from(is_text);
                assert!(!validator.is_valid(&data), "{}: {pointer} takes {data}", golden.file);
                assert!(golden.recode(&data).is_err(), "{}: {pointer} read {data}", golden.file);
            }
        }
        let promised = golden.schema().to_string().contains("#/$defs/Amount");
        assert!(golden.minimal || !promised || amounts > 0, "{} has no amount", golden.file);
    }
}

#[test]
fn no_message_writes_a_float() {
    // Any crate of the build could switch rust_decimal's `serde-float` on, for everybody.
    let amount = Decimal::new(1250, 2);
    let euro = "EUR".parse().expect("a currency");
    assert_eq!(serde_json::to_value(amount).ok(), Some(json!("12.50")));
    assert_eq!(serde_json::to_value(Amount(amount)).ok(), Some(json!("12.5")));
    let money = serde_json::to_value(Money::new(amount, euro)).expect("money is JSON");
    assert_eq!(money, json!({ "amount": "12.50", "currency": "EUR" }));
    for golden in Golden::all() {
        let mut found = BTreeMap::new();
        leaves(&golden.recode(golden.data()).expect(&golden.file), "", &mut found);
        let float = found.iter().find(|(_, leaf)| leaf.is_f64());
        assert_eq!(float, None, "{}", golden.file);
    }
}

#[test]
fn readers_ignore_fields_that_they_do_not_know() {
    for golden in Golden::all() {
        let mut extended = golden.envelope.clone();
        let data = extended["data"].take();
        extend(&mut extended);
        extended["data"] = data;
        extend(&mut extended["data"]);
        let read = golden.recode(&extended["data"]).expect(&golden.file);
        assert_eq!(Some(read), golden.recode(golden.data()).ok(), "{}", golden.file);
        let mut envelope = as_value(&read_one(&extended));
        envelope["data"] = golden.data().clone();
        assert_eq!(envelope, golden.envelope, "{}", golden.file);
    }
}

/// Adds a field to every object, save to those below that have one field: they are a choice, such
/// as `{"code":"cash"}`, and a choice has one field for ever.
fn extend(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let below = fields.values_mut().flat_map(|value| match value {
                Value::Array(items) => items.iter_mut().collect(),
                other => vec![other],
            });
            let is_choice = |value: &Value| value.as_object().is_some_and(|one| one.len() == 1);
            below.filter(|value| !is_choice(value)).for_each(extend);
            fields.insert("of_tomorrow".to_owned(), json!({ "some": ["thing", 1, null] }));
        }
        Value::Array(items) => items.iter_mut().for_each(extend),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn an_unknown_version_is_refused_by_its_name() {
    for golden in Golden::all() {
        let stem = golden.entry.kind_name.rsplit_once('.').expect("types have a version").0;
        let unknown = format!("{stem}.v999");
        let mut envelope = golden.envelope.clone();
        envelope["type"] = json!(unknown);
        let (error, kept) = read_one(&envelope).decode::<LedgerCommand>().expect_err(&unknown);
        assert!(error.to_string().contains(&unknown), "{error}");
        assert_eq!(kept.kind, unknown, "the envelope is given back, to be parked");
        assert_eq!(any_version(&unknown), format!("{stem}.*"), "it must reach a queue");
    }
}

#[test]
fn a_wrong_shape_is_refused_by_the_path_of_its_field() {
    let transfer = json!({
        "transfer_id": "01a20297-94f8-719a-ab00-5ffc480321db",
        "debtor": { "code": "cash" },
        "creditor": { "account_id": "01a20297-501b-7814-a817-c4463ceaaf30" },
        "money": { "amount": "7", "currency": "EUR" },
    });
    for (pointer, wrong, field, rule) in [
        ("/money/amount", json!(7.5), "transfers[1].money.amount", "expected a string"),
        ("/money/currency", json!("EUX"), "transfers[1].money.currency", "ISO 4217"),
        ("/transfer_id", json!("1"), "transfers[1].transfer_id", "UUID"),
        ("/creditor/account_id", json!(""), "transfers[1].creditor.account_id", "UUID"),
        ("/debtor", json!({ "iban": "CZ" }), "transfers[1].debtor", "unknown variant `iban`"),
    ] {
        let mut second = transfer.clone();
        *second.pointer_mut(pointer).expect("the transfer has it") = wrong;
        let data = json!({ "transfers": [transfer, second] }).to_string();
        match LedgerCommand::decode("ledger.transfers.submit.v1", &data) {
            Err(Undecodable::WrongShape { field: found, rule: broken }) => {
                assert!(found.starts_with(field), "{found} is not {field}");
                assert!(broken.contains(rule), "{broken:?} does not say {rule:?}");
            }
            other => panic!("{pointer}: {other:?}"),
        }
    }
    let missing = Closings::decode("accounts.account.close.v1", "{}").expect_err("empty");
    assert_eq!(
        missing.to_string().split(" at line").next(),
        Some("field `.`: missing field `account_id`")
    );
}

#[test]
fn a_batch_is_read_into_the_same_events_in_the_same_order() {
    let golden: Vec<Value> = Golden::all().into_iter().map(|golden| golden.envelope).collect();
    let body = serde_json::to_vec(&golden).expect("a batch is JSON");
    let read = read_envelopes(CONTENT_TYPE_BATCH, &body).expect("a batch is read");
    let again: Vec<Value> = read.iter().map(as_value).collect();
    assert_eq!(again, golden);
    assert!(read_envelopes(CONTENT_TYPE, &body).is_err(), "a batch is not one event");
    assert!(read_envelopes(CONTENT_TYPE_BATCH, b"{}").is_err(), "one event is not a batch");
    assert!(read_envelopes("application/json", &body).is_err(), "other content is refused");
}
