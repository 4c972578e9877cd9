//! Changes whose texts were erased. Promise: a change has no texts only before the erasure of its
//! account; after the erasure the account has the placeholder for its holder, and only another
//! erasure follows. An erasure was approved by another principal than its author.

use std::collections::BTreeMap;

use shared_events::{
    AccountId,
    accounts::{
        AccountStatus, ChainedChange, ERASED_NAME, HistoryChange, HistoryRecord, HistoryTexts,
        RecordedAccount,
    },
    code::Open,
};

use super::{AccountHistory, row_at, shown};
use crate::difference::{Checked, Difference, Row};

const TEXTS: &str = "texts and their salt";
const NOTHING: &str = "nothing";

/// The texts beside a change, which are those that the change commits to. `None`: texts and salt
/// are gone, which needs an erasure.
pub(super) fn texts(
    row: Row,
    account: &RecordedAccount,
    change: &ChainedChange,
) -> Checked<Option<HistoryTexts>> {
    let (texts, salt) = match (&change.texts, change.salt) {
        (Some(texts), Some(salt)) => (texts, salt),
        (None, None) => return Ok(None),
        (Some(_), None) => return Err(row.differs("texts", TEXTS, "texts without a salt")),
        (None, Some(_)) => return Err(row.differs("texts", TEXTS, "a salt without texts")),
    };
    row.has("commitment to the texts", account.texts, texts.commitment(salt))?;
    Ok(Some(texts.clone()))
}

/// Checks what an erasure demands of a change and of the one before it.
pub(super) fn check_change(
    row: Row,
    (account, kind): (&RecordedAccount, HistoryChange),
    texts: Option<&HistoryTexts>,
    before: Option<&RecordedAccount>,
) -> Checked {
    let is_again = before.is_some_and(is_erasure);
    match kind {
        HistoryChange::Erased => {}
        kind if is_again => {
            return Err(row.differs("change", "none after the erasure", kind.as_str()));
        }
        _ => return Ok(()),
    }
    let closed = if is_again { AccountStatus::Erased } else { AccountStatus::Closed }.as_str();
    let status = before.map_or(NOTHING, |before| before.state.status.as_str());
    row.has("status before the erasure", closed, status)?;
    row.has("status", AccountStatus::Erased.as_str(), account.state.status.as_str())?;
    let texts = texts.ok_or_else(|| row.differs("texts", TEXTS, NOTHING))?;
    let nothing = || shown(None::<String>);
    for (column, expected, found) in [
        ("holder_name", ERASED_NAME.to_owned(), &texts.name),
        ("holder_email", nothing(), &texts.email),
        ("holder_webhook", nothing(), &texts.webhook),
        ("reason", nothing(), &texts.reason),
    ] {
        row.has(column, expected, shown(found.as_ref()))?;
    }
    Ok(())
}

/// Checks that another principal than its author has approved an erasure.
pub(super) fn check_approved(row: Row, record: &HistoryRecord) -> Checked {
    if !record.account.as_ref().is_some_and(is_erasure) {
        return Ok(());
    }
    match &record.author.approved_by {
        Some(approver) if *approver != record.author.principal => Ok(()),
        approver => Err(row.differs("approved_by", "another principal", shown(approver.as_ref()))),
    }
}

/// Whether the account's data were erased by this change.
pub(super) fn is_erasure(account: &RecordedAccount) -> bool {
    account.change == Open::Known(HistoryChange::Erased)
}

/// The first change without texts whose account was not erased.
pub(super) fn first_unexplained(accounts: &BTreeMap<AccountId, AccountHistory>) -> Option<Row> {
    let row = |(id, known): (&AccountId, &AccountHistory)| {
        Some(row_at(known.without_texts?).account(*id))
    };
    accounts.iter().filter_map(row).min_by_key(|row| row.place)
}

/// The difference of such a change.
pub(super) fn unexplained(row: Row) -> Box<Difference> {
    row.differs("texts", TEXTS, NOTHING)
}
