//! A statement as ISO 20022 camt.053.001.08. Promise: the document is valid against the schema
//! of that message: elements in its order, texts within its lengths, amounts in the currency's
//! digits; a value that a camt.053 cannot carry is refused, never cut.
//!
//! ```no_run
//! # async fn november(bank: teller_client::Teller) -> Result<(), Box<dyn std::error::Error>> {
//! use teller_camt053::Servicer;
//! use teller_client::input;
//!
//! let servicer = Servicer { name: "Bankwire".to_owned(), bic: None };
//! let account = bank.resolve(&input::party("account", "ref:ada")?).await?;
//! let [first, last] = [input::date("from", "2026-11-01")?, input::date("to", "2026-11-30")?];
//! let statement = bank.statement(account.clone(), None, (Some(first), Some(last))).await?;
//! let days = (first, last);
//! let xml = teller_camt053::document(&bank, &servicer, &account, days, &statement).await?;
//! # Ok(())
//! # }
//! ```
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]
#![deny(missing_docs)]

mod codes;
mod numbers;
mod xml;

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency,
    accounts::AccountKey,
    ledger::{AccountCode, Party, StatementEntry, StatementFound, StatementPeriod},
};
use teller_client::{AT_ONCE, Teller, TellerError, input::InvalidInput};

/// The most digits of an amount, and of those after the point.
const DIGITS_MAX: u32 = 18;
const DECIMALS_MAX: u32 = 5;

/// The bank that keeps the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Servicer {
    /// Its name, at most 140 characters.
    pub name: String,
    /// Its BIC (ISO 9362), if it has one.
    pub bic: Option<String>,
}

/// The party on one side of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Side {
    /// The holder's name; of its own accounts the bank's.
    name: String,
    account: AccountName,
    /// Its currency; the bank's own accounts have one in each.
    currency: Option<Currency>,
}

/// How an account is identified.
#[derive(Clone, Debug, PartialEq, Eq)]
enum AccountName {
    Iban(String),
    /// One of the bank's own.
    Own(AccountCode),
}

/// All that the document says.
struct Document<'a> {
    created_at: DateTime<Utc>,
    servicer: &'a Servicer,
    days: (NaiveDate, NaiveDate),
    owner: &'a Side,
    statement: &'a StatementFound,
    period: &'a StatementPeriod,
    sides: &'a HashMap<Party, Side>,
}

/// The statement of `account` over these days as a camt.053 document. Names and IBANs are asked
/// of the accounts service. The same entries on the same days are the same statement, with the
/// same ids, whenever it is written.
pub async fn document(
    bank: &Teller,
    servicer: &Servicer,
    account: &Party,
    days: (NaiveDate, NaiveDate),
    statement: &StatementFound,
) -> Result<String, TellerError> {
    let Some(period) = &statement.period else {
        return Err(TellerError::NoAnswer("the statement lacks the totals of its period".into()));
    };
    check_amounts(statement, period)?;
    let mut parties: Vec<Party> =
        statement.entries.iter().map(|entry| entry.counterparty.clone()).collect();
    parties.push(account.clone());
    let sides = sides(bank, servicer, parties).await?;
    Ok(xml::document(&Document {
        created_at: Utc::now(),
        servicer,
        days,
        owner: &sides[account],
        statement,
        period,
        sides: &sides,
    }))
}

/// Each party once, with its name and IBAN.
async fn sides(
    bank: &Teller,
    servicer: &Servicer,
    mut parties: Vec<Party>,
) -> Result<HashMap<Party, Side>, TellerError> {
    parties.sort_by_key(ToString::to_string);
    parties.dedup();
    let asked = parties.into_iter().map(async |party| {
        let side = match &party {
            Party::Code(code) => {
                let (name, account) = (servicer.name.clone(), AccountName::Own(code.clone()));
                Side { name, account, currency: None }
            }
            Party::AccountId(id) => side(bank, *id).await?,
        };
        Ok::<_, TellerError>((party, side))
    });
    stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await
}

async fn side(bank: &Teller, id: AccountId) -> Result<Side, TellerError> {
    let account = bank.account(AccountKey::AccountId(id)).await?;
    let iban = AccountName::Iban(account.iban.as_str().to_owned());
    let currency = Some(account.currency);
    Ok(Side { name: account.holder.name, account: iban, currency })
}

/// The bank's own position accounts may have more digits than the message carries.
fn check_amounts(statement: &StatementFound, period: &StatementPeriod) -> Result<(), InvalidInput> {
    let entries = statement.entries.iter().map(|entry| entry.amount);
    let balances = [period.opening_balance, period.closing_balance, period.debits, period.credits];
    let carried = |amount: Amount| {
        let number = amount.decimal().normalize();
        number.scale() <= DECIMALS_MAX && is_carried(number, statement.currency)
    };
    match entries.chain(balances).all(carried) {
        true => Ok(()),
        false => {
            let rule = format!(
                "camt.053 carries amounts of {DIGITS_MAX} digits, {DECIMALS_MAX} of them after the \
                 point; this account has longer ones"
            );
            Err(InvalidInput::new("format", rule))
        }
    }
}

/// Whether a number, written with the digits of its currency, has no more than the message carries.
fn is_carried(number: Decimal, currency: Currency) -> bool {
    let number = number.normalize();
    let digits = number.mantissa().unsigned_abs().checked_ilog10().map_or(1, |power| power + 1);
    let decimals = number.scale().max(currency.digits());
    digits + decimals - number.scale() <= DIGITS_MAX
}

/// The id of an entry's transfer: a UUID without its hyphens, since 36 characters are one too many.
fn transfer_reference(entry: &StatementEntry) -> String {
    entry.transfer_id.uuid().simple().to_string()
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod xsd;
