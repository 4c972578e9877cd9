//! `teller balance` and `trial-balance`.

use std::collections::BTreeMap;

use clap::Args;
use shared_events::{
    Amount, Currency, Total,
    ledger::{AsOf, BalanceAtFound, BalanceFound, TrialBalanceFound, TrialBalanceLine},
};
use teller_client::input::{self, InvalidInput, PartyName};

use crate::{
    failure::Failure,
    output::{Column, Text, card, digits, or_empty, sum_digits, table},
    session::Session,
};

#[derive(Debug, Args)]
pub(crate) struct Balance {
    #[command(flatten)]
    of: Of,
    /// The balance at this instant
    #[arg(long, value_name = "RFC3339", conflicts_with = "value_date")]
    at: Option<String>,
    /// The balance that counts for interest on this day, by value dates
    #[arg(long, value_name = "YYYY-MM-DD")]
    value_date: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct TrialBalance {}

#[derive(Debug, Args)]
pub(crate) struct Of {
    /// The account: id, IBAN, external reference or code:<CODE>
    account: String,
    /// The currency, where the account is one of the bank's own
    #[arg(long)]
    currency: Option<String>,
}

impl Of {
    pub(crate) fn checked(&self) -> Result<(PartyName, Option<Currency>), InvalidInput> {
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
        let as_of = self.as_of()?;
        let bank = session.bank().await?;
        let account = bank.resolve(&name).await?;
        match as_of {
            Some(as_of) => {
                let found = bank.balance_at(account, currency, as_of).await?;
                session.out.show(&found, || describe_then(&found))?;
            }
            None => {
                let balance = bank.balance(account, currency).await?;
                session.out.show(&balance, || describe(&balance))?;
            }
        }
        Ok(())
    }

    fn as_of(&self) -> Result<Option<AsOf>, InvalidInput> {
        let at = self.at.as_deref().map(|at| input::instant("at", at)).transpose()?;
        let day =
            self.value_date.as_deref().map(|day| input::date("value-date", day)).transpose()?;
        Ok(at.map(AsOf::Instant).or(day.map(AsOf::ValueDate)))
    }
}

fn describe_then(found: &BalanceAtFound) -> Text {
    let as_of = match found.as_of {
        AsOf::Instant(at) => ("at", at.to_rfc3339()),
        AsOf::ValueDate(day) => ("value date", day.to_string()),
        AsOf::BookingDate(day) => ("booking date", day.to_string()),
    };
    card(&[
        ("account", found.account_id.to_string()),
        ("code", or_empty(found.code.as_ref())),
        as_of,
        ("balance", format!("{} {}", digits(found.balance, found.currency), found.currency)),
    ])
}

fn describe(found: &BalanceFound) -> Text {
    let money = |amount: Amount| format!("{} {}", digits(amount, found.currency), found.currency);
    let pending =
        |amount: Amount| if amount == Amount::ZERO { String::new() } else { money(amount) };
    card(&[
        ("account", found.account_id.to_string()),
        ("code", or_empty(found.code.as_ref())),
        ("status", found.status.to_string()),
        ("balance", money(found.balance)),
        ("pending out", pending(found.pending_debits)),
        ("pending in", pending(found.pending_credits)),
        ("overdraft limit", found.overdraft_limit.map(money).unwrap_or_default()),
        ("available", found.available.map(money).unwrap_or_default()),
    ])
}

impl TrialBalance {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let found = session.bank().await?.trial_balance().await?;
        session.out.show(&found, || sums(&found))?;
        Ok(())
    }
}

fn sums(found: &TrialBalanceFound) -> Text {
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
            debits: Total::ZERO,
            credits: Total::ZERO,
            balance: Total::ZERO,
            ..line.clone()
        };
        let total = totals.entry(line.currency).or_insert(nothing);
        total.accounts += line.accounts;
        total.debits = total.debits.plus_at_most(line.debits);
        total.credits = total.credits.plus_at_most(line.credits);
        total.balance = total.balance.plus_at_most(line.balance);
    }
    rows.extend(totals.values().map(|total| sum_row("total".to_owned(), total)));
    table(&columns, rows)
}

fn sum_row(name: String, line: &TrialBalanceLine) -> Vec<String> {
    vec![
        name,
        line.currency.to_string(),
        line.accounts.to_string(),
        sum_digits(line.debits, line.currency),
        sum_digits(line.credits, line.currency),
        sum_digits(line.balance, line.currency),
    ]
}
