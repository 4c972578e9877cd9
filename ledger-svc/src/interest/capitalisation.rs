//! Interest becomes money: once a month for each account, in the order of months. Promise: after
//! it, all that was ever capitalised is what has accrued since the first terms, rounded once.
//!
//! What cannot be posted, because it would pass the bounds of an account, is left to the months
//! that follow. The postings of a month have the value date of the day after it, so that no day's
//! interest depends on itself. The bank takes what it is owed whatever the account's limits; a
//! freeze it respects, and what is due then waits until the account is active again.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency, MessageId, Money, Total, TransferId,
    ledger::{AccountCode, Action, Instruction, Party, Payment, Rounding},
    money::exact::exact_sub,
};

use crate::journal::conversion::digest;

use crate::legacy::domain::{
    account::{Account, Status, own_account_id},
    books::Books,
    carry::carry_out,
    form::round,
    interest::{Bearing, next_month},
    plan::{Now, Plan, PlannedLeg, check_legs, check_postings},
    record::own_id,
};

/// What a capitalisation posts, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// What the bank pays.
    CreditInterest,
    /// What the holder pays for money.
    DebitInterest,
    /// What the holder pays for the statement.
    StatementFee,
}

impl Charge {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::CreditInterest, Self::DebitInterest, Self::StatementFee];

    const fn name(self) -> &'static str {
        match self {
            Self::CreditInterest => "credit interest",
            Self::DebitInterest => "debit interest",
            Self::StatementFee => "statement fee",
        }
    }

    /// The bank's own account on the other side.
    #[must_use]
    pub fn own_account(self) -> AccountCode {
        let code = match self {
            Self::CreditInterest => "interest_paid",
            Self::DebitInterest => "interest_received",
            Self::StatementFee => "fees",
        };
        AccountCode(code.to_owned())
    }
}

/// The id of a month's posting: of account, kind and period.
#[must_use]
pub fn charge_id(account: AccountId, charge: Charge, month: NaiveDate) -> TransferId {
    let name = format!("{}:{}", charge.name(), month.format("%Y-%m"));
    TransferId(own_id(account.uuid(), &name))
}

/// A month that is to be capitalised, with all that decides over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueMonth {
    /// Which account.
    pub account: AccountId,
    /// Its first day.
    pub month: NaiveDate,
    /// The account's terms and balances.
    pub bearing: Bearing,
    /// All credit interest that was capitalised before.
    pub credited: Decimal,
    /// All debit interest that was capitalised before.
    pub debited: Decimal,
}

/// What a month comes to, worked out from terms and balances. It takes a while for an account with
/// a long history, and can be done before anything is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthlyInterest {
    /// Which account.
    pub account: AccountId,
    /// The month's first day.
    pub month: NaiveDate,
    /// What accrued for the holder since the first terms, and against, not rounded. `None`: more
    /// than can be told.
    pub accrued: Option<(Decimal, Decimal)>,
    /// All credit interest that was capitalised before.
    pub credited: Decimal,
    /// All debit interest that was capitalised before.
    pub debited: Decimal,
    /// How the sums are rounded.
    pub rounding: Rounding,
    /// What the holder pays for the statement.
    pub fee: Decimal,
}

/// What a month led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capitalised {
    /// Which account.
    pub account: AccountId,
    /// The month's first day.
    pub month: NaiveDate,
    /// What the holder got.
    pub credit_interest: Decimal,
    /// What the holder paid.
    pub debit_interest: Decimal,
    /// What the holder paid for the statement.
    pub statement_fee: Decimal,
    /// The cause of the postings, and these.
    pub cause: MessageId,
    /// The transfers that were posted.
    pub transfers: Vec<TransferId>,
}

impl Capitalised {
    /// What the holder got in all; below zero: paid.
    #[must_use]
    pub fn to_holder(&self) -> Total {
        let total = |amount| Total::of(amount).unwrap_or_default();
        let interest = total(self.credit_interest).minus_at_most(total(self.debit_interest));
        interest.minus_at_most(total(self.statement_fee))
    }
}

impl DueMonth {
    /// What the whole month comes to.
    #[must_use]
    pub fn worked_out(&self) -> MonthlyInterest {
        let last_day = next_month(self.month).pred_opt().unwrap_or(self.month);
        let terms = self.bearing.terms_on(last_day);
        let fee = terms.and_then(|terms| terms.statement_fee);
        let fee = fee.map_or(Decimal::ZERO, Amount::decimal);
        MonthlyInterest { fee, ..self.worked_out_until(last_day) }
    }

    /// What the days until this one come to, without a fee.
    pub(crate) fn worked_out_until(&self, last_day: NaiveDate) -> MonthlyInterest {
        let terms = self.bearing.terms_on(last_day);
        MonthlyInterest {
            account: self.account,
            month: self.month,
            accrued: self.bearing.accrued_until(last_day).ok(),
            credited: self.credited,
            debited: self.debited,
            rounding: terms.map_or(Rounding::default(), |terms| terms.rounding),
            fee: Decimal::ZERO,
        }
    }
}

impl MonthlyInterest {
    /// What is to be posted: what accrued in all, rounded once, less what was capitalised before.
    pub(crate) fn due(&self, currency: Currency) -> Capitalised {
        // More than can be told is nothing that can be paid now.
        let rest = |accrued: Option<Decimal>, before| {
            let rounded = accrued.map(|exact| round(exact, currency, self.rounding));
            rounded.and_then(|now| exact_sub(now, before)).unwrap_or(Decimal::ZERO)
        };
        let name = format!("interest:{}", self.month.format("%Y-%m"));
        Capitalised {
            account: self.account,
            month: self.month,
            credit_interest: rest(self.accrued.map(|(credit, _)| credit), self.credited),
            debit_interest: rest(self.accrued.map(|(_, debit)| debit), self.debited),
            statement_fee: self.fee,
            cause: MessageId(own_id(self.account.uuid(), &name)),
            transfers: vec![],
        }
    }
}

impl Books {
    /// Posts a month's interest and fee. `None`: not now, as the month is not over or the account
    /// is not active.
    pub fn capitalise(&mut self, month: &MonthlyInterest, now: Now) -> Option<Capitalised> {
        let account = self.account(month.account)?;
        if account.status != Status::Active || now.today < next_month(month.month) {
            return None;
        }
        let due = month.due(account.currency);
        Some(self.post_charges(due, next_month(month.month), now))
    }

    /// Posts what is due, with this value date.
    pub(crate) fn post_charges(
        &mut self,
        mut due: Capitalised,
        value_date: NaiveDate,
        now: Now,
    ) -> Capitalised {
        let account = self.account(due.account).expect("what is due was worked out for it").clone();
        for charge in Charge::ALL {
            let amount = match charge {
                Charge::CreditInterest => &mut due.credit_interest,
                Charge::DebitInterest => &mut due.debit_interest,
                Charge::StatementFee => &mut due.statement_fee,
            };
            if amount.is_zero() {
                continue;
            }
            let to_holder = if charge == Charge::CreditInterest { *amount } else { -*amount };
            let when = (due.month, value_date);
            match self.charge(&account, charge, (when, to_holder), due.cause, now) {
                Some(transfer) => due.transfers.push(transfer),
                // Nothing was capitalised of it: the next month makes it good.
                None => *amount = Decimal::ZERO,
            }
        }
        due
    }

    /// Posts an amount to the holder; below zero: from the holder. `None`: it was posted before, or
    /// an account does not allow it.
    fn charge(
        &mut self,
        account: &Account,
        charge: Charge,
        ((month, value_date), to_holder): ((NaiveDate, NaiveDate), Decimal),
        cause: MessageId,
        now: Now,
    ) -> Option<TransferId> {
        let (id, currency) = (account.id, account.currency);
        let transfer_id = charge_id(id, charge, month);
        let leg = |account, amount| PlannedLeg { account, amount, currency };
        let own = own_account_id(&charge.own_account(), currency);
        let mut legs = vec![leg(own, -to_holder), leg(id, to_holder)];
        let mut parties = [Party::Code(charge.own_account()), Party::AccountId(id)];
        if to_holder < Decimal::ZERO {
            legs.reverse();
            parties.reverse();
        }
        if self.known(transfer_id).is_some()
            || check_legs(self, &legs).is_err()
            || check_postings(self, &legs).is_err()
        {
            return None;
        }
        let [debtor, creditor] = parties;
        let money = Money::new(to_holder.abs(), currency);
        let instruction = Instruction {
            transfer_id,
            group: None,
            action: Action::Transfer(Payment { debtor, creditor, money, up_to: false }),
            reference: Some(format!("{} {}", charge.name(), month.format("%Y-%m"))),
            end_to_end_id: None,
            booking_date: None,
            value_date: Some(value_date),
        };
        let plan = Plan::Post { legs, spends: false, reverses: None };
        let outcome = carry_out(self, transfer_id, plan, now);
        self.keep(digest(&instruction), cause, instruction, now, outcome);
        Some(transfer_id)
    }
}
