//! The holders of accounts.

pub(crate) mod preferences;
pub(crate) mod profile;
pub(crate) mod repo;
pub(crate) mod signing_key;
pub(crate) mod topic;
