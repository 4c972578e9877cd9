//! Replies that had no room for all outcomes. Promise: what a command did is told in full, however
//! much it is: what the reply leaves out is looked up, one instruction at a time.

use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use shared_events::{
    Message, TransferId,
    envelope::RawEnvelope,
    ledger::{
        Action, Direction, InstructionOutcome, JournalRecord, PostedTransfer, RejectedTransfer,
    },
    refusal::MessageRefused,
};

use crate::{
    bank::{AT_ONCE, Teller},
    error::{TellerError, unexpected},
    ledger::Outcome,
};

/// Whether a reply ends before its time, and says so.
pub(crate) fn ends_early(events: &[RawEnvelope]) -> bool {
    events.iter().any(|it| it.kind == MessageRefused::TYPE)
}

impl Teller {
    /// What became of each of `ids`, in their order: as `known` says, or, where the reply ends
    /// early, as the ledger's journal does.
    pub(crate) async fn completed<O>(
        &self,
        ids: &[TransferId],
        events: &[RawEnvelope],
        mut known: HashMap<TransferId, O>,
        outcome: impl Fn(JournalRecord) -> Option<O>,
    ) -> Result<Vec<O>, TellerError> {
        if ends_early(events) {
            let missing = ids.iter().filter(|id| !known.contains_key(id)).copied().collect();
            for record in self.records(missing).await? {
                let id = record.instruction.transfer_id;
                known.extend(outcome(record).map(|outcome| (id, outcome)));
            }
        }
        let all = ids.iter().map(|id| known.remove(id).ok_or_else(|| unexpected(events)));
        all.collect()
    }

    async fn records(&self, ids: Vec<TransferId>) -> Result<Vec<JournalRecord>, TellerError> {
        let asked = ids.into_iter().map(async |id| self.instruction(id).await.map(|it| it.record));
        stream::iter(asked).buffered(AT_ONCE).try_collect().await
    }
}

/// What the journal says of a transfer from one debtor to one creditor.
pub(crate) fn transfer_outcome(record: JournalRecord) -> Option<Outcome> {
    let transfer_id = record.instruction.transfer_id;
    match record.outcome {
        InstructionOutcome::Posted(posted) => {
            let leg = |side| posted.legs.iter().find(|leg| leg.direction == side);
            let (debit, credit) = (leg(Direction::Debit)?, leg(Direction::Credit)?);
            Some(Outcome::Posted(PostedTransfer {
                transfer_id,
                debtor: debit.account.clone(),
                creditor: credit.account.clone(),
                money: debit.money,
                reference: record.instruction.reference,
                end_to_end_id: record.instruction.end_to_end_id,
                booking_date: record.booking_date,
                value_date: Some(record.value_date).filter(|it| *it != record.booking_date),
                hold: posted.hold.clone(),
                reverses: posted.reverses,
            }))
        }
        InstructionOutcome::Rejected(rejected) => {
            let Action::Transfer(payment) = record.instruction.action else { return None };
            Some(Outcome::Rejected(RejectedTransfer {
                transfer_id,
                reason: rejected.reason,
                debtor: payment.debtor,
                creditor: payment.creditor,
                money: payment.money,
                debtor_account: rejected.account,
            }))
        }
        InstructionOutcome::Held(_) | InstructionOutcome::Released(_) => None,
    }
}
