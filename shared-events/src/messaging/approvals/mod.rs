//! Commands that need the approval of another principal. Promise: a command that needs an approval
//! has no effect before one is given, within its deadline, by a principal that is not its author;
//! what was asked and decided is durable, and its id is nobody else's. A message of an author whose
//! grants ask for no approval costs no statement.
//!
//! ```text
//! command ─> judged: needs an approval ─> bus.approvals, `requested` ─(deadline)─> `expired`
//!               ▲                              │ approve, by another principal
//!               └── its queue <── bank.retry <─┘ `approved`
//! ```
//! The command comes back like one that has waited in a retry queue, and the same handler judges it
//! again: an author or an approver that has lost its right since makes nothing happen.
//!
//! ```text
//! record    a command with what became of its approval
//! batch     the approvals of a batch, before and after its handler
//! request   queries and commands, read by their types
//! handler   approves, declines, lists and shows
//! job       gives approved commands back to their queues, and ends what nobody has approved
//! repo      the table
//! ```
//! Tests: `batch/tests/approvals.rs`, and the facts `approvals`.

mod batch;
mod handler;
mod job;
mod record;
mod repo;
mod request;

pub(crate) use batch::{ApprovalUpdates, WaitingCommands, perhaps_set_aside, with_approvals};
pub(crate) use handler::ApprovalsHandler;
pub(crate) use job::ApprovalsJob;
pub(crate) use record::ApprovalRecord;
pub(crate) use repo::{known_in_tx, store_in_tx, waiting_in_tx};
pub(crate) use request::ApprovalRequest;
