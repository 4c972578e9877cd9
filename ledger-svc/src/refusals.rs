//! What an arrangement breaks. Promise: who is refused is told which field, and what it must be.

/// A rule that a field breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenRule {
    /// Which field.
    pub field: &'static str,
    /// What it must be.
    pub rule: String,
}

impl BrokenRule {
    pub(crate) fn new(field: &'static str, rule: impl Into<String>) -> Self {
        Self { field, rule: rule.into() }
    }
}
