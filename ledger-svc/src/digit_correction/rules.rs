//! The correction of an overlong balance. Promise: the balance has the digits of its currency
//! afterwards; the difference, less than the currency's smallest unit, is on `fx_rounding`, as
//! rounding always is.
//!
//! No posting leads to such a balance any more; only internal exchange positions ever had one.

use shared_events::{AccountId, Amount, MessageId, Money, TransferId, ledger::AccountCode};

use crate::{
    accounts::{Account, internal_account_id},
    bank_calendar::Now,
    posting::{
        Instruction, Kind, Party, Plan, PlannedLeg, PostingState, Transfer, check_accounts,
        check_postings, own_id,
    },
};

/// Posts the digits beyond the currency's from an internal account to `fx_rounding`, if the balance
/// has more digits than an amount. Returns the id of the transfer.
pub fn correct(state: &mut PostingState, id: AccountId, now: Now) -> Option<TransferId> {
    let account = state.account(id).filter(|account| account.after().is_none())?;
    let (code, currency) = (account.code.clone()?, account.currency);
    let beyond = account.balance().beyond(currency.digits()).decimal()?;
    let transfer_id = TransferId(own_id(id.uuid(), &format!("digits:{}", account.version)));
    let rounding = internal_account_id(&AccountCode::fx_rounding(), currency);
    let leg = |account, amount| PlannedLeg { account, amount, currency };
    let mut legs = vec![leg(id, -beyond), leg(rounding, beyond)];
    let mut parties = [code, AccountCode::fx_rounding()].map(Party::Code);
    if beyond.is_sign_negative() {
        legs.reverse();
        parties.reverse();
    }
    if beyond.is_zero()
        || check_accounts(state, &legs).is_err()
        || check_postings(state, &legs).is_err()
    {
        return None;
    }
    let [debtor, creditor] = parties;
    let money = Money::new(beyond.abs(), currency);
    assert!(money.amount > Amount::ZERO, "a correction moves digits");
    let kind = Kind::Transfer(Transfer { debtor, creditor, money, allow_partial: false });
    let reference = Some("digits beyond those of the currency".to_owned());
    let instruction = Instruction::internal(transfer_id, kind, reference);
    let cause = MessageId(transfer_id.uuid());
    let transfer = state.post_own(cause, instruction, Plan::internal(legs), now);
    let corrected = state.account(id).and_then(Account::after);
    assert!(corrected.is_some(), "the balance of account {id} fits after its correction");
    Some(transfer)
}
