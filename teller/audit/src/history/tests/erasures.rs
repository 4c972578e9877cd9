//! Histories in which texts were erased.

use shared_events::accounts::{AccountBooksFound, AccountBooksRows, StoredAccount, StoredHolder};

use super::*;

const PLACEHOLDER: &str = "erased";

fn erased_texts() -> HistoryTexts {
    HistoryTexts {
        name: Some(PLACEHOLDER.to_owned()),
        language: Some("en".to_owned()),
        ..HistoryTexts::default()
    }
}

/// The life of Ada's account until it is closed.
fn until_closed() -> Vec<Value> {
    vec![
        text(1, "opened", &state("pending", None)),
        text(2, "activated", &state("active", None)),
        text(3, "closing", &state("closing", None)),
        text(4, "closed", &state("closed", None)),
    ]
}

/// The erasure of Ada's account, which leaves these texts.
fn erasure(number: i64, status: &str, texts: &HistoryTexts) -> Value {
    let mut erasure = text(number, "erased", &state(status, None));
    erasure["account"]["texts"] = json!(texts.commitment(Salt::default()));
    erasure
}

/// The changes, of which an erasure has these texts, and those at these places have none.
fn chained_without(
    records: &[Value],
    of_erasure: &HistoryTexts,
    erased: &[i64],
) -> Vec<ChainedChange> {
    let mut changes = chained(records);
    for change in &mut changes {
        if change.record.contains(r#""change":"erased""#) {
            change.texts = Some(of_erasure.clone());
        }
        if erased.contains(&change.place) {
            (change.texts, change.salt) = (None, None);
        }
    }
    changes
}

/// Ada's account, closed and erased.
fn erased() -> Vec<ChainedChange> {
    let records = [until_closed(), vec![erasure(5, "erased", &erased_texts())]].concat();
    chained_without(&records, &erased_texts(), &[1, 2, 3, 4])
}

fn first_unexplained(history: &History) -> Option<(Option<AccountId>, Option<i64>)> {
    let found = erased::first_unexplained(&history.accounts);
    found.map(|row| (row.account_id, row.place))
}

#[test]
fn an_erased_account_verifies_without_its_texts() {
    let history = walked(&erased(), &[]).expect("an honest history");
    assert_eq!(first_unexplained(&history), None);
    assert!(history.is_erased(ADA));
    assert_eq!(history.erased_accounts(), BTreeSet::from([ADA]));
    // The ledger's side stays as it was closed.
    for (status, column) in [("closed", ""), ("active", "status")] {
        let seen = Seen { before: 5, now: Utc::now() };
        let row = at_ledger(status, (4, 1));
        let found = followed::check(&history.accounts, &[row], seen).err();
        assert_eq!(found.map_or("", |found| found.column), column);
    }
    let seen = Seen { before: 5, now: Utc::now() };
    let found = followed::check(&history.accounts, &[at_ledger("closed", (5, 1))], seen);
    assert_eq!(found.expect_err("it follows no erasure").column, "followed_status");
}

#[test]
fn texts_that_are_missing_without_an_erasure_are_found_at_the_first_of_them() {
    let changes = chained_without(&until_closed(), &texts(), &[2, 4]);
    let history = walked(&changes, &[]).expect("the erasure may be on its way");
    assert_eq!(first_unexplained(&history), Some((Some(ADA), Some(2))));
    assert!(!history.is_erased(ADA));
    let row = row_at(2).account(ADA);
    let told = "expected texts and their salt, found nothing";
    assert!(erased::unexplained(row).to_string().ends_with(told));
}

#[test]
fn the_erasure_of_another_account_explains_nothing() {
    const BOB: AccountId = AccountId(Uuid::from_u128(2));
    let mut records = until_closed();
    records.insert(0, text(1, "opened", &state("pending", None)));
    records[0]["account"]["account_id"] = json!(BOB);
    records.push(erasure(5, "erased", &erased_texts()));
    let mut changes = chained_without(&records, &erased_texts(), &[1, 3]);
    changes[0].account_id = Some(BOB);
    let history = walked(&changes, &[]).expect("Bob's erasure may be on its way");
    assert_eq!(first_unexplained(&history), Some((Some(BOB), Some(1))));
}

#[test]
fn texts_or_salt_alone_are_never_missing() {
    for change in [
        (|row| row.texts = None) as fn(&mut ChainedChange),
        |row| row.salt = None,
        |row| (row.texts, row.salt) = (Some(texts()), None),
        |row| (row.texts, row.salt) = (None, Some(Salt::default())),
    ] {
        for place in [1, 5] {
            let mut changes = chained_without(
                &[until_closed(), vec![erasure(5, "erased", &erased_texts())]].concat(),
                &erased_texts(),
                &[],
            );
            change(&mut changes[place - 1]);
            let found = walked(&changes, &[]).expect_err("one is there");
            assert_eq!(found.column, "texts", "{found}");
        }
    }
}

#[test]
fn an_erasure_leaves_the_placeholder_alone() {
    type Change = fn(&mut HistoryTexts);
    let changes: [(&str, Change); 6] = [
        ("", |_| {}),
        ("holder_name", |texts| texts.name = Some("Ada".to_owned())),
        ("holder_name", |texts| texts.name = None),
        ("holder_email", |texts| texts.email = Some("ada@example.com".to_owned())),
        ("holder_webhook", |texts| texts.webhook = Some("https://ada.example".to_owned())),
        ("reason", |texts| texts.reason = Some("Ada asked".to_owned())),
    ];
    for (column, change) in changes {
        let mut left = erased_texts();
        change(&mut left);
        let records = [until_closed(), vec![erasure(5, "erased", &left)]].concat();
        let found = walked(&chained_without(&records, &left, &[]), &[]).err();
        assert_eq!(found.map_or("", |found| found.column), column);
    }
    let mut without = erased();
    (without[4].texts, without[4].salt) = (None, None);
    let found = walked(&without, &[]).expect_err("the placeholder is gone");
    assert_eq!((found.column, found.row.place), ("texts", Some(5)));
}

#[test]
fn an_erasure_follows_a_closing_and_ends_the_history_of_its_account() {
    let placeholder = erased_texts();
    let of = |number, status| erasure(number, status, &placeholder);
    let by = |approver: Option<&str>| {
        let mut unapproved = of(5, "erased");
        unapproved["author"] = json!({"principal": "clerk", "approved_by": approver});
        unapproved
    };
    let active = until_closed()[..2].to_vec();
    let after = |change, status| {
        let later = text(6, change, &state(status, None));
        [until_closed(), vec![of(5, "erased"), later]].concat()
    };
    for (records, column) in [
        ([until_closed(), vec![of(5, "erased")]].concat(), ""),
        ([until_closed(), vec![of(5, "closed")]].concat(), "status"),
        ([active, vec![of(3, "erased")]].concat(), "status before the erasure"),
        (vec![of(1, "erased")], "change"),
        (after("holder_updated", "erased"), "change"),
        (after("closed", "closed"), "change"),
        ([until_closed(), vec![of(5, "erased"), of(6, "erased")]].concat(), ""),
        ([until_closed(), vec![of(5, "erased"), of(6, "closed")]].concat(), "status"),
        ([until_closed(), vec![by(None)]].concat(), "approved_by"),
        ([until_closed(), vec![by(Some("clerk"))]].concat(), "approved_by"),
    ] {
        let found = walked(&chained_without(&records, &placeholder, &[]), &[]).err();
        assert_eq!(found.map_or("", |found| found.column), column, "{records:?}");
    }
}

/// The row of Ada's account at the accounts service.
fn account_row(version: i64, status: &str, name: &str) -> AccountBooksFound {
    let row = StoredAccount {
        account_id: ADA,
        version,
        holder: StoredHolder {
            name: name.to_owned(),
            email: None,
            webhook: None,
            language: "en".to_owned(),
        },
        state: state(status, None),
    };
    AccountBooksFound {
        rows: AccountBooksRows::Accounts(vec![row]),
        next: None,
        end: HistoryEnd { place: version, hash: Hash256::default() },
    }
}

#[test]
fn the_row_of_an_erased_account_has_the_placeholder() {
    let history = walked(&erased(), &[]).expect("an honest history");
    for (page, column) in [
        (account_row(5, "erased", PLACEHOLDER), ""),
        (account_row(5, "erased", "Ada"), "holder_name"),
        (account_row(5, "closed", PLACEHOLDER), "status"),
        (account_row(4, "closed", "Ada"), "version"),
    ] {
        let found = rows::check(&history, None, &page).err();
        assert_eq!(found.map_or("", |found| found.column), column, "{page:?}");
    }
    // The row was read before the erasure, and its changes afterwards.
    let history = walked(&erased()[..4], &[]).expect("the erasure is on its way");
    rows::check(&history, None, &account_row(4, "closed", "Ada")).expect("as it was then");
    assert_eq!(first_unexplained(&history), Some((Some(ADA), Some(1))));
}
