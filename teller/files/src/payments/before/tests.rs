//! A file against what was posted under its id.

use super::*;

use crate::payments::ids::Ids;
use shared_events::ledger::AccountCode;
use teller_client::input;
use uuid::Uuid;

const ID: MessageId = MessageId(Uuid::from_u128(1));
const DAY: &str = "2026-11-30";

/// `creditor amount reference`.
fn row(text: &str) -> Transfer {
    let [creditor, amount, reference] = text.split(' ').collect::<Vec<_>>()[..] else {
        panic!("three words: {text}");
    };
    let code = |code: &str| Party::Code(AccountCode(code.to_owned()));
    let money = input::money(amount, "EUR").expect("money");
    let bare = teller_client::transfer(MessageId(Uuid::nil()), code("cash"), code(creditor), money);
    Transfer { reference: Some(reference.to_owned()), ..bare }
}

/// The rows of a file, with their lines.
fn file(rows: &[&str]) -> Vec<(Transfer, usize)> {
    let mut ids = Ids::under(ID);
    rows.iter().map(|text| ids.give(row(text))).zip(2..).collect()
}

/// The ledger's entries of posted rows.
fn posted(rows: &[(Transfer, usize)]) -> Vec<Transfer> {
    let on = |day: &str| Some(input::date("booking_date", day).expect("a day"));
    let booked = |(row, _): &(Transfer, usize)| Transfer { booking_date: on(DAY), ..row.clone() };
    rows.iter().map(booked).collect()
}

/// The same rows as an earlier version sent them.
fn by_line(rows: &[&str]) -> Vec<Transfer> {
    let mut posted = posted(&file(rows));
    for (transfer, line) in posted.iter_mut().zip(2..) {
        transfer.transfer_id = id_by_line(ID, line);
    }
    posted
}

/// Settles a file with its posted payments, and names the changes.
fn settled(found: Vec<Transfer>, rows: &mut [(Transfer, usize)]) -> Vec<String> {
    let found = of_file(ID, found, rows);
    let changed = settle(&found, rows);
    changed.iter().map(|row| format!("{}: {}", row.line, row.differences)).collect()
}

#[test]
fn rows_that_were_paid_by_their_line_keep_their_payments() {
    let paid = by_line(&["fees 1 a", "fees 2 b", "fees 2 b", "fees 3 c"]);
    // Saved anew: one row is deleted, the others are in another order.
    let mut rows = file(&["fees 3 c", "fees 2 b", "cards 9 new", "fees 2 b"]);
    let new = rows[2].0.transfer_id;
    assert_eq!(settled(paid.clone(), &mut rows), [""; 0]);
    let ids: Vec<TransferId> = rows.iter().map(|(row, _)| row.transfer_id).collect();
    let line = |line| id_by_line(ID, line);
    assert_eq!(ids, [line(5), line(3), new, line(4)]);
}

#[test]
fn a_row_that_was_changed_since_it_was_paid_is_told() {
    let first = ["fees 1 a", "fees 2 b", "cards 3 c"];
    for found in [posted(&file(&first)), by_line(&first)] {
        for (now, expected) in [
            (vec!["fees 1 a", "fees 2 x"], vec![r#"3: reference was "b", is "x""#]),
            (vec!["fees 2 b", "fees 1.50 a"], vec!["3: amount was 1.00 EUR, is 1.50 EUR"]),
            (vec!["fees 1 a", "fees 2 b", "fees 3 c"], vec!["4: creditor was cards, is fees"]),
            // This creditor had no payment before, and the earlier creditors are not in the file
            // any more.
            (vec!["settlement:AB 7 d"], vec![]),
            (vec!["cards 3 c", "fees 1 a"], vec![]),
            (vec!["fees 1 a", "fees 1 a", "fees 2 b", "cards 3 c"], vec![]),
        ] {
            assert_eq!(settled(found.clone(), &mut file(&now)), expected, "{now:?}");
        }
    }
}

#[test]
fn a_day_that_is_written_later_is_the_same_payment() {
    let paid = posted(&file(&["fees 1 a"]));
    let mut rows = file(&["fees 1 a"]);
    rows[0].0.booking_date = paid[0].booking_date;
    rows[0].0.transfer_id = Ids::under(ID).give(rows[0].0.clone()).transfer_id;
    assert_ne!(rows[0].0.transfer_id, paid[0].transfer_id);
    assert_eq!(settled(paid, &mut rows), [""; 0]);
    assert_eq!(rows, file(&["fees 1 a"]));
}

#[test]
fn what_others_paid_is_nothing_of_the_file() {
    let mut others = posted(&file(&["fees 1 a"]));
    others[0].transfer_id = id_by_line(MessageId(Uuid::from_u128(2)), 2);
    assert_eq!(settled(others, &mut file(&["fees 2 a"])), [""; 0]);
}
