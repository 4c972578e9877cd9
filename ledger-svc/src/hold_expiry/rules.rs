//! The release of a hold whose time is over. Promise: the release has an id that follows from the
//! hold, so it is made once, also if two instances try.

use shared_events::{MessageId, TransferId};

use crate::{
    bank_calendar::Now,
    posting::{
        Instruction, Kind, Plan, PostingState, Release, ReleaseCause, check_release, expiry_id,
    },
};

/// Releases a hold whose time is over, if the hold is still open. Returns the id of the release.
pub fn expire(state: &mut PostingState, id: TransferId, now: Now) -> Option<TransferId> {
    let hold = state.hold(id).filter(|hold| hold.is_due(now.instant))?;
    check_release(state, hold).ok()?;
    let kind = Kind::Release(Release { hold_id: id });
    let instruction = Instruction::internal(expiry_id(id), kind, None);
    let plan = Plan::Release { hold_id: id, cause: ReleaseCause::Expired };
    Some(state.post_own(MessageId(id.uuid()), instruction, plan, now))
}
