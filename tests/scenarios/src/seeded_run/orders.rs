//! Standing orders on the days that the ledger's clock reaches.

use anyhow::Result;
use shared_events::{
    Money, OrderId, TransferId,
    accounts::{Blocks, FreezeAccount, UnfreezeAccount},
    ledger::{CancelOrder, HolidayRule, OrderTerms, Party, Repeat, Schedule, SetOrder, Weekday},
};

use super::{
    money::{SOON, deposit, submit},
    people::People,
    session::Session,
};
use crate::{
    bank_client::{amount, cash, customer, own},
    instructions::{capture, release},
    orders::terms,
};

fn scheduled(
    creditor: Party,
    units: i64,
    first: &str,
    repeat: Option<Repeat>,
    times: Option<u32>,
) -> Result<OrderTerms> {
    let first = first.parse()?;
    let schedule = Schedule { first, repeat, last: None, times };
    Ok(OrderTerms { schedule, ..terms(creditor, units, first)? })
}

/// Sets orders, and returns their ids; the first date of some is today.
pub(super) async fn set_all(session: &mut Session, people: &People) -> Result<Vec<OrderId>> {
    session.transcript.chapter("standing orders");
    let account_id = people.jana;
    let bob = customer(people.bob);
    let mut orders = vec![];
    let daily = Some(Repeat::Days { every: 1 });
    let monday = Some(Repeat::Weeks { every: 1, on: Weekday::Monday });
    let month = Some(Repeat::Months { every: 1, day: 31 });
    let good_friday = scheduled(own("fees"), 5, "2025-04-18", None, None)?;
    let big = scheduled(bob.clone(), 100_000, "2025-03-17", None, None)?;
    for terms in [
        scheduled(bob.clone(), 10, "2025-03-14", daily, Some(3))?,
        scheduled(own("fees"), 2, "2025-03-14", monday, Some(3))?,
        scheduled(bob.clone(), 30, "2025-03-14", month, None)?,
        OrderTerms { on_holiday: HolidayRule::After, ..good_friday.clone() },
        OrderTerms { on_holiday: HolidayRule::Before, ..good_friday },
        OrderTerms { retry_days: 1, on_holiday: HolidayRule::After, ..big.clone() },
        OrderTerms { up_to: true, ..big.clone() },
        big,
    ] {
        let order_id = session.order_id();
        let other = OrderTerms { retry_days: 2, ..terms.clone() };
        let set = |terms| SetOrder { account_id, order_id, terms };
        session.send_again(set(terms), set(other)).await?;
        orders.push(order_id);
    }
    let replaced = scheduled(bob, 31, "2025-03-31", month, Some(2))?;
    session.send(SetOrder { account_id, order_id: orders[2], terms: replaced }).await?;
    refuse_all(session, people).await?;
    let cancel = |order_id| CancelOrder { account_id, order_id };
    session.send_again(cancel(orders[4]), cancel(orders[3])).await?;
    session.send(cancel(orders[4])).await?;
    session.send(CancelOrder { account_id: people.nobody, order_id: orders[0] }).await?;
    Ok(orders)
}

/// Orders that break one rule each.
async fn refuse_all(session: &mut Session, people: &People) -> Result<()> {
    let right = scheduled(customer(people.bob), 1, "2025-03-20", None, None)?;
    let edits: [&dyn Fn(&mut OrderTerms); 12] = [
        &|terms| terms.money.amount = amount(0),
        &|terms| terms.money.amount = "0.001".parse().expect("an amount"),
        &|terms| terms.money = Money::new(1.into(), "CZK".parse().expect("a currency")),
        &|terms| terms.creditor = customer(people.jana),
        &|terms| terms.creditor = customer(people.nobody),
        &|terms| terms.creditor = customer(people.dan),
        &|terms| terms.creditor = own("gold"),
        &|terms| terms.reference = Some("x".repeat(141)),
        &|terms| terms.retry_days = 31,
        &|terms| terms.schedule.last = "2025-03-19".parse().ok(),
        &|terms| terms.schedule.times = Some(0),
        &|terms| terms.schedule.repeat = Some(Repeat::Months { every: 0, day: 32 }),
    ];
    for edit in edits {
        let mut terms = right.clone();
        edit(&mut terms);
        let order_id = session.order_id();
        session.send(SetOrder { account_id: people.jana, order_id, terms }).await?;
    }
    let order_id = session.order_id();
    session.send(SetOrder { account_id: people.nobody, order_id, terms: right }).await
}

/// The days on which this hold expires, dates are due and a month ends.
pub(super) async fn days_pass(
    session: &mut Session,
    people: &People,
    expiring: TransferId,
) -> Result<()> {
    session.transcript.chapter("days pass");
    // At each instant one kind of work is due: the jobs of the ledger work side by side.
    let account_id = people.jana;
    session.advance_to(SOON).await?;
    for late in [capture(expiring, None), release(expiring)] {
        let late = session.own(late);
        submit(session, vec![late]).await?;
    }
    session.advance_to("2025-03-15T09:00:00Z").await?;
    session.advance_to("2025-03-17T09:00:00Z").await?;
    let (blocks, reason) = (Blocks::Debits, "in dispute".to_owned());
    session.send(FreezeAccount { account_id, blocks, reason }).await?;
    session.advance_to("2025-03-18T09:00:00Z").await?;
    session.send(UnfreezeAccount { account_id }).await?;
    session.advance_to("2025-03-31T09:00:00Z").await?;
    session.advance_to("2025-04-01T09:00:00Z").await?;
    deposit(session, account_id, "100").await?;
    let order_id = session.order_id();
    let terms = OrderTerms { retry_days: 3, ..scheduled(cash(), 9_999, "2025-04-01", None, None)? };
    session.send(SetOrder { account_id, order_id, terms }).await?;
    session.send(CancelOrder { account_id, order_id }).await?;
    session.advance_to("2025-04-18T09:00:00Z").await?;
    session.advance_to("2025-04-22T09:00:00Z").await?;
    session.advance_to("2025-04-30T09:00:00Z").await?;
    session.advance_to("2025-05-02T09:00:00Z").await
}
