//! Looks accounts up. Promise: nothing is stored.

mod page;
mod query;
mod repo;

pub(crate) use page::page;
pub(crate) use query::Queries;
