//! The refusal of a message that no event of a service can state: a query that cannot be answered,
//! a message that cannot be read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::wrong_field::WrongField;
use crate::{
    code::{Open, codes},
    message::messages,
    text::visible,
};

codes! {
    /// The reason why a message was refused.
    pub enum RefusalCode {
        /// The subject of the query does not exist.
        NotFound = "not_found",
        /// A field breaks a rule; `field` names it.
        InvalidField = "invalid_field",
        /// The message cannot be read and was parked.
        Unreadable = "unreadable",
        /// The service cannot answer now; the query can be sent again.
        Unavailable = "unavailable",
        /// The reply, or its rest, is larger than the maximal message. The command is done; smaller
        /// requests have smaller replies.
        ReplyTooLarge = "reply_too_large",
        /// No grant of the principal permits the message; `message` names the missing right.
        NotPermitted = "not_permitted",
    }
}

/// `bank.message.refused.v1`: the reply to a query or a command that was refused as a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageRefused {
    /// The reason.
    pub code: Open<RefusalCode>,
    /// The path of the field that breaks a rule, if the reason is a field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The broken rule or the missing subject, in words.
    pub message: String,
    /// The missing and wrong parts of a message that cannot be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<WrongField>,
}

/// The maximal number of bytes of the words of a refusal, which may quote foreign text.
const MESSAGE_BYTES_MAX: usize = 2_000;

/// The text as one short line of visible characters.
fn words(text: impl Into<String>) -> String {
    let text = text.into();
    visible(&text[..text.floor_char_boundary(MESSAGE_BYTES_MAX)]).into_owned()
}

impl MessageRefused {
    fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        Self { code: code.into(), field: None, message: words(message), wrong: vec![] }
    }

    /// The refusal because `what` does not exist.
    #[must_use]
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(RefusalCode::NotFound, what)
    }

    /// The refusal because `field` breaks `rule`.
    #[must_use]
    pub fn invalid(field: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(RefusalCode::InvalidField, rule) }
    }

    /// The refusal of a message that cannot be read or handled, for this reason.
    #[must_use]
    pub fn unreadable(why: impl Into<String>) -> Self {
        Self::new(RefusalCode::Unreadable, why)
    }

    /// The refusal of a message that cannot be read, for these reasons.
    #[must_use]
    pub fn wrong(why: impl Into<String>, wrong: Vec<WrongField>) -> Self {
        let visible = |wrong: WrongField| WrongField::new(words(wrong.field), words(wrong.rule));
        let wrong = wrong.into_iter().map(visible).collect();
        Self { wrong, ..Self::new(RefusalCode::Unreadable, why) }
    }

    /// The refusal of a query that cannot be answered now.
    #[must_use]
    pub fn unavailable(why: impl Into<String>) -> Self {
        Self::new(RefusalCode::Unavailable, why)
    }

    /// The refusal because no grant of the principal permits the message.
    #[must_use]
    pub fn not_permitted(why: impl Into<String>) -> Self {
        Self::new(RefusalCode::NotPermitted, why)
    }

    /// The refusal of a reply, or of the rest of a reply, with too many bytes.
    #[must_use]
    pub fn reply_too_large(why: impl Into<String>) -> Self {
        Self::new(RefusalCode::ReplyTooLarge, why)
    }
}

messages! {
    Reply "bank.message.refused.v1" MessageRefused, subject |_| "message".to_owned(), key |_| None;
}
