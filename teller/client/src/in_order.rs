//! Long runs of transfers that must be posted in their order. Promise: no transfer is posted, or
//! rejected, before the transfers in front of it, through any failure on the way; a run that is
//! started again has no second effect.
//!
//! The order matters because a rejection is final: a withdrawal that overtook the deposit which
//! covers it would be rejected for ever. The order holds because
//! - all commands have one partition key, so they enter one queue, which has one consumer;
//! - a command is published only after the broker confirmed the one before: when it enters the
//!   queue for the first time, all commands in front of it are in the queue already, or done. A
//!   command that is sent again later (a lost reply, a broken connection, a second run of the
//!   program) is a duplicate behind its original, and is answered with the outcome of the original;
//! - the broker requeues the deliveries of a dead consumer for the next consumer in the same order.
//!
//! So only the confirms are awaited one by one, which takes milliseconds. The outcomes may follow
//! several commands behind, and the ledger can work on several commands at once.

use std::collections::VecDeque;

use shared_events::{
    MessageId, TransferId,
    client::Delivered,
    ledger::{SubmitTransfers, Transfer},
};
use uuid::Uuid;

use crate::{error::TellerError, outcome::Outcome, teller::Teller};

/// How many transfers one command carries, unless the caller wants fewer.
pub const BATCH_TRANSFERS: usize = 500;
/// How many bytes of transfers one command carries. The reply repeats them with the balances after
/// each, and must stay below the 1 MiB that a message may have.
const BATCH_BYTES_MAX: usize = 512 * 1024;
/// How many commands may wait for their outcome. The ledger is never idle with two; more only
/// makes its transactions larger.
const COMMANDS_IN_FLIGHT: usize = 4;

/// The transfers of one command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The command's id: the same for the same transfers.
    pub id: MessageId,
    /// The transfers.
    pub transfers: Vec<Transfer>,
}

/// Cuts transfers into commands of at most `count`, without changing their order.
#[must_use]
pub fn batches(namespace: Uuid, transfers: Vec<Transfer>, count: usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    let (mut batch, mut content) = (Vec::new(), Vec::new());
    for transfer in transfers {
        let json = serde_json::to_vec(&transfer).expect("a transfer is plain JSON");
        let is_full = batch.len() >= count || content.len() + json.len() > BATCH_BYTES_MAX;
        if is_full && !batch.is_empty() {
            batches.push(Batch { id: id_of(namespace, &content), transfers: batch });
            (batch, content) = (Vec::new(), Vec::new());
        }
        content.extend(json);
        batch.push(transfer);
    }
    if !batch.is_empty() {
        batches.push(Batch { id: id_of(namespace, &content), transfers: batch });
    }
    batches
}

fn id_of(namespace: Uuid, content: &[u8]) -> MessageId {
    MessageId(Uuid::new_v5(&namespace, content))
}

/// A command whose outcome is still to come.
struct InFlight {
    ids: Vec<TransferId>,
    delivered: Delivered<SubmitTransfers>,
}

impl Teller {
    /// Posts all transfers of all batches in order, and calls `each` with the outcomes of one batch
    /// after another. Everything that shares `key` keeps its order. Gives up when one command has
    /// no outcome within the timeout; the same may then be started again.
    pub async fn submit_in_order(
        &self,
        key: &str,
        batches: impl IntoIterator<Item = Batch>,
        mut each: impl FnMut(Vec<Outcome>),
    ) -> Result<(), TellerError> {
        let options = self.options(Some(key));
        let mut in_flight: VecDeque<InFlight> = VecDeque::new();
        for batch in batches {
            if in_flight.len() >= COMMANDS_IN_FLIGHT {
                self.settle_first(&mut in_flight, &mut each).await?;
            }
            let ids = batch.transfers.iter().map(|transfer| transfer.transfer_id).collect();
            let command = SubmitTransfers { transfers: batch.transfers };
            let delivered = self.client.deliver(batch.id, command, &options).await?;
            in_flight.push_back(InFlight { ids, delivered });
        }
        while !in_flight.is_empty() {
            self.settle_first(&mut in_flight, &mut each).await?;
        }
        Ok(())
    }

    async fn settle_first(
        &self,
        in_flight: &mut VecDeque<InFlight>,
        each: &mut impl FnMut(Vec<Outcome>),
    ) -> Result<(), TellerError> {
        if let Some(first) = in_flight.pop_front() {
            let events = first.delivered.outcome().await?;
            each(self.outcomes(&first.ids, &events).await?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{input, transfer};
    use shared_events::ledger::{AccountCode, Party};

    fn transfers(count: usize, reference: &str) -> Vec<Transfer> {
        let numbered = |n| {
            let cash = Party::Code(AccountCode("cash".to_owned()));
            let fees = Party::Code(AccountCode("fees".to_owned()));
            let money = input::money("1", "EUR").expect("money");
            let id = MessageId(Uuid::from_u128(n));
            let reference = Some(reference.to_owned());
            Transfer { reference, ..transfer(id, cash, fees, money) }
        };
        (0..count as u128).map(numbered).collect()
    }

    #[test]
    fn batches_keep_the_order_and_the_count() {
        let all = transfers(7, "x");
        let cut = batches(Uuid::nil(), all.clone(), 3);
        let sizes: Vec<usize> = cut.iter().map(|batch| batch.transfers.len()).collect();
        assert_eq!(sizes, [3, 3, 1]);
        let joined: Vec<Transfer> = cut.into_iter().flat_map(|batch| batch.transfers).collect();
        assert_eq!(joined, all);
        assert!(batches(Uuid::nil(), vec![], 3).is_empty());
    }

    #[test]
    fn the_same_transfers_make_the_same_commands() {
        let first = batches(Uuid::nil(), transfers(7, "x"), 3);
        assert_eq!(first, batches(Uuid::nil(), transfers(7, "x"), 3));
        let other = batches(Uuid::nil(), transfers(7, "y"), 3);
        assert_ne!(first[0].id, other[0].id);
        let elsewhere = batches(Uuid::max(), transfers(7, "x"), 3);
        assert_ne!(first[0].id, elsewhere[0].id);
    }

    #[test]
    fn long_transfers_make_smaller_batches() {
        let cut = batches(Uuid::nil(), transfers(1_000, &"x".repeat(2_000)), 1_000);
        let bytes = |batch: &Batch| serde_json::to_vec(&batch.transfers).expect("JSON").len();
        assert!(cut.len() > 1);
        assert!(cut.iter().all(|batch| bytes(batch) <= BATCH_BYTES_MAX + 1_000));
    }
}
