//! Posting: instructions become records, entries and balances. This is the hot path of the bank.
//!
//! # Phases
//! One [`PostingSession`] owns the protocol. Batches of commands, interest, standing orders,
//! expiring holds and closings all use it, and none of them assembles another.
//!
//! ```text
//!   LockSet        names every account, hold and transfer that the work can touch     (no I/O)
//!     |
//!   open_in_tx   1 [with holds or reversals] read them, add their accounts; SAVEPOINT  2-3
//!     |          2 lock the accounts ORDER BY id FOR UPDATE                              1
//!     |            [first use of an internal account] open it, lock it                  +2
//!     |          3 lock the end of a free chain, look up earlier decisions              1
//!     |            [holds, reversals, monitors] load them                              +1 each
//!     |            [new accounts named] ROLLBACK TO SAVEPOINT, again from 2
//!     |
//!   submit_all     validate, plan and apply each instruction in memory, in order        (no I/O)
//!     |
//!   save_in_tx   4 [closings, holds, reversals, monitors] store them                   +1 each
//!                5 balances, end of chain, records and entries as arrays                1
//! ```
//!
//! # Cost
//! A batch of transfers of any size takes three statements, each one round trip: 2, 3 and 5. The
//! bus adds BEGIN, the outbox and COMMIT. An instruction's id is its idempotency, looked up in 3:
//! there is no inbox here.
//!
//! # Bounds
//! The bus takes at most 256 deliveries of each partition for a batch, half a MiB in all, and a
//! command carries at most [`INSTRUCTIONS_MAX`] instructions, so arrays and locks are bounded. A
//! job takes at most 250 items for one session. A multi-leg instruction has at most 100 legs.
//!
//! # Order and locks
//! 1. Existing accounts are locked in the order of their ids, in one statement.
//! 2. Then new internal accounts are inserted, again in the order of their ids. A session that
//!    waits for the insert of another waits for one that has all its existing accounts already.
//! 3. The end of a chain is the last lock, taken by `SKIP LOCKED`: no session waits for a chain
//!    while another is free. If all are taken, sessions wait for the first chain, and hold no
//!    other.
//! 4. A session that must add accounts returns all its locks first (`ROLLBACK TO SAVEPOINT`), so it
//!    never waits for a lower id while it holds a higher one.
//!
//! So sessions cannot wait for each other in a circle. Decisions about one account are in the order
//! of commits, because each holds the account's row until its commit; the instant of a decision is
//! read after the locks, so the instants of an account never go back.
//!
//! # Crashes
//! Everything from BEGIN to COMMIT is one transaction. A crash between any two lines above leaves
//! nothing, and the broker delivers the batch again. A crash between COMMIT and the acknowledgement
//! leaves everything: the batch comes again, every id is known, and the stored outcomes are
//! repeated. The outbox holds the events from COMMIT on, until the broker has confirmed them.
//!
//! # Way
//! The top modules that a transfer passes, by the calls and returns of the batch. Pure functions of
//! other modules are not listed. `scripts/structure` counts the list and compares it with the
//! imports.
//! ```text
//! way: messaging -> wire                     (delivery, decoded; becomes a request)
//! way: -> command_batch -> posting           (lock set; session)
//! way: -> accounts -> posting                (statement 2)
//! way: -> journal -> posting                 (statement 3; state)
//! way: -> command_batch -> posting           (decided, applied)
//! way: -> command_batch -> posting           (stored, statement 5)
//! way: -> command_batch -> wire              (outcome; becomes an event)
//! way: -> messaging                          (outbox, commit, acknowledgement, relay)
//! ```
//!
//! # Files
//! A file uses those below it only.
//! ```text
//! session        the protocol                          repo       the statement of phase 5
//! engine         decides; knows no kind                apply      makes a change, with assertions
//! state          the working set                       tracked    its changed values
//! stored_record  to the journal's record and back      record     instruction and outcome
//! debit, rights  what the author may debit             instruction  the kind, texts and dates
//! validate       the checks that need no account       author       who sent the instructions
//! kinds          one file for each kind                plan       the checked change
//! lock_set       the names of a transaction            legs       planned legs, and their checks
//! view           the state, as the rules read it       amounts, currencies   shared checks
//! outcome        the outcome                           reason     why an instruction is rejected
//! party          whose account                         rounding   to a currency's digits
//! own_ids        ids of the ledger's own instructions  texts      commitments to texts
//! ```

mod amounts;
mod apply;
mod author;
mod currencies;
mod debit;
mod engine;
mod instruction;
mod kinds;
mod legs;
mod lock_set;
mod outcome;
mod own_ids;
mod party;
mod plan;
mod reason;
mod record;
mod repo;
mod rights;
mod rounding;
mod session;
mod state;
pub mod stored_record;
mod texts;
mod tracked;
mod validate;
mod view;

pub(crate) use amounts::check_money;
pub use author::Author;
pub use engine::Submitted;
pub(crate) use engine::plan;
pub use instruction::Instruction;
pub use kinds::*;
pub(crate) use kinds::{HOLD_DAYS_MAX, LEGS, RATE_DIGITS_MAX};
pub(crate) use legs::{PlannedLeg, check_accounts, check_postings, check_release};
pub(crate) use lock_set::LockSet;
pub use outcome::{
    Held, HoldAfter, InstructionOutcome, Posted, PostedLeg, Rejected, ReleaseCause, Released,
};
pub use own_ids::{expiry_id, is_own_id, own_id, payout_id};
pub use party::Party;
pub(crate) use plan::Plan;
pub use reason::RejectReason;
pub use record::{Decided, JournalRecord};
pub use rounding::Rounding;
pub(crate) use session::{PostingSession, count_outcomes};
pub use state::{Loaded, PostingState};
pub use texts::{Salts, Texts};
pub(crate) use validate::{END_TO_END_ID_CHARS_MAX, REFERENCE_CHARS_MAX, is_valid_text};

/// The most instructions of one command.
pub(crate) const INSTRUCTIONS_MAX: usize = 1_000;
