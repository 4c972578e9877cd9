//! Messages become requests: checked once, when they come in.

pub(super) mod instructions;
pub(super) mod queries;
pub(super) mod requests;
