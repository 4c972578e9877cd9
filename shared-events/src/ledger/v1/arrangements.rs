//! Arrangements for an account or for the whole bank, which move no money at once. Their commands
//! have a queue of their own: an arrangement never waits behind transfers, and transfers never wait
//! behind an arrangement.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CancelOrder, ClosePeriod, RemoveMonitor, SetMonitor, SetOrder, SetTerms};
use crate::{
    code::{Open, codes},
    ids::{AccountId, CommandId},
    message::messages,
};

codes! {
    /// The reason why the ledger refused an arrangement.
    pub enum ArrangementReason {
        /// The ledger has no customer's account with this id.
        UnknownAccount = "unknown_account",
        /// The account is closed or locked.
        AccountClosed = "account_closed",
        /// A field breaks a rule.
        InvalidField = "invalid_field",
        /// The account has reached the maximal number of such arrangements.
        TooMany = "too_many",
        /// The account has no monitor with this id.
        UnknownMonitor = "unknown_monitor",
        /// The account has no current order with this id.
        UnknownOrder = "unknown_order",
        /// An earlier command had the same id and other content.
        IdempotencyConflict = "idempotency_conflict",
        /// No grant of the principal permits the arrangement; `message` names the missing right.
        NotPermitted = "not_permitted",
    }
}

/// `ledger.arrangement.rejected.v1`: the ledger has refused an arrangement. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArrangementRejected {
    /// The id of the refused command.
    pub command_id: CommandId,
    /// The type of the refused command.
    pub command_type: String,
    /// The account that the command named.
    pub account_id: AccountId,
    /// The reason.
    pub reason: Open<ArrangementReason>,
    /// The field that breaks a rule, if the reason is a field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule, in words.
    pub message: String,
}

messages! {
    Event "ledger.arrangement.rejected.v1" ArrangementRejected,
        subject |message| message.account_id.to_string(), key |_| None;
}

crate::message_set! {
    /// The messages of the queue `ledger.arrangements`.
    pub enum LedgerArrangement {
        SetTerms(SetTerms),
        SetMonitor(SetMonitor),
        RemoveMonitor(RemoveMonitor),
        SetOrder(SetOrder),
        CancelOrder(CancelOrder),
        ClosePeriod(ClosePeriod),
    }
}
