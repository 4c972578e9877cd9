//! Who has asked the services for what.

use shared_events::access_log::{ACCESS_LOG_PAGE_MAX, AccessLogEntry, ListAccessLog};

use crate::{error::TellerError, owner::OwningService, teller::Teller};

impl Teller {
    /// The first `limit` entries of a service's access log that the query chooses, oldest first,
    /// and whether there are more. `query.limit` is not used.
    pub async fn access_log(
        &self,
        of: OwningService,
        query: &ListAccessLog,
        limit: usize,
    ) -> Result<(Vec<AccessLogEntry>, bool), TellerError> {
        let (mut found, mut query) = (Vec::new(), query.clone());
        loop {
            let missing = limit.saturating_sub(found.len());
            let missing = u32::try_from(missing).unwrap_or(ACCESS_LOG_PAGE_MAX);
            query.limit = Some(missing.clamp(1, ACCESS_LOG_PAGE_MAX));
            let page = self.ask_owner(of, query.clone()).await?;
            found.extend(page.entries);
            match page.next {
                Some(next) if found.len() < limit => query.after = Some(next),
                next => return Ok((found, next.is_some())),
            }
        }
    }
}
