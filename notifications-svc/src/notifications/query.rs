//! Lists notifications. Promise: a page is read in one snapshot, newest first, and the next page
//! starts where this one ends, also where notifications were added since.

use std::collections::HashMap;

use shared_events::{AccountId, ids::NotificationId, messaging::Tx};
use uuid::Uuid;

use super::{ListedNotification, repo};
use crate::deliveries::{self, Delivery};

/// A page of a list, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotificationListing {
    pub(crate) account_id: Option<AccountId>,
    /// The last notification of the page before.
    pub(crate) before: Option<NotificationId>,
    /// The most notifications of the page.
    pub(crate) limit: u32,
}

/// The notifications of a page, and one more where there is a next page.
pub(crate) async fn list_in_tx(
    tx: &mut Tx<'_>,
    listing: NotificationListing,
) -> sqlx::Result<Vec<ListedNotification>> {
    let before = listing.before.unwrap_or(NotificationId(Uuid::max()));
    let rows = i64::from(listing.limit) + 1;
    let found = match listing.account_id {
        Some(id) => repo::of_account_before_in_tx(tx, id, before, rows).await?,
        None => repo::before_in_tx(tx, before, rows).await?,
    };
    let ids: Vec<Uuid> = found.iter().map(|notification| notification.id.uuid()).collect();
    let mut deliveries: HashMap<NotificationId, Vec<Delivery>> = HashMap::new();
    for (id, delivery) in deliveries::repo::of_notifications_in_tx(tx, &ids).await? {
        deliveries.entry(id).or_default().push(delivery);
    }
    let listed = found.into_iter().map(|notification| {
        let deliveries = deliveries.remove(&notification.id).unwrap_or_default();
        ListedNotification { notification, deliveries }
    });
    Ok(listed.collect())
}
