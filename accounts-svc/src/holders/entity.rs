//! The holder of one account.

use super::rules;
use crate::fields::InvalidField;

/// What stands in place of an erased name, and of an erased language. The contract has the name,
/// too.
const ERASED_NAME: &str = "erased";
const ERASED_LANGUAGE: &str = "en";

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
    /// The holder of an account whose holder's data were erased.
    pub(crate) fn erased() -> Self {
        let (name, language) = (ERASED_NAME.to_owned(), ERASED_LANGUAGE.to_owned());
        Self { name, email: None, webhook: None, language }
    }

    /// The same holder, if every field keeps its rule. Stored holders are not checked again: rules
    /// may have become stricter since.
    pub(crate) fn checked(self) -> Result<Self, InvalidField> {
        rules::check(&self)?;
        Ok(self)
    }
}
