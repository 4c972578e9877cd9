//! The correction of overlong balances: internal accounts that an old version of the ledger has left
//! with more digits than an amount holds.
//!
//! ```text
//! rules   the correction of one account
//! job     corrects all such accounts when the ledger starts
//! ```

mod job;
mod rules;

pub(crate) use job::{CorrectedBalances, correct_balances};
pub use rules::correct;
