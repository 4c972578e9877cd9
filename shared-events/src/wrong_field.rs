//! A field that is missing or wrong, and the rule that it breaks.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A missing or wrong part of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WrongField {
    /// The path of the part from the envelope, such as `data.transfers[3].money.amount`; empty for
    /// the whole body.
    pub field: String,
    /// The broken rule.
    pub rule: String,
}

impl WrongField {
    /// The refusal because `field` breaks `rule`.
    #[must_use]
    pub fn new(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { field: field.into(), rule: rule.into() }
    }
}

impl fmt::Display for WrongField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field.as_str() {
            "" => f.write_str(&self.rule),
            field => write!(f, "{field} {}", self.rule),
        }
    }
}
