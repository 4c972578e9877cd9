//! The tables. Promise: one function is one statement; a batch of any size is one statement too.

mod words;

pub(crate) mod attempts;
pub(crate) mod claims;
pub(crate) mod deliveries;
pub(crate) mod notifications;
pub(crate) mod old;
pub(crate) mod recipients;

use sqlx::migrate::Migrator;

/// The service's own tables.
pub(crate) static MIGRATOR: Migrator = sqlx::migrate!();
