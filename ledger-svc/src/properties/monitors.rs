//! Monitors: raised once for each crossing, and by nothing but postings.

use super::*;

fn pay(n: u128, debtor: Party, creditor: Party, amount: i64) -> Instruction {
    let money = Money::new(amount.into(), currency("EUR"));
    instruction(n, Kind::Transfer(Transfer { debtor, creditor, money, allow_partial: false }))
}

fn watched(condition: MonitorCondition) -> PostingState {
    let ada = customer(0);
    let monitor = Monitor::new(MonitorId(Uuid::from_u128(1)), ada, condition, Decimal::ZERO);
    let monitors = BTreeMap::from([(ada, vec![monitor])]);
    PostingState::new(Loaded { monitors, ..loaded(accounts()) })
}

/// Moves the balance by each of these amounts, and tells after which the monitor was raised.
fn raised_by(condition: MonitorCondition, moves: &[i64]) -> Vec<bool> {
    let (mut books, ada) = (watched(condition), Party::AccountId(customer(0)));
    let raised = (1..).zip(moves).map(|(n, amount)| {
        let one = match *amount > 0 {
            true => pay(n, own("cash"), ada.clone(), *amount),
            false => pay(n, ada.clone(), own("cash"), -amount),
        };
        books.submit(&author(), one, now());
        books.raised(id(n)).len() == 1
    });
    raised.collect()
}

#[test]
fn a_monitor_is_raised_once_for_each_crossing() {
    let amount = |units: i64| Amount(units.into());
    // 30, 19, 10, 20, 15: below 20 from the beginning, then not, then again.
    let below = raised_by(MonitorCondition::Below(amount(20)), &[30, -11, -9, 10, -5]);
    assert_eq!(below, [false, true, false, false, true]);
    // 50, 51, 60, 50, 70.
    let above = raised_by(MonitorCondition::Above(amount(50)), &[50, 1, 9, -10, 20]);
    assert_eq!(above, [false, true, false, false, true]);
    // 29, 30, 59, 60, 31, 30: measured from where it was raised last.
    let change = raised_by(MonitorCondition::ChangeBy(amount(30)), &[29, 1, 29, 1, -29, -1]);
    assert_eq!(change, [false, true, false, true, false, true]);
    // A rejected instruction moves no money.
    let rejected = raised_by(MonitorCondition::Above(amount(-1)), &[-10, 5]);
    assert_eq!(rejected, [false, false]);
}

#[test]
fn a_group_that_fails_raises_nothing_and_leaves_the_monitor_armed() {
    let mut books = watched(MonitorCondition::Above(Amount(50.into())));
    let ada = Party::AccountId(customer(0));
    let grouped = |item: Instruction| Instruction { group: Some(1), ..item };
    let good = grouped(pay(1, own("cash"), ada.clone(), 60));
    let bad = grouped(pay(2, ada.clone(), own("cash"), 100));
    books.submit_all(&author(), vec![good, bad], now());
    assert!(books.raised(id(1)).is_empty());
    books.submit(&author(), pay(3, own("cash"), ada, 60), now());
    assert_eq!(books.raised(id(3)).len(), 1);
}

#[test]
fn a_hold_raises_nothing_and_its_capture_does() {
    let mut books = watched(MonitorCondition::Below(Amount(50.into())));
    let (debtor, creditor) = (Party::AccountId(customer(0)), own("cash"));
    books.submit(&author(), pay(1, own("cash"), debtor.clone(), 60), now());
    let money = Money::new(40.into(), currency("EUR"));
    let hold = PlaceHold { debtor, creditor, money, allow_partial: false, expires_at: later(1) };
    books.submit(&author(), instruction(2, Kind::Hold(hold)), now());
    assert!(books.raised(id(2)).is_empty());
    let capture = Capture { hold_id: id(2), amount: None, keep_rest: false };
    books.submit(&author(), instruction(3, Kind::Capture(capture)), now());
    assert_eq!(books.raised(id(3)).len(), 1);
}
