//! A field that is missing or wrong, and the rule that it breaks.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One thing that is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WrongField {
    /// The field, as a path from the envelope, such as `data.transfers[3].money.amount`; empty: the
    /// body as a whole.
    pub field: String,
    /// The rule that it breaks.
    pub rule: String,
}

impl WrongField {
    /// `field` breaks `rule`.
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
