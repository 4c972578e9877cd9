//! The proof of small histories that are written here, change by change.

use chrono::TimeDelta;
use serde_json::{Value, json};
use shared_events::{accounts::StoredState, evidence::Salt, ledger::FollowedTerms};
use uuid::Uuid;

use super::*;

mod erasures;

const ADA: AccountId = AccountId(Uuid::from_u128(1));

fn texts() -> HistoryTexts {
    HistoryTexts { name: Some("Ada".to_owned()), ..HistoryTexts::default() }
}

fn state(status: &str, blocks: Option<&str>) -> StoredState {
    StoredState {
        iban: "CZ00".to_owned(),
        product: "current".to_owned(),
        currency: "EUR".to_owned(),
        overdraft_limit: "10.00".to_owned(),
        transfer_limit: None,
        daily_limit: Some("100".to_owned()),
        monthly_limit: None,
        minimum_balance: None,
        blocks: blocks.map(str::to_owned),
        external_reference: None,
        branch: "main".to_owned(),
        status: status.to_owned(),
        closing_version: None,
    }
}

/// The text of a change of Ada's account.
fn text(number: i64, change: &str, state: &StoredState) -> Value {
    let author = match change {
        "erased" => json!({"principal": "clerk", "approved_by": "supervisor"}),
        _ => json!({"principal": "clerk"}),
    };
    json!({
        "version": 1, "author": author, "at": "2026-11-22T09:31:03.482911Z",
        "account": {
            "account_id": ADA, "number": number, "change": change, "state": state,
            "texts": texts().commitment(Salt::default()),
        },
    })
}

fn grants(number: i64) -> Value {
    json!({
        "version": 1, "author": {"principal": "operator"}, "at": "2026-11-22T09:31:03.482911Z",
        "grants": {"principal": "clerk", "number": number, "grants": []},
    })
}

/// The changes, each at its place in a chain.
fn chained(records: &[Value]) -> Vec<ChainedChange> {
    let mut hash = Hash256::default();
    let chain = records.iter().zip(1..).map(|(record, place)| {
        let text = record.to_string();
        hash = hash.of_next_text(&text);
        let account = &record["account"];
        let is_account = account.is_object();
        ChainedChange {
            place,
            account_id: is_account.then_some(ADA),
            principal: (!is_account).then(|| "clerk".to_owned()),
            number: account["number"]
                .as_i64()
                .or(record["grants"]["number"].as_i64())
                .expect("one"),
            hash,
            record: text,
            texts: is_account.then(texts),
            salt: is_account.then(Salt::default),
        }
    });
    chain.collect()
}

fn walked(changes: &[ChainedChange], anchors: &[HistoryEnd]) -> Checked<History> {
    let mut history = History::new(anchors);
    changes.iter().try_for_each(|change| history.follow(change))?;
    history.check_anchors()?;
    Ok(history)
}

fn honest() -> Vec<ChainedChange> {
    chained(&[
        text(1, "opened", &state("pending", None)),
        grants(1),
        text(2, "activated", &state("active", None)),
        text(3, "frozen", &state("frozen", Some("debits"))),
        grants(2),
    ])
}

#[test]
fn an_honest_history_verifies() {
    let history = walked(&honest(), &[]).expect("an honest history");
    assert_eq!(history.end.place, 5);
    let ada = &history.accounts[&ADA];
    assert_eq!((ada.last.number, ada.place, ada.at_ledger_since), (3, 4, Some(3)));
    assert_eq!((history.grants["clerk"].0, history.grants["clerk"].1.number), (5, 2));
}

#[test]
fn a_change_of_any_field_is_found_where_it_is() {
    type Change = fn(&mut ChainedChange);
    let changes: [(&str, Change); 9] = [
        ("place", |row| row.place += 7),
        ("hash of the record", |row| row.hash.0[31] ^= 1),
        ("hash of the record", |row| row.record = row.record.replace("clerk", "other")),
        ("account_id", |row| row.account_id = None),
        ("principal", |row| row.principal = Some("other".to_owned())),
        ("number", |row| row.number += 1),
        ("commitment to the texts", |row| row.salt = Some(Salt([1; 16]))),
        ("commitment to the texts", |row| row.texts = Some(HistoryTexts::default())),
        ("texts", |row| row.texts = None),
    ];
    for (column, change) in changes {
        let mut history = honest();
        change(&mut history[2]);
        let found = walked(&history, &[]).expect_err(column);
        assert_eq!((found.column, found.row.place), (column, Some(3)), "{found}");
    }
    let mut history = honest();
    history.remove(1);
    assert_eq!(walked(&history, &[]).expect_err("a gap").row.place, Some(2));
}

#[test]
fn numbers_without_a_gap_and_anchors_are_demanded() {
    let gap = chained(&[
        text(1, "opened", &state("pending", None)),
        text(3, "activated", &state("active", None)),
    ]);
    assert_eq!(walked(&gap, &[]).expect_err("a gap").column, "number");
    let gap = chained(&[grants(1), grants(3)]);
    assert_eq!(walked(&gap, &[]).expect_err("a gap").column, "number");

    let honest = honest();
    let end = |n: usize| HistoryEnd { place: honest[n].place, hash: honest[n].hash };
    assert!(walked(&honest, &[end(1), end(4)]).is_ok());
    let found = walked(&honest[..4], &[end(4)]).expect_err("one is cut off");
    assert_eq!((found.row.table, found.column), (Table::Anchor, "row"));
    let other = chained(&[grants(1)]);
    let found = walked(&other, &[end(0)]).expect_err("another history");
    assert_eq!((found.row.table, found.column), (Table::Anchor, "hash"));
}

/// An account at the ledger that has followed these changes.
fn at_ledger(status: &str, (of_status, of_limits): (i64, i64)) -> AccountRow {
    AccountRow {
        account_id: ADA,
        code: None,
        currency: "EUR".to_owned(),
        status: status.to_owned(),
        posted_debits: "0".to_owned(),
        posted_credits: "0".to_owned(),
        pending_debits: "0".to_owned(),
        pending_credits: "0".to_owned(),
        version: 1,
        terms: Some(FollowedTerms {
            branch: None,
            blocked: "both".to_owned(),
            overdraft_limit: Some("10".to_owned()),
            transfer_limit: None,
            daily_limit: Some("100.00".to_owned()),
            monthly_limit: None,
            minimum_balance: None,
            followed_status: of_status,
            followed_limit: of_limits,
        }),
    }
}

fn check_followed(records: &[Value], row: AccountRow) -> &'static str {
    check_seen(records, row, (0, TimeDelta::zero()))
}

/// The rows were read once the history was walked to this place, and so long after its changes.
fn check_seen(
    records: &[Value],
    row: AccountRow,
    (before, later): (i64, TimeDelta),
) -> &'static str {
    let history = walked(&chained(records), &[]).expect("an honest history");
    let made: DateTime<Utc> = "2026-11-22T09:31:03.482911Z".parse().expect("an instant");
    let found = followed::check(&history.accounts, &[row], Seen { before, now: made + later });
    found.err().map_or("", |found| found.column)
}

#[test]
fn the_ledgers_status_is_that_of_the_change_that_it_has_followed() {
    let opened = || text(1, "opened", &state("pending", None));
    let active = || text(2, "activated", &state("active", None));
    let frozen = |n| text(n, "frozen", &state("frozen", Some("both")));
    let closing = |n| text(n, "closing", &state("closing", None));
    let refused = |n| text(n, "close_refused", &state("active", None));
    let closed = |n| text(n, "closed", &state("closed", None));
    let unfrozen = |n| text(n, "unfrozen", &state("active", None));
    let lives: [(Vec<Value>, i64, &[&str]); 11] = [
        (vec![opened(), active()], 1, &["active"]),
        (vec![opened(), active(), frozen(3)], 1, &["active"]),
        (vec![opened(), active(), frozen(3)], 3, &["frozen"]),
        (vec![opened(), active(), frozen(3), unfrozen(4)], 4, &["active"]),
        (vec![opened(), active(), closing(3)], 3, &["active", "locked"]),
        (vec![opened(), active(), closing(3), refused(4)], 3, &["active"]),
        (vec![opened(), active(), closing(3), closed(4)], 3, &["locked"]),
        (vec![opened(), active(), closing(3), closed(4)], 4, &["closed"]),
        (vec![opened(), active(), closing(3), frozen(4)], 4, &["frozen", "locked"]),
        (vec![opened(), active(), closing(3), frozen(4), refused(5)], 4, &["frozen"]),
        (vec![opened(), active(), closing(3), refused(4), closing(5)], 5, &["active", "locked"]),
    ];
    for (life, followed, right) in lives {
        for status in ["active", "frozen", "locked", "closed", "released"] {
            let found = check_followed(&life, at_ledger(status, (followed, 1)));
            let expected = if right.contains(&status) { "" } else { "status" };
            assert_eq!(found, expected, "{status} after {followed} of {life:?}");
        }
    }
    for (status, blocks, right) in [
        ("pending", Some("both"), "frozen"),
        ("closing", Some("both"), "frozen"),
        ("closed", None, "closed"),
        ("active", None, "active"),
    ] {
        let older = [text(7, "recorded", &state(status, blocks))];
        assert_eq!(check_followed(&older, at_ledger(right, (5, 1))), "", "{status}");
    }
    let older = [text(7, "recorded", &state("frozen", Some("both")))];
    for followed in [1, 7] {
        assert_eq!(check_followed(&older, at_ledger("frozen", (followed, 1))), "");
        assert_eq!(check_followed(&older, at_ledger("active", (followed, 1))), "status");
    }
    assert_eq!(check_followed(&older, at_ledger("frozen", (0, 1))), "followed_status");
    assert_eq!(check_followed(&older, at_ledger("frozen", (8, 1))), "followed_status");
}

#[test]
fn the_ledgers_limits_are_those_of_the_change_that_it_has_followed() {
    let wider = StoredState { overdraft_limit: "20".to_owned(), ..state("active", None) };
    let life = [
        text(1, "opened", &state("pending", None)),
        text(2, "activated", &state("active", None)),
        text(3, "limits_changed", &wider),
    ];
    type Change = fn(&mut FollowedTerms);
    let changes: [(&str, Change); 9] = [
        ("", |_| {}),
        ("overdraft_limit", |terms| terms.overdraft_limit = Some("20".to_owned())),
        ("overdraft_limit", |terms| terms.overdraft_limit = None),
        ("transfer_limit", |terms| terms.transfer_limit = Some("1".to_owned())),
        ("daily_limit", |terms| terms.daily_limit = Some("NaN".to_owned())),
        ("minimum_balance", |terms| terms.minimum_balance = Some("0".to_owned())),
        ("branch", |terms| terms.branch = Some("web".to_owned())),
        ("overdraft_limit", |terms| terms.followed_limit = 3),
        ("followed_limit", |terms| terms.followed_limit = 2),
    ];
    for (column, change) in changes {
        let mut row = at_ledger("active", (1, 1));
        change(row.terms.as_mut().expect("there are"));
        assert_eq!(check_followed(&life, row), column);
    }
}

#[test]
fn the_ledger_is_not_far_behind() {
    let wider = StoredState { overdraft_limit: "20".to_owned(), ..state("frozen", Some("both")) };
    let life = [
        text(1, "opened", &state("pending", None)),
        text(2, "activated", &state("active", None)),
        text(3, "frozen", &state("frozen", Some("both"))),
        text(4, "limits_changed", &wider),
    ];
    let (soon, late) = (TimeDelta::minutes(9), TimeDelta::minutes(11));
    let behind = |seen| check_seen(&life, at_ledger("active", (1, 1)), seen);
    assert_eq!(behind((4, soon)), "", "the events are on their way");
    assert_eq!(behind((2, late)), "", "the changes were made after the rows were read");
    assert_eq!(behind((3, late)), "followed_status");
    let frozen = at_ledger("frozen", (3, 1));
    assert_eq!(check_seen(&life, frozen, (4, late)), "followed_limit");

    // A closing that the ledger has answered was followed.
    let life = [
        text(1, "opened", &state("pending", None)),
        text(2, "closing", &state("closing", None)),
        text(3, "closed", &state("closed", None)),
    ];
    let open_again = |seen| check_seen(&life, at_ledger("active", (1, 1)), seen);
    assert_eq!(open_again((3, soon)), "followed_status");
    assert_eq!(open_again((2, soon)), "", "the answer came after the rows were read");
}

#[test]
fn a_history_begins_with_an_opening_or_with_what_was_there() {
    let active = || state("active", None);
    for (records, column) in [
        (vec![text(1, "opened", &active())], ""),
        (vec![text(7, "recorded", &active()), text(8, "unfrozen", &active())], ""),
        (vec![text(7, "frozen", &active())], "change"),
        (vec![text(2, "opened", &active())], "change"),
        (vec![text(1, "opened", &active()), text(2, "recorded", &active())], "change"),
        (vec![text(1, "renamed", &active())], "change"),
    ] {
        let found = walked(&chained(&records), &[]).err();
        assert_eq!(found.map_or("", |found| found.column), column, "{records:?}");
    }
}

#[test]
fn an_account_is_at_the_ledger_once_it_is_active_there() {
    let mut history = walked(&honest(), &[]).expect("an honest history");
    history.check_at_ledger(2).expect("it may be on its way");
    let found = history.check_at_ledger(3).expect_err("it is gone");
    assert_eq!((found.row.table, found.column), (Table::Accounts, "row"));
    history.at_ledger.insert(ADA);
    history.check_at_ledger(3).expect("it is there");
    let id = AccountId(Uuid::from_u128(9));
    let stranger = AccountRow { account_id: id, ..at_ledger("active", (1, 1)) };
    let seen = Seen { before: 0, now: Utc::now() };
    let found = followed::check(&history.accounts, &[stranger], seen).expect_err("a stranger");
    assert_eq!((found.row.table, found.column), (Table::Accounts, "row"));
}
