//! Hosts that answer, hosts that hang, and whom that concerns.

use shared_events::ids::DeliveryId;
use uuid::Uuid;

use super::*;
use crate::samples::account;

const LIMITS: Limits = Limits { in_all: 12, apart: 6, slow: 2, per_place: 4, per_account: 3 };
const FAST: Duration = Duration::from_millis(20);
const HUNG: Duration = Duration::from_secs(10);

fn due(account_number: u128, place: &str) -> Candidate {
    let delivery_id = DeliveryId(Uuid::from_u128(account_number));
    Candidate { delivery_id, account_id: account(account_number), place: place.to_owned() }
}

/// How many of `count` deliveries of one account to a host are taken on.
fn admitted(traffic: &mut Traffic, count: usize, account_number: u128, place: &str) -> usize {
    let candidate = due(account_number, place);
    let now = Instant::now();
    std::iter::repeat_n(&candidate, count).filter(|it| traffic.admit(it, now)).count()
}

/// A host that has answered once, in this time.
fn known(traffic: &mut Traffic, place: &str, took: Duration) {
    assert_eq!(admitted(traffic, 1, 1_000, place), 1);
    traffic.ended(&due(1_000, place), took);
}

#[test]
fn an_account_and_a_host_have_a_cap() {
    let mut traffic = Traffic::new(LIMITS);
    known(&mut traffic, "a.example", FAST);
    assert_eq!(admitted(&mut traffic, 300, 1, "a.example"), 3, "of one account");
    assert_eq!(admitted(&mut traffic, 300, 2, "a.example"), 1, "of one host");
    let closed = traffic.closed(Instant::now());
    assert_eq!((closed.places, closed.accounts), (vec!["a.example".to_owned()], vec![account(1)]));
    traffic.ended(&due(1, "a.example"), FAST);
    assert_eq!(traffic.closed(Instant::now()), Closed::default());
    assert_eq!(admitted(&mut traffic, 300, 2, "a.example"), 1);
}

#[test]
fn a_host_that_hangs_gets_one_delivery_at_a_time_until_it_answers() {
    let mut traffic = Traffic::new(LIMITS);
    known(&mut traffic, "new.example", HUNG);
    assert_eq!(admitted(&mut traffic, 9, 1, "new.example"), 1, "a new one at once");
    known(&mut traffic, "old.example", FAST);
    for strike in 0..SLOW_IN_A_ROW_MAX {
        assert_eq!(admitted(&mut traffic, 9, 2, "old.example"), 3, "{strike}");
        traffic.release(&due(2, "old.example"));
        traffic.release(&due(2, "old.example"));
        traffic.ended(&due(2, "old.example"), HUNG);
    }
    assert_eq!(admitted(&mut traffic, 9, 2, "old.example"), 1, "a proven one after three");
    traffic.ended(&due(2, "old.example"), FAST);
    assert_eq!(admitted(&mut traffic, 9, 2, "old.example"), 3, "it answers again");
}

#[test]
fn hosts_that_hang_leave_slots_for_those_that_do_not() {
    let mut traffic = Traffic::new(LIMITS);
    known(&mut traffic, "good.example", FAST);
    let taken = (0..100).map(|n| admitted(&mut traffic, 1, n, &format!("{n}.example")));
    assert_eq!(taken.sum::<usize>(), LIMITS.apart);
    let closed = traffic.closed(Instant::now());
    assert_eq!(closed.all_but, Some(vec!["good.example".to_owned()]));
    assert_eq!(admitted(&mut traffic, 9, 500, "good.example"), 3);
    for n in 0..6 {
        traffic.ended(&due(n, &format!("{n}.example")), HUNG);
    }
    let taken = (0..6).map(|n| admitted(&mut traffic, 1, n, &format!("{n}.example")));
    assert_eq!(taken.sum::<usize>(), LIMITS.slow, "slow ones share what is theirs");
    let taken = (6..100).map(|n| admitted(&mut traffic, 1, n, &format!("{n}.example")));
    assert_eq!(taken.sum::<usize>(), LIMITS.apart - LIMITS.slow, "and new ones have their turn");
}

#[test]
fn no_more_are_under_way_than_there_are_slots() {
    let mut traffic = Traffic::new(LIMITS);
    for n in 0..6 {
        known(&mut traffic, &format!("{n}.example"), FAST);
    }
    let taken = (0..6).map(|n| admitted(&mut traffic, 9, n, &format!("{n}.example")));
    assert_eq!(taken.sum::<usize>(), LIMITS.in_all);
    assert_eq!(traffic.room(), 0);
}

#[test]
fn a_pause_concerns_one_account_and_ends() {
    let (mut traffic, now) = (Traffic::new(LIMITS), Instant::now());
    traffic.pause(account(1), now + FAST);
    assert!(!traffic.admit(&due(1, "a.example"), now));
    assert_eq!(traffic.closed(now).accounts, [account(1)]);
    assert!(traffic.admit(&due(2, "a.example"), now));
    assert_eq!(traffic.closed(now + FAST).accounts, []);
    assert!(traffic.admit(&due(1, "a.example"), now + FAST));
}

#[test]
fn memory_is_bounded_and_what_is_under_way_is_never_forgotten() {
    let mut traffic = Traffic::new(LIMITS);
    assert_eq!(admitted(&mut traffic, 1, 1, "busy.example"), 1);
    for n in 0..REMEMBERED_MAX + 5 {
        known(&mut traffic, &format!("{n}.example"), FAST);
    }
    assert!(traffic.known.len() <= REMEMBERED_MAX);
    assert_eq!(traffic.to_places.len(), 1);
    assert_eq!(traffic.to_places["busy.example"], 1);
    assert_eq!(traffic.to_accounts.len(), 1);
}
