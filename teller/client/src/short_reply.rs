//! Replies without room for all outcomes. Promise: the caller is given every outcome of a command
//! of any size: the outcomes that a reply omits are queried, one instruction at a time.

use std::collections::HashMap;

use futures_util::{StreamExt, TryStreamExt, stream};
use shared_events::{
    Message, TransferId,
    envelope::RawEnvelope,
    ledger::{GetInstruction, JournalRecord},
    refusal::MessageRefused,
};

use crate::{
    error::{TellerError, unexpected},
    teller::{AT_ONCE, Teller},
};

/// Whether a reply ends before its time, and says so.
pub(crate) fn ends_early(events: &[RawEnvelope]) -> bool {
    events.iter().any(|event| event.kind == MessageRefused::TYPE)
}

impl Teller {
    /// The outcome of each of `ids`, in their order: from `known`, or, where the reply ends early,
    /// from the ledger's journal.
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
        let asked = ids.into_iter().map(async |transfer_id| {
            Ok::<_, TellerError>(self.ask(GetInstruction { transfer_id }).await?.record)
        });
        stream::iter(asked).buffered(AT_ONCE).try_collect().await
    }
}
