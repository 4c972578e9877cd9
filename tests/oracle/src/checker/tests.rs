//! The checker on a small test ledger. Promise: right evidence is explained, and every
//! falsification is found.

use chrono::TimeDelta;
use serde_json::Value;
use shared_events::{
    Amount, Envelope, MessageId,
    accounts::{AccountFrozen, Blocks},
    ledger::JournalRecord,
};

use crate::model::changes::AccountEvent;
use test_ledger::{ALICE, BOB, TestLedger, capture, hold, of, pay, transfer_id};

use super::{Evidence, check};

mod test_ledger;

/// The error of the checker for a ledger whose evidence was falsified.
fn found(edit: impl FnOnce(&mut Evidence)) -> String {
    let mut evidence = TestLedger::with_payments().evidence();
    check(&evidence).expect("the evidence is right before the change");
    edit(&mut evidence);
    error_of(&evidence)
}

fn error_of(evidence: &Evidence) -> String {
    format!("{:#}", check(evidence).expect_err("something is to be found"))
}

fn expect(error: &str, part: &str) {
    assert!(error.contains(part), "not {part:?}, but: {error}");
}

/// Which event tells of an instruction first.
fn event_of(evidence: &Evidence, n: u128) -> usize {
    let id = transfer_id(n).to_string();
    let told = |event: &Envelope<Value>| event.data["transfers"][0]["transfer_id"] == id.as_str();
    evidence.events.iter().position(told).expect("an event announces the instruction")
}

/// Rewrites the event and the record of an instruction alike.
fn rewrite(evidence: &mut Evidence, n: u128, from: &str, to: &str) {
    let stored = evidence.journal.iter_mut().find(|record| record.transfer_id == transfer_id(n));
    let stored = &mut stored.expect("the instruction was decided").record;
    assert!(stored.contains(from), "{stored}");
    *stored = stored.replace(from, to);
    let event = event_of(evidence, n);
    let told = evidence.events[event].data.to_string().replace(from, to);
    evidence.events[event].data = serde_json::from_str(&told).expect("JSON writes as JSON");
}

#[test]
fn the_right_story_is_explained_and_counted() {
    let tally = check(&TestLedger::with_payments().evidence()).expect("the evidence is right");
    let count = |what: &str| tally.get(what).copied();
    assert_eq!(count("transfer posted"), Some(4));
    assert_eq!(count("transfer insufficient_funds"), Some(1));
    assert_eq!((count("hold held"), count("capture posted")), (Some(1), Some(1)));
}

#[test]
fn a_lost_event_is_missed() {
    let error = found(|evidence| drop(evidence.events.remove(event_of(evidence, 4))));
    expect(&error, "no event tells of");
}

#[test]
fn the_same_event_again_is_none_and_the_same_outcome_in_another_is_one_too_many() {
    let mut evidence = TestLedger::with_payments().evidence();
    let twin = evidence.events[event_of(&evidence, 4)].clone();
    evidence.events.push(twin.clone());
    check(&evidence).expect("the event came twice under one id");
    evidence.events.push(Envelope { id: MessageId::new(), ..twin });
    expect(&error_of(&evidence), "was announced twice");
}

#[test]
fn a_swapped_outcome_is_found() {
    let error = found(|evidence| {
        let (one, other) = (event_of(evidence, 3), event_of(evidence, 4));
        let data = evidence.events[one].data["transfers"][0]["debtor"].clone();
        evidence.events[other].data["transfers"][0]["debtor"] = data;
    });
    expect(&error, "was told of");
}

#[test]
fn the_rest_of_a_hold_is_told_of() {
    let error = found(|evidence| {
        let rest = |event: &Envelope<Value>| event.kind == "ledger.holds.released.v1";
        evidence.events.retain(|event| !rest(event));
    });
    expect(&error, "None was told of");
}

#[test]
fn a_lost_record_leaves_a_gap() {
    expect(&found(|evidence| drop(evidence.journal.remove(1))), "chain 0 goes from 1 to 3");
}

#[test]
fn what_was_never_decided_is_found() {
    let error = found(|evidence| {
        evidence.commands[0].instructions.push(pay(9, of(ALICE), of(BOB), 1));
    });
    expect(&error, "was never decided");
}

#[test]
fn a_wrong_balance_that_all_agree_on_is_found() {
    let error = found(|evidence| rewrite(evidence, 3, r#""balance":"70""#, r#""balance":"71""#));
    expect(&error, "the model says");
}

#[test]
fn a_wrong_reason_is_found() {
    let error = found(|evidence| rewrite(evidence, 5, "insufficient_funds", "daily_limit"));
    expect(&error, "the model says");
}

#[test]
fn a_version_that_is_left_out_is_found() {
    let error = found(|evidence| rewrite(evidence, 7, r#""version":6"#, r#""version":7"#));
    expect(&error, "the model says");
}

#[test]
fn a_version_that_two_have_written_is_found() {
    let error = found(|evidence| rewrite(evidence, 4, r#""version":4"#, r#""version":3"#));
    expect(&error, "was written twice");
}

/// One was first on Alice's account, the other on Bob's.
#[test]
fn what_no_order_explains_is_found() {
    let mut ledger = TestLedger::funded();
    ledger.submit(2, vec![pay(3, of(ALICE), of(BOB), 30)]);
    ledger.submit(3, vec![pay(4, of(ALICE), of(BOB), 20)]);
    let mut evidence = ledger.evidence();
    for (n, from, to) in [(3, 3, 4), (4, 4, 3)] {
        let bob = |version: i64| format!(r#""version":{version}}},"direction":"credit""#);
        let stored =
            evidence.journal.iter_mut().find(|record| record.transfer_id == transfer_id(n));
        let stored = &mut stored.expect("the instruction was decided").record;
        assert!(stored.contains(&bob(from)), "{stored}");
        *stored = stored.replace(&bob(from), &bob(to));
        let event = event_of(&evidence, n);
        evidence.events[event].data["transfers"][0]["creditor"]["version"] = to.into();
    }
    expect(&error_of(&evidence), "no order explains");
}

#[test]
fn what_is_on_the_accounts_in_the_end_is_compared() {
    let error = found(|evidence| evidence.balances[0].pending_credits = Amount(1.into()));
    expect(&error, "the ledger BalanceFound");
    let error = found(|evidence| evidence.trial_balance[0].accounts = 3);
    expect(&error, "the model sums up to");
}

#[test]
fn an_answer_that_differs_from_the_event_is_found() {
    let answered = |edit: fn(&mut Envelope<Value>)| {
        move |evidence: &mut Evidence| {
            let mut answer = evidence.events[event_of(evidence, 3)].clone();
            edit(&mut answer);
            let command = answer.causationid.expect("a command caused the answer");
            evidence.answers.push((command, vec![answer]));
        }
    };
    let mut evidence = TestLedger::with_payments().evidence();
    answered(|_| ())(&mut evidence);
    check(&evidence).expect("the answer is the event");
    let other =
        |event: &mut Envelope<Value>| event.data["transfers"][0]["money"]["amount"] = "31".into();
    expect(&found(answered(other)), "was answered otherwise");
}

#[test]
fn other_content_under_an_id_has_to_be_told() {
    let mut ledger = TestLedger::funded();
    ledger.submit(2, vec![pay(3, of(ALICE), of(BOB), 30)]);
    ledger.submit(3, vec![pay(3, of(ALICE), of(BOB), 31)]);
    let mut evidence = ledger.evidence();
    let tally = check(&evidence).expect("the conflict was announced");
    assert_eq!(tally["conflicts"], 1);
    evidence.events.pop();
    expect(&error_of(&evidence), "is other content was not told");
}

/// A capture that did not see the hold that was placed a moment before, but after it had looked.
#[test]
fn who_did_not_see_something_comes_before_it_whatever_the_clock_says() {
    let mut ledger = TestLedger::funded();
    ledger.submit(2, vec![capture(4, 3)]);
    ledger.submit(3, vec![hold(3)]);
    let mut evidence = ledger.evidence();
    let later = |record: &str| {
        let mut record: JournalRecord = serde_json::from_str(record).expect("a record");
        record.decided_at += TimeDelta::seconds(5);
        serde_json::to_string(&record).expect("JSON writes as JSON")
    };
    let unseen = evidence.journal.iter_mut().find(|record| record.transfer_id == transfer_id(4));
    let unseen = unseen.expect("the instruction was decided");
    unseen.record = later(&unseen.record);
    check(&evidence).expect("nobody saw half of anything");
}

/// Announces a freeze, and then submits one transfer of Alice's for each of these outcomes. The
/// last one is submitted behind the freeze if `behind` says so.
fn frozen(outcomes: &[bool], behind: bool) -> Evidence {
    let mut ledger = TestLedger::funded();
    let (reason, blocks) = ("asked by the police".to_owned(), Blocks::Debits);
    let freeze =
        AccountFrozen { account_id: ALICE, reason, blocks, previous_blocks: None, version: 2 };
    let (id, version, freeze) = ledger.announce(freeze);
    for ((n, is_posted), newer) in outcomes.iter().enumerate().zip(version..) {
        let heeded = if *is_posted { AccountEvent::Unfrozen } else { freeze.clone() };
        // The ledger of this ledger heeds what it likes; older versions it would ignore.
        ledger.follow((id, newer, heeded));
        let is_last = n + 1 == outcomes.len();
        let n = 3 + n as u128;
        let behind = (behind && is_last).then_some((id, version));
        ledger.submit_behind(n, behind, vec![pay(n, of(ALICE), of(BOB), 1)]);
    }
    ledger.evidence()
}

#[test]
fn a_freeze_may_be_followed_late_but_not_be_forgotten_nor_come_after_what_waited_behind_it() {
    check(&frozen(&[true, false, false], false)).expect("the freeze was followed after the first");
    check(&frozen(&[true, false, false], true)).expect("the freeze was followed by the last");
    expect(&error_of(&frozen(&[true, true], true)), "the model says");
    expect(&error_of(&frozen(&[true, false, true], false)), "the model says");
}
