//! Digits that no amount has are taken off a balance. Promise: a balance that an old version of the
//! ledger has left with more digits than can be told has those of its currency afterwards; what was
//! taken off, less than the currency's smallest unit, is on `fx_rounding`, as rounding always is.
//!
//! No posting brings such a balance about any more; only the bank's own positions ever had one.

use shared_events::{
    AccountId, MessageId, Money, TransferId,
    ledger::{AccountCode, Action, Instruction, Party, Payment},
};

use crate::journal::conversion::digest;

use crate::legacy::domain::{
    account::own_account_id,
    books::Books,
    carry::carry_out,
    plan::{Now, Plan, PlannedLeg, check_legs, check_postings},
    record::own_id,
};

impl Books {
    /// Takes the digits beyond the currency's off the balance of one of the bank's own accounts, if
    /// it has more than can be told. Says under which id.
    pub fn take_digits_off(&mut self, id: AccountId, now: Now) -> Option<TransferId> {
        let account = self.account(id).filter(|account| account.after().is_none())?;
        let (code, currency) = (account.code.clone()?, account.currency);
        let beyond = account.balance().beyond(currency.digits()).decimal()?;
        let transfer_id = TransferId(own_id(id.uuid(), &format!("digits:{}", account.version)));
        let rounding = own_account_id(&AccountCode::fx_rounding(), currency);
        let leg = |account, amount| PlannedLeg { account, amount, currency };
        let mut legs = vec![leg(id, -beyond), leg(rounding, beyond)];
        let mut parties = [code, AccountCode::fx_rounding()].map(Party::Code);
        if beyond.is_sign_negative() {
            legs.reverse();
            parties.reverse();
        }
        if beyond.is_zero()
            || check_legs(self, &legs).is_err()
            || check_postings(self, &legs).is_err()
        {
            return None;
        }
        let [debtor, creditor] = parties;
        let money = Money::new(beyond.abs(), currency);
        let instruction = Instruction {
            transfer_id,
            group: None,
            action: Action::Transfer(Payment { debtor, creditor, money, up_to: false }),
            reference: Some("digits beyond those of the currency".to_owned()),
            end_to_end_id: None,
            booking_date: None,
            value_date: None,
        };
        let plan = Plan::Post { legs, spends: false, reverses: None };
        let outcome = carry_out(self, transfer_id, plan, now);
        let cause = MessageId(transfer_id.uuid());
        self.keep(digest(&instruction), cause, instruction, now, outcome);
        Some(transfer_id)
    }
}
