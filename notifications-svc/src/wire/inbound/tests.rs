//! The triggers of each kind of event, and the codes of the contract.

use serde_json::json;
use shared_events::{
    TransferId,
    accounts::Blocks,
    ledger::{AccountCode, Direction, HoldAfter, RejectReason, ReleaseCause},
    message::MessageSet,
    topology::{NOTIFICATIONS_COMMANDS, NOTIFICATIONS_EVENTS, NOTIFICATIONS_QUERIES},
};

use super::{
    samples::{
        after, frozen, frozen_again, frozen_for, held, holder, holder_current, holder_updated, leg,
        opened, posted_all, posted_legs, rejected, rejected_one, released, transfer,
    },
    *,
};
use crate::{
    letters,
    samples::{account, iban, money},
};

#[test]
fn each_set_has_the_types_that_its_queue_carries() {
    assert_eq!(NotifiableEvent::TYPES, NOTIFICATIONS_EVENTS.types);
    assert_eq!(NotificationsCommand::TYPES, NOTIFICATIONS_COMMANDS.types);
    assert_eq!(NotificationsQuery::TYPES, NOTIFICATIONS_QUERIES.types);
}

#[test]
fn every_reason_code_of_the_contract_has_a_text_in_every_language() {
    for reason in RejectReason::ALL {
        assert!(letters::has_text_for_reason(reason.as_str()), "{}", reason.as_str());
    }
}

#[test]
fn an_opening_and_an_update_describe_the_holder() {
    let opened = profile(&opened(account(1), holder("Ada"))).expect("a holder");
    assert_eq!((opened.name.as_str(), opened.version), ("Ada", 1));
    assert_eq!(opened.iban, Some(iban()));
    let updated = profile(&holder_updated(account(1), holder("Ada King"), 3)).expect("a holder");
    assert_eq!((updated.name.as_str(), updated.version, updated.iban), ("Ada King", 3, None));
    let current = profile(&holder_current(account(1), holder("Ada King"), 3)).expect("a holder");
    assert_eq!(current, RecipientProfile { iban: Some(iban()), ..updated });
    assert_eq!(profile(&frozen(account(1))), None);
}

/// Compares the triggers of an event: account, whether the account is certain, and payload.
fn check(event: &NotifiableEvent, then: &serde_json::Value) {
    let triggers: Vec<serde_json::Value> = triggers(event)
        .iter()
        .map(|trigger| {
            let payload = serde_json::to_value(&trigger.payload).expect("plain JSON");
            assert_eq!(payload["topic"], trigger.topic().as_str());
            json!([trigger.account_id.uuid().as_u128(), trigger.is_certain, payload])
        })
        .collect();
    assert_eq!(json!(triggers), *then);
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
fn both_customers_of_a_transfer_are_notified_each_with_their_own_balance() {
    let sides = transfer(after(account(1), None, "-10"), after(account(2), None, "20.5"));
    let (debit, credit) = (movement("debit", "-10"), movement("credit", "20.5"));
    check(&posted_all(vec![sides]), &json!([[1, true, debit], [2, true, credit]]));
}

#[test]
fn internal_accounts_are_not_notified_and_are_named_to_the_other_side() {
    let salary = transfer(after(account(8), Some("cash"), "0"), after(account(2), None, "20.5"));
    let mut credit = movement("credit", "20.5");
    credit["counterparty"] = json!("cash");
    let own = transfer(after(account(8), Some("cash"), "0"), after(account(9), Some("fees"), "0"));
    check(&posted_all(vec![salary, own]), &json!([[2, true, credit]]));
}

#[test]
fn each_customer_of_a_transfer_with_legs_is_notified_of_their_own_leg() {
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
fn a_leg_names_the_internal_account_that_is_alone_on_the_other_side() {
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
fn the_debtor_is_notified_of_a_rejected_transfer() {
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
fn a_debtor_whom_the_ledger_does_not_know_may_not_exist() {
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
fn the_bank_as_debtor_is_not_notified_by_code_or_by_id() {
    let by = |debtor, debtor_account| {
        rejected_one(ledger_contract::RejectedTransfer {
            transfer_id: TransferId(account(5).uuid()),
            reason: RejectReason::AccountClosed.into(),
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
fn the_debtor_is_notified_of_a_hold_and_of_its_end_without_payment() {
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
        check(&released(debtor.clone(), cause), &json!([[1, true, ended]]));
    }
    check(&released(debtor, ReleaseCause::Captured), &json!([]));
    check(&held(after(account(9), Some("fees"), "0")), &json!([]));
}

#[test]
fn a_reversal_a_capture_and_an_exchange_are_named_as_such() {
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
    let payloads: Vec<_> = triggers(&event).iter().map(|trigger| json!(trigger.payload)).collect();
    let id = |n: u128| json!(account(n));
    assert_eq!((&payloads[0]["reverses"], &payloads[1]["reverses"]), (&id(4), &id(4)));
    assert_eq!((&payloads[2]["hold_id"], &payloads[3]["hold_id"]), (&id(3), &id(3)));

    let (debit, credit) = (Direction::Debit, Direction::Credit);
    let mut event = posted_legs(vec![
        leg(after(account(8), Some("fx_position"), "-10.004"), debit, "10.004"),
        leg(after(account(2), None, "7"), credit, "10"),
        leg(after(account(9), Some("fx_rounding"), "0.004"), credit, "0.004"),
    ]);
    let NotifiableEvent::Legs(legs) = &mut event else { panic!("an event with legs") };
    legs.transfers[0].rate = "25.1".parse().ok();
    let payload = json!(triggers(&event)[0].payload);
    assert_eq!(
        (&payload["rate"], &payload["counterparty"]),
        (&json!("25.1"), &json!("fx_position"))
    );
}

#[test]
fn a_freeze_is_notified_without_its_reason() {
    check(&frozen(account(1)), &json!([[1, true, {"topic": "account_frozen"}]]));
    let debits = json!({"topic": "account_frozen", "blocks": "debits"});
    check(&frozen_for(account(1), Blocks::Debits), &json!([[1, true, debits]]));
    // A wider or narrower freeze is notified; another reason is not.
    for previous in [Blocks::Both, Blocks::Credits] {
        let changed = frozen_again(account(1), Some(previous), Blocks::Debits);
        check(&changed, &json!([[1, true, debits]]));
    }
    let same = frozen_again(account(1), Some(Blocks::Debits), Blocks::Debits);
    check(&same, &json!([]));
}

#[test]
fn an_opening_notifies_nobody() {
    check(&opened(account(1), holder("Ada")), &json!([]));
}

/// A golden event with a code of a later ledger, as this version of the service decodes the event.
fn decoded(kind: &str, golden: &str, code: &str) -> NotifiableEvent {
    let mut envelope: serde_json::Value = serde_json::from_str(golden).expect("a golden file");
    *envelope["data"].pointer_mut(code).expect("the event has a code") = json!("of_tomorrow");
    NotifiableEvent::decode(kind, &envelope["data"].to_string()).expect("a known event")
}

/// Checks that a payload has the code, and is read again from the database as it was.
fn has_code(payload: &NotificationPayload<'_>, field: &str) {
    let stored = json!(payload);
    assert_eq!(stored[field], "of_tomorrow");
    let read: NotificationPayload = serde_json::from_value(stored).expect("a stored payload");
    assert_eq!(read, *payload);
}

#[test]
fn a_rejection_for_a_reason_of_a_later_ledger_is_notified_with_its_code() {
    const GOLDEN: &str =
        include_str!("../../../../shared-events/tests/golden/ledger.transfers.rejected.v1.json");
    let event = decoded("ledger.transfers.rejected.v1", GOLDEN, "/transfers/0/reason");
    let triggers = triggers(&event);
    assert_eq!(triggers[0].topic().as_str(), "transfer_rejected");
    has_code(&triggers[0].payload, "reason");
}

#[test]
fn a_hold_that_ended_for_a_cause_of_a_later_ledger_is_notified_with_its_code() {
    const GOLDEN: &str =
        include_str!("../../../../shared-events/tests/golden/ledger.holds.released.v1.json");
    let event = decoded("ledger.holds.released.v1", GOLDEN, "/holds/0/released/cause");
    let triggers = triggers(&event);
    assert_eq!(triggers[0].topic().as_str(), "hold_released");
    has_code(&triggers[0].payload, "cause");
}
