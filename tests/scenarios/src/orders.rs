//! Standing orders. Promise: each date leads to one transfer or is missed by the rule of the order,
//! by any instance, after any downtime.

use anyhow::{Context, Result, ensure};
use chrono::{Days, NaiveDate};
use harness::{Bank, Fact, Instance, PATIENCE, facts, today, wait_for};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Message, Money, OrderId, Total,
    accounts::{Blocks, CloseAccount, FreezeAccount, UnfreezeAccount},
    client::RequestError,
    ledger::{
        ArrangementReason, ArrangementRejected, CancelOrder, GetBalance, GetOrder, HolidayRule,
        ListOrders, OrderCancelled, OrderChanged, OrderExecuted, OrderExecution, OrderMissed,
        OrderTerms, Party, Repeat, Schedule, SetOrder, TransfersPosted, TransfersRejected,
    },
    refusal::RefusalCode,
};

use super::{
    bank_client::{BankClient, customer, own},
    interest::advance_clock,
};

mod invalid;

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        dates_are_caught_up_once_by_two_instances_in_their_order,
        missing_money_is_missed_or_tried_again_as_the_order_says,
        a_frozen_account_waits_and_a_closed_one_ends_the_order,
        a_date_that_is_no_banking_day_is_moved_as_the_order_says,
        an_order_is_set_anew_and_cancelled_and_what_was_done_stays_done,
        invalid::every_bad_order_is_refused_by_field_and_rule,
    ]
}

const DAILY: Option<Repeat> = Some(Repeat::Days { every: 1 });

/// An order of this amount to this creditor, paid on any day and without retries.
pub(super) fn terms(creditor: Party, units: i64, first: NaiveDate) -> Result<OrderTerms> {
    Ok(OrderTerms {
        creditor,
        money: Money::new(units.into(), "EUR".parse()?),
        up_to: false,
        reference: Some("rent".to_owned()),
        end_to_end_id: Some("RENT-7".to_owned()),
        schedule: Schedule { first, repeat: None, last: None, times: None },
        on_holiday: HolidayRule::Same,
        retry_days: 0,
    })
}

fn repeated(terms: OrderTerms, repeat: Option<Repeat>, times: Option<u32>) -> OrderTerms {
    let schedule = Schedule { repeat, times, ..terms.schedule };
    OrderTerms { schedule, ..terms }
}

fn after(day: NaiveDate, days: u64) -> NaiveDate {
    day + Days::new(days)
}

/// Sets an order; the reply repeats its terms.
async fn set(
    client: &BankClient,
    (account_id, order_id): (AccountId, OrderId),
    terms: OrderTerms,
) -> Result<OrderChanged> {
    let answer = client.request(SetOrder { account_id, order_id, terms: terms.clone() }).await?;
    let changed: OrderChanged = answer.first().context("the command has a reply")?.read()?;
    ensure!((changed.order_id, &changed.terms) == (order_id, &terms), "{changed:?}");
    Ok(changed)
}

async fn executions(
    client: &BankClient,
    order: (AccountId, OrderId),
) -> Result<Vec<OrderExecution>> {
    let (account_id, order_id) = order;
    let asked = GetOrder { account_id, order_id, before: None, limit: None };
    match client.query(asked).await {
        Ok(found) => Ok(found.executions),
        Err(RequestError::Refused(refusal)) if refusal.code == RefusalCode::NotFound => Ok(vec![]),
        Err(error) => Err(error.into()),
    }
}

/// Waits until an order's executions are these, the oldest first: day after `from`, what became
/// of it, attempts.
async fn expect_executions(
    client: &BankClient,
    order: (AccountId, OrderId),
    from: NaiveDate,
    expected: &[&str],
) -> Result<()> {
    let actual = async || -> Result<Vec<String>> {
        let mut all = executions(client, order).await?;
        all.reverse();
        let line = |execution: OrderExecution| {
            let day = execution.due_date.signed_duration_since(from).num_days();
            let reason =
                execution.reason.map(|reason| format!(" {}", reason.as_str())).unwrap_or_default();
            let status = serde_json::to_value(execution.status).unwrap_or_default();
            format!("{day} {}{reason} {}", status.as_str().unwrap_or_default(), execution.attempts)
        };
        Ok(all.into_iter().map(line).collect())
    };
    let waited = wait_for("the dates are done", PATIENCE, async || Ok(actual().await? == expected));
    if waited.await.is_err() {
        let actual = actual().await?;
        ensure!(actual == expected, "{actual:#?}\nis not\n{expected:#?}");
    }
    Ok(())
}

async fn balance(client: &BankClient, account: Party) -> Result<Decimal> {
    let currency = Some("EUR".parse()?);
    Ok(client.query(GetBalance { account, currency }).await?.balance.decimal())
}

/// The ledger is away for so many days.
async fn stop_for_days(bank: &Bank, ledgers: &[Instance], days: i64) -> Result<()> {
    for ledger in ledgers {
        ledger.stop().await?;
    }
    advance_clock(bank, days).await
}

async fn dates_are_caught_up_once_by_two_instances_in_their_order(bank: Bank) -> Result<()> {
    let ledgers = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    client.deposit(ada, "100").await?;
    let today = today(&bank).await?;
    // Bob passes on each day what he gets from Ada, so the days must come one after another.
    let (first, second) = ((ada, OrderId::new()), (bob, OrderId::new()));
    let daily = repeated(terms(customer(bob), 10, today)?, DAILY, None);
    let changed = set(&client, first, daily).await?;
    ensure!((changed.next_date, changed.next_day) == (today, today), "{changed:?}");
    expect_executions(&client, first, today, &["0 executed 1"]).await?;
    let passed_on = repeated(terms(own("fees"), 10, after(today, 1))?, DAILY, Some(5));
    set(&client, second, passed_on).await?;
    stop_for_days(&bank, &ledgers[..1], 4).await?;
    bank.start_all(&["ledger", "ledger"]).await?;
    let five = ["0 executed 1", "1 executed 1", "2 executed 1", "3 executed 1", "4 executed 1"];
    expect_executions(&client, first, today, &five).await?;
    expect_executions(&client, second, today, &five[1..]).await?;
    ensure!(balance(&client, customer(ada)).await? == Decimal::from(50));
    ensure!(balance(&client, customer(bob)).await? == Decimal::from(10));
    ensure!(balance(&client, own("fees")).await? == Decimal::from(40));
    // Each left as events, once: the transfer, and which date of which order it was.
    let received = bank.events().wait_for(OrderExecuted::TYPE, 9).await?;
    ensure!(received.len() == 9, "{received:#?}");
    let posted = bank.events().of_kind(TransfersPosted::TYPE).await?;
    for actual in &received {
        let actual: OrderExecuted = serde_json::from_value(actual.event.data.clone())?;
        let transfer = actual.transfer_id.to_string();
        let caused = posted.iter().filter(|event| event.event.data.to_string().contains(&transfer));
        let caused: Vec<_> = caused.collect();
        ensure!(caused.len() == 1, "{actual:?}: {caused:?}");
        let order = actual.order_id.to_string();
        ensure!(caused[0].event.data["command_id"] == order.as_str(), "{caused:?}");
        let one = &caused[0].event.data["transfers"][0];
        ensure!(one["reference"] == "rent" && one["end_to_end_id"] == "RENT-7", "{one}");
    }
    let entries = bank.number("ledger", "SELECT count(*) FROM entries").await?;
    ensure!(entries == 2 * 10, "{entries} entries");
    let lines = client.trial_balance().await?.lines;
    ensure!(Total::sum(lines.iter().map(|line| line.balance)) == Some(Total::ZERO));
    Ok(())
}

async fn missing_money_is_missed_or_tried_again_as_the_order_says(bank: Bank) -> Result<()> {
    let ledgers = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    let today = today(&bank).await?;
    let [at_once, in_time, never, part] = [(); 4].map(|()| OrderId::new());
    let ten = || terms(own("fees"), 10, today);
    set(&client, (bob, at_once), ten()?).await?;
    set(&client, (ada, in_time), OrderTerms { retry_days: 2, ..ten()? }).await?;
    set(&client, (bob, never), OrderTerms { retry_days: 1, ..ten()? }).await?;
    expect_executions(&client, (bob, at_once), today, &["0 missed insufficient_funds 1"]).await?;
    expect_executions(&client, (ada, in_time), today, &["0 waiting insufficient_funds 1"]).await?;
    expect_executions(&client, (bob, never), today, &["0 waiting insufficient_funds 1"]).await?;
    // A missed date is a rejected transfer, announced like any other.
    let received = bank.events().wait_for(OrderMissed::TYPE, 1).await?;
    let missed: OrderMissed = serde_json::from_value(received[0].event.data.clone())?;
    ensure!((missed.order_id, missed.next_date) == (at_once, None), "{missed:?}");
    let rejected = bank.events().wait_for(TransfersRejected::TYPE, 1).await?;
    let transfer = missed.transfer_id.context("the date has a transfer")?.to_string();
    ensure!(rejected[0].event.data["transfers"][0]["transfer_id"] == transfer.as_str());
    client.deposit(ada, "15").await?;
    stop_for_days(&bank, &ledgers[..1], 1).await?;
    let again = bank.start("ledger").await?;
    let done = ["0 executed insufficient_funds 2"];
    expect_executions(&client, (ada, in_time), today, &done).await?;
    expect_executions(&client, (bob, never), today, &["0 missed insufficient_funds 2"]).await?;
    ensure!(bank.events().wait_for(OrderMissed::TYPE, 2).await?.len() == 2);
    // A finished order is gone from the list, and its executions stay.
    for account_id in [ada, bob] {
        let listed = client.query(ListOrders { account_id }).await?;
        ensure!(listed.orders.is_empty(), "{listed:?}");
    }
    let up_to = OrderTerms { up_to: true, ..terms(own("fees"), 10, after(today, 1))? };
    set(&client, (ada, part), up_to).await?;
    expect_executions(&client, (ada, part), today, &["1 executed 1"]).await?;
    let moved = executions(&client, (ada, part)).await?[0].money.map(|money| money.to_string());
    ensure!(moved.as_deref() == Some("5.00 EUR"), "{moved:?}");
    again.stop().await?;
    Ok(())
}

async fn a_frozen_account_waits_and_a_closed_one_ends_the_order(bank: Bank) -> Result<()> {
    let ledgers = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    let today = today(&bank).await?;
    client.deposit(ada, "50").await?;
    let (frozen, ended) = ((ada, OrderId::new()), (bob, OrderId::new()));
    let blocks = Blocks::Debits;
    client.request(FreezeAccount { blocks, account_id: ada, reason: "test".to_owned() }).await?;
    let are = async |count: i64, status: &str| {
        let query = format!("SELECT count(*) FROM accounts WHERE status = '{status}'");
        wait_for(status, PATIENCE, async || Ok(bank.number("ledger", &query).await? == count)).await
    };
    are(1, "frozen").await?;
    let once = OrderTerms { retry_days: 1, ..terms(own("fees"), 10, today)? };
    set(&client, frozen, once).await?;
    set(&client, ended, repeated(terms(own("fees"), 10, after(today, 1))?, DAILY, None)).await?;
    expect_executions(&client, frozen, today, &["0 waiting account_frozen 1"]).await?;
    client.request(UnfreezeAccount { account_id: ada }).await?;
    client.request(CloseAccount { payout: None, account_id: bob }).await?;
    are(0, "frozen").await?;
    are(1, "closed").await?;
    stop_for_days(&bank, &ledgers[..1], 3).await?;
    bank.start("ledger").await?;
    expect_executions(&client, frozen, today, &["0 executed account_frozen 2"]).await?;
    expect_executions(&client, ended, today, &["1 missed account_closed 1"]).await?;
    let kept = bank.number("ledger", "SELECT count(*) FROM orders").await?;
    ensure!(kept == 0, "{kept} orders are left");
    Ok(())
}

async fn a_date_that_is_no_banking_day_is_moved_as_the_order_says(bank: Bank) -> Result<()> {
    let now = today(&bank).await?;
    // The bank is closed on these days, beside weekends and holidays.
    let closed: Vec<String> = (0..3).map(|days| after(now, days).to_string()).collect();
    bank.set("ledger", "BANKWIRE_BANK__HOLIDAYS", closed.join(","));
    let ledgers = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let ada = client.account("ada").await?;
    client.deposit(ada, "100").await?;
    // Easter Sunday of 2035 is 25 March.
    let good_friday: NaiveDate = "2035-03-23".parse()?;
    for (on_holiday, date, day) in [
        (HolidayRule::After, "2035-03-23", "2035-03-27"),
        (HolidayRule::Before, "2035-03-23", "2035-03-22"),
        (HolidayRule::Same, "2035-03-23", "2035-03-23"),
        (HolidayRule::Skip, "2035-03-27", "2035-03-27"),
    ] {
        let daily = repeated(terms(own("fees"), 1, good_friday)?, DAILY, None);
        let changed =
            set(&client, (ada, OrderId::new()), OrderTerms { on_holiday, ..daily }).await?;
        let next = (changed.next_date.to_string(), changed.next_day.to_string());
        ensure!(next == (date.to_owned(), day.to_owned()), "{on_holiday:?}: {next:?}");
    }
    let today = today(&bank).await?;
    let moved = (ada, OrderId::new());
    let on_holiday = HolidayRule::After;
    let twice = repeated(terms(own("fees"), 10, today)?, DAILY, Some(2));
    let changed = set(&client, moved, OrderTerms { on_holiday, ..twice }).await?;
    ensure!(changed.next_date == today && changed.next_day > today, "{changed:?}");
    let marker = (ada, OrderId::new());
    set(&client, marker, terms(own("fees"), 1, today)?).await?;
    expect_executions(&client, marker, today, &["0 executed 1"]).await?;
    ensure!(executions(&client, moved).await?.is_empty(), "the date is no banking day");
    // Both dates fall on that day, each for itself.
    let days = changed.next_day.signed_duration_since(today).num_days();
    stop_for_days(&bank, &ledgers[..1], days).await?;
    bank.start("ledger").await?;
    expect_executions(&client, moved, today, &["0 executed 1", "1 executed 1"]).await?;
    ensure!(balance(&client, customer(ada)).await? == Decimal::from(79));
    Ok(())
}

async fn an_order_is_set_anew_and_cancelled_and_what_was_done_stays_done(bank: Bank) -> Result<()> {
    bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    client.deposit(ada, "100").await?;
    let today = today(&bank).await?;
    let order = (ada, OrderId::new());
    let daily = || -> Result<OrderTerms> {
        // The order began in the past: dates that are over are left out.
        Ok(repeated(terms(customer(bob), 10, today - Days::new(30))?, DAILY, None))
    };
    let changed = set(&client, order, daily()?).await?;
    ensure!(changed.next_date == today, "{changed:?}");
    expect_executions(&client, order, today, &["0 executed 1"]).await?;
    // The same date is not paid again by other terms, nor after a cancellation.
    let money = Money::new(20.into(), "EUR".parse()?);
    let changed = set(&client, order, OrderTerms { money, ..daily()? }).await?;
    ensure!(changed.next_date == after(today, 1), "{changed:?}");
    let (account_id, order_id) = order;
    let cancel = CancelOrder { account_id, order_id };
    let answer = client.request(cancel.clone()).await?;
    let cancelled: OrderCancelled = answer.first().context("the command has a reply")?.read()?;
    ensure!(cancelled.order_id == order_id);
    let answer = client.request(cancel).await?;
    let rejected: ArrangementRejected =
        answer.first().context("the command has a reply")?.read()?;
    ensure!(rejected.reason.as_str() == "unknown_order", "{rejected:?}");
    let changed = set(&client, order, daily()?).await?;
    ensure!(changed.next_date == after(today, 1), "{changed:?}");
    ensure!(balance(&client, customer(bob)).await? == Decimal::from(10));
    // A date that is being tried again is given up.
    let poor = (bob, OrderId::new());
    let much = OrderTerms { retry_days: 9, ..terms(customer(ada), 1_000, today)? };
    set(&client, poor, much.clone()).await?;
    expect_executions(&client, poor, today, &["0 waiting insufficient_funds 1"]).await?;
    let (account_id, order_id) = poor;
    let answer = client.request(CancelOrder { account_id, order_id }).await?;
    let missed: OrderMissed = answer.get(1).context("the missed date")?.read()?;
    ensure!((missed.due_date, missed.transfer_id) == (today, None), "{missed:?}");
    expect_executions(&client, poor, today, &["0 missed insufficient_funds 1"]).await?;
    Ok(())
}
