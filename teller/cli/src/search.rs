//! `teller search`: entries of an account by their known fields, or payments of the whole bank by
//! their name.

use clap::{Args, ValueEnum};
use serde_json::json;
use shared_events::{
    Currency,
    ledger::{
        Direction, EntriesFound, FindEntries, InstructionOutcome, JournalRecord, PaymentName,
        StatementEntry,
    },
};
use teller_client::{
    Teller,
    input::{self, InvalidInput, PartyName},
};

use crate::{
    failure::Failure,
    output::{Cell, Column, Text, digits, note, or_empty, table},
    session::Session,
};

#[derive(Debug, Args)]
pub(crate) struct Search {
    /// The account: id, IBAN, external reference or code:<CODE>; without it the whole bank, by
    /// --reference or --end-to-end-id
    account: Option<String>,
    /// The currency, where the account is one of the bank's own
    #[arg(long, requires = "account")]
    currency: Option<String>,
    /// Text within the reference; of the whole bank: the whole reference
    #[arg(long)]
    reference: Option<String>,
    /// The whole end-to-end id
    #[arg(long, value_name = "ID")]
    end_to_end_id: Option<String>,
    /// The account on the other side
    #[arg(long, value_name = "ACCOUNT", requires = "account")]
    counterparty: Option<String>,
    /// Debits or credits only
    #[arg(long, value_enum, requires = "account")]
    direction: Option<Way>,
    /// The smallest amount
    #[arg(long, value_name = "AMOUNT", requires = "account")]
    min: Option<String>,
    /// The largest amount
    #[arg(long, value_name = "AMOUNT", requires = "account")]
    max: Option<String>,
    /// The first booking date
    #[arg(long, value_name = "YYYY-MM-DD", requires = "account")]
    from: Option<String>,
    /// The last booking date
    #[arg(long, value_name = "YYYY-MM-DD", requires = "account")]
    to: Option<String>,
    /// The largest number of results
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Way {
    Debit,
    Credit,
}

impl Search {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match &self.account {
            Some(account) => {
                let name = input::party("account", account)?;
                self.entries(&name, session).await
            }
            None => self.payments(session).await,
        }
    }

    async fn entries(&self, name: &PartyName, session: &mut Session) -> Result<(), Failure> {
        let date = |field, day: &Option<String>| {
            day.as_deref().map(|day| input::date(field, day)).transpose()
        };
        let amount = |field, amount: &Option<String>| {
            amount.as_deref().map(|amount| input::range_end(field, amount)).transpose()
        };
        let currency = self.currency.as_deref().map(input::currency).transpose()?;
        let other = self.counterparty.as_deref().map(|name| input::party("counterparty", name));
        let other = other.transpose()?;
        let (from, to) = (date("from", &self.from)?, date("to", &self.to)?);
        let (amount_min, amount_max) = (amount("min", &self.min)?, amount("max", &self.max)?);
        let reference = input::checked(self.reference.as_deref(), input::reference)?;
        let end_to_end_id = input::checked(self.end_to_end_id.as_deref(), input::end_to_end_id)?;
        let bank: Teller = session.bank().await?;
        let query = FindEntries {
            account: bank.resolve(name).await?,
            currency,
            reference,
            end_to_end_id,
            counterparty: match other {
                Some(other) => Some(bank.resolve(&other).await?),
                None => None,
            },
            direction: self.direction.map(|way| match way {
                Way::Debit => Direction::Debit,
                Way::Credit => Direction::Credit,
            }),
            amount_min,
            amount_max,
            from,
            to,
            after: None,
            limit: None,
        };
        let found = bank.find_entries(query, self.limit as usize).await?;
        if found.next.is_some() {
            note("there may be more: raise --limit");
        }
        session.out.show(&found, || entries(&found))?;
        Ok(())
    }

    async fn payments(&self, session: &mut Session) -> Result<(), Failure> {
        let name = match (&self.reference, &self.end_to_end_id) {
            (Some(reference), None) => PaymentName::Reference(input::reference(reference)?),
            (None, Some(id)) => PaymentName::EndToEndId(input::end_to_end_id(id)?),
            (Some(_), Some(_)) | (None, None) => {
                let rule = "give an account, or either --reference or --end-to-end-id";
                return Err(InvalidInput::new("account", rule).into());
            }
        };
        let bank = session.bank().await?;
        let (found, more) = bank.find_payments(name, self.limit as usize).await?;
        if more {
            note("there is more: raise --limit");
        }
        session.out.show(&json!({ "payments": found }), || payments(&found))?;
        Ok(())
    }
}

fn entries(found: &EntriesFound) -> Text {
    let columns = [
        Column::Left("booked on"),
        Column::Right("amount"),
        Column::Left("counterparty"),
        Column::Left("reference"),
        Column::Left("end-to-end id"),
        Column::Left("transfer"),
    ];
    let row = |entry: &StatementEntry| {
        let amount = digits(entry.amount, found.currency);
        let amount = match entry.direction {
            Direction::Debit => format!("-{amount}"),
            Direction::Credit => amount,
        };
        vec![
            entry.booking_date.to_string(),
            amount,
            entry.counterparty.to_string(),
            or_empty(entry.reference.as_ref()),
            or_empty(entry.end_to_end_id.as_ref()),
            entry.transfer_id.to_string(),
        ]
    };
    let title = format!("account {} in {}", found.account_id, found.currency);
    Text::line(&title).then(&table(&columns, found.entries.iter().map(row)))
}

fn payments(found: &[JournalRecord]) -> Text {
    let columns = [
        Column::Left("decided at"),
        Column::Left("outcome"),
        Column::Left("legs"),
        Column::Left("reference"),
        Column::Left("end-to-end id"),
        Column::Left("id"),
    ];
    let row = |record: &JournalRecord| {
        vec![
            record.decided_at.to_rfc3339().into(),
            outcome(record).into(),
            legs(record),
            or_empty(record.instruction.reference.as_ref()).into(),
            or_empty(record.instruction.end_to_end_id.as_ref()).into(),
            record.instruction.transfer_id.to_string().into(),
        ]
    };
    table(&columns, found.iter().map(row))
}

fn outcome(record: &JournalRecord) -> String {
    match &record.outcome {
        InstructionOutcome::Posted(_) => "posted".to_owned(),
        InstructionOutcome::Held(_) => "held".to_owned(),
        InstructionOutcome::Released(_) => "released".to_owned(),
        InstructionOutcome::Rejected(rejected) => rejected.reason.as_str().to_owned(),
    }
}

fn legs(record: &JournalRecord) -> Cell {
    let InstructionOutcome::Posted(posted) = &record.outcome else { return Cell::Lines(vec![]) };
    let leg = |leg: &shared_events::ledger::PostedLeg| {
        let sign = if leg.direction == Direction::Debit { "-" } else { "+" };
        let currency: Currency = leg.money.currency;
        let whose = match &leg.account.code {
            Some(code) => code.to_string(),
            None => leg.account.account_id.to_string(),
        };
        format!("{whose} {sign}{} {currency}", digits(leg.money.amount, currency))
    };
    Cell::Lines(posted.legs.iter().map(leg).collect())
}
