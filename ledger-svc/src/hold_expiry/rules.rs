//! What the ledger does by itself, by the clock. Promise: each of it has an id that follows from
//! what it is about, so it is done once whoever does it.

use shared_events::{
    MessageId, TransferId,
    ledger::{Action, Instruction, Release, ReleaseCause},
};

use crate::journal::conversion::digest;

use crate::legacy::domain::{
    books::Books,
    carry::carry_out,
    plan::{Now, Plan, check_told},
    record::expiry_id,
};

impl Books {
    /// Ends a hold whose time is over, if it is still open. Says under which id.
    pub fn expire(&mut self, id: TransferId, now: Now) -> Option<TransferId> {
        let held = self.hold(id).filter(|held| held.is_due(now.instant))?;
        check_told(self, held).ok()?;
        let instruction = Instruction {
            transfer_id: expiry_id(id),
            group: None,
            action: Action::Release(Release { hold_id: held.id }),
            reference: None,
            end_to_end_id: None,
            booking_date: None,
            value_date: None,
        };
        let plan = Plan::Release { hold_id: id, cause: ReleaseCause::Expired };
        let transfer_id = instruction.transfer_id;
        let outcome = carry_out(self, transfer_id, plan, now);
        let cause = MessageId(id.uuid());
        self.keep(digest(&instruction), cause, instruction, now, outcome);
        Some(transfer_id)
    }
}
