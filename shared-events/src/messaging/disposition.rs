//! Decides how a message is settled. Promise: one pure function makes the decision from the result
//! of processing, the queue and the number of attempts; `settlement` carries the decision out.
//!
//! | result of processing | disposition |
//! |---|---|
//! | completed, refused or seen before | acknowledge, with a reply where events exist |
//! | not ready, fewer attempts than retry tiers | retry after the next tier's delay |
//! | not ready, all retry tiers used | dead-letter: `retries_exhausted` |
//! | failed: the handler cannot ever process the message | dead-letter: `hopeless`, refusal |
//! | of wrong origin: the message has no author | dead-letter: `wrong_origin`, no refusal |
//! | undecodable | dead-letter: `undecodable` or `oversized`, refusal |
//! | isolated attempts killed the process | dead-letter: `kills_the_service` |
//!
//! An outage of the database has no result: the batch is attempted again. The test
//! `each_result_has_one_disposition` holds this table.

use crate::{
    envelope::{RawEnvelope, chain},
    parked::ParkedReason,
    refusal::MessageRefused,
    topology::retry_queue,
};

/// The client's part of why a message cannot be handled. What a database or a driver says is for
/// operators: it stands in the log, and beside the parked message.
const NOT_HANDLED: &str =
    "the service cannot handle the message and has parked it; operators see why";

/// The events of a reply; there is at least one.
#[derive(Clone, Debug)]
pub(crate) struct ReplyEvents(pub(crate) Vec<RawEnvelope>);

impl ReplyEvents {
    pub(crate) fn of(events: Vec<RawEnvelope>) -> Option<Self> {
        (!events.is_empty()).then_some(Self(events))
    }
}

/// The result of processing one message, after the commit.
#[derive(Clone, Debug)]
pub(crate) enum ProcessingResult {
    /// The message had its effect, or was refused by the domain; now or earlier.
    Completed { reply: Option<ReplyEvents> },
    /// The handler needs something that is not there yet.
    NotReady { why: String },
    /// No further attempt can succeed.
    Failed { why: String, refusal: MessageRefused },
    /// The delivery, or one event of it, did not come the way its kind comes.
    WrongOrigin { why: String },
    /// The delivery, or one event of it, could not be decoded.
    Undecodable { is_oversized: bool, why: String, refusal: MessageRefused },
    /// The process died in each isolated attempt. A whole delivery was never decoded.
    KilledService { is_decoded: bool, why: String },
}

impl ProcessingResult {
    /// The result of a fault that is not transient.
    pub(crate) fn failed(fault: &(dyn std::error::Error + 'static)) -> Self {
        let refusal = MessageRefused::unreadable(NOT_HANDLED);
        Self::Failed { why: chain(fault).to_string(), refusal }
    }
}

/// How one message is settled.
#[derive(Clone, Debug)]
pub(crate) enum Disposition {
    /// Nothing is left to do; the reply goes to the sender if the sender asked for one.
    Acknowledge { reply: Option<ReplyEvents> },
    /// The message waits in a retry queue, as attempt number `attempt`.
    Retry { attempt: u32, retry_queue: String, why: String },
    /// The message goes to the service's parked queue; the refusal goes to the sender.
    DeadLetter { reason: ParkedReason, why: String, refusal: Option<MessageRefused> },
}

/// Decides how a message from `queue` is settled. `attempts` counts its earlier retries.
pub(crate) fn disposition(result: ProcessingResult, queue: &str, attempts: u32) -> Disposition {
    let dead_letter = |reason, why, refusal| Disposition::DeadLetter { reason, why, refusal };
    match result {
        ProcessingResult::Completed { reply } => Disposition::Acknowledge { reply },
        ProcessingResult::NotReady { why } => {
            let attempt = attempts.saturating_add(1);
            match retry_queue(queue, attempt) {
                Some(retry_queue) => Disposition::Retry { attempt, retry_queue, why },
                None => dead_letter(ParkedReason::RetriesExhausted, why, None),
            }
        }
        ProcessingResult::Failed { why, refusal } => {
            dead_letter(ParkedReason::Hopeless, why, Some(refusal))
        }
        ProcessingResult::WrongOrigin { why } => dead_letter(ParkedReason::WrongOrigin, why, None),
        ProcessingResult::Undecodable { is_oversized, why, refusal } => {
            let reason = match is_oversized {
                true => ParkedReason::Oversized,
                false => ParkedReason::Undecodable,
            };
            dead_letter(reason, why, Some(refusal))
        }
        ProcessingResult::KilledService { is_decoded, why } => {
            let refusal = is_decoded.then(|| MessageRefused::unreadable(&why));
            dead_letter(ParkedReason::KillsTheService, why, refusal)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology::RETRY_TIERS;

    const QUEUE: &str = "orders";

    /// A disposition on one line.
    fn line(result: ProcessingResult, attempts: u32) -> String {
        match disposition(result, QUEUE, attempts) {
            Disposition::Acknowledge { reply } => format!("acknowledge, reply {}", reply.is_some()),
            Disposition::Retry { attempt, retry_queue, why } => {
                format!("retry {attempt} in {retry_queue}: {why}")
            }
            Disposition::DeadLetter { reason, why, refusal } => {
                format!("park {}: {why}, refusal {}", reason.as_str(), refusal.is_some())
            }
        }
    }

    #[test]
    fn each_result_has_one_disposition() {
        let why = || "w".to_owned();
        let not_ready = || ProcessingResult::NotReady { why: why() };
        let undecodable = |is_oversized| ProcessingResult::Undecodable {
            is_oversized,
            why: why(),
            refusal: MessageRefused::unreadable("w"),
        };
        let failed = || ProcessingResult::failed(&std::io::Error::other(why()));
        let killed = |is_decoded| ProcessingResult::KilledService { is_decoded, why: why() };
        let table = [
            (ProcessingResult::Completed { reply: None }, 0, "acknowledge, reply false"),
            (ProcessingResult::Completed { reply: None }, 9, "acknowledge, reply false"),
            (not_ready(), 0, "retry 1 in orders.retry.5s: w"),
            (not_ready(), 1, "retry 2 in orders.retry.1m: w"),
            (not_ready(), 2, "retry 3 in orders.retry.10m: w"),
            (not_ready(), 3, "park retries_exhausted: w, refusal false"),
            (not_ready(), u32::MAX, "park retries_exhausted: w, refusal false"),
            (failed(), 0, "park hopeless: w, refusal true"),
            (
                ProcessingResult::WrongOrigin { why: why() },
                0,
                "park wrong_origin: w, refusal false",
            ),
            (undecodable(false), 0, "park undecodable: w, refusal true"),
            (undecodable(true), 2, "park oversized: w, refusal true"),
            (killed(true), 0, "park kills_the_service: w, refusal true"),
            (killed(false), 0, "park kills_the_service: w, refusal false"),
        ];
        for (result, attempts, expected) in table {
            let case = format!("{result:?} after {attempts}");
            assert_eq!(line(result, attempts), expected, "{case}");
        }
        assert_eq!(RETRY_TIERS.len(), 3, "the table has a row for each tier and one for the end");
    }

    #[test]
    fn operators_see_the_fault_and_the_client_does_not() {
        let fault = std::io::Error::other("relation \"accounts\" does not exist");
        let decided = disposition(ProcessingResult::failed(&fault), QUEUE, 0);
        let Disposition::DeadLetter { why, refusal: Some(refusal), .. } = decided else {
            panic!("a fault that is not transient is parked and refused: {decided:?}")
        };
        assert!(why.contains("relation"), "{why}");
        assert!(!refusal.message.contains("relation"), "{}", refusal.message);
    }
}
