//! What is arranged for an account, or for the whole bank, without moving money at once. These
//! commands have a queue of their own, so that none of them waits behind transfers, or holds these
//! up.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CancelOrder, ClosePeriod, RemoveMonitor, SetMonitor, SetOrder, SetTerms};
use crate::{
    ids::{AccountId, CommandId},
    message::messages,
};

/// Why an arrangement was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArrangementReason {
    /// The ledger knows no such account, or it is one of the bank's own.
    UnknownAccount,
    /// The account is closed, or about to be.
    AccountClosed,
    /// A field breaks a rule.
    InvalidField,
    /// The account has had as many of them as it may.
    TooMany,
    /// The account has no such monitor.
    UnknownMonitor,
    /// The account has no such order, or it is over.
    UnknownOrder,
    /// The command's id was used before, with other content.
    IdempotencyConflict,
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
    pub reason: ArrangementReason,
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
