//! Releases the holds whose time is over.

use shared_events::{
    MessageId, TransferId,
    messaging::{HandleError, Tx},
};
use tracing::info;
use uuid::Uuid;

use super::rules::expire;
use crate::{
    bank_calendar::BankTime,
    due_work::{DueItem, DueItems, DueKind, ItemKey},
    holds,
    posting::{LockSet, PostingSession, PostingState, count_outcomes},
};

/// The most holds that one transaction releases.
const HOLDS_MAX: usize = 250;

/// Releases holds whose time is over.
pub(crate) struct HoldExpiry {
    pub(crate) time: BankTime,
}

/// The released holds of one transaction: each cause, and the id of the release.
pub(crate) struct ExpiredHolds {
    pub(crate) state: PostingState,
    pub(crate) releases: Vec<(MessageId, TransferId)>,
}

impl DueKind for HoldExpiry {
    type Item = TransferId;
    type Done = ExpiredHolds;
    const NAME: &'static str = "hold";

    async fn due(&self, tx: &mut Tx<'_>) -> Result<DueItems<TransferId>, HandleError> {
        let due = holds::repo::due(tx, HOLDS_MAX).await?;
        let more = due.len() == HOLDS_MAX;
        let items = due.into_iter().map(|(id, failed)| {
            let key = ItemKey { kind: Self::NAME, about: id, part: Uuid::nil() };
            DueItem { key, item: Ok(TransferId(id)), failed }
        });
        Ok(DueItems { items: items.collect(), more })
    }

    async fn handle_in_tx(
        &self,
        tx: &mut Tx<'_>,
        due: &[TransferId],
    ) -> Result<ExpiredHolds, HandleError> {
        let mut set = LockSet::default();
        due.iter().for_each(|id| set.hold(*id));
        let mut session = PostingSession::open_in_tx(tx, set, self.time).await?;
        // Another instance, or a capture, may have been faster.
        let mut releases = Vec::new();
        for id in due {
            if let Some(release) = expire(&mut session.state, *id, session.now) {
                releases.push((MessageId(id.uuid()), release));
            }
        }
        Ok(ExpiredHolds { state: session.save_in_tx(tx).await?, releases })
    }

    fn log(done: &ExpiredHolds) {
        count_outcomes(&done.state);
        info!(holds = done.releases.len(), "expired holds");
    }
}
