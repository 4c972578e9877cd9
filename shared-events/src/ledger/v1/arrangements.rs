//! What is arranged for an account, or for the whole bank, without moving money at once. These
//! commands have a queue of their own, so that none of them waits behind transfers, or holds these
//! up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CancelOrder, ClosePeriod, RemoveMonitor, SetMonitor, SetOrder, SetTerms};
use crate::{
    code::{Open, codes},
    ids::{AccountId, CommandId},
    message::messages,
};

codes! {
    /// Why an arrangement was refused.
    pub enum ArrangementReason {
        /// The ledger knows no such account, or it is one of the bank's own.
        UnknownAccount = "unknown_account",
        /// The account is closed, or about to be.
        AccountClosed = "account_closed",
        /// A field breaks a rule.
        InvalidField = "invalid_field",
        /// The account has had as many of them as it may.
        TooMany = "too_many",
        /// The account has no such monitor.
        UnknownMonitor = "unknown_monitor",
        /// The account has no such order, or it is over.
        UnknownOrder = "unknown_order",
        /// The command's id was used before, with other content.
        IdempotencyConflict = "idempotency_conflict",
    }
}

/// `ledger.arrangement.rejected.v1`: an arrangement was refused, and changed nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArrangementRejected {
    /// The refused command.
    pub command_id: CommandId,
    /// Its type.
    pub command_type: String,
    /// The account it named.
    pub account_id: AccountId,
    /// Why.
    pub reason: Open<ArrangementReason>,
    /// The field that breaks a rule, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule, in words.
    pub message: String,
}

messages! {
    Event "ledger.arrangement.rejected.v1" ArrangementRejected,
        subject |it| it.account_id.to_string(), key |_| None;
}

crate::message_set! {
    /// What `ledger.arrangements` carries.
    pub enum LedgerArrangement {
        SetTerms(SetTerms),
        SetMonitor(SetMonitor),
        RemoveMonitor(RemoveMonitor),
        SetOrder(SetOrder),
        CancelOrder(CancelOrder),
        ClosePeriod(ClosePeriod),
    }
}
