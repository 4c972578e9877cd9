//! Letters by SMTP.
//!
//! ```text
//! mail          one letter: address, message, attempt
//! smtp_client   the conversation with the mail server
//! smtp_replies  the cause of a refusal, and the result of an attempt
//! ```

mod mail;
mod smtp_client;
mod smtp_replies;

pub use mail::InvalidSmtp;
pub(crate) use mail::Mailer;
