//! Answers what the books are proved by: the journal, and what is kept beside it.

use shared_events::{
    ledger::{
        BOOKS_PAGE_MAX, BooksFound, BooksPart, BooksRows, CHAINS, GetBooks, GetJournal,
        JOURNAL_PAGE_MAX,
    },
    messaging::{Answer, Tx},
    refusal::MessageRefused,
};
use uuid::Uuid;

use crate::legacy::handle::answer::{Answered, PAGE_DEFAULT};
use crate::legacy::store::{kept, proof};

/// A page of one chain.
pub(crate) async fn journal(tx: &mut Tx<'_>, query: &GetJournal) -> Answered {
    let limit = query.limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=JOURNAL_PAGE_MAX).contains(&limit) {
        return Ok(Err(MessageRefused::invalid("limit", format!("1 to {JOURNAL_PAGE_MAX}"))));
    }
    if query.chain >= CHAINS {
        return Ok(Err(MessageRefused::invalid("chain", format!("0 to {}", CHAINS - 1))));
    }
    let found = proof::page(tx, query.chain, query.after.unwrap_or(0), limit).await?;
    Ok(Ok(Answer::found(&found)))
}

/// A page of what is kept beside the journal.
pub(crate) async fn books(tx: &mut Tx<'_>, query: &GetBooks) -> Answered {
    let limit = query.limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=BOOKS_PAGE_MAX).contains(&limit) {
        return Ok(Err(MessageRefused::invalid("limit", format!("1 to {BOOKS_PAGE_MAX}"))));
    }
    let from = query.from.unwrap_or(Uuid::nil());
    // One more: the first of the next page.
    let most = i64::from(limit) + 1;
    let (rows, next) = match query.part {
        BooksPart::Accounts => {
            let (rows, next) = cut(kept::accounts(tx, from, most).await?, limit);
            (BooksRows::Accounts(rows), next.map(|it| it.account_id.0))
        }
        BooksPart::Holds => {
            let (rows, next) = cut(kept::holds(tx, from, most).await?, limit);
            (BooksRows::Holds(rows), next.map(|it| it.hold_id.0))
        }
        BooksPart::Reversals => {
            let (rows, next) = cut(kept::reversals(tx, from, most).await?, limit);
            (BooksRows::Reversals(rows), next.map(|it| it.original_id.0))
        }
        BooksPart::Entries => {
            let (rows, next) = cut(kept::entries(tx, from, most).await?, limit);
            (BooksRows::Entries(rows), next.map(|it| it.account_id.0))
        }
    };
    let (ends, astray) = (kept::ends(tx).await?, kept::astray(tx).await?);
    Ok(Ok(Answer::found(&BooksFound { ends, astray, rows, next })))
}

/// The rows of a page, and the first one after it.
fn cut<T>(mut rows: Vec<T>, limit: u32) -> (Vec<T>, Option<T>) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let next = rows.drain(limit.min(rows.len())..).next();
    (rows, next)
}
