//! Notifications of holders: preferences, deliveries, history.

use shared_events::{
    AccountId, MessageId,
    notifications::{
        DeliveriesRecovered, DeliveryResent, GetPreferences, ListNotifications,
        NOTIFICATIONS_PAGE_MAX, Notification, PreferencesChanged, PreferencesFound,
        RecoverDeliveries, ResendDelivery, SetPreferences,
    },
};

use crate::{error::TellerError, teller::Teller};

impl Teller {
    /// Sets the notification preferences of an account's holder.
    pub async fn set_preferences(
        &self,
        id: MessageId,
        command: SetPreferences,
    ) -> Result<PreferencesChanged, TellerError> {
        self.send(id, command).await
    }

    /// The notification preferences of an account's holder.
    pub async fn preferences(
        &self,
        account_id: AccountId,
    ) -> Result<PreferencesFound, TellerError> {
        self.ask(GetPreferences { account_id }).await
    }

    /// Sends a delivery again that has ended.
    pub async fn resend_delivery(
        &self,
        id: MessageId,
        command: ResendDelivery,
    ) -> Result<DeliveryResent, TellerError> {
        self.send(id, command).await
    }

    /// Sends deliveries again that have failed; says whether there may be more.
    pub async fn recover_deliveries(
        &self,
        id: MessageId,
        command: RecoverDeliveries,
    ) -> Result<DeliveriesRecovered, TellerError> {
        self.send(id, command).await
    }

    /// Notifications, newest first, over as many pages as there are, at most `limit`.
    pub async fn list_notifications(
        &self,
        account_id: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<Notification>, TellerError> {
        let mut query = ListNotifications { account_id, before: None, limit: None };
        let mut found = Vec::new();
        while found.len() < limit {
            let wanted = u32::try_from(limit - found.len()).unwrap_or(u32::MAX);
            query.limit = Some(wanted.min(NOTIFICATIONS_PAGE_MAX));
            let page = self.ask(query.clone()).await?;
            found.extend(page.notifications);
            query.before = page.next;
            if page.next.is_none() {
                break;
            }
        }
        Ok(found)
    }
}
