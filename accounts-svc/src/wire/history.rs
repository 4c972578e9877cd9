//! The history in both directions: authors of messages as authors of changes; pages of the history
//! and of the tables that follow from it. Promise: a page fits a message.

use shared_events::{
    AccountId,
    accounts::{
        ACCOUNT_BOOKS_PAGE_MAX, AccountBooksFound, AccountBooksPart, AccountBooksRows,
        ChainedChange, GetAccountBooks, GetHistory, HISTORY_PAGE_MAX, HistoryEnd, HistoryFound,
        StoredAccount, StoredGrants, StoredHolder, StoredState,
    },
    messaging::{Answer, Received},
    page::page,
    refusal::MessageRefused,
};

use crate::{
    fields::InvalidField,
    history::{
        AccountText, BooksListing, BooksPage, BooksPart, BooksRows, Cause, ChainEnd, GrantsText,
        HistoryFinding, HistoryListing, HistoryPage, RecordedChange, limit_or_default,
    },
};

/// The sender of a command, who causes what the command changes.
pub(super) fn of_command<M>(received: &Received<M>) -> Cause {
    Cause { author: received.authorship(), command_id: Some(received.id()) }
}

/// The service that has announced an event.
pub(super) fn of_event<M>(received: &Received<M>) -> Cause {
    Cause { author: received.authorship(), command_id: None }
}

/// The page of a query for the history.
pub(super) fn listing(get: &GetHistory) -> Result<HistoryListing, InvalidField> {
    let GetHistory { account_id, after, limit } = get;
    let (after, limit) = (after.unwrap_or_default(), limit_or_default(*limit));
    HistoryListing { account_id: *account_id, after, limit }.checked(HISTORY_PAGE_MAX)
}

/// The page of a query for the books.
pub(super) fn books_listing(get: &GetAccountBooks) -> Result<BooksListing, InvalidField> {
    let account = |from: &String| {
        let rule = || "the id of an account".to_owned();
        from.parse::<AccountId>().map_err(|_| InvalidField { field: "from", rule: rule() })
    };
    let part = match get.part {
        AccountBooksPart::Accounts => {
            BooksPart::Accounts(get.from.as_ref().map(account).transpose()?)
        }
        AccountBooksPart::Grants => BooksPart::Grants(get.from.clone()),
    };
    BooksListing { part, limit: limit_or_default(get.limit) }.checked(ACCOUNT_BOOKS_PAGE_MAX)
}

/// The answer to a query for the history.
pub(super) fn found(finding: &HistoryFinding, limit: u32) -> Answer {
    let refused = match finding {
        HistoryFinding::Page(found) => return Answer::found(&history_page(found, limit)),
        HistoryFinding::UnknownAccount(id) => {
            MessageRefused::not_found(format!("there is no account {id}"))
        }
        HistoryFinding::OtherBranch(id) => {
            MessageRefused::not_permitted(format!("no grant is for account {id}"))
        }
        HistoryFinding::WholeBank => MessageRefused::not_permitted(
            "the history of the whole bank needs a grant for all branches; a grant for some shows \
             the history of one account",
        ),
    };
    Answer::refused(&refused)
}

/// The answer to a query for the books. More than `limit` rows mean a next page.
pub(super) fn books_found(found: BooksPage, limit: u32) -> Answer {
    Answer::found(&books_page(found, limit))
}

fn history_page(HistoryPage { records, end }: &HistoryPage, limit: u32) -> HistoryFound {
    let (records, _) = page(records.iter().map(chained), limit as usize);
    HistoryFound { records, head_place: end.place, head_hash: end.hash }
}

fn books_page(
    BooksPage { end: ChainEnd { place, hash }, rows }: BooksPage,
    limit: u32,
) -> AccountBooksFound {
    let end = HistoryEnd { place, hash };
    match rows {
        BooksRows::Accounts(rows) => {
            let (rows, next) = cut(rows.into_iter().map(account).collect(), limit);
            let next = next.map(|row| row.account_id.to_string());
            AccountBooksFound { end, rows: AccountBooksRows::Accounts(rows), next }
        }
        BooksRows::Grants(rows) => {
            let (rows, next) = cut(rows.into_iter().map(grants).collect(), limit);
            let next = next.map(|row| row.principal);
            AccountBooksFound { end, rows: AccountBooksRows::Grants(rows), next }
        }
    }
}

/// The rows of a page, and the first row after it.
fn cut<T: serde::Serialize + Clone>(rows: Vec<T>, limit: u32) -> (Vec<T>, Option<T>) {
    let (taken, _) = page(rows.iter().cloned(), limit as usize);
    let next = rows.into_iter().nth(taken.len());
    (taken, next)
}

/// Texts that are no longer those of this service are not shown; the commitment tells.
fn chained(change: &RecordedChange) -> ChainedChange {
    ChainedChange {
        place: change.place,
        account_id: change.account_id,
        principal: change.principal.clone(),
        number: change.number,
        hash: change.hash,
        record: change.record.clone(),
        texts: change.texts.as_deref().and_then(|texts| serde_json::from_str(texts).ok()),
        salt: change.salt,
    }
}

fn account(row: AccountText) -> StoredAccount {
    let (holder, version) = (row.holder, row.version);
    StoredAccount {
        account_id: row.account_id,
        version,
        state: StoredState {
            iban: row.iban,
            product: row.product,
            currency: row.currency,
            overdraft_limit: row.overdraft_limit,
            transfer_limit: row.transfer_limit,
            daily_limit: row.daily_limit,
            monthly_limit: row.monthly_limit,
            minimum_balance: row.minimum_balance,
            blocks: row.blocks,
            external_reference: row.external_reference,
            branch: row.branch,
            status: row.status,
            closing_version: row.closing_version,
        },
        holder: StoredHolder {
            name: holder.name,
            email: holder.email,
            webhook: holder.webhook,
            language: holder.language,
        },
    }
}

fn grants(GrantsText { principal, number, grants }: GrantsText) -> StoredGrants {
    StoredGrants { principal, number, grants }
}

#[cfg(test)]
mod tests {
    use shared_events::{evidence::Hash256, page::PAGE_BYTES_MAX};

    use super::*;
    use crate::accounts::samples::id;

    fn books(part: AccountBooksPart, from: Option<&str>, limit: Option<u32>) -> GetAccountBooks {
        GetAccountBooks { part, from: from.map(str::to_owned), limit }
    }

    #[test]
    fn a_page_of_the_history_has_1_to_500_records() {
        let limit = |limit| listing(&GetHistory { limit, ..GetHistory::default() });
        assert_eq!(limit(None).map(|listing| listing.limit), Ok(100));
        assert_eq!(limit(Some(500)).map(|listing| listing.limit), Ok(500));
        for wrong in [0, 501] {
            assert_eq!(limit(Some(wrong)).expect_err("the limit is wrong").field, "limit");
        }
    }

    #[test]
    fn a_page_of_the_books_begins_at_an_id_or_a_name() {
        let accounts = AccountBooksPart::Accounts;
        let from = id(1).to_string();
        let right = books_listing(&books(accounts, Some(&from), Some(1_000)));
        assert_eq!(right.map(|listing| listing.part), Ok(BooksPart::Accounts(Some(id(1)))));
        for (part, from, limit, field) in [
            (accounts, Some("clerk"), None, "from"),
            (AccountBooksPart::Grants, Some("a\0"), None, "from"),
            (AccountBooksPart::Grants, Some("clerk"), Some(1_001), "limit"),
            (accounts, None, Some(0), "limit"),
        ] {
            let refused = books_listing(&books(part, from, limit)).expect_err("a wrong field");
            assert_eq!(refused.field, field, "{from:?} {limit:?}");
        }
    }

    #[test]
    fn the_next_page_starts_with_the_first_row_that_this_one_has_not() {
        let row = |number: u8, bytes: usize| GrantsText {
            principal: format!("p{number}"),
            number: number.into(),
            grants: "x".repeat(bytes),
        };
        let half = PAGE_BYTES_MAX / 2 - 100;
        for (count, bytes, limit, length, next) in [
            (0, 0, 3, 0, None),
            (3, 0, 3, 3, None),
            (4, 0, 3, 3, Some("p4")),
            (4, half, 3, 2, Some("p3")),
            (2, PAGE_BYTES_MAX, 3, 1, Some("p2")),
        ] {
            let rows = BooksRows::Grants((1..=count).map(|number| row(number, bytes)).collect());
            let end = ChainEnd { place: 0, hash: Hash256::default() };
            let found = books_page(BooksPage { end, rows }, limit);
            let AccountBooksRows::Grants(rows) = found.rows else { panic!("other rows") };
            assert_eq!((rows.len(), found.next.as_deref()), (length, next));
        }
    }
}
