//! `teller monitor ...`

use clap::{Args, Subcommand};
use serde::Serialize;
use shared_events::{
    Amount, MessageId, MonitorId,
    ledger::{MonitorCondition, MonitorNow, MonitorsListed, RemoveMonitor, SetMonitor},
    money::InvalidMoney,
};
use teller_client::input::{self, InvalidInput};
use uuid::Uuid;

use crate::{
    failure::Failure,
    output::{Column, Text, card, digits, table},
    session::{SendId, Session, account_id},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Monitor {
    /// Watch an account's balance; its events are `ledger.monitor.raised.v1`
    Set(Set),
    /// Remove a monitor
    Remove(Remove),
    /// List the monitors of an account
    List(List),
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The account: id, IBAN or external reference
    account: String,
    #[command(flatten)]
    condition: Condition,
    /// The monitor to set anew; a new one if not given
    #[arg(long, value_name = "UUID")]
    monitor: Option<Uuid>,
    #[command(flatten)]
    id: SendId,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Condition {
    /// Raised when the balance falls below this
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    below: Option<String>,
    /// Raised when the balance rises above this
    #[arg(long, value_name = "AMOUNT", allow_hyphen_values = true)]
    above: Option<String>,
    /// Raised each time that the balance has changed by so much
    #[arg(long, value_name = "AMOUNT")]
    change_by: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The account: id, IBAN or external reference
    account: String,
    /// The monitor
    monitor: Uuid,
    #[command(flatten)]
    id: SendId,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The account: id, IBAN or external reference
    account: String,
}

/// The result of a command.
#[derive(Serialize)]
struct Done<E> {
    id: MessageId,
    #[serde(flatten)]
    event: E,
}

impl Monitor {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::Set(command) => command.run(session).await,
            Self::Remove(command) => command.run(session).await,
            Self::List(command) => command.run(session).await,
        }
    }
}

impl Condition {
    fn checked(&self) -> Result<MonitorCondition, InvalidInput> {
        let amount = |field: &str, text: &str| -> Result<Amount, InvalidInput> {
            text.parse().map_err(|error: InvalidMoney| InvalidInput::new(field, error.to_string()))
        };
        match (&self.below, &self.above, &self.change_by) {
            (Some(text), _, _) => amount("below", text).map(MonitorCondition::Below),
            (_, Some(text), _) => amount("above", text).map(MonitorCondition::Above),
            (_, _, Some(text)) => amount("change_by", text).map(MonitorCondition::ChangeBy),
            (None, None, None) => Err(InvalidInput::new("condition", "is needed")),
        }
    }
}

const fn parts(condition: MonitorCondition) -> (&'static str, Amount) {
    match condition {
        MonitorCondition::Below(amount) => ("below", amount),
        MonitorCondition::Above(amount) => ("above", amount),
        MonitorCondition::ChangeBy(amount) => ("change by", amount),
    }
}

impl Set {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let condition = self.condition.checked()?;
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        let id = session.id(&self.id);
        // The same command again is the same monitor.
        let monitor_id = MonitorId(self.monitor.unwrap_or(id.0));
        let command = SetMonitor { account_id, monitor_id, condition };
        let event = bank.set_monitor(id, command).await?;
        let (kind, amount) = parts(event.condition);
        let lines = [
            ("monitor", event.monitor_id.to_string()),
            (kind, amount.to_string()),
            ("balance", event.balance.to_string()),
        ];
        session.out.show(&Done { id, event }, || card(&lines))?;
        Ok(())
    }
}

impl Remove {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        let id = session.id(&self.id);
        let command = RemoveMonitor { account_id, monitor_id: MonitorId(self.monitor) };
        let event = bank.remove_monitor(id, command).await?;
        let lines = [("removed", event.monitor_id.to_string())];
        session.out.show(&Done { id, event }, || card(&lines))?;
        Ok(())
    }
}

impl List {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        let found = bank.monitors(account_id).await?;
        session.out.show(&found, || list(&found))?;
        Ok(())
    }
}

fn list(found: &MonitorsListed) -> Text {
    let columns = [
        Column::Left("monitor"),
        Column::Left("raised when"),
        Column::Right("amount"),
        Column::Left("armed"),
        Column::Right("since"),
    ];
    let row = |monitor: &MonitorNow| {
        let (kind, amount) = parts(monitor.condition);
        vec![
            monitor.monitor_id.to_string(),
            kind.to_owned(),
            digits(amount, found.currency),
            if monitor.armed { "yes" } else { "no" }.to_owned(),
            digits(monitor.since, found.currency),
        ]
    };
    table(&columns, found.monitors.iter().map(row))
}
