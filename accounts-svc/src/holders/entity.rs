//! The holder of one account.

use super::rules;
use crate::fields::InvalidField;

/// The person or company that an account belongs to, and their addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) webhook: Option<String>,
    /// ISO 639-1.
    pub(crate) language: String,
}

impl Holder {
    /// The same holder, if every field keeps its rule. Stored holders are not checked again: rules
    /// may have become stricter since.
    pub(crate) fn checked(self) -> Result<Self, InvalidField> {
        rules::check(&self)?;
        Ok(self)
    }
}
