//! A list against the executed instructions under its id.

use super::*;
use crate::instruction_list::read;
use serde_json::{Value, json};
use shared_events::ledger::{Posted, RejectReason, Rejected};

const ID: MessageId = MessageId(Uuid::from_u128(1));

fn pay(amount: &str, bank: &str) -> Value {
    let money = json!({"amount": amount, "currency": "EUR"});
    let creditor = json!({"code": format!("settlement:{bank}")});
    let transfer = json!({"debtor": {"code": "cash"}, "creditor": creditor, "money": money});
    json!({"action": {"transfer": transfer}})
}

fn list(all: &[Value]) -> Vec<Listed> {
    read(json!(all).to_string().as_bytes(), ID).expect("a list of instructions")
}

fn ids(list: &[Listed]) -> Vec<TransferId> {
    list.iter().map(|listed| listed.instruction.transfer_id).collect()
}

fn record(instruction: &Instruction, outcome: InstructionOutcome) -> JournalRecord {
    let day = NaiveDate::from_ymd_opt(2026, 11, 30).expect("a day");
    JournalRecord {
        author: None,
        instruction: instruction.clone(),
        command_id: ID,
        decided_at: DateTime::UNIX_EPOCH,
        booking_date: day,
        value_date: day,
        outcome,
    }
}

fn posted(listed: &Listed) -> JournalRecord {
    let posted = Posted { legs: vec![], hold: None, reverses: None };
    record(&listed.instruction, InstructionOutcome::Posted(posted))
}

fn rejected(listed: &Listed) -> JournalRecord {
    let rejected = Rejected { reason: RejectReason::InsufficientFunds.into(), account: None };
    record(&listed.instruction, InstructionOutcome::Rejected(rejected))
}

#[test]
fn what_was_sent_by_its_place_keeps_its_id() {
    let first = [pay("1", "AA"), pay("2", "BB"), pay("2", "BB"), pay("3", "CC")];
    let by_place = |place| id_by_place(ID, place);
    let mut sent = list(&first);
    for (place, listed) in sent.iter_mut().enumerate() {
        listed.instruction.transfer_id = by_place(place);
    }
    let mut now = list(&[pay("3", "CC"), pay("9", "DD"), pay("2", "BB"), pay("1", "AA")]);
    let new = now[1].instruction.transfer_id;
    let gone = settle(sent.iter().map(posted).collect(), &mut now);
    assert_eq!(ids(&now), [by_place(3), new, by_place(1), by_place(0)]);
    assert_eq!(gone, [posted(&sent[2])]);
}

#[test]
fn a_new_instruction_in_the_place_of_one_that_was_carried_out_is_told() {
    let was = list(&[pay("1", "AA"), pay("2", "BB")]);
    for (now, expected) in [
        (pay("1.50", "AA"), vec!["instructions[0]: amount was 1.00 EUR, is 1.50 EUR"]),
        // Nobody was paid this before.
        (pay("1", "CC"), vec![]),
    ] {
        let now = list(&[now]);
        let gone: Vec<JournalRecord> = was.iter().map(posted).collect();
        assert_eq!(changed(&gone, &now, &[0]), expected);
        // An instruction on which the ledger decided has its outcome.
        assert_eq!(changed(&gone, &now, &[]), [""; 0]);
        // A rejected instruction moved nothing.
        let gone: Vec<JournalRecord> = was.iter().map(rejected).collect();
        assert_eq!(changed(&gone, &now, &[0]), [""; 0]);
    }
}

#[test]
fn a_list_is_looked_for_from_a_week_before_its_id_was_made() {
    let now = "2026-11-30T00:00:00Z".parse().expect("an instant");
    // A UUIDv7 of 2025-11-22, and one of the year 2039.
    let past = "019aa9a5-0000-7000-8000-000000000000".parse().expect("an id");
    let future = "01ffa9a5-0000-7000-8000-000000000000".parse().expect("an id");
    let since = |id| sent_since(id, now).map(|instant| instant.date_naive().to_string());
    assert_eq!(since(past).as_deref(), Some("2025-11-15"));
    assert_eq!(since(future).as_deref(), Some("2026-11-23"));
    assert_eq!(since(ID), None);
}
