//! The first row that is not what it must be.

use std::fmt::{self, Display};

use serde::Serialize;
use shared_events::{AccountId, TransferId};

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Table {
    /// A record of the journal.
    Journal,
    /// Where a chain of the journal ends.
    Chains,
    /// An account's entry.
    Entries,
    /// An account.
    Accounts,
    /// A hold.
    Holds,
    /// The reversed amounts of transfers.
    Reversals,
    /// A change in the history of accounts and grants.
    History,
    /// An account of the accounts service: its holder, status, limits.
    AccountTerms,
    /// The grants of a principal.
    Grants,
    /// The end of a chain, as it was kept elsewhere.
    Anchor,
}

/// The name of a row, by its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Where it stands.
    pub table: Table,
    /// The chain of the journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chain: Option<i16>,
    /// The place in the chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<i64>,
    /// The instruction, or the hold or transfer that it placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_id: Option<TransferId>,
    /// The account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<AccountId>,
    /// The account's version after the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// The first difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The row.
    #[serde(flatten)]
    pub row: Row,
    /// The column, a field of the record, or `row` where the row itself is missing or too many.
    pub column: &'static str,
    /// The expected value.
    pub expected: String,
    /// The stored value.
    pub found: String,
}

/// The result of a check, or the difference that it met.
pub(super) type Checked<T = ()> = Result<T, Box<Difference>>;

impl Row {
    pub(super) const fn of(table: Table) -> Self {
        Self { table, chain: None, place: None, transfer_id: None, account_id: None, version: None }
    }

    pub(super) const fn in_chain(self, chain: i16, place: i64) -> Self {
        Self { chain: Some(chain), place: Some(place), ..self }
    }

    pub(super) const fn transfer(self, id: TransferId) -> Self {
        Self { transfer_id: Some(id), ..self }
    }

    pub(super) const fn account(self, id: AccountId) -> Self {
        Self { account_id: Some(id), ..self }
    }

    /// The same place, as the entry of an account.
    pub(super) const fn entry(self, id: AccountId, version: i64) -> Self {
        Self { table: Table::Entries, version: Some(version), ..self.account(id) }
    }

    pub(super) fn differs(
        self,
        column: &'static str,
        expected: impl Display,
        found: impl Display,
    ) -> Box<Difference> {
        let (expected, found) = (expected.to_string(), found.to_string());
        Box::new(Difference { row: self, column, expected, found })
    }

    /// Checks that a column holds what it must.
    pub(super) fn has<T: Display + PartialEq>(
        self,
        column: &'static str,
        expected: T,
        found: T,
    ) -> Checked {
        match expected == found {
            true => Ok(()),
            false => Err(self.differs(column, expected, found)),
        }
    }

    /// It should be there.
    pub(super) fn missing(self) -> Box<Difference> {
        self.differs("row", "a row", "none")
    }

    /// It should not be there.
    pub(super) fn too_many(self) -> Box<Difference> {
        self.differs("row", "none", "a row")
    }
}

impl Table {
    const fn name(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Chains => "chains",
            Self::Entries => "entries",
            Self::Accounts => "accounts",
            Self::Holds => "holds",
            Self::Reversals => "reversals",
            Self::History => "history",
            Self::AccountTerms => "account_terms",
            Self::Grants => "grants",
            Self::Anchor => "anchor",
        }
    }
}

impl Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.table.name())?;
        for (name, value) in [
            ("chain", self.chain.map(|chain| chain.to_string())),
            ("place", self.place.map(|place| place.to_string())),
            ("transfer", self.transfer_id.map(|id| id.to_string())),
            ("account", self.account_id.map(|id| id.to_string())),
            ("version", self.version.map(|version| version.to_string())),
        ] {
            if let Some(value) = value {
                write!(f, ", {name} {value}")?;
            }
        }
        Ok(())
    }
}

impl Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, column, expected, found } = self;
        write!(f, "{row}: {column}: expected {expected}, found {found}")
    }
}
