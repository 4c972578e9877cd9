//! The jobs of deliveries.
//!
//! ```text
//! wakeup     wakes the workers of this process when deliveries were made
//! worker     claims due deliveries, sends a bounded number at once, records the results
//! recording  attempts, deliveries and events in one transaction
//! backlog    metrics of pending deliveries
//! ```

mod backlog;
mod recording;
mod wakeup;
mod worker;

pub(crate) use backlog::BacklogMetrics;
pub(crate) use wakeup::Wakeup;
pub(crate) use worker::DeliveryWorker;
