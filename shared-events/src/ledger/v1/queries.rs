//! Queries about money.

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
    evidence::Authorship,
    ids::{AccountId, TransferId},
    message::{Query, messages},
    money::{Amount, Currency, Money, Total},
};

/// The maximal number of entries on one page of a statement.
pub const ENTRIES_PAGE_MAX: u32 = 1_000;

codes! {
    /// The status of a ledger account.
    pub enum LedgerStatus {
        /// The account is open for debits and credits.
        Active = "active",
        /// The account refuses debits and credits.
        Frozen = "frozen",
        /// The balance is zero, and the account is closing.
        Locked = "locked",
        /// The account is closed for ever.
        Closed = "closed",
    }
}

/// `ledger.balance.get.v1`: asks for the balance of an account. Answered by
/// `ledger.balance.found.v1`, or refused as `not_found`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetBalance {
    /// The account.
    pub account: Party,
    /// The currency, if `account` is a code of the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
}

/// `ledger.balance.found.v1`: the current balance of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BalanceFound {
    /// The account.
    pub account_id: AccountId,
    /// The account's code, if the account is one of the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<AccountCode>,
    /// The currency of all amounts in this message.
    pub currency: Currency,
    /// The status.
    pub status: Open<LedgerStatus>,
    /// The directions that the account refuses; none if absent. Earlier ledgers never send this
    /// field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Blocks>,
    /// The sum of all posted debits.
    pub posted_debits: Total,
    /// The sum of all posted credits.
    pub posted_credits: Total,
    /// The pending debits: amounts on hold for other accounts.
    pub pending_debits: Amount,
    /// The pending credits: amounts on hold for this account.
    pub pending_credits: Amount,
    /// The balance: posted credits less posted debits.
    pub balance: Amount,
    /// The overdraft limit: how far the balance may fall below zero. Absent on an account without a
    /// limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overdraft_limit: Option<Amount>,
    /// The available balance: balance + overdraft limit - pending debits. Absent on an account
    /// without a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<Amount>,
    /// The version of the ledger account.
    pub version: i64,
}

/// `ledger.statement.get.v1`: asks for the entries of an account, in the order of posting, in
/// pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetStatement {
    /// The account.
    pub account: Party,
    /// The currency, if `account` is a code of the bank's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// The first booking date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<NaiveDate>,
    /// The last booking date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<NaiveDate>,
    /// Lists entries after this version only: the `next` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// The maximal number of entries, 1 to 1,000; 100 if absent. A page of long entries has fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1_000))]
    pub limit: Option<u32>,
    /// Asks for the figures of the whole period, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub totals: bool,
    /// Lists entries up to this version only, without later postings: the `until` of the page with
    /// the figures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

/// The direction of an entry, seen from the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Money goes out of the account.
    Debit,
    /// Money comes into the account.
    Credit,
}

/// A line of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementEntry {
    /// The version of the ledger account after the entry: the place in the order of posting.
    pub version: i64,
    /// The transfer of the entry.
    pub transfer_id: TransferId,
    /// Debit or credit.
    pub direction: Direction,
    /// The amount.
    pub amount: Amount,
    /// The balance after the entry: posted credits less posted debits.
    pub balance_after: Amount,
    /// The counterparty.
    pub counterparty: Party,
    /// The reference (remittance information).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The debtor's end-to-end id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
    /// The booking date.
    pub booking_date: NaiveDate,
    /// The value date, from which the money counts for interest. Absent if equal to the booking
    /// date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<NaiveDate>,
    /// The instant of posting.
    pub posted_at: DateTime<Utc>,
    /// The posted transfer that this transfer reverses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<TransferId>,
    /// The author of the instruction. Records of version 1 do not name it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<Authorship>,
}

/// `ledger.statement.found.v1`: a page of a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementFound {
    /// The account.
    pub account_id: AccountId,
    /// The currency of all amounts in this message.
    pub currency: Currency,
    /// The entries of this page.
    pub entries: Vec<StatementEntry>,
    /// The start of the next page. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<i64>,
    /// The figures of the whole period, if the query asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<StatementPeriod>,
}

/// `ledger.transfer.get.v1`: asks for the outcome of a transfer. Answered by
/// `ledger.transfer.found.v1`, or refused as `not_found`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetTransfer {
    /// The transfer.
    pub transfer_id: TransferId,
}

codes! {
    /// The status of a transfer.
    pub enum TransferStatus {
        /// The transfer was posted.
        Posted = "posted",
        /// The transfer was rejected.
        Rejected = "rejected",
    }
}

/// `ledger.transfer.found.v1`: a transfer and its outcome.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TransferFound {
    /// The transfer.
    pub transfer_id: TransferId,
    /// The outcome.
    pub status: Open<TransferStatus>,
    /// The reason of the rejection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Open<RejectReason>>,
    /// The debtor.
    pub debtor: Party,
    /// The creditor.
    pub creditor: Party,
    /// The amount.
    pub money: Money,
    /// The reference (remittance information).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The debtor's end-to-end id of the payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_to_end_id: Option<String>,
    /// The booking date.
    pub booking_date: NaiveDate,
    /// The instant of the commit of the outcome.
    pub decided_at: DateTime<Utc>,
}

/// `ledger.trial_balance.get.v1`: asks for the sums over all accounts. If the sums exceed one
/// message, the query is refused (`reply_too_large`) unless the query asks for pages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GetTrialBalance {
    /// Asks for pages, each of whole currencies.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_pages: bool,
    /// Lists currencies after this one only: the `next` of the previous page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Currency>,
}

/// A line of the trial balance: one of the bank's own accounts, or the sum of all customers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrialBalanceLine {
    /// The code of the bank's own account. Absent for the sum of all customers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<AccountCode>,
    /// The currency of the line.
    pub currency: Currency,
    /// The number of accounts in the line.
    pub accounts: i64,
    /// The sum of all posted debits.
    pub debits: Total,
    /// The sum of all posted credits.
    pub credits: Total,
    /// The balance: credits less debits.
    pub balance: Total,
}

/// `ledger.trial_balance.found.v1`: all lines, at one instant. In each currency the balances add up
/// to zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrialBalanceFound {
    /// The lines: by currency, customers first, then by code.
    pub lines: Vec<TrialBalanceLine>,
    /// The start of the next page. Absent on the last page, and in an answer without pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Currency>,
}

messages! {
    Query "ledger.balance.get.v1" GetBalance, subject |message| message.account.to_string();
    Reply "ledger.balance.found.v1" BalanceFound, subject |message| message.account_id.to_string();
    Query "ledger.statement.get.v1" GetStatement, subject |message| message.account.to_string();
    Reply "ledger.statement.found.v1" StatementFound,
        subject |message| message.account_id.to_string();
    Query "ledger.transfer.get.v1" GetTransfer, subject |message| message.transfer_id.to_string();
    Reply "ledger.transfer.found.v1" TransferFound,
        subject |message| message.transfer_id.to_string();
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
    /// The messages of the queue `ledger.queries`.
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
