//! Due work: holds, months and orders that are due by the clock. Promise: due work is done within a
//! second of its time, or of the service's start; by one instance, once. No kind waits for another,
//! and no item for another: a failed item is postponed, counted and tried again.
//!
//! ```text
//! job         rounds of due items of one kind
//! job_gauges  the number of postponed items, and the clock's lag
//! repo        the table of postponed items
//! ```

mod job;
mod job_gauges;
mod repo;

pub(crate) use job::{DueItem, DueItems, DueKind, attempt, keep_doing};
pub(crate) use job_gauges::measure;
pub(crate) use repo::ItemKey;
