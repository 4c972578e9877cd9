//! `teller balance`, `statement` and `trial-balance`.

use std::collections::BTreeMap;

use clap::Args;
use shared_events::{
    Amount, Currency,
    ledger::{
        BalanceFound, Direction, LedgerStatus, Party, StatementEntry, StatementFound,
        TrialBalanceFound, TrialBalanceLine,
    },
};

use super::{
    failure::Failure,
    output::{Column, card, digits, or_empty, table},
    session::Session,
};
use crate::{
    Teller,
    input::{self, InvalidInput, PartyName},
};

#[derive(Debug, Args)]
pub(crate) struct Balance {
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
pub(crate) struct Statement {
    #[command(flatten)]
    of: Of,
    /// The first booking date to show
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<String>,
    /// The last booking date to show
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TrialBalance {}

#[derive(Debug, Args)]
struct Of {
    /// The account: id, IBAN, external reference or code:<CODE>
    account: String,
    /// The currency, where the account is one of the bank's own
    #[arg(long)]
    currency: Option<String>,
}

impl Of {
    fn checked(&self) -> Result<(PartyName, Option<Currency>), InvalidInput> {
        let name = input::party("account", &self.account)?;
        let currency = self.currency.as_deref().map(input::currency).transpose()?;
        if matches!(name, PartyName::Code(_)) && currency.is_none() {
            let rule = "is needed: the bank has an account with this code for each currency";
            return Err(InvalidInput::new("currency", rule));
        }
        Ok((name, currency))
    }
}

impl Balance {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let (name, currency) = self.of.checked()?;
        let bank = session.bank().await?;
        let account = bank.resolve(&name).await?;
        let balance = bank.balance(account, currency).await?;
        session.out.show(&balance, || describe(&balance))?;
        Ok(())
    }
}

fn describe(found: &BalanceFound) -> String {
    let money = |amount: Amount| format!("{} {}", digits(amount, found.currency), found.currency);
    let status = match found.status {
        LedgerStatus::Active => "active",
        LedgerStatus::Frozen => "frozen",
        LedgerStatus::Locked => "locked",
        LedgerStatus::Closed => "closed",
    };
    let pending =
        |amount: Amount| if amount == Amount::ZERO { String::new() } else { money(amount) };
    card(&[
        ("account", found.account_id.to_string()),
        ("code", or_empty(found.code.as_ref())),
        ("status", status.to_owned()),
        ("balance", money(found.balance)),
        ("pending out", pending(found.pending_debits)),
        ("pending in", pending(found.pending_credits)),
        ("overdraft limit", found.overdraft_limit.map(money).unwrap_or_default()),
        ("available", found.available.map(money).unwrap_or_default()),
    ])
}

impl Statement {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let (name, currency) = self.of.checked()?;
        let from = self.from.as_deref().map(|day| input::date("from", day)).transpose()?;
        let to = self.to.as_deref().map(|day| input::date("to", day)).transpose()?;
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            return Err(InvalidInput::new("to", "must not be before from").into());
        }
        let bank: Teller = session.bank().await?;
        let account: Party = bank.resolve(&name).await?;
        let statement = bank.statement(account, currency, (from, to)).await?;
        session.out.show(&statement, || lines(&statement))?;
        Ok(())
    }
}

fn lines(statement: &StatementFound) -> String {
    let columns = [
        Column::Left("booked on"),
        Column::Right("amount"),
        Column::Right("balance"),
        Column::Left("counterparty"),
        Column::Left("reference"),
        Column::Left("end-to-end id"),
    ];
    let signed = |entry: &StatementEntry| {
        let amount = digits(entry.amount, statement.currency);
        match entry.direction {
            Direction::Debit => format!("-{amount}"),
            Direction::Credit => amount,
        }
    };
    let row = |entry: &StatementEntry| {
        vec![
            entry.booking_date.to_string(),
            signed(entry),
            digits(entry.balance_after, statement.currency),
            entry.counterparty.to_string(),
            or_empty(entry.reference.as_ref()),
            or_empty(entry.end_to_end_id.as_ref()),
        ]
    };
    let title = format!("account {} in {}", statement.account_id, statement.currency);
    format!("{title}\n{}", table(&columns, statement.entries.iter().map(row)))
}

impl TrialBalance {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let found = session.bank().await?.trial_balance().await?;
        session.out.show(&found, || sums(&found))?;
        Ok(())
    }
}

fn sums(found: &TrialBalanceFound) -> String {
    let columns = [
        Column::Left("account"),
        Column::Left("currency"),
        Column::Right("accounts"),
        Column::Right("debits"),
        Column::Right("credits"),
        Column::Right("balance"),
    ];
    let name = |line: &TrialBalanceLine| match &line.code {
        Some(code) => code.to_string(),
        None => "customers".to_owned(),
    };
    let mut rows: Vec<Vec<String>> =
        found.lines.iter().map(|line| sum_row(name(line), line)).collect();
    let mut totals: BTreeMap<Currency, TrialBalanceLine> = BTreeMap::new();
    for line in &found.lines {
        let nothing = TrialBalanceLine {
            accounts: 0,
            debits: Amount::ZERO,
            credits: Amount::ZERO,
            balance: Amount::ZERO,
            ..line.clone()
        };
        let total = totals.entry(line.currency).or_insert(nothing);
        total.accounts += line.accounts;
        total.debits.0 += line.debits.0;
        total.credits.0 += line.credits.0;
        total.balance.0 += line.balance.0;
    }
    rows.extend(totals.values().map(|total| sum_row("total".to_owned(), total)));
    table(&columns, rows)
}

fn sum_row(name: String, line: &TrialBalanceLine) -> Vec<String> {
    vec![
        name,
        line.currency.to_string(),
        line.accounts.to_string(),
        digits(line.debits, line.currency),
        digits(line.credits, line.currency),
        digits(line.balance, line.currency),
    ]
}
