//! Accounts, requests and answers of the ledger for tests. A number stands for an account's id.

use shared_events::{AccountId, Amount, Iban};
use uuid::Builder;

use super::{
    Account, AccountRequest, Blocks, ChangeRequest, CloseRefusal, Closing, Freeze, LedgerAnswer,
    LedgerDecision, NewLimits, Opening,
};
use crate::{
    account_numbers::{Bank, SerialNumber},
    fields::InvalidField,
    holders::Holder,
};

pub(crate) fn id(number: u8) -> AccountId {
    AccountId(Builder::from_random_bytes(u128::from(number).to_be_bytes()).into_uuid())
}

pub(crate) fn holder(name: &str) -> Holder {
    Holder { name: name.to_owned(), email: None, webhook: None, language: "en".to_owned() }
}

pub(crate) fn iban(serial: u32) -> Iban {
    let bank = Bank::try_new("CZ", "0880").expect("a bank");
    bank.iban(SerialNumber::try_new(serial.into()).expect("a serial number"))
}

pub(crate) fn amount(text: &str) -> Amount {
    text.parse().expect(text)
}

/// An account that was just opened.
pub(crate) fn account(number: u8) -> Account {
    opening(number, None).open(iban(1_000 + u32::from(number))).account
}

pub(crate) fn opening(number: u8, reference: Option<u8>) -> Opening {
    Opening {
        account_id: id(number),
        holder: holder("Jana"),
        product: "current".to_owned(),
        currency: "EUR".parse().expect("a currency"),
        overdraft_limit: Amount::ZERO,
        external_reference: reference.map(|reference| reference.to_string()),
        branch: "main".to_owned(),
    }
}

pub(crate) fn open(number: u8, reference: Option<u8>) -> AccountRequest {
    open_checked(opening(number, reference))
}

pub(crate) fn open_checked(opening: Opening) -> AccountRequest {
    let account_id = opening.account_id;
    AccountRequest::Open { account_id, opening: opening.checked().map(Box::new) }
}

fn change(number: u8, change: Result<ChangeRequest, InvalidField>) -> AccountRequest {
    AccountRequest::Change { account_id: id(number), change }
}

pub(crate) fn freeze(number: u8, reason: &str) -> AccountRequest {
    freeze_only(number, Blocks::Both, reason)
}

pub(crate) fn freeze_only(number: u8, blocks: Blocks, reason: &str) -> AccountRequest {
    change(number, Freeze::try_new(blocks, reason.to_owned()).map(ChangeRequest::Freeze))
}

pub(crate) fn unfreeze(number: u8) -> AccountRequest {
    change(number, Ok(ChangeRequest::Unfreeze))
}

pub(crate) fn close(number: u8) -> AccountRequest {
    change(number, Closing::try_new(id(number), None).map(ChangeRequest::Close))
}

pub(crate) fn set_limits(number: u8, limit: &str) -> AccountRequest {
    let limits = NewLimits { spending: None, overdraft_limit: amount(limit) };
    change(number, Ok(ChangeRequest::SetLimits(limits)))
}

pub(crate) fn update_holder(number: u8, name: &str) -> AccountRequest {
    change(number, holder(name).checked().map(ChangeRequest::UpdateHolder))
}

pub(crate) fn erase(number: u8) -> AccountRequest {
    change(number, Ok(ChangeRequest::Erase))
}

pub(crate) fn opened(number: u8) -> LedgerAnswer {
    LedgerAnswer { account_id: id(number), content: LedgerDecision::Opened }
}

pub(crate) fn locked(number: u8, closing_version: Option<i64>) -> LedgerAnswer {
    LedgerAnswer { account_id: id(number), content: LedgerDecision::Locked { closing_version } }
}

pub(crate) fn close_refused(number: u8, closing_version: Option<i64>) -> LedgerAnswer {
    let (reason, balance) = (CloseRefusal::BalanceNotZero, amount("12.50"));
    let content = LedgerDecision::CloseRefused { reason, balance, closing_version };
    LedgerAnswer { account_id: id(number), content }
}
