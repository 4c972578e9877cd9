//! `teller order ...`

use clap::{Args, Subcommand};
use serde::{Serialize, de::DeserializeOwned};
use shared_events::{
    MessageId, OrderId,
    code::Open,
    ledger::{
        CancelOrder, ExecutionStatus, HolidayRule, OrderCancelled, OrderChanged, OrderExecution,
        OrderFound, OrderNow, OrderTerms, OrdersListed, Repeat, Schedule, SetOrder,
    },
};
use teller_client::input::{self, InvalidInput};
use uuid::Uuid;

use crate::{
    failure::Failure,
    output::{Column, Text, card, or_empty, table},
    session::{SendId, Session, account_id},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Order {
    /// Pay once on a day, or again and again; its events are `ledger.order.*`
    Set(Box<Set>),
    /// Cancel an order
    Cancel(Cancel),
    /// Show the orders of an account that have a date left
    List(List),
    /// Show an order and the executions of its dates
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The debtor: id, IBAN or external reference
    account: String,
    /// The creditor: id, IBAN, external reference or code:<CODE>
    creditor: String,
    /// How much, such as 12.50
    amount: String,
    /// The currency, such as EUR
    currency: String,
    /// Move less if less is available, but not nothing
    #[arg(long)]
    up_to: bool,
    /// The remittance information
    #[arg(long)]
    reference: Option<String>,
    /// The debtor's own id, passed on with each transfer
    #[arg(long, value_name = "TEXT")]
    end_to_end_id: Option<String>,
    #[command(flatten)]
    dates: Dates,
    /// On a date that is no banking day: after, before, skip or same
    #[arg(long, value_name = "RULE", default_value = "after")]
    on_holiday: String,
    /// The number of days on which an execution without funds is tried again
    #[arg(long, value_name = "DAYS", default_value_t = 0)]
    retry_days: u32,
    /// The order to set anew; a new one if not given
    #[arg(long, value_name = "UUID")]
    order: Option<Uuid>,
    #[command(flatten)]
    id: SendId,
}

#[derive(Debug, Args)]
struct Dates {
    /// The first day that can be a date
    #[arg(long, value_name = "YYYY-MM-DD")]
    first: String,
    /// day, week or month, or so many of them such as 2weeks; once if not given
    #[arg(long, value_name = "PERIOD")]
    every: Option<String>,
    /// With weeks: the day of the week [default: the weekday of the first day]
    #[arg(long, value_name = "WEEKDAY")]
    on: Option<String>,
    /// With months: the day, 31 for the last [default: the day of the first date]
    #[arg(long, value_name = "1-31")]
    day: Option<u32>,
    /// The last day that can be a date
    #[arg(long, value_name = "YYYY-MM-DD")]
    last: Option<String>,
    /// The number of dates
    #[arg(long, value_name = "NUMBER")]
    times: Option<u32>,
}

#[derive(Debug, Args)]
pub(crate) struct Cancel {
    /// The debtor: id, IBAN or external reference
    account: String,
    /// The order
    order: Uuid,
    #[command(flatten)]
    id: SendId,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The debtor: id, IBAN or external reference
    account: String,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The debtor: id, IBAN or external reference
    account: String,
    /// The order
    order: Uuid,
}

/// The result of a command.
#[derive(Serialize)]
struct Done<E> {
    id: MessageId,
    #[serde(flatten)]
    event: E,
}

impl Order {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::Set(command) => command.run(session).await,
            Self::Cancel(command) => command.run(session).await,
            Self::List(command) => command.run(session).await,
            Self::Show(command) => command.run(session).await,
        }
    }
}

impl Dates {
    fn checked(&self) -> Result<Schedule, InvalidInput> {
        let first = input::date("first", &self.first)?;
        let on = (self.on.as_deref(), self.day);
        let repeat = input::repeat(self.every.as_deref(), on, first)?;
        let last = self.last.as_deref().map(|last| input::date("last", last)).transpose()?;
        Ok(Schedule { first, repeat, last, times: self.times })
    }
}

fn holiday_rule<T: DeserializeOwned>(text: &str) -> Result<T, InvalidInput> {
    let rule = "must be after, before, skip or same";
    serde_json::from_value(text.into()).map_err(|_| InvalidInput::new("on_holiday", rule))
}

impl Set {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let creditor = input::party("creditor", &self.creditor)?;
        let money = input::money(&self.amount, &self.currency)?;
        let reference = input::checked(self.reference.as_deref(), input::reference)?;
        let end_to_end_id = input::checked(self.end_to_end_id.as_deref(), input::end_to_end_id)?;
        let schedule = self.dates.checked()?;
        let on_holiday = holiday_rule(&self.on_holiday)?;
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        let terms = OrderTerms {
            creditor: bank.resolve(&creditor).await?,
            money,
            up_to: self.up_to,
            reference,
            end_to_end_id,
            schedule,
            on_holiday,
            retry_days: self.retry_days,
        };
        let id = session.id(&self.id);
        // The same command again is the same order.
        let order_id = OrderId(self.order.unwrap_or(id.0));
        let event = bank.set_order(id, SetOrder { account_id, order_id, terms }).await?;
        let lines = changed(&event);
        session.out.show(&Done { id, event }, || card(&lines))?;
        Ok(())
    }
}

fn changed(event: &OrderChanged) -> Vec<(&'static str, String)> {
    let order = [("order", event.order_id.to_string())];
    let next = [("next", next(event.next_date, event.next_day))];
    [&order[..], &described(&event.terms), &next].concat()
}

/// A date, and the day on which it is executed if that is another.
fn next(date: chrono::NaiveDate, day: chrono::NaiveDate) -> String {
    if date == day { date.to_string() } else { format!("{date}, on {day}") }
}

fn described(terms: &OrderTerms) -> Vec<(&'static str, String)> {
    vec![
        ("creditor", terms.creditor.to_string()),
        ("amount", amount(terms)),
        ("when", when(&terms.schedule)),
        ("on a holiday", holiday(terms.on_holiday).to_owned()),
        ("tried again", tried_again(terms.retry_days)),
        ("reference", or_empty(terms.reference.as_ref())),
        ("end-to-end id", or_empty(terms.end_to_end_id.as_ref())),
    ]
}

fn amount(terms: &OrderTerms) -> String {
    if terms.up_to { format!("up to {}", terms.money) } else { terms.money.to_string() }
}

const fn holiday(rule: HolidayRule) -> &'static str {
    match rule {
        HolidayRule::After => "on the next banking day",
        HolidayRule::Before => "on the banking day before",
        HolidayRule::Skip => "left out",
        HolidayRule::Same => "all the same",
    }
}

fn tried_again(days: u32) -> String {
    match days {
        0 => String::new(),
        1 => "on 1 day more".to_owned(),
        days => format!("on {days} days more"),
    }
}

/// A schedule in words: `every 2 weeks on friday from 2026-12-01, 12 times`.
fn when(schedule: &Schedule) -> String {
    let Schedule { first, repeat, last, times } = schedule;
    let every = |count: &u32, unit: &str| match count {
        1 => format!("every {unit}"),
        count => format!("every {count} {unit}s"),
    };
    let mut text = match repeat {
        None => format!("once on {first}"),
        Some(Repeat::Days { every: n }) => format!("{} from {first}", every(n, "day")),
        Some(Repeat::Weeks { every: n, on }) => {
            let day = format!("{on:?}").to_lowercase();
            format!("{} on {day} from {first}", every(n, "week"))
        }
        Some(Repeat::Months { every: n, day: 31 }) => {
            format!("{} on the last day from {first}", every(n, "month"))
        }
        Some(Repeat::Months { every: n, day }) => {
            format!("{} on day {day} from {first}", every(n, "month"))
        }
    };
    if let Some(last) = last {
        text = format!("{text} until {last}");
    }
    if let Some(times) = times {
        text = format!("{text}, {times} times");
    }
    text
}

impl Cancel {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        let id = session.id(&self.id);
        let command = CancelOrder { account_id, order_id: OrderId(self.order) };
        let event: OrderCancelled = bank.cancel_order(id, command).await?;
        let lines = [("cancelled", event.order_id.to_string())];
        session.out.show(&Done { id, event }, || card(&lines))?;
        Ok(())
    }
}

impl List {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        let found = bank.orders(account_id).await?;
        session.out.show(&found, || listed(&found))?;
        Ok(())
    }
}

fn listed(found: &OrdersListed) -> Text {
    let columns = [
        Column::Left("order"),
        Column::Left("creditor"),
        Column::Right("amount"),
        Column::Left("when"),
        Column::Left("next"),
        Column::Left("last"),
    ];
    let row = |order: &OrderNow| {
        let last = order.last_execution.as_ref();
        vec![
            order.order_id.to_string(),
            order.terms.creditor.to_string(),
            amount(&order.terms),
            when(&order.terms.schedule),
            next(order.next_date, order.next_day),
            last.map(|execution| format!("{}: {}", execution.due_date, status(execution)))
                .unwrap_or_default(),
        ]
    };
    table(&columns, found.orders.iter().map(row))
}

fn status(execution: &OrderExecution) -> String {
    let because = execution.reason.as_ref().map_or("", Open::as_str);
    let status = match &execution.status {
        Open::Known(status) => status,
        Open::Unknown(code) => return code.as_str().to_owned(),
    };
    match status {
        ExecutionStatus::Executed => "executed".to_owned(),
        ExecutionStatus::Waiting => format!("waiting, {because}"),
        ExecutionStatus::Missed => format!("missed, {because}"),
    }
}

impl Show {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        let found = bank.order(account_id, OrderId(self.order)).await?;
        session.out.show(&found, || describe(&found))?;
        Ok(())
    }
}

fn describe(found: &OrderFound) -> Text {
    let head = match &found.order {
        None => card(&[("order", format!("{}, over or cancelled", found.order_id))]),
        Some(order) => {
            let id = [("order", order.order_id.to_string())];
            let next = [("next", next(order.next_date, order.next_day))];
            card(&[&id[..], &described(&order.terms), &next].concat())
        }
    };
    let columns = [
        Column::Left("date"),
        Column::Left("status"),
        Column::Right("attempts"),
        Column::Right("amount"),
        Column::Left("transfer"),
        Column::Left("at"),
    ];
    let row = |execution: &OrderExecution| {
        vec![
            execution.due_date.to_string(),
            status(execution),
            execution.attempts.to_string(),
            or_empty(execution.money.as_ref()),
            or_empty(execution.transfer_id.as_ref()),
            execution.at.to_rfc3339(),
        ]
    };
    head.then(&table(&columns, found.executions.iter().map(row)))
}
