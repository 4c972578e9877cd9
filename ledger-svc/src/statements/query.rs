//! Answers queries about the past: balances, statements, searches.

use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate};
use serde::Serialize;
use shared_events::{
    AccountId, Currency, TransferId, access::Rights, messaging::Tx, refusal::MessageRefused,
};

use super::{
    entity::{
        AsOf, EntrySearch, PastBalance, PaymentName, StatementEntry, StatementPeriod,
        StatementRange,
    },
    repo,
};
use crate::{
    accounts::{self, Account, internal_account_id},
    bank_calendar::BOOKING_YEARS,
    posting::{END_TO_END_ID_CHARS_MAX, JournalRecord, Party, REFERENCE_CHARS_MAX},
    refusals::QueryError,
};

/// The most entries of a page.
pub(crate) const ENTRIES_PAGE_MAX: u32 = 1_000;
/// The most payments of a page.
pub(crate) const PAYMENTS_PAGE_MAX: u32 = 250;
/// The items of a page, if the query names no limit.
pub(crate) const PAGE_DEFAULT: u32 = 100;

/// A page of items of an account, as the contract's message shows them.
#[derive(Clone, Debug)]
pub(crate) struct AccountPage<T> {
    pub(crate) account: AccountId,
    pub(crate) currency: Currency,
    pub(crate) items: Vec<T>,
    /// Whether there are more items.
    pub(crate) more: bool,
}

/// The account that a query names.
pub(crate) async fn account(
    tx: &mut Tx<'_>,
    party: &Party,
    currency: Option<Currency>,
    rights: &Rights,
) -> Result<Account, QueryError> {
    let (id, name) = match (party, currency) {
        (Party::AccountId(id), _) => (*id, id.to_string()),
        (Party::Code(code), Some(currency)) => {
            (internal_account_id(code, currency), code.to_string())
        }
        (Party::Code(_), None) => {
            let rule = "needed with the code of an internal account";
            return Err(MessageRefused::invalid("currency", rule).into());
        }
    };
    let found = accounts::repo::find(tx, id).await?;
    let found = found.ok_or_else(|| MessageRefused::not_found(format!("account {name}")))?;
    match is_visible(&found, rights) {
        true => Ok(found),
        false => {
            Err(MessageRefused::not_permitted(format!("no grant is for account {name}")).into())
        }
    }
}

fn is_visible(account: &Account, rights: &Rights) -> bool {
    match account.code {
        Some(_) => rights.read_own_accounts(),
        None => rights.hold_for_branch(account.branch()),
    }
}

/// Whether the rights hold for any of these accounts: each party of a payment may see the payment.
pub(crate) async fn is_any_visible(
    tx: &mut Tx<'_>,
    accounts: &[AccountId],
    rights: &Rights,
) -> sqlx::Result<bool> {
    let is_for_all = rights.branches().is_none();
    if is_for_all && rights.read_own_accounts() {
        return Ok(true);
    }
    let ids: Vec<_> = accounts.iter().map(|id| id.uuid()).collect();
    let found = accounts::repo::read_in_tx(tx, &ids).await?;
    // What is about no account that the ledger knows is about no account of another branch.
    Ok(found.iter().any(|account| is_visible(account, rights)) || is_for_all && found.is_empty())
}

/// The balance of an account in the past, by the entries that the ledger has now.
pub(crate) async fn balance_at(
    tx: &mut Tx<'_>,
    (party, currency): (&Party, Option<Currency>),
    as_of: AsOf,
    rights: &Rights,
) -> Result<PastBalance, QueryError> {
    let account = account(tx, party, currency, rights).await?;
    let balance = match as_of {
        AsOf::Instant(instant) => {
            check_year("as_of.instant", instant.date_naive())?;
            repo::balance_at(tx, account.id, instant).await?
        }
        AsOf::ValueDate(day) => {
            check_year("as_of.value_date", day)?;
            repo::balance_by_value_date(tx, account.id, day).await?
        }
        AsOf::BookingDate(day) => {
            check_year("as_of.booking_date", day)?;
            repo::balance_by_booking_date(tx, account.id, day).await?
        }
    };
    let Account { id, code, currency, version, .. } = account;
    Ok(PastBalance { account: id, code, currency, balance, version })
}

/// A page of an account's entries after a version; with `totals` also the figures of the period.
pub(crate) async fn statement<T: Serialize>(
    tx: &mut Tx<'_>,
    (party, currency): (&Party, Option<Currency>),
    (range, totals): (StatementRange, bool),
    (after, limit): (Option<i64>, Option<u32>),
    rights: &Rights,
    shown: fn(StatementEntry) -> T,
) -> Result<(AccountPage<T>, Option<StatementPeriod>), QueryError> {
    let limit = page_limit(limit, ENTRIES_PAGE_MAX)?;
    if totals {
        check_order("to", "not before `from`", range.from, range.to)?;
    }
    let account = account(tx, party, currency, rights).await?;
    let span = repo::span(tx, account.id, &range).await?;
    let period = match totals {
        true => Some(repo::period(tx, &span).await?),
        false => None,
    };
    let (items, more) = repo::entries(tx, &span, after.unwrap_or(0), limit, shown).await?;
    Ok((AccountPage { account: account.id, currency: account.currency, items, more }, period))
}

/// A page of an account's entries that match a search; and the last version that the page has
/// looked at, if the account has later ones.
pub(crate) async fn entries<T: Serialize>(
    tx: &mut Tx<'_>,
    (party, currency): (&Party, Option<Currency>),
    search: &EntrySearch,
    limit: Option<u32>,
    rights: &Rights,
    shown: fn(StatementEntry) -> T,
) -> Result<(AccountPage<T>, Option<i64>), QueryError> {
    let limit = page_limit(limit, ENTRIES_PAGE_MAX)?;
    check_text("reference", search.reference.as_ref(), REFERENCE_CHARS_MAX)?;
    check_text("end_to_end_id", search.end_to_end_id.as_ref(), END_TO_END_ID_CHARS_MAX)?;
    if let Some(Party::Code(code)) = &search.counterparty
        && !code.is_known()
    {
        let rule = "the code of an internal account of the bank";
        return Err(MessageRefused::invalid("counterparty.code", rule).into());
    }
    let amounts = (search.amount_min, search.amount_max);
    check_order("amount_max", "not less than `amount_min`", amounts.0, amounts.1)?;
    check_order("to", "not before `from`", search.from, search.to)?;
    let account = account(tx, party, currency, rights).await?;
    let looked_at = repo::looked_at(tx, account.id, search.after.unwrap_or(0)).await?;
    let (items, more) = repo::matching(tx, account.id, search, limit, shown).await?;
    let page = AccountPage { account: account.id, currency: account.currency, items, more };
    Ok((page, looked_at))
}

/// A page of the instructions with a name, after an id; and whether there are more.
pub(crate) async fn payments<T: Serialize>(
    tx: &mut Tx<'_>,
    name: &PaymentName,
    (after, limit): (Option<TransferId>, Option<u32>),
    shown: fn(JournalRecord) -> T,
) -> Result<(Vec<T>, bool), QueryError> {
    let limit = page_limit(limit, PAYMENTS_PAGE_MAX)?;
    match name {
        PaymentName::Reference(text) => {
            check_text("name.reference", Some(text), REFERENCE_CHARS_MAX)?;
        }
        PaymentName::EndToEndId(text) => {
            check_text("name.end_to_end_id", Some(text), END_TO_END_ID_CHARS_MAX)?;
        }
    }
    Ok(repo::payments(tx, name, after, limit, shown).await?)
}

/// The number of items of a page.
pub(crate) fn page_limit(limit: Option<u32>, most: u32) -> Result<u32, MessageRefused> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    match (1..=most).contains(&limit) {
        true => Ok(limit),
        false => Err(MessageRefused::invalid("limit", format!("1 to {most}"))),
    }
}

fn check_order<T: PartialOrd>(
    field: &str,
    rule: &str,
    first: Option<T>,
    last: Option<T>,
) -> Result<(), MessageRefused> {
    match first.zip(last).is_some_and(|(first, last)| first > last) {
        true => Err(MessageRefused::invalid(field, rule)),
        false => Ok(()),
    }
}

fn check_year(field: &str, day: NaiveDate) -> Result<(), MessageRefused> {
    const YEARS: RangeInclusive<i32> = BOOKING_YEARS;
    match YEARS.contains(&day.year()) {
        true => Ok(()),
        false => {
            let (first, last) = (YEARS.start(), YEARS.end());
            Err(MessageRefused::invalid(field, format!("in the years {first} to {last}")))
        }
    }
}

/// Text that a database can search for. An empty text is within every reference.
fn check_text(field: &str, text: Option<&String>, chars_max: usize) -> Result<(), MessageRefused> {
    let Some(text) = text else { return Ok(()) };
    let fits = (1..=chars_max).contains(&text.chars().count());
    match fits && !text.chars().any(char::is_control) {
        true => Ok(()),
        false => {
            let rule = format!("1 to {chars_max} characters, no control characters");
            Err(MessageRefused::invalid(field, rule))
        }
    }
}
