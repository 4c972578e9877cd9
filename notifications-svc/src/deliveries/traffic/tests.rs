//! Hosts that answer and hosts that hang.

use shared_events::ids::DeliveryId;
use uuid::Uuid;

use super::*;
use crate::samples::account;

const LIMITS: TrafficLimits =
    TrafficLimits { total: 12, unproven: 6, slow: 2, per_host: 4, per_account: 3 };
const FAST: Duration = Duration::from_millis(20);
const HUNG: Duration = Duration::from_secs(10);

fn due(account_number: u128, host: &str) -> DueDelivery {
    let id = DeliveryId(Uuid::from_u128(account_number));
    DueDelivery { id, account_id: account(account_number), host: host.to_owned() }
}

/// Tries to admit `count` deliveries of one account to a host. Returns the number admitted.
fn admitted(traffic: &mut TrafficControl, count: usize, account_number: u128, host: &str) -> usize {
    let delivery = due(account_number, host);
    let now = Instant::now();
    std::iter::repeat_n(&delivery, count).filter(|delivery| traffic.admit(delivery, now)).count()
}

/// Lets a host answer once, in this time.
fn known(traffic: &mut TrafficControl, host: &str, took: Duration) {
    assert_eq!(admitted(traffic, 1, 1_000, host), 1);
    traffic.end(&due(1_000, host), took);
}

#[test]
fn an_account_and_a_host_have_a_cap() {
    let mut traffic = TrafficControl::new(LIMITS);
    known(&mut traffic, "a.example", FAST);
    assert_eq!(admitted(&mut traffic, 300, 1, "a.example"), 3, "of one account");
    assert_eq!(admitted(&mut traffic, 300, 2, "a.example"), 1, "of one host");
    let excluded = traffic.exclusions(Instant::now());
    assert_eq!(
        (excluded.hosts, excluded.accounts),
        (vec!["a.example".to_owned()], vec![account(1)])
    );
    traffic.end(&due(1, "a.example"), FAST);
    assert_eq!(traffic.exclusions(Instant::now()), Exclusions::default());
    assert_eq!(admitted(&mut traffic, 300, 2, "a.example"), 1);
}

#[test]
fn a_host_that_hangs_gets_one_delivery_at_a_time_until_it_answers() {
    let mut traffic = TrafficControl::new(LIMITS);
    known(&mut traffic, "new.example", HUNG);
    assert_eq!(admitted(&mut traffic, 9, 1, "new.example"), 1, "a new one at once");
    known(&mut traffic, "old.example", FAST);
    for strike in 0..SLOW_IN_A_ROW_MAX {
        assert_eq!(admitted(&mut traffic, 9, 2, "old.example"), 3, "{strike}");
        traffic.release(&due(2, "old.example"));
        traffic.release(&due(2, "old.example"));
        traffic.end(&due(2, "old.example"), HUNG);
    }
    assert_eq!(admitted(&mut traffic, 9, 2, "old.example"), 1, "a proven one after three");
    traffic.end(&due(2, "old.example"), FAST);
    assert_eq!(admitted(&mut traffic, 9, 2, "old.example"), 3, "the host answers again");
}

#[test]
fn hosts_that_hang_leave_slots_for_others() {
    let mut traffic = TrafficControl::new(LIMITS);
    known(&mut traffic, "good.example", FAST);
    let taken = (0..100).map(|n| admitted(&mut traffic, 1, n, &format!("{n}.example")));
    assert_eq!(taken.sum::<usize>(), LIMITS.unproven);
    let excluded = traffic.exclusions(Instant::now());
    assert_eq!(excluded.only_hosts, Some(vec!["good.example".to_owned()]));
    assert_eq!(admitted(&mut traffic, 9, 500, "good.example"), 3);
    for n in 0..6 {
        traffic.end(&due(n, &format!("{n}.example")), HUNG);
    }
    let taken = (0..6).map(|n| admitted(&mut traffic, 1, n, &format!("{n}.example")));
    assert_eq!(taken.sum::<usize>(), LIMITS.slow, "slow ones share what is theirs");
    let taken = (6..100).map(|n| admitted(&mut traffic, 1, n, &format!("{n}.example")));
    assert_eq!(taken.sum::<usize>(), LIMITS.unproven - LIMITS.slow, "and new ones have their turn");
}

#[test]
fn no_more_are_under_way_than_there_are_slots() {
    let mut traffic = TrafficControl::new(LIMITS);
    for n in 0..6 {
        known(&mut traffic, &format!("{n}.example"), FAST);
    }
    let taken = (0..6).map(|n| admitted(&mut traffic, 9, n, &format!("{n}.example")));
    assert_eq!(taken.sum::<usize>(), LIMITS.total);
    assert_eq!(traffic.free_slots(), 0);
}

#[test]
fn a_pause_concerns_one_account_and_ends() {
    let (mut traffic, now) = (TrafficControl::new(LIMITS), Instant::now());
    traffic.pause(account(1), now + FAST);
    assert!(!traffic.admit(&due(1, "a.example"), now));
    assert_eq!(traffic.exclusions(now).accounts, [account(1)]);
    assert!(traffic.admit(&due(2, "a.example"), now));
    assert_eq!(traffic.exclusions(now + FAST).accounts, []);
    assert!(traffic.admit(&due(1, "a.example"), now + FAST));
}

#[test]
fn memory_is_bounded_and_deliveries_under_way_are_never_forgotten() {
    let mut traffic = TrafficControl::new(LIMITS);
    assert_eq!(admitted(&mut traffic, 1, 1, "busy.example"), 1);
    for n in 0..REMEMBERED_MAX + 5 {
        known(&mut traffic, &format!("{n}.example"), FAST);
    }
    assert!(traffic.records.len() <= REMEMBERED_MAX);
    assert_eq!(traffic.to_hosts.len(), 1);
    assert_eq!(traffic.to_hosts["busy.example"], 1);
    assert_eq!(traffic.to_accounts.len(), 1);
}
