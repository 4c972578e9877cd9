//! What clients want to know.

use shared_events::{
    accounts::{
        ACCOUNTS_PAGE_MAX, AccountFound, AccountKey, AccountsListed, AccountsQuery, GetAccount,
        ListAccounts,
    },
    messaging::{Answer, HandleError, QueryHandler, Tx},
    refusal::MessageRefused,
};

use super::{page, repo};
use crate::holders::rules::{InvalidField, searchable};

/// How many accounts a page has where nobody says how many.
const ACCOUNTS_PAGE_DEFAULT: u32 = 100;

/// Answers `accounts.queries`.
pub(crate) struct Queries;

impl QueryHandler for Queries {
    type Query = AccountsQuery;

    async fn answer(&self, tx: &mut Tx<'_>, query: &AccountsQuery) -> Result<Answer, HandleError> {
        match query {
            AccountsQuery::Get(get) => get_in_tx(tx, get).await,
            AccountsQuery::List(list) => list_in_tx(tx, list).await,
        }
    }
}

async fn get_in_tx(
    tx: &mut Tx<'_>,
    GetAccount { key }: &GetAccount,
) -> Result<Answer, HandleError> {
    let found = match key {
        AccountKey::AccountId(id) => repo::account_by_id_in_tx(tx, *id).await?,
        AccountKey::Iban(iban) => repo::account_by_iban_in_tx(tx, iban).await?,
        AccountKey::ExternalReference(reference) => {
            if let Err(invalid) = searchable("key.external_reference", reference) {
                return Ok(refused(invalid));
            }
            repo::account_by_external_reference_in_tx(tx, reference).await?
        }
    };
    Ok(match found {
        Some(account) => Answer::found(&AccountFound { account }),
        None => Answer::refused(&MessageRefused::not_found(missing(key))),
    })
}

async fn list_in_tx(tx: &mut Tx<'_>, list: &ListAccounts) -> Result<Answer, HandleError> {
    let limit = list.limit.unwrap_or(ACCOUNTS_PAGE_DEFAULT);
    if !(1..=ACCOUNTS_PAGE_MAX).contains(&limit) {
        let rule = format!("1 to {ACCOUNTS_PAGE_MAX}");
        return Ok(Answer::refused(&MessageRefused::invalid("limit", rule)));
    }
    let prefix = list.external_reference_prefix.as_deref().unwrap_or_default();
    if let Err(invalid) = searchable("external_reference_prefix", prefix) {
        return Ok(refused(invalid));
    }
    // One more than asked for says whether there is a next page.
    let found = repo::accounts_after_in_tx(tx, list, limit + 1).await?;
    let (accounts, next) = page(found, limit as usize);
    Ok(Answer::found(&AccountsListed { accounts, next }))
}

fn refused(invalid: InvalidField) -> Answer {
    Answer::refused(&MessageRefused::invalid(invalid.field, invalid.rule))
}

fn missing(key: &AccountKey) -> String {
    match key {
        AccountKey::AccountId(id) => format!("there is no account {id}"),
        AccountKey::Iban(iban) => format!("there is no account with the IBAN {iban}"),
        AccountKey::ExternalReference(reference) => {
            format!("there is no account with the external reference {reference:?}")
        }
    }
}
