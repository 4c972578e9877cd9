//! The proof over the bus. Promise: the proof may run while the bank works, and blocks no posting.
//!
//! Each page of the state snapshot names the ends of the chains at its own instant. The journal is
//! walked up to these ends, and the page is compared with the replay: every page is a cut of its
//! own, and records of the meantime are walked with the next page.

use shared_events::ledger::{
    BOOKS_PAGE_MAX, BooksPart, BooksRows, ChainEnd, GetJournal, JOURNAL_PAGE_MAX,
};
use teller_client::{Teller, TellerError};

use super::{
    Anchors, Verdict, Verified, compare,
    difference::{Row, Table},
    erased::ErasedRecords,
    history::History,
    walk::{Piece, Source, Stop, Walk},
};

const PARTS: [BooksPart; 4] =
    [BooksPart::Accounts, BooksPart::Holds, BooksPart::Reversals, BooksPart::Entries];

/// The journal over the bus.
struct Pages<'a> {
    bank: &'a Teller,
}

impl Source for Pages<'_> {
    async fn after(&mut self, chain: usize, place: i64) -> Result<Vec<Piece>, Stop> {
        let query = journal(chain, place, JOURNAL_PAGE_MAX);
        let found = self.bank.ask(query).await?;
        Ok(found.records.into_iter().map(Piece::Beside).collect())
    }
}

impl Pages<'_> {
    /// Checks that no record stands after the ends of the chains.
    async fn check_after(&self, ends: &[ChainEnd]) -> Result<(), Stop> {
        for (chain, end) in ends.iter().enumerate() {
            let found = self.bank.ask(journal(chain, end.place, 1)).await?;
            // A record that was written since has a sequence up to the head of that moment.
            if let Some(record) =
                found.records.iter().find(|record| record.place > found.head_place)
            {
                let row = Row::of(Table::Journal).in_chain(end.chain, record.place);
                return Err(row.transfer(record.transfer_id).too_many().into());
            }
        }
        Ok(())
    }
}

fn journal(chain: usize, after: i64, limit: u32) -> GetJournal {
    let chain = u8::try_from(chain).unwrap_or(u8::MAX);
    GetJournal { chain, after: Some(after), limit: Some(limit) }
}

/// Proves the books: the journal from its beginning, the rows beside it, and the state that follows
/// from it; the history of accounts and grants, and the rows of both services that follow from it.
/// `anchors` are ends of chains that were kept elsewhere. `progress` is called with the
/// number of walked records and the number of all.
pub async fn verify_books(
    bank: &Teller,
    anchors: &Anchors,
    progress: impl Fn(usize, usize),
) -> Result<Verdict, TellerError> {
    match prove(bank, anchors, progress).await {
        Ok(verified) => Ok(Verdict::Verified(verified)),
        Err(Stop::Different(difference)) => Ok(Verdict::Different(difference)),
        Err(Stop::Teller(error)) => Err(error),
    }
}

async fn prove(
    bank: &Teller,
    anchors: &Anchors,
    progress: impl Fn(usize, usize),
) -> Result<Verified, Stop> {
    let mut history = History::new(&anchors.history);
    history.prove_rows(bank).await?;
    let before = history.end().place;
    let mut walk = Walk::new(Pages { bank }, &anchors.ends);
    walk.erased = ErasedRecords::after(history.erased_accounts());
    for part in PARTS {
        let mut from = None;
        loop {
            let page = bank.books_page(part, from, BOOKS_PAGE_MAX).await?;
            let total = records(&page.ends);
            walk.advance(&page.ends, |done| progress(done, total)).await?;
            compare::page(&walk.replay, from, &page)?;
            if let BooksRows::Accounts(rows) = &page.rows {
                history.prove_followed(bank, rows).await?;
            }
            from = page.next;
            if from.is_none() {
                break;
            }
        }
    }
    walk.source().check_after(walk.ends()).await?;
    history.check_ended(bank, before).await?;
    walk.erased.check(|account| history.is_erased(account))?;
    Ok(Verified { history: Some(history.end().clone()), ..walk.verified()? })
}

/// How many records there are up to these ends.
pub(super) fn records(ends: &[ChainEnd]) -> usize {
    ends.iter().map(|end| usize::try_from(end.place).unwrap_or_default()).sum()
}
