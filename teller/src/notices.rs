//! What holders are told, and how.

use shared_events::{
    AccountId, MessageId,
    notifications::{
        ListNotifications, NOTIFICATIONS_PAGE_MAX, Notification, PreferencesChanged, SetPreferences,
    },
};

use crate::{bank::Teller, error::TellerError};

impl Teller {
    /// Sets what the holder of an account is told, and how.
    pub async fn set_preferences(
        &self,
        id: MessageId,
        command: SetPreferences,
    ) -> Result<PreferencesChanged, TellerError> {
        self.send(id, command).await
    }

    /// What holders were told, newest first, over as many pages as it takes, at most `limit`.
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
