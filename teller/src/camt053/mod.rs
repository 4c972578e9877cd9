//! A statement as ISO 20022 camt.053.001.08. Promise: what it writes is valid against the schema of
//! that message: the elements in its order, texts no longer than it allows, amounts in the
//! currency's digits; what a camt.053 cannot carry is refused, never cut.

mod xml;

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use shared_events::{
    AccountId, Amount, MessageId,
    accounts::AccountKey,
    ledger::{Party, StatementEntry, StatementFound, StatementPeriod},
};

use crate::{
    bank::{AT_ONCE, Teller},
    error::{TellerError, unexpected},
    input::InvalidInput,
};

/// The most digits of an amount, and of those after the point.
const DIGITS_MAX: u32 = 18;
const DECIMALS_MAX: u32 = 5;

/// Who stands on one side of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Side {
    /// The holder's name; none of the bank's own accounts has one.
    name: Option<String>,
    account: AccountName,
}

/// How an account is identified.
#[derive(Clone, Debug, PartialEq, Eq)]
enum AccountName {
    Iban(String),
    /// One of the bank's own: its code.
    Own(String),
}

/// All that the document says.
struct Document<'a> {
    message_id: MessageId,
    created_at: DateTime<Utc>,
    days: (NaiveDate, NaiveDate),
    owner: &'a Side,
    statement: &'a StatementFound,
    period: &'a StatementPeriod,
    sides: &'a HashMap<Party, Side>,
}

impl Teller {
    /// The statement of `account` over these days as a camt.053 document. Names and IBANs are asked
    /// of the accounts service.
    pub async fn camt053(
        &self,
        account: &Party,
        days: (NaiveDate, NaiveDate),
        statement: &StatementFound,
    ) -> Result<String, TellerError> {
        let Some(period) = &statement.period else { return Err(unexpected(&[])) };
        check_amounts(statement, period)?;
        let mut parties: Vec<Party> =
            statement.entries.iter().map(|entry| entry.counterparty.clone()).collect();
        parties.push(account.clone());
        let sides = self.sides(parties).await?;
        Ok(xml::document(&Document {
            message_id: MessageId::new(),
            created_at: Utc::now(),
            days,
            owner: &sides[account],
            statement,
            period,
            sides: &sides,
        }))
    }

    /// Each party once, with its name and IBAN.
    async fn sides(&self, mut parties: Vec<Party>) -> Result<HashMap<Party, Side>, TellerError> {
        parties.sort_by_key(ToString::to_string);
        parties.dedup();
        let asked = parties.into_iter().map(async |party| {
            let side = match &party {
                Party::Code(code) => Side { name: None, account: AccountName::Own(code.0.clone()) },
                Party::AccountId(id) => self.side(*id).await?,
            };
            Ok::<_, TellerError>((party, side))
        });
        stream::iter(asked).buffer_unordered(AT_ONCE).try_collect().await
    }

    async fn side(&self, id: AccountId) -> Result<Side, TellerError> {
        let account = self.account(AccountKey::AccountId(id)).await?;
        let iban = AccountName::Iban(account.iban.as_str().to_owned());
        Ok(Side { name: Some(account.holder.name), account: iban })
    }
}

/// The bank's own position accounts may have more digits than the message carries.
fn check_amounts(statement: &StatementFound, period: &StatementPeriod) -> Result<(), InvalidInput> {
    let entries = statement.entries.iter().map(|entry| entry.amount);
    let balances = [period.opening_balance, period.closing_balance, period.debits, period.credits];
    let carried = |amount: Amount| {
        let number = amount.decimal().normalize();
        let digits = number.mantissa().unsigned_abs().checked_ilog10().map_or(1, |it| it + 1);
        let decimals = number.scale().max(statement.currency.digits());
        decimals <= DECIMALS_MAX && digits + decimals - number.scale() <= DIGITS_MAX
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

/// The id of an entry's transfer: a UUID without its hyphens, since 36 characters are one too many.
fn transfer_reference(entry: &StatementEntry) -> String {
    entry.transfer_id.uuid().simple().to_string()
}

#[cfg(test)]
mod tests;
