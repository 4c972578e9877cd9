//! Notifications: made of events, stored once, listed. Promise: each event makes its notifications
//! once; a notification for an account that must exist and is not known here is not dropped, and
//! delays no other.
//!
//! **A batch of events** is four statements for any size:
//! 1. `recipients::repo`: store newer profiles of holders.
//! 2. `recipients::repo`: load the channels of all holders that the batch concerns. An erased
//!    holder has none, and a notification without channels has no text. An erasure waits for the
//!    end of this transaction.
//! 3. `repo`: insert the notifications.
//! 4. `deliveries::repo`: insert the deliveries.
//!
//! Ids follow from the events, so an event that comes again changes nothing, and the inbox is not
//! needed: an event whose accounts are partly unknown is handled for the others and comes again.
//!
//! ```text
//! entity    a notification, to store or to list
//! routing   triggers and the holders' channels ──> notifications with channels, unknown accounts
//! command   makes the notifications of a batch of events
//! query     a page of notifications with their deliveries
//! repo      the table of notifications
//! ```

mod command;
mod entity;
mod query;
mod repo;
mod routing;

pub(crate) use command::{IncomingEvent, UnknownAccounts, notify_in_tx};
pub(crate) use entity::ListedNotification;
#[cfg(test)]
pub(crate) use entity::Notification;
pub(crate) use query::{NotificationListing, list_in_tx};
