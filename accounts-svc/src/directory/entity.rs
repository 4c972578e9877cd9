//! The keys of an account, and the filters of a list, with checked fields.

use std::fmt;

use shared_events::{AccountId, Iban};

use crate::{
    accounts::AccountStatus,
    fields::{InvalidField, must, searchable},
};

/// The default number of accounts on a page.
const PAGE_DEFAULT: u32 = 100;

/// A key of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AccountKey {
    Id(AccountId),
    Iban(Iban),
    ExternalReference(String),
}

impl AccountKey {
    /// The same key, if the database can search for it.
    pub(crate) fn checked(self) -> Result<Self, InvalidField> {
        match &self {
            Self::Id(_) | Self::Iban(_) => Ok(self),
            Self::ExternalReference(reference) => {
                searchable("key.external_reference", reference)?;
                Ok(self)
            }
        }
    }
}

impl fmt::Display for AccountKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "account {id}"),
            Self::Iban(iban) => write!(f, "account with the IBAN {iban}"),
            Self::ExternalReference(reference) => {
                write!(f, "account with the external reference {reference:?}")
            }
        }
    }
}

/// A page of a list of accounts, in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccountListing {
    pub(crate) status: Option<AccountStatus>,
    pub(crate) external_reference_prefix: Option<String>,
    /// The last account of the page before.
    pub(crate) after: Option<AccountId>,
    /// The most accounts of the page.
    pub(crate) limit: u32,
}

impl AccountListing {
    /// The same listing, if the limit is at most `limit_max` and the database can search for the
    /// prefix.
    pub(crate) fn checked(self, limit_max: u32) -> Result<Self, InvalidField> {
        must((1..=limit_max).contains(&self.limit), "limit", || format!("1 to {limit_max}"))?;
        let prefix = self.external_reference_prefix.as_deref().unwrap_or_default();
        searchable("external_reference_prefix", prefix)?;
        Ok(self)
    }

    /// The limit of a listing that names none.
    pub(crate) fn limit_or_default(limit: Option<u32>) -> u32 {
        limit.unwrap_or(PAGE_DEFAULT)
    }
}
