//! `teller terms ...` and `teller interest`

use chrono::{Datelike, NaiveDate, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;
use shared_events::{
    Amount, MessageId, Total,
    ledger::{
        AccruedDay, AtClosing, CapitalisedMonth, DayCount, GetInterest, INTEREST_DAYS_MAX,
        InterestFound, InterestTerms, Rounding, SetTerms, TermsChanged, TermsSet,
    },
    money::InvalidMoney,
};
use teller_client::input::{self, InvalidInput};

use crate::{
    failure::Failure,
    output::{Column, Text, card, digits, or_empty, table},
    session::{SendId, Session, account_id},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Terms {
    /// Set the terms of interest and fees of an account
    Set(Set),
    /// Show all terms that an account ever had
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The account: id, IBAN or external reference
    account: String,
    /// The first day they hold for
    #[arg(long, value_name = "YYYY-MM-DD")]
    valid_from: String,
    /// The interest rate on a balance above zero, in percent a year
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    credit_rate: String,
    /// The interest rate on a balance below zero, in percent a year
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    debit_rate: String,
    /// The day count: act/365, act/360 or 30e/360
    #[arg(long, default_value = "act/365")]
    day_count: String,
    /// How the month's sum is rounded: half_even, half_up or down
    #[arg(long, default_value = "half_even")]
    rounding: String,
    /// The fee for each month's statement
    #[arg(long, value_name = "AMOUNT")]
    statement_fee: Option<String>,
    /// The rule for the interest of the month that has begun when the account is closed: forfeit or
    /// pay
    #[arg(long, default_value = "forfeit")]
    at_closing: String,
    #[command(flatten)]
    id: SendId,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The account: id, IBAN or external reference
    account: String,
}

#[derive(Debug, Args)]
pub(crate) struct Interest {
    /// The account: id, IBAN or external reference
    account: String,
    /// The first day to show; the first of the last day's month if not given
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<String>,
    /// The last day to show; today if not given
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<String>,
    /// Only by entries and terms that the bank knew at this instant (RFC 3339)
    #[arg(long, value_name = "INSTANT")]
    known_at: Option<String>,
}

/// The terms that a command set.
#[derive(Serialize)]
struct Changed {
    id: MessageId,
    #[serde(flatten)]
    changed: TermsChanged,
}

impl Terms {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::Set(command) => command.run(session).await,
            Self::Show(command) => command.run(session).await,
        }
    }
}

/// One of the words that a field may be.
fn word<T: serde::de::DeserializeOwned>(
    field: &str,
    text: &str,
    known: &str,
) -> Result<T, InvalidInput> {
    let wrong = |_| InvalidInput::new(field, format!("must be {known}"));
    serde_json::from_value(text.into()).map_err(wrong)
}

fn rate(field: &str, text: &str) -> Result<Amount, InvalidInput> {
    text.parse().map_err(|error: InvalidMoney| InvalidInput::new(field, error.to_string()))
}

impl Set {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let fee = self.statement_fee.as_deref();
        let terms = InterestTerms {
            valid_from: input::date("valid_from", &self.valid_from)?,
            credit_rate: rate("credit_rate", &self.credit_rate)?,
            debit_rate: rate("debit_rate", &self.debit_rate)?,
            day_count: word("day_count", &self.day_count, "act/365, act/360 or 30e/360")?,
            rounding: word("rounding", &self.rounding, "half_even, half_up or down")?,
            statement_fee: fee.map(|fee| rate("statement_fee", fee)).transpose()?,
            at_closing: word("at_closing", &self.at_closing, "forfeit or pay")?,
        };
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        let id = session.id(&self.id);
        let changed = bank.set_terms(id, SetTerms { account_id, terms }).await?;
        let changed = Changed { id, changed };
        session.out.show(&changed, || describe(&changed.changed.terms))?;
        Ok(())
    }
}

const fn day_count(day_count: DayCount) -> &'static str {
    match day_count {
        DayCount::Act365 => "act/365",
        DayCount::Act360 => "act/360",
        DayCount::ThirtyE360 => "30e/360",
    }
}

const fn rounding(rounding: Rounding) -> &'static str {
    match rounding {
        Rounding::HalfEven => "half_even",
        Rounding::HalfUp => "half_up",
        Rounding::Down => "down",
    }
}

const fn at_closing(rule: AtClosing) -> &'static str {
    match rule {
        AtClosing::Forfeit => "forfeit",
        AtClosing::Pay => "pay",
    }
}

fn describe(terms: &InterestTerms) -> Text {
    card(&[
        ("valid from", terms.valid_from.to_string()),
        ("credit rate", format!("{} %", terms.credit_rate)),
        ("debit rate", format!("{} %", terms.debit_rate)),
        ("day count", day_count(terms.day_count).to_owned()),
        ("rounding", rounding(terms.rounding).to_owned()),
        ("statement fee", or_empty(terms.statement_fee.as_ref())),
        ("at closing", at_closing(terms.at_closing).to_owned()),
    ])
}

impl Show {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        // Any day will do: all terms come with it. This one is over wherever the bank is.
        let day = Utc::now().date_naive().pred_opt().unwrap_or_default();
        let query = GetInterest { account_id, from: day, to: day, known_at: None };
        let terms = bank.interest(query).await?.terms;
        session.out.show(&terms, || history(&terms))?;
        Ok(())
    }
}

fn history(terms: &[TermsSet]) -> Text {
    let columns = [
        Column::Left("set at"),
        Column::Left("valid from"),
        Column::Right("credit rate"),
        Column::Right("debit rate"),
        Column::Left("day count"),
        Column::Left("rounding"),
        Column::Right("statement fee"),
    ];
    let row = |set: &TermsSet| {
        vec![
            set.set_at.to_rfc3339(),
            set.terms.valid_from.to_string(),
            set.terms.credit_rate.to_string(),
            set.terms.debit_rate.to_string(),
            day_count(set.terms.day_count).to_owned(),
            rounding(set.terms.rounding).to_owned(),
            or_empty(set.terms.statement_fee.as_ref()),
        ]
    };
    table(&columns, terms.iter().map(row))
}

impl Interest {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let to = self.to.as_deref().map(|day| input::date("to", day)).transpose()?;
        let from = self.from.as_deref().map(|day| input::date("from", day)).transpose()?;
        let wrong = |_| InvalidInput::new("known_at", "must be an instant of RFC 3339");
        let known_at =
            self.known_at.as_deref().map(|instant| instant.parse().map_err(wrong)).transpose()?;
        let bank = session.bank().await?;
        let to = match to {
            Some(day) => day,
            None => bank.today().await?,
        };
        let from = from.or(to.with_day(1)).unwrap_or(to);
        check_period(from, to)?;
        let account_id = account_id(&bank, key).await?;
        let found = bank.interest(GetInterest { account_id, from, to, known_at }).await?;
        session.out.show(&found, || days(&found))?;
        Ok(())
    }
}

fn check_period(from: NaiveDate, to: NaiveDate) -> Result<(), InvalidInput> {
    match to.signed_duration_since(from).num_days() {
        ..0 => Err(InvalidInput::new("to", "must not be before from")),
        0..INTEREST_DAYS_MAX => Ok(()),
        INTEREST_DAYS_MAX.. => {
            Err(InvalidInput::new("to", format!("at most {INTEREST_DAYS_MAX} days after from")))
        }
    }
}

fn days(found: &InterestFound) -> Text {
    let columns = [
        Column::Left("day"),
        Column::Right("balance"),
        Column::Right("rate"),
        Column::Right("of a year"),
        Column::Right("accrued"),
    ];
    let row = |line: &AccruedDay| {
        vec![
            line.day.to_string(),
            digits(line.balance, found.currency),
            format!("{} %", line.rate),
            format!("{}/{}", line.days, line.of),
            line.accrued.to_string(),
        ]
    };
    let days = found.days.iter().filter_map(|day| Total::of(day.accrued.decimal()));
    let sum = Total::sum(days).unwrap_or(Total::MAX);
    let title = format!("account {} in {}: {sum} accrued", found.account_id, found.currency);
    let lines = table(&columns, found.days.iter().map(row));
    Text::line(&title).then(&lines).then(&months(found))
}

fn months(found: &InterestFound) -> Text {
    let columns = [
        Column::Left("month"),
        Column::Right("credit interest"),
        Column::Right("debit interest"),
        Column::Right("statement fee"),
        Column::Left("capitalised at"),
    ];
    let row = |month: &CapitalisedMonth| {
        vec![
            month.month.format("%Y-%m").to_string(),
            digits(month.credit_interest, found.currency),
            digits(month.debit_interest, found.currency),
            digits(month.statement_fee, found.currency),
            month.capitalised_at.to_rfc3339(),
        ]
    };
    table(&columns, found.capitalised.iter().map(row))
}
