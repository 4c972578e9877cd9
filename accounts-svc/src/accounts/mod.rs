//! Accounts: opening, freezing, limits, closing. Promise: every change of an account is one row,
//! one version, one record of the history and one event, committed together.
//!
//! **A batch.** All requests of a batch are carried out together, in one transaction:
//! 1. `repo::locks`: one statement locks all accounts that the batch names. Where accounts are
//!    opened, a second one reads the external references that are taken, and a third one draws
//!    serial numbers for the admitted openings.
//! 2. `working_set`: the requests are decided in order, in memory.
//! 3. `repo::writes`: one statement inserts the new accounts, one updates the changed ones. Two
//!    more append a record of each change to the history, whose end is locked last.
//!
//! **Locks.** Rows are locked in the order of account ids, so two batches cannot deadlock. Two
//! instances that open the same account at once both find no row to lock: the second insert is one
//! row short, and its batch is decided again.
//!
//! **A crash** between any two steps leaves nothing behind but serial numbers that no account has.
//!
//! ```text
//! request      commands of clients and answers of the ledger, with checked fields
//! command      carries out a batch: lock, decide, save
//! working_set  the accounts of one batch; each request sees the changes of those before it
//! opening      open ──> pending ──(the ledger opened its side)──> active
//! freezing     active <──> frozen
//! limits       overdraft and spending limits
//! closing      close ──> closing ──(the ledger locked the account, or refused)──> closed, active
//! erasing      closed ──> erased, once the account has been closed for long enough; and again
//! lifecycle    the states of an account and the steps between them
//! entity       an account and its terms
//! change       a change of one account, and the decision about a command
//! refusal      the reasons for refusing a command
//! recording    a change as the history records it
//! repo         the table of accounts
//! ```

mod change;
mod closing;
mod command;
mod entity;
mod erasing;
mod freezing;
mod lifecycle;
mod limits;
mod opening;
mod recording;
mod refusal;
pub(crate) mod repo;
mod request;
#[cfg(test)]
pub(crate) mod samples;
mod working_set;

pub(crate) use change::{AccountChange, ChangeKind};
pub(crate) use closing::Closing;
pub(crate) use command::{AuthorisedRequest, execute_in_tx, follow_ledger_in_tx};
pub(crate) use entity::{
    Account, AccountStatus, Blocks, CloseRefusal, SpendingLimit, SpendingLimits,
};
pub(crate) use freezing::Freeze;
pub(crate) use limits::{LimitChange, NewLimits};
pub(crate) use opening::Opening;
pub(crate) use refusal::Refusal;
pub(crate) use request::{AccountRequest, ChangeRequest, LedgerAnswer, LedgerDecision};
pub(crate) use working_set::{LedgerReaction, WorkingSet};
