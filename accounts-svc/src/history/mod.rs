//! The history: every change of an account and of a principal's grants, as a record in one hash
//! chain, with author, approver and reason. Promise: a change and its record are committed
//! together; the bytes of a stored record never change, however the contract's messages and the
//! service's own types change; a record has the holder and reasons as a commitment only.
//!
//! **A batch** costs two statements, however many changes it has, and none if it has no change: one
//! locks the end of the chain and reads the clock, one inserts all records and moves the end.
//!
//! **Locks.** The end is locked last: after the accounts of the batch, or after the lock under
//! which grants are numbered. It is held until the commit, so places have no gap, and their order
//! is that of the commits.
//!
//! ```text
//! record_v1  the stored record, its JSON text and the texts beside it: frozen by golden files
//! entity     a change and its cause; the records of a batch
//! pages      pages of the history, and of the tables that follow from it
//! command    appends the changes of a batch; erases texts
//! query      a page of the history; a page of accounts or grants beside its end; the end that the
//!            service states and signs
//! repo       the chain: its end, new records, pages
//! repo_books accounts and grants as they are stored
//! ```

mod command;
mod entity;
mod pages;
mod query;
mod record_v1;
mod repo;
mod repo_books;

pub(crate) use command::{append_in_tx, erase_texts_in_tx};
pub(crate) use entity::{Cause, ChainEnd, Change, ChangedAccount, ChangedGrants, RecordedChange};
pub(crate) use pages::{
    AccountText, BooksListing, BooksPage, BooksPart, BooksRows, GrantsText, HistoryFinding,
    HistoryListing, HistoryPage, limit_or_default,
};
pub(crate) use query::{books_in_tx, history_in_tx, stated_ends_in_tx};
pub(crate) use record_v1::{ChangeV1, RefusalV1, StateV1, TextsV1};
