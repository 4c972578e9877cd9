//! The parts of an event that the rules need. Texts are borrowed from the message: most events
//! notify nobody, and must cost nothing.

use chrono::NaiveDate;
use shared_events::{
    AccountId, Amount, Money, TransferId,
    ledger::{AccountCode, Direction},
};

/// An account as an event left it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountAfter<'e> {
    pub(crate) account_id: AccountId,
    /// Set on internal accounts of the bank only.
    pub(crate) code: Option<&'e AccountCode>,
    pub(crate) balance: Amount,
}

/// The facts that all postings share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Booking<'e> {
    pub(crate) transfer_id: TransferId,
    pub(crate) reference: Option<&'e str>,
    pub(crate) end_to_end_id: Option<&'e str>,
    pub(crate) booking_date: NaiveDate,
    /// The transfer that this one reverses.
    pub(crate) reverses: Option<TransferId>,
}

/// A posted transfer between two accounts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PostedTransfer<'e> {
    pub(crate) booking: Booking<'e>,
    pub(crate) debtor: AccountAfter<'e>,
    pub(crate) creditor: AccountAfter<'e>,
    pub(crate) money: Money,
    /// The hold that the transfer captured.
    pub(crate) hold_id: Option<TransferId>,
}

/// One leg of a posted transfer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PostedLeg<'e> {
    pub(crate) account: AccountAfter<'e>,
    pub(crate) direction: Direction,
    pub(crate) money: Money,
}

/// A posted transfer with more than one debtor or creditor, or an exchange.
#[derive(Clone, Debug)]
pub(crate) struct PostedLegs<'e> {
    pub(crate) booking: Booking<'e>,
    pub(crate) legs: Vec<PostedLeg<'e>>,
    /// The rate of an exchange.
    pub(crate) rate: Option<Amount>,
}

/// The debtor as a client named them.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DebtorParty {
    Account(AccountId),
    /// An internal account of the bank, named by its code.
    Internal,
}

/// A rejected transfer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RejectedTransfer<'e> {
    pub(crate) transfer_id: TransferId,
    /// The contract's code of the reason.
    pub(crate) reason: &'e str,
    pub(crate) debtor: DebtorParty,
    /// The code of the creditor, where the client named an internal account.
    pub(crate) creditor_code: Option<&'e AccountCode>,
    pub(crate) money: Money,
    /// The debtor's account, where the ledger knows one.
    pub(crate) debtor_account: Option<AccountAfter<'e>>,
}
