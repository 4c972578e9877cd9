//! E-mail.

pub(crate) mod mail;
pub(crate) mod smtp_client;
pub(crate) mod smtp_replies;
