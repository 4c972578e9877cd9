//! What is told of which event, and to whom.

use super::*;
use crate::samples::{
    account, after, frozen, frozen_again, frozen_for, given_back, held, holder, leg, money, opened,
    posted_all, posted_legs, rejected, rejected_one, transfer,
};
use serde_json::json;
use shared_events::ledger::HoldAfter;

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
fn whoever_is_to_pay_hears_of_a_hold_and_of_its_end_without_payment() {
    let mut debtor = after(account(1), None, "100");
    debtor.available = "87.5".parse().ok();
    let placed = json!({
        "topic": "transfer_held",
        "transfer_id": "00000000-0000-0000-0000-000000000005",
        "money": {"amount": "12.50", "currency": "EUR"},
        "counterparty": "cards",
        "available": "87.5",
        "expires_at": "2026-11-29T10:00:00Z",
        "reference": "Hotel",
    });
    check(&held(debtor.clone()), &json!([[1, true, placed]]));
    for (cause, name) in [(ReleaseCause::Released, "released"), (ReleaseCause::Expired, "expired")]
    {
        let ended = json!({
            "topic": "hold_released",
            "transfer_id": "00000000-0000-0000-0000-000000000007",
            "hold_id": "00000000-0000-0000-0000-000000000005",
            "cause": name,
            "money": {"amount": "12.50", "currency": "EUR"},
            "counterparty": "cards",
            "available": "87.5",
        });
        check(&given_back(debtor.clone(), cause), &json!([[1, true, ended]]));
    }
    check(&given_back(debtor, ReleaseCause::Captured), &json!([]));
    check(&held(after(account(9), Some("fees"), "0")), &json!([]));
}

#[test]
fn a_reversal_a_capture_and_an_exchange_are_told_as_such() {
    let (one, two) = (after(account(1), None, "-10"), after(account(2), None, "20.5"));
    let mut back = transfer(one.clone(), two.clone());
    back.reverses = Some(TransferId(account(4).uuid()));
    let mut captured = transfer(one, two);
    captured.hold = Some(HoldAfter {
        hold_id: TransferId(account(3).uuid()),
        remaining: "0".parse().expect("an amount"),
        released: "0".parse().expect("an amount"),
    });
    let event = posted_all(vec![back, captured]);
    let told: Vec<_> = news(&event).iter().map(|it| serde_json::json!(it.told())).collect();
    let id = |n: u128| json!(account(n));
    assert_eq!((&told[0]["reverses"], &told[1]["reverses"]), (&id(4), &id(4)));
    assert_eq!((&told[2]["hold_id"], &told[3]["hold_id"]), (&id(3), &id(3)));

    let (debit, credit) = (Direction::Debit, Direction::Credit);
    let mut event = posted_legs(vec![
        leg(after(account(8), Some("fx_position"), "-10.004"), debit, "10.004"),
        leg(after(account(2), None, "7"), credit, "10"),
        leg(after(account(9), Some("fx_rounding"), "0.004"), credit, "0.004"),
    ]);
    let NotifiableEvent::Legs(legs) = &mut event else { panic!("it has legs") };
    legs.transfers[0].rate = "25.1".parse().ok();
    let told = json!(news(&event)[0].told());
    assert_eq!((&told["rate"], &told["counterparty"]), (&json!("25.1"), &json!("fx_position")));
}

#[test]
fn a_freeze_is_told_without_its_reason() {
    check(&frozen(account(1)), &json!([[1, true, {"topic": "account_frozen"}]]));
    let debits = json!({"topic": "account_frozen", "blocks": "debits"});
    check(&frozen_for(account(1), Blocks::Debits), &json!([[1, true, debits]]));
    // Wider or narrower is news; another reason is not.
    for previous in [Blocks::Both, Blocks::Credits] {
        let changed = frozen_again(account(1), Some(previous), Blocks::Debits);
        check(&changed, &json!([[1, true, debits]]));
    }
    let same = frozen_again(account(1), Some(Blocks::Debits), Blocks::Debits);
    check(&same, &json!([]));
}

#[test]
fn an_opening_is_no_news() {
    check(&opened(account(1), holder("Ada")), &json!([]));
}
