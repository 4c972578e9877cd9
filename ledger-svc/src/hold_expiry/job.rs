//! Holds whose time is over.

use shared_events::{
    CorrelationId, MessageId, TransferId,
    messaging::{HandleError, JobContext},
};
use tracing::info;
use uuid::Uuid;

use crate::legacy::due::round::{Found, Kind, Turn};
use crate::{
    legacy::handle::{announce::Told, bank_time::BankTime, desk::Named, post::count},
    legacy::store::{holds, set_aside::Key},
};

/// The most holds that end in one transaction.
const HOLDS_MAX: usize = 250;

/// Ends holds whose time is over.
pub(crate) struct Holds {
    pub(crate) time: BankTime,
}

impl Kind for Holds {
    type Item = TransferId;
    const NAME: &'static str = "hold";

    async fn due(&self, workshop: &JobContext) -> Result<Found<TransferId>, HandleError> {
        let mut work = workshop.begin().await?;
        let due = holds::due(&mut work.tx(), HOLDS_MAX).await?;
        let more = due.len() == HOLDS_MAX;
        let turns = due.into_iter().map(|(id, failed)| {
            let key = Key { kind: Self::NAME, about: id, part: Uuid::nil() };
            Turn { key, item: Ok(TransferId(id)), failed }
        });
        Ok(Found { turns: turns.collect(), more })
    }

    async fn handle(&self, workshop: &JobContext, due: &[TransferId]) -> Result<(), HandleError> {
        let mut work = workshop.begin().await?;
        let mut named = Named::default();
        due.iter().for_each(|id| named.hold(*id));
        let mut desk = named.lock_in_tx(&mut work.tx(), self.time).await?;
        // Another instance, or a capture, may have been faster.
        let now = desk.now;
        let mut expired = Vec::new();
        for id in due {
            if let Some(expiry) = desk.books.expire(*id, now) {
                expired.push((MessageId(id.uuid()), expiry));
            }
        }
        let books = desk.save_in_tx(&mut work.tx()).await?;
        for (cause, id) in &expired {
            let mut told = Told::default();
            told.decided(&books, *id);
            for event in told.into_expiries() {
                work.announce(*cause, CorrelationId(cause.0), event);
            }
        }
        work.commit().await?;
        count(&books);
        info!(holds = expired.len(), "expired holds");
        Ok(())
    }
}
