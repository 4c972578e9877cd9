//! Webhooks.

pub(crate) mod client;
pub(crate) mod public_address;
pub(crate) mod ssrf_guard;
pub(crate) mod webhook_body;
