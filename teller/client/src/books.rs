//! The ledger's state snapshot (balances, holds, reversals, entries), page by page.

use shared_events::ledger::{BooksFound, BooksPart, GetBooks};
use uuid::Uuid;

use crate::{error::TellerError, teller::Teller};

impl Teller {
    /// A page of the books. Its `next` is after its `from`.
    pub async fn books_page(
        &self,
        part: BooksPart,
        from: Option<Uuid>,
        limit: u32,
    ) -> Result<BooksFound, TellerError> {
        let page = self.ask(GetBooks { part, from, limit: Some(limit) }).await?;
        match page.next.is_some_and(|next| from.is_some_and(|from| next <= from)) {
            true => Err(TellerError::NoAnswer("the pages of the books go back".into())),
            false => Ok(page),
        }
    }
}
