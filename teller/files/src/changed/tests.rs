//! An instruction beside an executed one.

use super::*;
use serde_json::{Value, json};
use uuid::Uuid;

fn instruction(action: &Value, reference: &str, end_to_end_id: &str) -> Instruction {
    let mut instruction = json!({"transfer_id": Uuid::nil(), "action": action});
    for (field, text) in [("reference", reference), ("end_to_end_id", end_to_end_id)] {
        if !text.is_empty() {
            instruction[field] = json!(text);
        }
    }
    serde_json::from_value(instruction).expect("an instruction")
}

fn euros(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

fn between(debtor: &str, creditor: &str, amount: &str) -> Value {
    json!({"debtor": {"code": debtor}, "creditor": {"code": creditor}, "money": euros(amount)})
}

fn transfer(creditor: &str, amount: &str) -> Value {
    json!({"transfer": between("cash", creditor, amount)})
}

fn hold(creditor: &str, amount: &str, day: u32) -> Value {
    let mut hold = between("cash", creditor, amount);
    hold["expires_at"] = json!(format!("2027-01-{day:02}T00:00:00Z"));
    json!({"hold": hold})
}

fn legs(shares: &[(&str, &str)], total: &str) -> Value {
    let leg = |direction: &str, code: &str, amount: &str| {
        let account = json!({"code": code});
        json!({"account": account, "direction": direction, "money": euros(amount)})
    };
    let credits = shares.iter().map(|(code, amount)| leg("credit", code, amount));
    let legs = std::iter::once(leg("debit", "cash", total)).chain(credits);
    json!({"legs": {"legs": legs.collect::<Vec<Value>>()}})
}

fn exchange(amount: &str, rate: &str) -> Value {
    let mut exchange = between("cash", "cards", amount);
    exchange["sell"] = exchange["money"].take();
    exchange.as_object_mut().expect("fields").remove("money");
    (exchange["buy"], exchange["rate"]) = (json!("CZK"), json!(rate));
    json!({"exchange": exchange})
}

fn about(kind: &str, field: &str, id: u128, amount: Option<&str>) -> Value {
    let mut action = json!({field: Uuid::from_u128(id)});
    if let Some(amount) = amount {
        action["amount"] = json!(amount);
    }
    json!({kind: action})
}

#[test]
fn the_debtors_own_id_tells_which_instruction_it_is() {
    let done = instruction(&transfer("fees", "1"), "a", "E-1");
    for (now, alike) in [
        (instruction(&transfer("cards", "2"), "b", "E-1"), true),
        (instruction(&transfer("fees", "1"), "a", "E-2"), true),
        (instruction(&transfer("fees", "2"), "a", "E-2"), false),
        (instruction(&transfer("fees", "2"), "b", ""), true),
        (instruction(&transfer("cards", "1"), "a", ""), true),
        (instruction(&transfer("cards", "1"), "b", ""), false),
    ] {
        assert_eq!(is_like(&done, &now), alike, "{now:?}");
    }
}

#[test]
fn what_differs_is_told_of_every_kind() {
    let capture = |id, amount| about("capture", "hold_id", id, amount);
    let reverse = |id, amount| about("reverse", "original_id", id, amount);
    for (was, now, expected) in [
        (transfer("fees", "1"), transfer("fees", "2"), "amount was 1.00 EUR, is 2.00 EUR"),
        (
            hold("fees", "1", 1),
            hold("fees", "1", 2),
            "expires_at was 2027-01-01T00:00:00+00:00, is 2027-01-02T00:00:00+00:00",
        ),
        (hold("fees", "1", 1), transfer("fees", "1"), "action was hold, is transfer"),
        (capture(7, None), capture(7, Some("2")), "amount was all of it, is 2"),
        (capture(7, None), about("release", "hold_id", 7, None), "action was capture, is release"),
        (reverse(7, Some("1")), reverse(7, Some("2")), "amount was 1, is 2"),
        (
            legs(&[("fees", "1"), ("cards", "2")], "3"),
            legs(&[("fees", "1"), ("cards", "4")], "5"),
            "legs[0] was debit cash 3.00 EUR, is debit cash 5.00 EUR, \
             legs[2] was credit cards 2.00 EUR, is credit cards 4.00 EUR",
        ),
        (transfer("fees", "1"), legs(&[("fees", "1")], "1"), "action was transfer, is legs"),
        (exchange("1", "25"), exchange("1", "25.5"), "rate was 25, is 25.5"),
        (exchange("1", "25"), exchange("1", "25"), "repeats an executed one"),
    ] {
        let (was, now) = (instruction(&was, "", ""), instruction(&now, "", ""));
        assert!(is_like(&was, &now), "{expected}");
        assert_eq!(differences(&was, &now), expected);
    }
    let other_hold = (capture(7, None), capture(8, None));
    let other_debtor = (transfer("fees", "1"), json!({"transfer": between("fees", "cards", "1")}));
    for (was, now) in [other_hold, other_debtor] {
        assert!(!is_like(&instruction(&was, "a", ""), &instruction(&now, "a", "")));
    }
}

#[test]
fn the_first_differences_are_told_and_the_rest_counted() {
    let expected = (0..12).map(|row| format!("line {row}: other")).collect();
    let error = refuse_changed("rows that were paid", expected).expect_err("they were changed");
    let text = error.to_string();
    assert!(text.contains("line 9: other; and 2 more. What is to be done"), "{text}");
    assert!(refuse_changed("rows that were paid", vec![]).is_ok());
}

#[test]
fn entries_are_read_from_a_year_before_the_file() {
    let day = |text: &str| text.parse::<NaiveDate>().expect("a day");
    let today = day("2026-11-30");
    // A UUIDv7 of 2025-11-22.
    let id = "019aa9a5-0000-7000-8000-000000000000".parse().expect("an id");
    let from = |named: &[NaiveDate], id| booked_from(id, named.iter().copied(), today);
    assert_eq!(from(&[], id), Some(day("2024-11-21")));
    assert_eq!(from(&[day("2025-01-01")], id), Some(day("2024-01-01")));
    assert_eq!(from(&[], MessageId(Uuid::from_u128(1))), None);
}
