//! The proof of small journals that are written here, record by record.

use serde_json::{Value, json};
use shared_events::{
    AccountId, TransferId,
    evidence::{Hash256, Salt, commitment},
    ledger::{ChainEnd, JournalRecord, StoredRecord},
};
use uuid::Uuid;

use super::{
    Verified,
    difference::{Checked, Table},
    line::Line,
    links::chains,
    walk::{Piece, Source, Stop, Walk},
};

mod erasures;

/// A journal in memory.
#[derive(Clone, Default)]
struct Journal {
    lines: Vec<Line>,
}

impl Source for Journal {
    async fn after(&mut self, chain: usize, place: i64) -> Result<Vec<Piece>, Stop> {
        let of_chain = self.lines.iter().filter(|line| usize::try_from(line.chain) == Ok(chain));
        let after = of_chain.filter(|line| line.place > place);
        Ok(after.map(|line| Piece::Alone(line.clone())).collect())
    }
}

impl Journal {
    fn ends(&self) -> Vec<ChainEnd> {
        let end = |chain| {
            let last = self.lines.iter().rfind(|line| line.chain == chain);
            let (place, hash) =
                last.map_or((0, Hash256::default()), |line| (line.place, line.hash));
            ChainEnd { chain, place, hash }
        };
        chains().map(end).collect()
    }

    /// Writes a record at the end of a chain, as the ledger would.
    fn write(&mut self, chain: i16, record: &JournalRecord) {
        self.write_text(chain, serde_json::to_string(record).expect("a record is JSON"));
    }

    fn write_text(&mut self, chain: i16, record: String) {
        let stored = StoredRecord::from_text(&record).expect("a record");
        let end = self.ends().into_iter().find(|end| end.chain == chain).expect("there are four");
        let digest = Hash256(stored.digest());
        let hash = end.hash.of_next(digest, &record);
        let transfer_id = stored.record.instruction.transfer_id;
        let place = end.place + 1;
        self.lines.push(Line { chain, place, transfer_id, digest, hash, record });
    }

    fn prove_to(&self, ends: &[ChainEnd], anchors: &[ChainEnd]) -> Checked<Verified> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let proved = runtime.block_on(async {
            let mut walk = Walk::new(self.clone(), anchors);
            walk.advance(ends, |_| {}).await?;
            Ok(walk.verified()?)
        });
        proved.map_err(|stop| match stop {
            Stop::Different(difference) => difference,
            Stop::Teller(error) => panic!("memory is always there: {error}"),
        })
    }

    fn prove(&self) -> Checked<Verified> {
        self.prove_to(&self.ends(), &[])
    }
}

fn id(n: u128) -> TransferId {
    TransferId(Uuid::from_u128(n))
}

fn account(n: u128, balance: &str, version: i64) -> Value {
    json!({"account_id": AccountId(Uuid::from_u128(n)), "balance": balance, "version": version})
}

fn euros(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// The record of a payment from account 1 to account 2 with this id.
fn record(n: u128, action: &Value, outcome: &Value) -> JournalRecord {
    let record = json!({
        "instruction": {"transfer_id": id(n), "action": action, "reference": "rent"},
        "command_id": Uuid::from_u128(1000 + n),
        // All in one instant: the versions alone give the order.
        "decided_at": "2026-11-22T09:31:03.482911Z",
        "booking_date": "2026-11-22",
        "value_date": "2026-11-22",
        "outcome": outcome,
    });
    serde_json::from_value(record).expect("a record")
}

fn paid(n: u128, amount: &str, [debtor, creditor]: [(&str, i64); 2]) -> JournalRecord {
    let money = euros(amount);
    let [one, two] = [1, 2].map(|n| json!({"account_id": Uuid::from_u128(n)}));
    let action = json!({"transfer": {"debtor": one, "creditor": two, "money": money}});
    let legs = posted(amount, [debtor, creditor]);
    record(n, &action, &json!({"posted": {"legs": legs}}))
}

fn posted(amount: &str, [debtor, creditor]: [(&str, i64); 2]) -> Value {
    let leg = |n, direction, (balance, version)| {
        let account = account(n, balance, version);
        json!({"account": account, "direction": direction, "money": euros(amount)})
    };
    json!([leg(1, "debit", debtor), leg(2, "credit", creditor)])
}

fn held(n: u128, amount: &str, versions: [(&str, i64); 2]) -> JournalRecord {
    let [one, two] = [1, 2].map(|n| json!({"account_id": Uuid::from_u128(n)}));
    let (money, expires_at) = (euros(amount), "2026-11-29T00:00:00Z");
    let action = json!({"hold": {
        "debtor": one, "creditor": two, "money": money, "expires_at": expires_at,
    }});
    let [debtor, creditor] = [1, 2].map(|n| {
        let (balance, version) = if n == 1 { versions[0] } else { versions[1] };
        account(n, balance, version)
    });
    let outcome = json!({"held": {
        "debtor": debtor, "creditor": creditor, "money": money, "expires_at": expires_at,
    }});
    record(n, &action, &outcome)
}

/// Captures `amount` of a hold, after which so much of it remains.
fn captured(
    n: u128,
    hold: u128,
    (amount, remaining): (&str, &str),
    versions: [(&str, i64); 2],
) -> JournalRecord {
    let action = json!({"capture": {"hold_id": id(hold), "amount": amount, "keep_rest": true}});
    let hold = json!({"hold_id": id(hold), "remaining": remaining, "released": "0"});
    let legs = posted(amount, versions);
    record(n, &action, &json!({"posted": {"legs": legs, "hold": hold}}))
}

/// The record in version 2: with its author, and a commitment in place of its text.
fn in_version_2(record: &JournalRecord) -> Value {
    let mut text = serde_json::to_value(record).expect("a record is JSON");
    text["version"] = json!(2);
    text["author"] = json!({"principal": "acme"});
    text["texts"] = json!(commitment(Salt::default(), &[("reference", Some("rent"))]));
    text["instruction"]["reference"].take();
    text
}

/// Two chains that wait for each other, with records of both versions.
fn honest() -> Journal {
    let mut journal = Journal::default();
    journal.write(2, &paid(11, "10", [("-10", 2), ("10", 2)]));
    let held = in_version_2(&held(12, "5", [("-10", 3), ("10", 3)]));
    journal.write_text(0, held.to_string());
    journal.write(2, &captured(13, 12, ("3", "2"), [("-13", 4), ("13", 4)]));
    let one = in_version_2(&paid(14, "1", [("-14", 5), ("14", 5)]));
    journal.write_text(0, one.to_string());
    journal.write(2, &captured(15, 12, ("2", "0"), [("-16", 6), ("16", 6)]));
    journal
}

#[test]
fn an_honest_journal_verifies_in_whatever_chains_it_stands() {
    let verified = honest().prove().expect("honest books verify");
    assert_eq!((verified.records, verified.entries), (5, 8));
    assert_eq!((verified.accounts, verified.holds), (2, 1));
    let [euros] = &verified.turnover[..] else { panic!("one currency: {verified:?}") };
    assert_eq!((euros.debits.to_string(), euros.credits.to_string()), ("16".into(), "16".into()));
    assert_eq!(verified.ends, honest().ends());
}

#[test]
fn a_change_of_any_field_of_any_line_is_found_where_it_is() {
    type Change = (&'static str, fn(&mut Line));
    const CHANGES: [Change; 6] = [
        ("place", |line| line.place += 7),
        ("transfer_id", |line| line.transfer_id = id(99)),
        ("digest", |line| line.digest.0[31] ^= 1),
        ("hash", |line| line.hash.0[0] ^= 1),
        ("record", |line| line.record.push(' ')),
        ("amounts", |line| line.record = line.record.replace(".00", ".01")),
    ];
    for n in 0..honest().lines.len() {
        for (field, change) in CHANGES {
            let mut journal = honest();
            let ends = journal.ends();
            let (chain, place) = (journal.lines[n].chain, journal.lines[n].place);
            change(&mut journal.lines[n]);
            let found = journal.prove_to(&ends, &[]).expect_err(field);
            assert_eq!(found.row.table, Table::Journal, "{field}: {found}");
            assert_eq!((found.row.chain, found.row.place), (Some(chain), Some(place)), "{found}");
        }
    }
}

#[test]
fn a_line_left_out_or_moved_is_found() {
    for n in 0..honest().lines.len() {
        let (mut journal, ends) = (honest(), honest().ends());
        let gone = journal.lines.remove(n);
        let found = journal.prove_to(&ends, &[]).expect_err("one is gone");
        assert_eq!((found.row.chain, found.row.place), (Some(gone.chain), Some(gone.place)));
        let mut journal = honest();
        journal.lines[n].chain = 1;
        journal.prove_to(&ends, &[]).expect_err("one is in another chain");
    }
}

#[test]
fn the_ends_are_those_of_the_journal() {
    let check = |change: fn(&mut Vec<ChainEnd>), table, column| {
        let mut ends = honest().ends();
        change(&mut ends);
        let found = honest().prove_to(&ends, &[]).expect_err(column);
        assert_eq!((found.row.table, found.column), (table, column), "{found}");
        assert_eq!(found.row.chain, Some(2), "{found}");
    };
    check(|ends| ends[2].hash.0[0] ^= 1, Table::Chains, "hash");
    check(|ends| ends[2].place += 1, Table::Chains, "place");
    check(|ends| ends[2].place -= 1, Table::Chains, "hash");
    check(|ends| ends.truncate(2), Table::Chains, "row");
    let longer: fn(&mut Vec<ChainEnd>) = |ends| (ends[2].place, ends[2].hash.0[0]) = (4, 1);
    check(longer, Table::Journal, "row");
}

#[test]
fn an_anchor_finds_what_was_rewritten_with_all_its_hashes() {
    let anchors = honest().ends();
    honest().prove_to(&anchors, &anchors).expect("what was seen is there");
    let mut longer = honest();
    longer.write(0, &paid(16, "1", [("-17", 7), ("17", 7)]));
    longer.prove_to(&longer.ends(), &anchors).expect("what was seen is there, and more");
    let mut shorter = honest();
    shorter.lines.pop();
    let found = shorter.prove_to(&shorter.ends(), &anchors).expect_err("one is gone");
    assert_eq!((found.row.table, found.row.place), (Table::Anchor, Some(3)));
    let mut other = shorter;
    other.write(2, &captured(17, 12, ("2", "0"), [("-16", 6), ("16", 6)]));
    let found = other.prove_to(&other.ends(), &anchors).expect_err("another journal differs");
    assert_eq!((found.row.table, found.column), (Table::Anchor, "hash"), "{found}");
}

/// Hashes can be right, and the books wrong all the same.
#[test]
fn records_that_do_not_follow_from_each_other_are_found() {
    let next = [("-17", 7), ("17", 7)];
    let unbalanced = {
        let mut record = serde_json::to_value(paid(16, "1", next)).expect("JSON");
        record["outcome"]["posted"]["legs"][1]["money"]["amount"] = json!("2");
        serde_json::from_value(record).expect("a record")
    };
    let cases = [
        ("credits of the record", unbalanced),
        ("account's version", paid(16, "1", [("-17", 8), ("17", 7)])),
        ("account's version", paid(16, "1", [("-17", 6), ("17", 7)])),
        ("account's balance", paid(16, "1", [("-18", 7), ("17", 7)])),
        ("account's balance", paid(16, "1", [("-17", 7), ("16", 7)])),
        ("hold", captured(16, 12, ("1", "0"), next)),
        ("hold", captured(16, 77, ("1", "0"), next)),
    ];
    for (column, record) in cases {
        let mut journal = honest();
        journal.write(1, &record);
        let found = journal.prove().expect_err(column);
        assert_eq!((found.column, found.row.transfer_id), (column, Some(id(16))), "{found}");
    }
    for (column, field, value) in [
        ("version", "/version", json!(3)),
        ("record", "/version", json!(1)),
        ("record", "/author", Value::Null),
        ("record", "/instruction/reference", json!("rent")),
    ] {
        let mut text = in_version_2(&paid(16, "1", next));
        *text.pointer_mut(field).expect("a field of the record") = value;
        let mut journal = honest();
        journal.write_text(1, text.to_string());
        let found = journal.prove().expect_err(column);
        assert_eq!((found.column, found.row.transfer_id), (column, Some(id(16))), "{found}");
    }
    let mut journal = honest();
    journal.write(1, &held(16, "5", [("-16", 7), ("16", 7)]));
    journal.write(1, &captured(18, 16, ("6", "0"), [("-22", 8), ("22", 8)]));
    let found = journal.prove().expect_err("more than is held");
    assert_eq!(found.column, "amount taken from the hold", "{found}");
}
