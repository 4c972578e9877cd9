//! Answers what holders were told, and what they want to be. Promise: a page is read in one
//! snapshot, newest first, and the next one starts where it ended, whatever was added since.

use std::collections::HashMap;

use shared_events::{
    ids::NotificationId,
    messaging::{Answer, HandleError, QueryHandler, Tx},
    notifications::{
        Delivery, ListNotifications, NOTIFICATIONS_PAGE_MAX, Notification, NotificationsListed,
        NotificationsQuery,
    },
    refusal::MessageRefused,
};
use uuid::Uuid;

use crate::{
    domain::page,
    store::{deliveries, notifications, recipients},
};

/// Notifications of a page, if the question names no limit.
const PAGE_DEFAULT: u32 = 100;

/// Handles `notifications.queries`.
pub(crate) struct Queries;

impl QueryHandler for Queries {
    type Query = NotificationsQuery;

    async fn answer(
        &self,
        tx: &mut Tx<'_>,
        query: &NotificationsQuery,
    ) -> Result<Answer, HandleError> {
        let query = match query {
            NotificationsQuery::List(query) => query,
            NotificationsQuery::Preferences(query) => {
                let account_id = query.account_id;
                let found = recipients::preferences_in_tx(tx, account_id).await?;
                let missing = || MessageRefused::not_found(format!("account {account_id}"));
                return Ok(match found {
                    Some(found) => Answer::found(&found),
                    None => Answer::refused(&missing()),
                });
            }
        };
        let limit = query.limit.unwrap_or(PAGE_DEFAULT);
        if !(1..=NOTIFICATIONS_PAGE_MAX).contains(&limit) {
            let rule = format!("must be 1 to {NOTIFICATIONS_PAGE_MAX}");
            return Ok(Answer::refused(&MessageRefused::invalid("limit", rule)));
        }
        Ok(Answer::found(&page_in_tx(tx, query, limit).await?))
    }
}

async fn page_in_tx(
    tx: &mut Tx<'_>,
    query: &ListNotifications,
    limit: u32,
) -> sqlx::Result<NotificationsListed> {
    let before = query.before.unwrap_or(NotificationId(Uuid::max()));
    // One more than asked for tells whether there is a next page.
    let rows = i64::from(limit) + 1;
    let mut found = match query.account_id {
        Some(id) => notifications::of_account_before_in_tx(tx, id, before, rows).await?,
        None => notifications::before_in_tx(tx, before, rows).await?,
    };
    let ids: Vec<Uuid> = found.iter().map(|it| it.notification_id.uuid()).collect();
    attach(&mut found, deliveries::of_notifications_in_tx(tx, &ids).await?);
    let (notifications, next) = page(found, limit as usize);
    Ok(NotificationsListed { notifications, next })
}

/// Gives each notification its deliveries.
fn attach(found: &mut [Notification], deliveries: Vec<(NotificationId, Delivery)>) {
    let mut by_notification: HashMap<NotificationId, Vec<Delivery>> = HashMap::new();
    for (id, delivery) in deliveries {
        by_notification.entry(id).or_default().push(delivery);
    }
    for notification in found {
        notification.deliveries =
            by_notification.remove(&notification.notification_id).unwrap_or_default();
    }
}
