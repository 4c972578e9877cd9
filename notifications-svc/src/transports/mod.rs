//! E-mail and webhooks.

pub(crate) mod email;
pub(crate) mod webhook;
