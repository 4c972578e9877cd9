//! Pages of the history, and of the tables that follow from it.

use shared_events::AccountId;

use super::entity::{ChainEnd, RecordedChange};
use crate::{
    fields::{FieldCheck, InvalidField, must, searchable},
    holders::Holder,
};

/// The default number of items of a page.
const PAGE_DEFAULT: u32 = 100;

/// A page of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HistoryListing {
    /// `None`: of all accounts and grants.
    pub(crate) account_id: Option<AccountId>,
    /// The place of the last record of the page before.
    pub(crate) after: i64,
    pub(crate) limit: u32,
}

impl HistoryListing {
    /// The same listing, if the limit is at most `limit_max`.
    pub(crate) fn checked(self, limit_max: u32) -> Result<Self, InvalidField> {
        check_limit(self.limit, limit_max)?;
        Ok(self)
    }
}

/// The limit of a page that names none.
pub(crate) fn limit_or_default(limit: Option<u32>) -> u32 {
    limit.unwrap_or(PAGE_DEFAULT)
}

fn check_limit(limit: u32, limit_max: u32) -> FieldCheck {
    must((1..=limit_max).contains(&limit), "limit", || format!("1 to {limit_max}"))
}

/// The answer to a question for a part of the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HistoryFinding {
    Page(HistoryPage),
    /// The bank has never had this account.
    UnknownAccount(AccountId),
    /// The account is of a branch for which the asker has no grant.
    OtherBranch(AccountId),
    /// The whole history is for those who have a grant for all branches.
    WholeBank,
}

/// Records in the order of their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HistoryPage {
    pub(crate) records: Vec<RecordedChange>,
    /// The end of the whole chain.
    pub(crate) end: ChainEnd,
}

/// The tables that follow from the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BooksPart {
    /// From this account on.
    Accounts(Option<AccountId>),
    /// From this principal on.
    Grants(Option<String>),
}

/// A page of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BooksListing {
    pub(crate) part: BooksPart,
    pub(crate) limit: u32,
}

impl BooksListing {
    /// The same listing, if the limit is at most `limit_max` and the database can search for the
    /// first row.
    pub(crate) fn checked(self, limit_max: u32) -> Result<Self, InvalidField> {
        check_limit(self.limit, limit_max)?;
        if let BooksPart::Grants(Some(principal)) = &self.part {
            searchable("from", principal)?;
        }
        Ok(self)
    }
}

/// Rows of a table, and the end of the history at the same instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BooksPage {
    pub(crate) end: ChainEnd,
    pub(crate) rows: BooksRows,
}

/// The rows of a page, and one more where there is a next page. Figures and names are text, so that
/// an auditor sees impossible values, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BooksRows {
    Accounts(Vec<AccountText>),
    Grants(Vec<GrantsText>),
}

/// An account as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccountText {
    pub(crate) account_id: AccountId,
    pub(crate) version: i64,
    pub(crate) holder: Holder,
    pub(crate) iban: String,
    pub(crate) product: String,
    pub(crate) currency: String,
    pub(crate) overdraft_limit: String,
    pub(crate) transfer_limit: Option<String>,
    pub(crate) daily_limit: Option<String>,
    pub(crate) monthly_limit: Option<String>,
    pub(crate) minimum_balance: Option<String>,
    pub(crate) blocks: Option<String>,
    pub(crate) external_reference: Option<String>,
    pub(crate) branch: String,
    pub(crate) status: String,
    pub(crate) closing_version: Option<i64>,
}

/// The last change of a principal's grants as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrantsText {
    pub(crate) principal: String,
    pub(crate) number: i64,
    pub(crate) grants: String,
}
