//! Accounts, commands and events for tests. A number stands for an account's id; each number is
//! another account.

use shared_events::{
    AccountId, Amount, Iban,
    accounts::{
        Account, AccountsCommand, Blocks, CloseAccount, CloseRefusal, FreezeAccount, Holder,
        OpenAccount, SetLimits, UnfreezeAccount, UpdateHolder,
    },
    ledger::{
        LedgerAccountCloseRefused, LedgerAccountEvent, LedgerAccountLocked, LedgerAccountOpened,
    },
};
use uuid::Builder;

use super::change;
use crate::account_numbers::{Bank, Serial};

pub(crate) fn id(number: u8) -> AccountId {
    AccountId(Builder::from_random_bytes(u128::from(number).to_be_bytes()).into_uuid())
}

pub(crate) fn holder(name: &str) -> Holder {
    Holder { name: name.to_owned(), email: None, webhook: None, language: "en".to_owned() }
}

pub(crate) fn iban(serial: u32) -> Iban {
    let bank = Bank::try_new("CZ", "0880").expect("a bank");
    bank.iban(Serial::try_new(serial.into()).expect("a serial number"))
}

pub(crate) fn amount(text: &str) -> Amount {
    text.parse().expect(text)
}

/// An account that was just opened.
pub(crate) fn account(number: u8) -> Account {
    change::open(&opening(number, None), iban(1_000 + u32::from(number))).account
}

pub(crate) fn opening(number: u8, reference: Option<u8>) -> OpenAccount {
    OpenAccount {
        account_id: id(number),
        holder: holder("Jana"),
        product: "current".to_owned(),
        currency: "EUR".parse().expect("a currency"),
        overdraft_limit: Amount::ZERO,
        external_reference: reference.map(|it| it.to_string()),
    }
}

pub(crate) fn open(number: u8, reference: Option<u8>) -> AccountsCommand {
    opening(number, reference).into()
}

pub(crate) fn freeze(number: u8, reason: &str) -> AccountsCommand {
    freeze_only(number, Blocks::Both, reason)
}

pub(crate) fn freeze_only(number: u8, blocks: Blocks, reason: &str) -> AccountsCommand {
    FreezeAccount { account_id: id(number), reason: reason.to_owned(), blocks }.into()
}

pub(crate) fn unfreeze(number: u8) -> AccountsCommand {
    UnfreezeAccount { account_id: id(number) }.into()
}

pub(crate) fn close(number: u8) -> AccountsCommand {
    CloseAccount { payout: None, account_id: id(number) }.into()
}

pub(crate) fn set_limits(number: u8, limit: &str) -> AccountsCommand {
    SetLimits { spending: None, account_id: id(number), overdraft_limit: amount(limit) }.into()
}

pub(crate) fn update_holder(number: u8, name: &str) -> AccountsCommand {
    UpdateHolder { account_id: id(number), holder: holder(name) }.into()
}

pub(crate) fn opened(number: u8) -> LedgerAccountEvent {
    let currency = "EUR".parse().expect("a currency");
    LedgerAccountOpened { account_id: id(number), currency, version: 1 }.into()
}

pub(crate) fn locked(number: u8, closing_version: Option<i64>) -> LedgerAccountEvent {
    LedgerAccountLocked { account_id: id(number), version: 9, closing_version }.into()
}

pub(crate) fn close_refused(number: u8, closing_version: Option<i64>) -> LedgerAccountEvent {
    let (account_id, balance) = (id(number), amount("12.50"));
    let (reason, version) = (CloseRefusal::BalanceNotZero, 9);
    LedgerAccountCloseRefused { account_id, reason, balance, version, closing_version }.into()
}
