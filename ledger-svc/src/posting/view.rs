//! The view of a posting transaction that the rules of the kinds have. Promise: a rule reads the
//! state and changes nothing.

use rust_decimal::Decimal;
use shared_events::{AccountId, TransferId};

use super::outcome::Posted;
use crate::{accounts::Account, holds::Hold};

/// What a rule reads.
pub(crate) trait PostingView {
    /// An account, if the transaction has locked it.
    fn account(&self, id: AccountId) -> Option<&Account>;

    /// A hold, if the transaction has loaded it.
    fn hold(&self, id: TransferId) -> Option<&Hold>;

    /// The reversed amount of a transfer.
    fn reversed(&self, id: TransferId) -> Decimal;

    /// The transfer that was posted under an id.
    fn posted(&self, id: TransferId) -> Option<&Posted>;
}
