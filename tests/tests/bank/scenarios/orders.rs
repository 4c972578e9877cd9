//! Standing orders. Promise: each date comes to one transfer or is missed by the rule that the
//! order names, whoever is there to do it, and how long nobody was.

use anyhow::{Context, Result, ensure};
use chrono::{Days, NaiveDate};
use integration_tests::{Bank, Fact, Instance, PATIENCE, facts, wait_for};
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
    desk::{Desk, customer, own},
    interest::{goes_on, today},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        dates_are_caught_up_once_by_two_instances_in_their_order,
        missing_money_is_missed_or_tried_again_as_the_order_says,
        a_frozen_account_waits_and_a_closed_one_ends_the_order,
        a_date_that_is_no_banking_day_is_moved_as_the_order_says,
        an_order_is_set_anew_and_cancelled_and_what_was_done_stays_done,
        every_bad_order_is_refused_by_field_and_rule,
    ]
}

const DAILY: Option<Repeat> = Some(Repeat::Days { every: 1 });

/// So many units to this creditor, whatever day it is, and not tried again.
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

/// Sets an order; the answer says what was asked.
async fn set(
    desk: &Desk,
    (account_id, order_id): (AccountId, OrderId),
    terms: OrderTerms,
) -> Result<OrderChanged> {
    let answer = desk.tell(SetOrder { account_id, order_id, terms: terms.clone() }).await?;
    let changed: OrderChanged = answer.first().context("it is answered")?.read()?;
    ensure!((changed.order_id, &changed.terms) == (order_id, &terms), "{changed:?}");
    Ok(changed)
}

async fn executions(desk: &Desk, order: (AccountId, OrderId)) -> Result<Vec<OrderExecution>> {
    let (account_id, order_id) = order;
    let asked = GetOrder { account_id, order_id, before: None, limit: None };
    match desk.client.ask(asked).await {
        Ok(found) => Ok(found.executions),
        Err(RequestError::Refused(it)) if it.code == RefusalCode::NotFound => Ok(vec![]),
        Err(error) => Err(error.into()),
    }
}

/// Waits until an order's executions are these, the oldest first: day after `from`, what became
/// of it, attempts.
async fn dates_are(
    desk: &Desk,
    order: (AccountId, OrderId),
    from: NaiveDate,
    expected: &[&str],
) -> Result<()> {
    let told = async || -> Result<Vec<String>> {
        let mut all = executions(desk, order).await?;
        all.reverse();
        let line = |it: OrderExecution| {
            let day = it.due_date.signed_duration_since(from).num_days();
            let reason = it.reason.map(|it| format!(" {}", it.as_str())).unwrap_or_default();
            let status = serde_json::to_value(it.status).unwrap_or_default();
            format!("{day} {}{reason} {}", status.as_str().unwrap_or_default(), it.attempts)
        };
        Ok(all.into_iter().map(line).collect())
    };
    let waited = wait_for("the dates are done", PATIENCE, async || Ok(told().await? == expected));
    if waited.await.is_err() {
        let told = told().await?;
        ensure!(told == expected, "{told:#?}\nis not\n{expected:#?}");
    }
    Ok(())
}

async fn balance(desk: &Desk, account: Party) -> Result<Decimal> {
    let currency = Some("EUR".parse()?);
    Ok(desk.client.ask(GetBalance { account, currency }).await?.balance.decimal())
}

/// The ledger is away for so many days.
async fn is_away(bank: &Bank, ledgers: &[Instance], days: i64) -> Result<()> {
    for ledger in ledgers {
        ledger.stop().await?;
    }
    goes_on(bank, days).await
}

async fn dates_are_caught_up_once_by_two_instances_in_their_order(bank: Bank) -> Result<()> {
    let ledgers = bank.start_all(&["ledger", "accounts"]).await?;
    let mut desk = Desk::at(bank.clone())?;
    let (ada, bob) = (desk.account("ada").await?, desk.account("bob").await?);
    desk.deposit(ada, "100").await?;
    let today = today(&bank).await?;
    // Bob passes on each day what he gets from Ada, so the days must come one after another.
    let (first, second) = ((ada, OrderId::new()), (bob, OrderId::new()));
    let daily = repeated(terms(customer(bob), 10, today)?, DAILY, None);
    let changed = set(&desk, first, daily).await?;
    ensure!((changed.next_date, changed.next_day) == (today, today), "{changed:?}");
    dates_are(&desk, first, today, &["0 executed 1"]).await?;
    let passed_on = repeated(terms(own("fees"), 10, after(today, 1))?, DAILY, Some(5));
    set(&desk, second, passed_on).await?;
    is_away(&bank, &ledgers[..1], 4).await?;
    bank.start_all(&["ledger", "ledger"]).await?;
    let five = ["0 executed 1", "1 executed 1", "2 executed 1", "3 executed 1", "4 executed 1"];
    dates_are(&desk, first, today, &five).await?;
    dates_are(&desk, second, today, &five[1..]).await?;
    ensure!(balance(&desk, customer(ada)).await? == Decimal::from(50));
    ensure!(balance(&desk, customer(bob)).await? == Decimal::from(10));
    ensure!(balance(&desk, own("fees")).await? == Decimal::from(40));
    // Each left as events, once: the transfer, and which date of which order it was.
    let heard = bank.events().wait_for(OrderExecuted::TYPE, 9).await?;
    ensure!(heard.len() == 9, "{heard:#?}");
    let posted = bank.events().of_kind(TransfersPosted::TYPE).await?;
    for told in &heard {
        let told: OrderExecuted = serde_json::from_value(told.event.data.clone())?;
        let transfer = told.transfer_id.to_string();
        let caused = posted.iter().filter(|it| it.event.data.to_string().contains(&transfer));
        let caused: Vec<_> = caused.collect();
        ensure!(caused.len() == 1, "{told:?}: {caused:?}");
        let order = told.order_id.to_string();
        ensure!(caused[0].event.data["command_id"] == order.as_str(), "{caused:?}");
        let one = &caused[0].event.data["transfers"][0];
        ensure!(one["reference"] == "rent" && one["end_to_end_id"] == "RENT-7", "{one}");
    }
    let entries = bank.number("ledger", "SELECT count(*) FROM entries").await?;
    ensure!(entries == 2 * 10, "{entries} entries");
    let lines = desk.trial_balance().await?.lines;
    ensure!(Total::sum(lines.iter().map(|line| line.balance)) == Some(Total::ZERO));
    Ok(())
}

async fn missing_money_is_missed_or_tried_again_as_the_order_says(bank: Bank) -> Result<()> {
    let ledgers = bank.start_all(&["ledger", "accounts"]).await?;
    let mut desk = Desk::at(bank.clone())?;
    let (ada, bob) = (desk.account("ada").await?, desk.account("bob").await?);
    let today = today(&bank).await?;
    let [at_once, in_time, never, part] = [(); 4].map(|()| OrderId::new());
    let ten = || terms(own("fees"), 10, today);
    set(&desk, (bob, at_once), ten()?).await?;
    set(&desk, (ada, in_time), OrderTerms { retry_days: 2, ..ten()? }).await?;
    set(&desk, (bob, never), OrderTerms { retry_days: 1, ..ten()? }).await?;
    dates_are(&desk, (bob, at_once), today, &["0 missed insufficient_funds 1"]).await?;
    dates_are(&desk, (ada, in_time), today, &["0 waiting insufficient_funds 1"]).await?;
    dates_are(&desk, (bob, never), today, &["0 waiting insufficient_funds 1"]).await?;
    // What is missed for good is a rejected transfer, told like any other.
    let heard = bank.events().wait_for(OrderMissed::TYPE, 1).await?;
    let missed: OrderMissed = serde_json::from_value(heard[0].event.data.clone())?;
    ensure!((missed.order_id, missed.next_date) == (at_once, None), "{missed:?}");
    let rejected = bank.events().wait_for(TransfersRejected::TYPE, 1).await?;
    let transfer = missed.transfer_id.context("it was rejected")?.to_string();
    ensure!(rejected[0].event.data["transfers"][0]["transfer_id"] == transfer.as_str());
    desk.deposit(ada, "15").await?;
    is_away(&bank, &ledgers[..1], 1).await?;
    let again = bank.start("ledger").await?;
    let done = ["0 executed insufficient_funds 2"];
    dates_are(&desk, (ada, in_time), today, &done).await?;
    dates_are(&desk, (bob, never), today, &["0 missed insufficient_funds 2"]).await?;
    ensure!(bank.events().wait_for(OrderMissed::TYPE, 2).await?.len() == 2);
    // What is over is gone from the list, and its executions are kept.
    for account_id in [ada, bob] {
        let listed = desk.client.ask(ListOrders { account_id }).await?;
        ensure!(listed.orders.is_empty(), "{listed:?}");
    }
    let up_to = OrderTerms { up_to: true, ..terms(own("fees"), 10, after(today, 1))? };
    set(&desk, (ada, part), up_to).await?;
    dates_are(&desk, (ada, part), today, &["1 executed 1"]).await?;
    let moved = executions(&desk, (ada, part)).await?[0].money.map(|it| it.to_string());
    ensure!(moved.as_deref() == Some("5.00 EUR"), "{moved:?}");
    again.stop().await?;
    Ok(())
}

async fn a_frozen_account_waits_and_a_closed_one_ends_the_order(bank: Bank) -> Result<()> {
    let ledgers = bank.start_all(&["ledger", "accounts"]).await?;
    let mut desk = Desk::at(bank.clone())?;
    let (ada, bob) = (desk.account("ada").await?, desk.account("bob").await?);
    let today = today(&bank).await?;
    desk.deposit(ada, "50").await?;
    let (frozen, ended) = ((ada, OrderId::new()), (bob, OrderId::new()));
    let blocks = Blocks::Debits;
    desk.tell(FreezeAccount { blocks, account_id: ada, reason: "test".to_owned() }).await?;
    let are = async |count: i64, status: &str| {
        let query = format!("SELECT count(*) FROM accounts WHERE status = '{status}'");
        wait_for(status, PATIENCE, async || Ok(bank.number("ledger", &query).await? == count)).await
    };
    are(1, "frozen").await?;
    let once = OrderTerms { retry_days: 1, ..terms(own("fees"), 10, today)? };
    set(&desk, frozen, once).await?;
    set(&desk, ended, repeated(terms(own("fees"), 10, after(today, 1))?, DAILY, None)).await?;
    dates_are(&desk, frozen, today, &["0 waiting account_frozen 1"]).await?;
    desk.tell(UnfreezeAccount { account_id: ada }).await?;
    desk.tell(CloseAccount { payout: None, account_id: bob }).await?;
    are(0, "frozen").await?;
    are(1, "closed").await?;
    is_away(&bank, &ledgers[..1], 3).await?;
    bank.start("ledger").await?;
    dates_are(&desk, frozen, today, &["0 executed account_frozen 2"]).await?;
    dates_are(&desk, ended, today, &["1 missed account_closed 1"]).await?;
    let kept = bank.number("ledger", "SELECT count(*) FROM orders").await?;
    ensure!(kept == 0, "{kept} orders are left");
    Ok(())
}

async fn a_date_that_is_no_banking_day_is_moved_as_the_order_says(bank: Bank) -> Result<()> {
    let now = chrono::Utc::now().date_naive();
    // The bank is closed on these days, beside weekends and holidays.
    let closed: Vec<String> = (0..3).map(|days| after(now, days).to_string()).collect();
    bank.set("ledger", "BANKWIRE_BANK__HOLIDAYS", closed.join(","));
    let ledgers = bank.start_all(&["ledger", "accounts"]).await?;
    let mut desk = Desk::at(bank.clone())?;
    let ada = desk.account("ada").await?;
    desk.deposit(ada, "100").await?;
    // Easter Sunday of 2035 is 25 March.
    let good_friday: NaiveDate = "2035-03-23".parse()?;
    for (on_holiday, date, day) in [
        (HolidayRule::After, "2035-03-23", "2035-03-27"),
        (HolidayRule::Before, "2035-03-23", "2035-03-22"),
        (HolidayRule::Same, "2035-03-23", "2035-03-23"),
        (HolidayRule::Skip, "2035-03-27", "2035-03-27"),
    ] {
        let daily = repeated(terms(own("fees"), 1, good_friday)?, DAILY, None);
        let changed = set(&desk, (ada, OrderId::new()), OrderTerms { on_holiday, ..daily }).await?;
        let next = (changed.next_date.to_string(), changed.next_day.to_string());
        ensure!(next == (date.to_owned(), day.to_owned()), "{on_holiday:?}: {next:?}");
    }
    let today = today(&bank).await?;
    let moved = (ada, OrderId::new());
    let on_holiday = HolidayRule::After;
    let twice = repeated(terms(own("fees"), 10, today)?, DAILY, Some(2));
    let changed = set(&desk, moved, OrderTerms { on_holiday, ..twice }).await?;
    ensure!(changed.next_date == today && changed.next_day > today, "{changed:?}");
    let marker = (ada, OrderId::new());
    set(&desk, marker, terms(own("fees"), 1, today)?).await?;
    dates_are(&desk, marker, today, &["0 executed 1"]).await?;
    ensure!(executions(&desk, moved).await?.is_empty(), "it waits for a banking day");
    // Both dates fall on that day, each for itself.
    let days = changed.next_day.signed_duration_since(today).num_days();
    is_away(&bank, &ledgers[..1], days).await?;
    bank.start("ledger").await?;
    dates_are(&desk, moved, today, &["0 executed 1", "1 executed 1"]).await?;
    ensure!(balance(&desk, customer(ada)).await? == Decimal::from(79));
    Ok(())
}

async fn an_order_is_set_anew_and_cancelled_and_what_was_done_stays_done(bank: Bank) -> Result<()> {
    bank.start_all(&["ledger", "accounts"]).await?;
    let mut desk = Desk::at(bank.clone())?;
    let (ada, bob) = (desk.account("ada").await?, desk.account("bob").await?);
    desk.deposit(ada, "100").await?;
    let today = today(&bank).await?;
    let order = (ada, OrderId::new());
    let daily = || -> Result<OrderTerms> {
        // It began in the past: what is over is left out.
        Ok(repeated(terms(customer(bob), 10, today - Days::new(30))?, DAILY, None))
    };
    let changed = set(&desk, order, daily()?).await?;
    ensure!(changed.next_date == today, "{changed:?}");
    dates_are(&desk, order, today, &["0 executed 1"]).await?;
    // The same date is not paid again by other terms, nor after a cancellation.
    let money = Money::new(20.into(), "EUR".parse()?);
    let changed = set(&desk, order, OrderTerms { money, ..daily()? }).await?;
    ensure!(changed.next_date == after(today, 1), "{changed:?}");
    let (account_id, order_id) = order;
    let cancel = CancelOrder { account_id, order_id };
    let answer = desk.tell(cancel.clone()).await?;
    let cancelled: OrderCancelled = answer.first().context("it is answered")?.read()?;
    ensure!(cancelled.order_id == order_id);
    let answer = desk.tell(cancel).await?;
    let rejected: ArrangementRejected = answer.first().context("it is answered")?.read()?;
    ensure!(rejected.reason.as_str() == "unknown_order", "{rejected:?}");
    let changed = set(&desk, order, daily()?).await?;
    ensure!(changed.next_date == after(today, 1), "{changed:?}");
    ensure!(balance(&desk, customer(bob)).await? == Decimal::from(10));
    // A date that is being tried again is given up.
    let poor = (bob, OrderId::new());
    let much = OrderTerms { retry_days: 9, ..terms(customer(ada), 1_000, today)? };
    set(&desk, poor, much.clone()).await?;
    dates_are(&desk, poor, today, &["0 waiting insufficient_funds 1"]).await?;
    let (account_id, order_id) = poor;
    let answer = desk.tell(CancelOrder { account_id, order_id }).await?;
    let missed: OrderMissed = answer.get(1).context("and that it is missed")?.read()?;
    ensure!((missed.due_date, missed.transfer_id) == (today, None), "{missed:?}");
    dates_are(&desk, poor, today, &["0 missed insufficient_funds 1"]).await?;
    Ok(())
}

async fn every_bad_order_is_refused_by_field_and_rule(bank: Bank) -> Result<()> {
    bank.start_all(&["ledger", "accounts"]).await?;
    let mut desk = Desk::at(bank.clone())?;
    let (ada, bob) = (desk.account("ada").await?, desk.account("bob").await?);
    let yen = desk.account_with("yen", |it| it.currency = "JPY".parse().unwrap_or(it.currency));
    let yen = yen.await?;
    let (today, nobody) = (today(&bank).await?, AccountId::new());
    let good = || terms(customer(bob), 10, after(today, 1));
    let money = |amount: &str, code: &str| -> Result<Money> {
        Ok(Money { amount: amount.parse()?, currency: code.parse()? })
    };
    let scheduled =
        |schedule: Schedule| -> Result<OrderTerms> { Ok(OrderTerms { schedule, ..good()? }) };
    let plan = good()?.schedule;
    let months = |every, day| Some(Repeat::Months { every, day });
    let no_banking_day = Schedule { first: "2035-03-23".parse()?, ..plan.clone() };
    let skipped = OrderTerms { on_holiday: HolidayRule::Skip, ..scheduled(no_banking_day)? };
    for (account, terms, expected) in [
        (nobody, good()?, ""),
        (yen, good()?, "terms.money.currency"),
        (ada, OrderTerms { money: money("1", "USD")?, ..good()? }, "terms.money.currency"),
        (ada, OrderTerms { money: money("0", "EUR")?, ..good()? }, "terms.money.amount"),
        (ada, OrderTerms { money: money("0.001", "EUR")?, ..good()? }, "terms.money.amount"),
        (ada, OrderTerms { creditor: customer(ada), ..good()? }, "terms.creditor"),
        (ada, OrderTerms { creditor: own("gold"), ..good()? }, "terms.creditor"),
        (ada, OrderTerms { creditor: customer(yen), ..good()? }, "terms.creditor"),
        (ada, OrderTerms { creditor: customer(AccountId::new()), ..good()? }, "terms.creditor"),
        (ada, OrderTerms { reference: Some("x".repeat(141)), ..good()? }, "terms.reference"),
        (
            ada,
            OrderTerms { end_to_end_id: Some("\t".to_owned()), ..good()? },
            "terms.end_to_end_id",
        ),
        (ada, OrderTerms { retry_days: 31, ..good()? }, "terms.retry_days"),
        (
            ada,
            scheduled(Schedule { first: after(today, 4_000), ..plan.clone() })?,
            "terms.schedule.first",
        ),
        (ada, scheduled(Schedule { last: Some(today), ..plan.clone() })?, "terms.schedule.last"),
        (ada, scheduled(Schedule { times: Some(0), ..plan.clone() })?, "terms.schedule.times"),
        (
            ada,
            scheduled(Schedule { repeat: months(0, 1), ..plan.clone() })?,
            "terms.schedule.repeat.every",
        ),
        (
            ada,
            scheduled(Schedule { repeat: months(1, 32), ..plan.clone() })?,
            "terms.schedule.repeat.months.day",
        ),
        (
            ada,
            scheduled(Schedule { first: today - Days::new(1), ..plan.clone() })?,
            "terms.schedule",
        ),
        (ada, skipped, "terms.schedule"),
    ] {
        let rejected = refused(&desk, account, terms).await?;
        let known = rejected.reason == ArrangementReason::InvalidField;
        let field = rejected.field.as_deref().unwrap_or_default();
        ensure!(known != (account == nobody) && field == expected, "{expected}: {rejected:?}");
    }
    let kept = bank.number("ledger", "SELECT count(*) FROM orders").await?;
    ensure!(kept == 0, "{kept} orders");
    Ok(())
}

async fn refused(desk: &Desk, id: AccountId, terms: OrderTerms) -> Result<ArrangementRejected> {
    let answer = desk.tell(SetOrder { account_id: id, order_id: OrderId::new(), terms }).await?;
    let rejected: ArrangementRejected = answer.first().context("it is answered")?.read()?;
    ensure!(!rejected.message.is_empty());
    Ok(rejected)
}
