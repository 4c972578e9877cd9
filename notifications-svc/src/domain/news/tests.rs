//! What is told of which event, and to whom.

use serde_json::json;
use shared_events::ledger::RejectReason;

use super::*;
use crate::domain::samples::{
    account, after, frozen, holder, leg, money, opened, posted_all, posted_legs, rejected,
    rejected_one, transfer,
};

/// Compares the news of an event: whose account, whether certain, and the facts.
fn check(event: &NotifiableEvent, then: &serde_json::Value) {
    let news: Vec<serde_json::Value> = news(event)
        .iter()
        .map(|news| {
            let told = serde_json::to_value(news.told()).expect("facts write plain JSON");
            assert_eq!(told["topic"], serde_json::to_value(news.topic()).expect("a topic"));
            json!([news.account_id.uuid().as_u128(), news.certain, told])
        })
        .collect();
    assert_eq!(json!(news), *then);
}

fn movement(direction: &str, balance: &str) -> serde_json::Value {
    json!({
        "topic": "transfer_posted",
        "transfer_id": "00000000-0000-0000-0000-000000000005",
        "direction": direction,
        "money": {"amount": "1234.50", "currency": "EUR"},
        "balance": balance,
        "reference": "Rent",
        "booking_date": "2026-11-22",
    })
}

#[test]
fn both_customers_of_a_transfer_hear_of_it_each_with_their_own_balance() {
    let sides = transfer(after(account(1), None, "-10"), after(account(2), None, "20.5"));
    let (debit, credit) = (movement("debit", "-10"), movement("credit", "20.5"));
    check(&posted_all(vec![sides]), &json!([[1, true, debit], [2, true, credit]]));
}

#[test]
fn the_banks_own_accounts_hear_of_nothing_and_are_named_to_the_other_side() {
    let salary = transfer(after(account(8), Some("cash"), "0"), after(account(2), None, "20.5"));
    let mut credit = movement("credit", "20.5");
    credit["counterparty"] = json!("cash");
    let own = transfer(after(account(8), Some("cash"), "0"), after(account(9), Some("fees"), "0"));
    check(&posted_all(vec![salary, own]), &json!([[2, true, credit]]));
}

#[test]
fn each_customer_of_a_transfer_with_legs_hears_of_their_own() {
    let (debit, credit) = (Direction::Debit, Direction::Credit);
    let event = posted_legs(vec![
        leg(after(account(1), None, "-10"), debit, "10"),
        leg(after(account(2), None, "7"), credit, "7"),
        leg(after(account(9), Some("fees"), "3"), credit, "3"),
    ]);
    let mut paid = movement("debit", "-10");
    paid["money"]["amount"] = json!("10.00");
    let mut got = movement("credit", "7");
    got["money"]["amount"] = json!("7.00");
    check(&event, &json!([[1, true, paid], [2, true, got]]));
}

#[test]
fn a_leg_names_the_banks_account_that_is_alone_on_the_other_side() {
    let event = posted_legs(vec![
        leg(after(account(1), None, "5"), Direction::Credit, "5"),
        leg(after(account(2), None, "5"), Direction::Credit, "5"),
        leg(after(account(8), Some("cash"), "-10"), Direction::Debit, "10"),
    ]);
    let mut got = movement("credit", "5");
    got["money"]["amount"] = json!("5.00");
    got["counterparty"] = json!("cash");
    check(&event, &json!([[1, true, got.clone()], [2, true, got]]));
}

#[test]
fn whoever_was_to_pay_hears_of_a_rejected_transfer() {
    let facts = json!({
        "topic": "transfer_rejected",
        "transfer_id": "00000000-0000-0000-0000-000000000005",
        "reason": "insufficient_funds",
        "money": {"amount": "50.00", "currency": "EUR"},
        "counterparty": "cash",
        "balance": "1.2",
    });
    check(&rejected(account(1), true), &json!([[1, true, facts]]));
}

#[test]
fn a_debtor_that_the_ledger_does_not_know_may_be_nobody() {
    let facts = json!({
        "topic": "transfer_rejected",
        "transfer_id": "00000000-0000-0000-0000-000000000005",
        "reason": "insufficient_funds",
        "money": {"amount": "50.00", "currency": "EUR"},
        "counterparty": "cash",
    });
    check(&rejected(account(1), false), &json!([[1, false, facts]]));
}

#[test]
fn the_bank_as_debtor_hears_of_nothing_by_code_or_by_id() {
    let by = |debtor, debtor_account| {
        rejected_one(RejectedTransfer {
            transfer_id: TransferId(account(5).uuid()),
            reason: RejectReason::AccountClosed,
            debtor,
            creditor: Party::AccountId(account(2)),
            money: money("50", "EUR"),
            debtor_account,
        })
    };
    let cash = after(account(8), Some("cash"), "0");
    check(&by(Party::Code(AccountCode("cash".to_owned())), None), &json!([]));
    check(&by(Party::Code(AccountCode("cash".to_owned())), Some(cash.clone())), &json!([]));
    check(&by(Party::AccountId(account(8)), Some(cash)), &json!([]));
}

#[test]
fn a_freeze_is_told_without_its_reason() {
    check(&frozen(account(1)), &json!([[1, true, {"topic": "account_frozen"}]]));
}

#[test]
fn an_opening_is_no_news() {
    check(&opened(account(1), holder("Ada")), &json!([]));
}
