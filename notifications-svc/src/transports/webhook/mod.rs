//! Signed requests by HTTP (Standard Webhooks 1.0).
//!
//! ```text
//! bank_keys       the bank's own keys, as they are now
//! client          one request: URL, body, signatures, attempt
//! ssrf_guard      keeps requests out of the bank's own network
//! public_address  the addresses that the Internet routes
//! webhook_body    the JSON body
//! signature       the header `webhook-signature`
//! response        the answer as the result of an attempt
//! ```

mod bank_keys;
mod client;
mod public_address;
mod response;
mod signature;
mod ssrf_guard;
mod webhook_body;

pub(crate) use client::WebhookClient;
