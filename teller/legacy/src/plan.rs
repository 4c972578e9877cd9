//! The plan of an import. Promise: the same export has the same plan with the same ids, so that an
//! import that is started again has no second effect.

use std::collections::HashMap;

use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency, MessageId, Money, TransferId,
    accounts::{Holder, OpenAccount},
    ledger::{Direction, Party, Transfer},
    money::exact::exact_add,
};
use uuid::Uuid;

use super::{
    customers::LegacyAccount,
    read::Export,
    transactions::{CURRENCY, LegacyRow},
};

/// All ids of an import are made from this one and the legacy bank's numbers (UUIDv5), save those
/// of accounts, which follow from their external references.
pub(super) const NAMESPACE: Uuid = Uuid::from_u128(0x8d0c_6b1e_1993_5a7c_9a55_b1f0_5e0c_1994);

/// The accounts and rows of an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The accounts to open.
    pub accounts: Vec<PlannedAccount>,
    /// The transfers to post, by date, then in the order of the file.
    pub rows: Vec<PlannedRow>,
}

/// An account to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedAccount {
    /// Its line in account.asc.
    pub line: usize,
    /// The id of the command.
    pub command_id: MessageId,
    /// The command.
    pub command: OpenAccount,
}

/// A transfer to post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedRow {
    /// Its line in trans.asc.
    pub line: usize,
    /// The customer's account.
    pub account_id: AccountId,
    /// The transfer.
    pub transfer: Transfer,
}

/// The id here of an account there.
#[must_use]
pub fn account_id(number: u64) -> AccountId {
    AccountId::of_reference(&number.to_string())
}

/// The id here of a transaction there.
#[must_use]
pub fn transfer_id(trans_id: u64) -> TransferId {
    TransferId(Uuid::new_v5(&NAMESPACE, format!("transaction:{trans_id}").as_bytes()))
}

/// Plans the import of an export.
#[must_use]
pub fn plan(export: &Export) -> Plan {
    let currency = CURRENCY.parse().expect("the currency of the export is one of ISO 4217");
    let mut rows: Vec<&LegacyRow> = export.rows.iter().collect();
    // Stable: rows of one day stay in the order of the file.
    rows.sort_by_key(|row| row.date);
    let limits = overdraft_limits(&rows);
    let opened = |account: &LegacyAccount| {
        let limit = limits.get(&account.number).copied().unwrap_or_default();
        open(account, currency, Amount(limit))
    };
    Plan {
        accounts: export.accounts.iter().map(opened).collect(),
        rows: rows.into_iter().map(|row| post(row, currency)).collect(),
    }
}

/// How far below zero each account goes when the rows are posted in this order.
fn overdraft_limits(rows: &[&LegacyRow]) -> HashMap<u64, Decimal> {
    let mut balances: HashMap<u64, Decimal> = HashMap::new();
    let mut limits = HashMap::new();
    for row in rows {
        let balance = balances.entry(row.account).or_default();
        // A balance with more digits exceeds every limit: the account is not opened then.
        *balance = exact_add(*balance, row.change()).unwrap_or(Decimal::MIN);
        let limit: &mut Decimal = limits.entry(row.account).or_default();
        *limit = (*limit).max(-*balance);
    }
    limits
}

fn open(account: &LegacyAccount, currency: Currency, overdraft_limit: Amount) -> PlannedAccount {
    let command = OpenAccount {
        account_id: account_id(account.number),
        holder: Holder {
            name: format!("Client {}", account.owner),
            email: None,
            webhook: None,
            language: "cs".to_owned(),
        },
        product: account.product.to_owned(),
        currency,
        overdraft_limit,
        external_reference: Some(account.number.to_string()),
        branch: None,
    };
    let content = serde_json::to_vec(&command).expect("a command is plain JSON");
    let command_id = MessageId(Uuid::new_v5(&NAMESPACE, &content));
    PlannedAccount { line: account.line, command_id, command }
}

fn post(row: &LegacyRow, currency: Currency) -> PlannedRow {
    let account_id = account_id(row.account);
    let (customer, bank) = (Party::AccountId(account_id), Party::Code(row.against.clone()));
    let (debtor, creditor) = match row.direction {
        Direction::Credit => (bank, customer),
        Direction::Debit => (customer, bank),
    };
    let transfer = Transfer {
        transfer_id: transfer_id(row.trans_id),
        debtor,
        creditor,
        money: Money::new(row.amount, currency),
        reference: Some(row.reference.clone()),
        end_to_end_id: Some(row.trans_id.to_string()),
        booking_date: Some(row.date),
    };
    PlannedRow { line: row.line, account_id, transfer }
}
