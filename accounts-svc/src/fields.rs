//! Checks that fields of several capabilities share. Promise: a text that passes can be stored,
//! searched, written on the bus and shown; one that fails is refused with its path and the rule.

use shared_events::text::is_visible_line;

/// A field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {rule}")]
pub(crate) struct InvalidField {
    /// The field's path in the message's data.
    pub(crate) field: &'static str,
    /// The rule, in words.
    pub(crate) rule: String,
}

/// The result of checking one field.
pub(crate) type FieldCheck = Result<(), InvalidField>;

/// Refuses `field` by this rule unless the rule holds.
pub(crate) fn must(holds: bool, field: &'static str, rule: impl FnOnce() -> String) -> FieldCheck {
    if holds { Ok(()) } else { Err(InvalidField { field, rule: rule() }) }
}

/// Checks a text that a query searches for: no control characters, which neither PostgreSQL (NUL)
/// nor a mail header (line breaks) can carry. Stored text may have other characters that
/// [`visible_text`] refuses today, and must still be found.
pub(crate) fn searchable(field: &'static str, text: &str) -> FieldCheck {
    must(!text.chars().any(char::is_control), field, || "no control characters".to_owned())
}

/// Checks a text that people read: one line of 1 to `chars_max` visible characters.
pub(crate) fn visible_text(field: &'static str, text: &str, chars_max: usize) -> FieldCheck {
    must(is_visible_line(text), field, || "one line of visible characters".to_owned())?;
    must(!text.trim().is_empty() && text.chars().count() <= chars_max, field, || {
        format!("1 to {chars_max} characters, not only spaces")
    })
}
