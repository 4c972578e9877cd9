//! Text from a person, checked before anything is sent. Promise: a wrong value is named by its
//! field and by the rule that it breaks; the bank refuses no value for its form that passes here.

mod amounts;
mod grants;
mod names;
mod schedules;
pub mod space;
mod texts;

pub use amounts::{currency, limit, limit_of, money, money_of, range_end};
pub use grants::{branch, grants};
pub use names::{PartyName, account, party};
pub use schedules::repeat;
pub use texts::{
    bank_name, bic, checked, date, email, end_to_end_id, external_reference, freeze_reason,
    holder_name, instant, language, product, reference, webhook, webhook_secret,
};

/// A field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize)]
#[error("{field}: {rule}")]
pub struct InvalidInput {
    /// Which field, or which file.
    pub field: String,
    /// The rule, in words.
    pub rule: String,
}

impl InvalidInput {
    /// `field` breaks `rule`.
    pub fn new(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { field: field.into(), rule: rule.into() }
    }
}
