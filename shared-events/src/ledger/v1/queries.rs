//! What can be asked about money.

use chrono::{DateTime, NaiveDate, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AccountCode, FindEntries, FindPayments, GetBalanceAt, GetBooks, GetInstruction, GetInterest,
    GetJournal, GetOrder, GetPeriod, ListMonitors, ListOrders, Party, PreviewInstructions,
    RejectReason, StatementPeriod,
};
use crate::{
    accounts::Blocks,
    code::{Open, codes},
    ids::{AccountId, TransferId},
    message::{Query, messages},
    money::{Amount, Currency, Money, Total},
};

/// The most entries that one page of a statement has.
pub const ENTRIES_PAGE_MAX: u32 = 1_000;

codes! {
    /// Where an account stands in the ledger.
    pub enum LedgerStatus {
        /// Money moves.
        Active = "active",
        /// No money moves.
        Frozen = "frozen",
        /// Empty, and about to be closed.
        Locked = "locked",
        /// Closed for ever.
        Closed = "closed",
    }
}

/// `ledger.balance.get.v1`: what is on an account. Answered by `ledger.balance.found.v1`, or
/// refused as not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetBalance {
    /// Which account.
    pub account: Party,
    /// Of which currency, where `account` is a code of the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
}

/// `ledger.balance.found.v1`: what is on the account now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BalanceFound {
    /// Which account.
    pub account_id: AccountId,
    /// Its code, where it is the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<AccountCode>,
    /// The currency of all amounts here.
    pub currency: Currency,
    /// Where it stands.
    pub status: Open<LedgerStatus>,
    /// What it refuses; absent: nothing, or what a ledger of before did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Blocks>,
    /// All that was ever booked out.
    pub posted_debits: Total,
    /// All that was ever booked in.
    pub posted_credits: Total,
    /// What is set aside to go out.
    pub pending_debits: Amount,
    /// What is expected to come in.
    pub pending_credits: Amount,
    /// Posted credits less posted debits.
    pub balance: Amount,
    /// How far below zero it may go. Absent: without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdraft_limit: Option<Amount>,
    /// What can be spent: balance + overdraft limit - pending debits. Absent: without limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Amount>,
    /// The ledger account's version.
    pub version: i64,
}

/// `ledger.statement.get.v1`: the entries of an account in the order of posting, a page at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetStatement {
    /// Which account.
    pub account: Party,
    /// Of which currency, where `account` is a code of the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The first booking date to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// The last booking date to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<NaiveDate>,
    /// Only entries after this version: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// The most to return, 1 to 1,000; 100 if not given. A page of long entries has fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
    /// Tell the figures of the whole period, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub totals: bool,
    /// Only entries up to this version, as if nothing had been posted since: the `until` of the
    /// page with the figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

/// Which way an entry moves money, seen from the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Out of the account.
    Debit,
    /// Into the account.
    Credit,
}

/// One line of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementEntry {
    /// The ledger account's version after this entry: its place in the order of posting.
    pub version: i64,
    /// The transfer it belongs to.
    pub transfer_id: TransferId,
    /// Debit or credit.
    pub direction: Direction,
    /// How much.
    pub amount: Amount,
    /// Posted credits less posted debits, after this entry.
    pub balance_after: Amount,
    /// The other side.
    pub counterparty: Party,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The debtor's own id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
    /// The day it is booked on.
    pub booking_date: NaiveDate,
    /// The day from which the money counts for interest, where it is not the booking date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<NaiveDate>,
    /// When it was posted.
    pub posted_at: DateTime<Utc>,
    /// The posted transfer that it reverses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<TransferId>,
}

/// `ledger.statement.found.v1`: a page of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementFound {
    /// Which account.
    pub account_id: AccountId,
    /// The currency of all amounts here.
    pub currency: Currency,
    /// The entries of this page.
    pub entries: Vec<StatementEntry>,
    /// Where the next page starts, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
    /// The figures of the whole period, if they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<StatementPeriod>,
}

/// `ledger.transfer.get.v1`: what became of a transfer. Answered by `ledger.transfer.found.v1`, or
/// refused as not found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetTransfer {
    /// Which transfer.
    pub transfer_id: TransferId,
}

codes! {
    /// What became of a transfer.
    pub enum TransferStatus {
        /// It was posted.
        Posted = "posted",
        /// It was rejected.
        Rejected = "rejected",
    }
}

/// `ledger.transfer.found.v1`: a transfer and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransferFound {
    /// Which transfer.
    pub transfer_id: TransferId,
    /// What became of it.
    pub status: Open<TransferStatus>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Open<RejectReason>>,
    /// Who pays.
    pub debtor: Party,
    /// Who is paid.
    pub creditor: Party,
    /// How much.
    pub money: Money,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The debtor's own id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
    /// The day it is booked on.
    pub booking_date: NaiveDate,
    /// When its outcome was committed.
    pub decided_at: DateTime<Utc>,
}

/// `ledger.trial_balance.get.v1`: the sums over all accounts. Where they are too many for one
/// message, the question is refused (`reply_too_large`) unless it asks for pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetTrialBalance {
    /// A page of whole currencies, as many as fit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_pages: bool,
    /// Only currencies after this one: the `next` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Currency>,
}

/// One line of the trial balance: one of the bank's own accounts, or all customers together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrialBalanceLine {
    /// The code of the bank's own account; absent: all customers' accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<AccountCode>,
    /// The currency of the line.
    pub currency: Currency,
    /// How many accounts it sums.
    pub accounts: i64,
    /// All posted debits.
    pub debits: Total,
    /// All posted credits.
    pub credits: Total,
    /// Credits less debits.
    pub balance: Total,
}

/// `ledger.trial_balance.found.v1`: every line, taken at one instant. For each currency the
/// balances add up to zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrialBalanceFound {
    /// By currency, customers first, then by code.
    pub lines: Vec<TrialBalanceLine>,
    /// Where the next page starts, if pages were asked for and there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Currency>,
}

messages! {
    Query "ledger.balance.get.v1" GetBalance, subject |it| it.account.to_string();
    Reply "ledger.balance.found.v1" BalanceFound, subject |it| it.account_id.to_string();
    Query "ledger.statement.get.v1" GetStatement, subject |it| it.account.to_string();
    Reply "ledger.statement.found.v1" StatementFound, subject |it| it.account_id.to_string();
    Query "ledger.transfer.get.v1" GetTransfer, subject |it| it.transfer_id.to_string();
    Reply "ledger.transfer.found.v1" TransferFound, subject |it| it.transfer_id.to_string();
    Query "ledger.trial_balance.get.v1" GetTrialBalance, subject |_| "trial_balance".to_owned();
    Reply "ledger.trial_balance.found.v1" TrialBalanceFound,
        subject |_| "trial_balance".to_owned();
}

impl Query for GetBalance {
    type Reply = BalanceFound;
}

impl Query for GetStatement {
    type Reply = StatementFound;
}

impl Query for GetTransfer {
    type Reply = TransferFound;
}

impl Query for GetTrialBalance {
    type Reply = TrialBalanceFound;
}

crate::message_set! {
    /// What `ledger.queries` carries.
    pub enum LedgerQuery {
        Balance(GetBalance),
        Statement(GetStatement),
        Transfer(GetTransfer),
        TrialBalance(GetTrialBalance),
        Preview(PreviewInstructions),
        Instruction(GetInstruction),
        Journal(GetJournal),
        Books(GetBooks),
        BalanceAt(GetBalanceAt),
        Entries(FindEntries),
        Payments(FindPayments),
        Interest(GetInterest),
        Monitors(ListMonitors),
        Orders(ListOrders),
        Order(GetOrder),
        Period(GetPeriod),
    }
}
