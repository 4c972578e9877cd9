//! The answer "no" to whoever asked, where no event of a service says it: a query that cannot be
//! answered, a message that cannot be read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::message::messages;

/// Why a message was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// What is asked for does not exist.
    NotFound,
    /// A field breaks a rule; `field` names it.
    InvalidField,
    /// The message cannot be read; it was parked.
    Unreadable,
    /// The service cannot answer now; ask again.
    Unavailable,
}

/// `bank.message.refused.v1`: the reply to a query or command that was refused as such.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageRefused {
    /// The kind of refusal.
    pub code: RefusalCode,
    /// The field that breaks a rule, as a path, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule, or what is missing, in words.
    pub message: String,
}

impl MessageRefused {
    /// `what` does not exist.
    #[must_use]
    pub fn not_found(what: impl Into<String>) -> Self {
        Self { code: RefusalCode::NotFound, field: None, message: what.into() }
    }

    /// `field` breaks `rule`.
    #[must_use]
    pub fn invalid(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { code: RefusalCode::InvalidField, field: Some(field.into()), message: rule.into() }
    }

    /// The message cannot be read, for this reason.
    #[must_use]
    pub fn unreadable(why: impl Into<String>) -> Self {
        Self { code: RefusalCode::Unreadable, field: None, message: why.into() }
    }

    /// Not now.
    #[must_use]
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self { code: RefusalCode::Unavailable, field: None, message: why.into() }
    }
}

messages! {
    Reply "bank.message.refused.v1" MessageRefused, subject |_| "message".to_owned(), key |_| None;
}
