//! Accounts.

pub mod entity;
pub mod repo;
pub mod repo_queries;
