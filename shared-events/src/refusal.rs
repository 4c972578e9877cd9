//! The answer "no" to whoever asked, where no event of a service says it: a query that cannot be
//! answered, a message that cannot be read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::wrong_field::WrongField;
use crate::{
    code::{Open, codes},
    message::messages,
    text::visible,
};

codes! {
    /// Why a message was refused.
    pub enum RefusalCode {
        /// What is asked for does not exist.
        NotFound = "not_found",
        /// A field breaks a rule; `field` names it.
        InvalidField = "invalid_field",
        /// The message cannot be read; it was parked.
        Unreadable = "unreadable",
        /// The service cannot answer now; ask again.
        Unavailable = "unavailable",
        /// The answer, or the rest of it, is larger than a message may be. What was asked for is
        /// done; ask for less at a time.
        ReplyTooLarge = "reply_too_large",
    }
}

/// `bank.message.refused.v1`: the reply to a query or command that was refused as such.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageRefused {
    /// The kind of refusal.
    pub code: Open<RefusalCode>,
    /// The field that breaks a rule, as a path, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule, or what is missing, in words.
    pub message: String,
    /// Of a message that cannot be read: each thing that is missing or wrong in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<WrongField>,
}

/// What is said of a refusal in words may quote a stranger: so much of it is told.
const MESSAGE_BYTES_MAX: usize = 2_000;

/// One line of visible characters, not too long.
fn words(text: impl Into<String>) -> String {
    let text = text.into();
    visible(&text[..text.floor_char_boundary(MESSAGE_BYTES_MAX)]).into_owned()
}

impl MessageRefused {
    fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code: code.into(), field: None, message: words(message), wrong: vec![] }
    }

    /// `what` does not exist.
    #[must_use]
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(RefusalCode::NotFound, what)
    }

    /// `field` breaks `rule`.
    #[must_use]
    pub fn invalid(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(RefusalCode::InvalidField, rule) }
    }

    /// The message cannot be read, or handled, for this reason.
    #[must_use]
    pub fn unreadable(why: impl Into<String>) -> Self {
        Self::new(RefusalCode::Unreadable, why)
    }

    /// The message cannot be read, for these reasons.
    #[must_use]
    pub fn wrong(why: impl Into<String>, wrong: Vec<WrongField>) -> Self {
        let visible = |it: WrongField| WrongField::new(words(it.field), words(it.rule));
        let wrong = wrong.into_iter().map(visible).collect();
        Self { wrong, ..Self::new(RefusalCode::Unreadable, why) }
    }

    /// Not now.
    #[must_use]
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self::new(RefusalCode::Unavailable, why)
    }

    /// An answer would have, or an answer's rest has, too many bytes.
    #[must_use]
    pub fn reply_too_large(why: impl Into<String>) -> Self {
        Self::new(RefusalCode::ReplyTooLarge, why)
    }
}

messages! {
    Reply "bank.message.refused.v1" MessageRefused, subject |_| "message".to_owned(), key |_| None;
}
