//! The journal and the state as they are stored. Promise: figures and names of the state are text,
//! so that an auditor sees impossible values, too.

use chrono::{DateTime, NaiveDate, Utc};
use shared_events::{AccountId, Amount, TransferId, evidence::StatedEnd};
use uuid::Uuid;

use crate::journal::{ChainHash, repo::Beside};

/// A record in its chain.
#[derive(Clone, Debug)]
pub(crate) struct ChainedRecord {
    pub(crate) chain: u8,
    pub(crate) sequence: i64,
    pub(crate) transfer_id: TransferId,
    pub(crate) hash: ChainHash,
    pub(crate) digest: ChainHash,
    pub(crate) text: String,
    pub(crate) beside: Beside,
    /// The entries at the versions that the record's legs name.
    pub(crate) entries: Vec<JournalEntry>,
}

/// An entry beside the record that it comes from.
#[derive(Clone, Debug)]
pub(crate) struct JournalEntry {
    pub(crate) account_id: AccountId,
    pub(crate) version: i64,
    pub(crate) transfer_id: TransferId,
    pub(crate) amount: Amount,
    pub(crate) balance_after: Amount,
    pub(crate) booking_date: NaiveDate,
    pub(crate) value_date: NaiveDate,
    pub(crate) posted_at: DateTime<Utc>,
}

/// A page of a chain.
#[derive(Clone, Debug)]
pub(crate) struct JournalPage {
    pub(crate) records: Vec<ChainedRecord>,
    /// The sequence at the end of the chain.
    pub(crate) end_sequence: i64,
    pub(crate) end_hash: ChainHash,
}

/// A part of the state.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SnapshotPart {
    Accounts,
    Holds,
    Reversals,
    Entries,
}

/// A row of the accounts.
#[derive(Clone, Debug)]
pub(crate) struct AccountState {
    pub(crate) account_id: AccountId,
    pub(crate) code: Option<String>,
    pub(crate) currency: String,
    pub(crate) status: String,
    pub(crate) posted_debits: String,
    pub(crate) posted_credits: String,
    pub(crate) pending_debits: String,
    pub(crate) pending_credits: String,
    pub(crate) version: i64,
    pub(crate) terms: FollowedTerms,
}

/// The columns of an account that follow the accounts service.
#[derive(Clone, Debug)]
pub(crate) struct FollowedTerms {
    pub(crate) branch: Option<String>,
    pub(crate) blocked: String,
    pub(crate) overdraft_limit: Option<String>,
    pub(crate) transfer_limit: Option<String>,
    pub(crate) daily_limit: Option<String>,
    pub(crate) monthly_limit: Option<String>,
    pub(crate) minimum_balance: Option<String>,
    pub(crate) followed_status: i64,
    pub(crate) followed_limit: i64,
}

/// A row of the holds.
#[derive(Clone, Debug)]
pub(crate) struct HoldState {
    pub(crate) hold_id: TransferId,
    pub(crate) debtor_id: AccountId,
    pub(crate) creditor_id: AccountId,
    pub(crate) currency: String,
    pub(crate) remaining: String,
    pub(crate) status: String,
    pub(crate) expires_at: Option<DateTime<Utc>>,
    pub(crate) placed_on: String,
}

/// A row of the reversals.
#[derive(Clone, Debug)]
pub(crate) struct ReversalState {
    pub(crate) original_id: TransferId,
    pub(crate) amount: String,
}

/// The number of an account's entries.
#[derive(Clone, Debug)]
pub(crate) struct EntriesCount {
    pub(crate) account_id: AccountId,
    pub(crate) entries: i64,
}

/// Rows of a part of the state, by id.
#[derive(Clone, Debug)]
pub(crate) enum SnapshotRows {
    Accounts(Vec<AccountState>),
    Holds(Vec<HoldState>),
    Reversals(Vec<ReversalState>),
    Entries(Vec<EntriesCount>),
}

/// A page of the state, and the ends of the chains at the same instant.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) ends: Vec<StatedEnd>,
    /// Orphaned records: of chains that the journal does not have. There are none.
    pub(crate) orphaned: Vec<TransferId>,
    pub(crate) rows: SnapshotRows,
    /// The start of the next page.
    pub(crate) next: Option<Uuid>,
}
