//! The checker on small stories. Promise: the right story is explained, and whatever is doctored in
//! it is found.

use chrono::TimeDelta;
use serde_json::Value;
use shared_events::{
    Amount, Envelope, MessageId,
    accounts::{AccountFrozen, Blocks},
    ledger::JournalRecord,
};

use crate::model::changes::AccountEvent;
use story::{ALICE, BOB, Story, capture, hold, of, pay, transfer_id};

use super::{Evidence, check};

mod story;

/// What the checker finds in a story that was doctored.
fn found(edit: impl FnOnce(&mut Evidence)) -> String {
    let mut evidence = Story::told().ended();
    check(&evidence).expect("before it is doctored, the story is right");
    edit(&mut evidence);
    said_of(&evidence)
}

fn said_of(evidence: &Evidence) -> String {
    format!("{:#}", check(evidence).expect_err("something is to be found"))
}

fn expect(said: &str, part: &str) {
    assert!(said.contains(part), "not {part:?}, but: {said}");
}

/// Which event tells of an instruction first.
fn event_of(evidence: &Evidence, n: u128) -> usize {
    let id = transfer_id(n).to_string();
    let told = |it: &Envelope<Value>| it.data["transfers"][0]["transfer_id"] == id.as_str();
    evidence.events.iter().position(told).expect("it was told of")
}

/// Changes what is told of an instruction and what is stored of it alike.
fn rewrite(evidence: &mut Evidence, n: u128, from: &str, to: &str) {
    let stored = evidence.journal.iter_mut().find(|it| it.transfer_id == transfer_id(n));
    let stored = &mut stored.expect("it was decided").record;
    assert!(stored.contains(from), "{stored}");
    *stored = stored.replace(from, to);
    let event = event_of(evidence, n);
    let told = evidence.events[event].data.to_string().replace(from, to);
    evidence.events[event].data = serde_json::from_str(&told).expect("it is JSON again");
}

#[test]
fn the_right_story_is_explained_and_counted() {
    let tally = check(&Story::told().ended()).expect("it is right");
    let count = |what: &str| tally.get(what).copied();
    assert_eq!(count("transfer posted"), Some(4));
    assert_eq!(count("transfer insufficient_funds"), Some(1));
    assert_eq!((count("hold held"), count("capture posted")), (Some(1), Some(1)));
}

#[test]
fn a_lost_event_is_missed() {
    let said = found(|it| drop(it.events.remove(event_of(it, 4))));
    expect(&said, "no event tells of");
}

#[test]
fn the_same_event_again_is_none_and_the_same_outcome_in_another_is_one_too_many() {
    let mut evidence = Story::told().ended();
    let twin = evidence.events[event_of(&evidence, 4)].clone();
    evidence.events.push(twin.clone());
    check(&evidence).expect("it came twice under one id");
    evidence.events.push(Envelope { id: MessageId::new(), ..twin });
    expect(&said_of(&evidence), "was announced twice");
}

#[test]
fn a_swapped_outcome_is_found() {
    let said = found(|it| {
        let (one, other) = (event_of(it, 3), event_of(it, 4));
        let data = it.events[one].data["transfers"][0]["debtor"].clone();
        it.events[other].data["transfers"][0]["debtor"] = data;
    });
    expect(&said, "was told of");
}

#[test]
fn the_rest_of_a_hold_is_told_of() {
    let said = found(|it| {
        let rest = |it: &Envelope<Value>| it.kind == "ledger.holds.released.v1";
        it.events.retain(|it| !rest(it));
    });
    expect(&said, "None was told of");
}

#[test]
fn a_lost_record_leaves_a_gap() {
    expect(&found(|it| drop(it.journal.remove(1))), "chain 0 goes from 1 to 3");
}

#[test]
fn what_was_never_decided_is_found() {
    let said = found(|it| {
        it.commands[0].instructions.push(pay(9, of(ALICE), of(BOB), 1));
    });
    expect(&said, "was never decided");
}

#[test]
fn a_wrong_balance_that_all_agree_on_is_found() {
    let said = found(|it| rewrite(it, 3, r#""balance":"70""#, r#""balance":"71""#));
    expect(&said, "the model says");
}

#[test]
fn a_wrong_reason_is_found() {
    let said = found(|it| rewrite(it, 5, "insufficient_funds", "daily_limit"));
    expect(&said, "the model says");
}

#[test]
fn a_version_that_is_left_out_is_found() {
    let said = found(|it| rewrite(it, 7, r#""version":6"#, r#""version":7"#));
    expect(&said, "the model says");
}

#[test]
fn a_version_that_two_have_written_is_found() {
    let said = found(|it| rewrite(it, 4, r#""version":4"#, r#""version":3"#));
    expect(&said, "was written twice");
}

/// One was first on Alice's account, the other on Bob's.
#[test]
fn what_no_order_explains_is_found() {
    let mut story = Story::begun();
    story.asks(2, vec![pay(3, of(ALICE), of(BOB), 30)]);
    story.asks(3, vec![pay(4, of(ALICE), of(BOB), 20)]);
    let mut evidence = story.ended();
    for (n, from, to) in [(3, 3, 4), (4, 4, 3)] {
        let bob = |version: i64| format!(r#""version":{version}}},"direction":"credit""#);
        let stored = evidence.journal.iter_mut().find(|it| it.transfer_id == transfer_id(n));
        let stored = &mut stored.expect("it was decided").record;
        assert!(stored.contains(&bob(from)), "{stored}");
        *stored = stored.replace(&bob(from), &bob(to));
        let event = event_of(&evidence, n);
        evidence.events[event].data["transfers"][0]["creditor"]["version"] = to.into();
    }
    expect(&said_of(&evidence), "no order explains");
}

#[test]
fn what_is_on_the_accounts_in_the_end_is_compared() {
    let said = found(|it| it.balances[0].pending_credits = Amount(1.into()));
    expect(&said, "the ledger BalanceFound");
    let said = found(|it| it.trial_balance[0].accounts = 3);
    expect(&said, "the model sums up to");
}

#[test]
fn an_answer_that_differs_from_the_event_is_found() {
    let answered = |edit: fn(&mut Envelope<Value>)| {
        move |it: &mut Evidence| {
            let mut answer = it.events[event_of(it, 3)].clone();
            edit(&mut answer);
            let command = answer.causationid.expect("a command led to it");
            it.answers.push((command, vec![answer]));
        }
    };
    let mut evidence = Story::told().ended();
    answered(|_| ())(&mut evidence);
    check(&evidence).expect("it is the event");
    let other = |it: &mut Envelope<Value>| it.data["transfers"][0]["money"]["amount"] = "31".into();
    expect(&found(answered(other)), "was answered otherwise");
}

#[test]
fn other_content_under_an_id_has_to_be_told() {
    let mut story = Story::begun();
    story.asks(2, vec![pay(3, of(ALICE), of(BOB), 30)]);
    story.asks(3, vec![pay(3, of(ALICE), of(BOB), 31)]);
    let mut evidence = story.ended();
    let tally = check(&evidence).expect("it was told");
    assert_eq!(tally["conflicts"], 1);
    evidence.events.pop();
    expect(&said_of(&evidence), "is other content was not told");
}

/// A capture that did not see the hold that was placed a moment before, but after it had looked.
#[test]
fn who_did_not_see_something_comes_before_it_whatever_the_clock_says() {
    let mut story = Story::begun();
    story.asks(2, vec![capture(4, 3)]);
    story.asks(3, vec![hold(3)]);
    let mut evidence = story.ended();
    let later = |record: &str| {
        let mut record: JournalRecord = serde_json::from_str(record).expect("a record");
        record.decided_at += TimeDelta::seconds(5);
        serde_json::to_string(&record).expect("it is JSON again")
    };
    let unseen = evidence.journal.iter_mut().find(|it| it.transfer_id == transfer_id(4));
    let unseen = unseen.expect("it was decided");
    unseen.record = later(&unseen.record);
    check(&evidence).expect("nobody saw half of anything");
}

/// The freeze is announced, and then: what comes of each of these transfers of Alice's, in turn.
/// The last is sent behind the freeze where that is asked.
fn frozen(outcomes: &[bool], behind: bool) -> Evidence {
    let mut story = Story::begun();
    let (reason, blocks) = ("asked by the police".to_owned(), Blocks::Debits);
    let freeze =
        AccountFrozen { account_id: ALICE, reason, blocks, previous_blocks: None, version: 2 };
    let (id, version, freeze) = story.announced(freeze);
    for ((n, is_posted), newer) in outcomes.iter().enumerate().zip(version..) {
        let heeded = if *is_posted { AccountEvent::Unfrozen } else { freeze.clone() };
        // The ledger of this story heeds what it likes; older versions it would ignore.
        story.follows((id, newer, heeded));
        let is_last = n + 1 == outcomes.len();
        let n = 3 + n as u128;
        let behind = (behind && is_last).then_some((id, version));
        story.asks_behind(n, behind, vec![pay(n, of(ALICE), of(BOB), 1)]);
    }
    story.ended()
}

#[test]
fn a_freeze_may_be_followed_late_but_not_be_forgotten_nor_come_after_what_waited_behind_it() {
    check(&frozen(&[true, false, false], false)).expect("it was followed after the first");
    check(&frozen(&[true, false, false], true)).expect("it was followed by the last");
    expect(&said_of(&frozen(&[true, true], true)), "the model says");
    expect(&said_of(&frozen(&[true, false, true], false)), "the model says");
}
