//! The rows of the accounts service. Promise: each is what the last change of its account or its
//! principal says, letter by letter; none is missing, and none is too many.

use std::{collections::BTreeMap, ops::Bound};

use shared_events::{
    AccountId,
    accounts::{AccountBooksFound, AccountBooksRows, StoredAccount, StoredGrants, StoredState},
};

use super::{AccountHistory, History, shown};
use crate::difference::{Checked, Row, Table};

/// Checks a page of rows from the first one at or after `from`.
pub(super) fn check(history: &History, from: Option<&str>, page: &AccountBooksFound) -> Checked {
    let next = page.next.as_deref();
    match &page.rows {
        AccountBooksRows::Accounts(rows) => {
            let found: BTreeMap<AccountId, &StoredAccount> =
                rows.iter().map(|row| (row.account_id, row)).collect();
            let id = |text: Option<&str>| text.and_then(|text| text.parse::<AccountId>().ok());
            let of_page = (
                id(from).map_or(Bound::Unbounded, Bound::Included),
                id(next).map_or(Bound::Unbounded, Bound::Excluded),
            );
            let mut expected = history.accounts.range::<AccountId, _>(of_page);
            if let Some((id, _)) = expected.find(|(id, _)| !found.contains_key(id)) {
                return Err(Row::of(Table::AccountTerms).account(*id).missing());
            }
            found.into_iter().try_for_each(|(id, row)| account(id, history.accounts.get(&id), row))
        }
        AccountBooksRows::Grants(rows) => {
            let found: BTreeMap<&str, &StoredGrants> =
                rows.iter().map(|row| (row.principal.as_str(), row)).collect();
            let of_page = (
                from.map_or(Bound::Unbounded, Bound::Included),
                next.map_or(Bound::Unbounded, Bound::Excluded),
            );
            let mut expected = history.grants.range::<str, _>(of_page);
            let missing = expected.find(|(name, _)| !found.contains_key(name.as_str()));
            if let Some((name, (place, _))) = missing {
                return Err(of_grants(*place).differs("row", name, "none"));
            }
            rows.iter().try_for_each(|row| grants(history, row))
        }
    }
}

fn account(id: AccountId, known: Option<&AccountHistory>, found: &StoredAccount) -> Checked {
    let row = Row::of(Table::AccountTerms).account(id);
    let Some(known) = known else { return Err(row.too_many()) };
    let last = &known.last;
    // The row names the change that it follows from.
    let row = Row { place: Some(known.place), ..row };
    row.has("version", last.number, found.version)?;
    for ((column, expected), (_, found)) in
        columns(&last.state).into_iter().zip(columns(&found.state))
    {
        row.has(column, expected, found)?;
    }
    // The holder was erased since this row was read: the erasure is a later change.
    let Some(texts) = &known.texts else { return Ok(()) };
    let holder = &found.holder;
    for (column, expected, found) in [
        ("holder_name", texts.name.as_ref(), Some(&holder.name)),
        ("holder_email", texts.email.as_ref(), holder.email.as_ref()),
        ("holder_webhook", texts.webhook.as_ref(), holder.webhook.as_ref()),
        ("holder_language", texts.language.as_ref(), Some(&holder.language)),
    ] {
        row.has(column, shown(expected), shown(found))?;
    }
    Ok(())
}

/// The columns of an account, as text.
fn columns(state: &StoredState) -> [(&'static str, String); 13] {
    let closing = state.closing_version.map(|version| version.to_string());
    [
        ("iban", state.iban.clone()),
        ("product", state.product.clone()),
        ("currency", state.currency.clone()),
        ("overdraft_limit", state.overdraft_limit.clone()),
        ("transfer_limit", shown(state.transfer_limit.as_ref())),
        ("daily_limit", shown(state.daily_limit.as_ref())),
        ("monthly_limit", shown(state.monthly_limit.as_ref())),
        ("minimum_balance", shown(state.minimum_balance.as_ref())),
        ("blocks", shown(state.blocks.as_ref())),
        ("external_reference", shown(state.external_reference.as_ref())),
        ("branch", state.branch.clone()),
        ("status", state.status.clone()),
        ("closing_version", shown(closing.as_ref())),
    ]
}

fn grants(history: &History, found: &StoredGrants) -> Checked {
    let Some((place, last)) = history.grants.get(&found.principal) else {
        return Err(of_grants(0).differs("row", "none", &found.principal));
    };
    let row = of_grants(*place);
    row.has("number", last.number, found.number)?;
    row.has("grants", last.grants.get(), found.grants.as_str())
}

fn of_grants(place: i64) -> Row {
    Row { place: Some(place), ..Row::of(Table::Grants) }
}
