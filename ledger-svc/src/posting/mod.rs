//! Posting.

pub mod apply;
pub mod currency;
pub mod engine;
pub mod own_ids;
pub mod repo;
pub mod session;
pub mod state;
pub mod tracked;
pub mod validate;
