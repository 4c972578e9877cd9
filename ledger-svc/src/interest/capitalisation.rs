//! Capitalisation: interest and fees become postings, once a month for each account, in the order of
//! months. Promise: after it, the sum of all that was ever capitalised is the interest since the first
//! terms, rounded once.
//!
//! An amount that cannot be posted, because an account would pass its bounds, is left to the months
//! that follow. The postings of a month have the value date of the day after the month, so that no
//! day's interest depends on itself. Interest and fees are taken beyond the account's limits; a
//! frozen account waits until it is active again.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency, MessageId, Money, Total, TransferId, ledger::AccountCode,
    money::exact::exact_sub,
};

use super::accrual::{Bearing, next_month};
use crate::{
    accounts::{Status, internal_account_id},
    bank_calendar::Now,
    posting::{
        Instruction, Kind, Party, Plan, PlannedLeg, PostingState, Rounding, Transfer,
        check_accounts, check_postings, own_id,
    },
};

/// The postings of a capitalisation, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// Interest that the bank pays.
    CreditInterest,
    /// Interest that the holder pays.
    DebitInterest,
    /// The fee for the statement.
    StatementFee,
}

impl Charge {
    /// All postings.
    pub const ALL: [Self; 3] = [Self::CreditInterest, Self::DebitInterest, Self::StatementFee];

    const fn name(self) -> &'static str {
        match self {
            Self::CreditInterest => "credit interest",
            Self::DebitInterest => "debit interest",
            Self::StatementFee => "statement fee",
        }
    }

    /// The internal account on the other side.
    #[must_use]
    pub fn internal_account(self) -> AccountCode {
        let code = match self {
            Self::CreditInterest => "interest_paid",
            Self::DebitInterest => "interest_received",
            Self::StatementFee => "fees",
        };
        AccountCode(code.to_owned())
    }
}

/// The id of a month's posting, which follows from account, posting and month.
#[must_use]
pub fn charge_id(account: AccountId, charge: Charge, month: NaiveDate) -> TransferId {
    let name = format!("{}:{}", charge.name(), month.format("%Y-%m"));
    TransferId(own_id(account.uuid(), &name))
}

/// A month that is due, with the terms and balances that its interest follows from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueMonth {
    /// The account.
    pub account: AccountId,
    /// The month's first day.
    pub month: NaiveDate,
    /// The account's terms and balances.
    pub bearing: Bearing,
    /// All credit interest that was capitalised before.
    pub credited: Decimal,
    /// All debit interest that was capitalised before.
    pub debited: Decimal,
}

/// A month's interest, computed from terms and balances. For an account with a long history the
/// computation takes a while, and it needs no lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MonthlyInterest {
    /// The account.
    pub account: AccountId,
    /// The month's first day.
    pub month: NaiveDate,
    /// The interest since the first terms, for the holder and against, not rounded. `None`: more
    /// digits than an amount.
    pub accrued: Option<(Decimal, Decimal)>,
    /// All credit interest that was capitalised before.
    pub credited: Decimal,
    /// All debit interest that was capitalised before.
    pub debited: Decimal,
    /// The rounding of the sums.
    pub rounding: Rounding,
    /// The fee for the statement.
    pub fee: Decimal,
}

/// The postings of a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capitalised {
    /// The account.
    pub account: AccountId,
    /// The month's first day.
    pub month: NaiveDate,
    /// The interest that the holder got.
    pub credit_interest: Decimal,
    /// The interest that the holder paid.
    pub debit_interest: Decimal,
    /// The fee that the holder paid.
    pub statement_fee: Decimal,
    /// The cause of the postings, in their events.
    pub cause: MessageId,
    /// The posted transfers.
    pub transfers: Vec<TransferId>,
}

impl Capitalised {
    /// The sum that the holder got; below zero: paid.
    #[must_use]
    pub fn to_holder(&self) -> Total {
        let total = |amount| Total::of(amount).unwrap_or_default();
        let interest = total(self.credit_interest).minus_at_most(total(self.debit_interest));
        interest.minus_at_most(total(self.statement_fee))
    }
}

impl DueMonth {
    /// The interest and fee of the whole month.
    #[must_use]
    pub fn computed(&self) -> MonthlyInterest {
        let last_day = next_month(self.month).pred_opt().unwrap_or(self.month);
        let terms = self.bearing.terms_on(last_day);
        let fee = terms.and_then(|terms| terms.statement_fee);
        let fee = fee.map_or(Decimal::ZERO, Amount::decimal);
        MonthlyInterest { fee, ..self.computed_until(last_day) }
    }

    /// The interest of the days up to this one, without a fee.
    pub(crate) fn computed_until(&self, last_day: NaiveDate) -> MonthlyInterest {
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
    /// The postings that are due: the interest since the first terms, rounded once, less all that was
    /// capitalised before.
    pub(crate) fn due(&self, currency: Currency) -> Capitalised {
        // Interest with too many digits cannot be paid now.
        let rest = |accrued: Option<Decimal>, before| {
            let rounded = accrued.map(|exact| self.rounding.round(exact, currency));
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

impl Capitalised {
    /// The amount of one posting.
    const fn amount_mut(&mut self, charge: Charge) -> &mut Decimal {
        match charge {
            Charge::CreditInterest => &mut self.credit_interest,
            Charge::DebitInterest => &mut self.debit_interest,
            Charge::StatementFee => &mut self.statement_fee,
        }
    }

    /// Whether the accounts take these postings.
    pub(crate) fn can_be_posted(&self, state: &PostingState) -> bool {
        let Some(currency) = state.account(self.account).map(|account| account.currency) else {
            return false;
        };
        let amounts = [self.credit_interest, -self.debit_interest, -self.statement_fee];
        let charges = Charge::ALL.into_iter().zip(amounts);
        charges.filter(|(_, to_holder)| !to_holder.is_zero()).all(|(charge, to_holder)| {
            let legs = charge_legs(self.account, charge, currency, to_holder);
            check_accounts(state, &legs).is_ok() && check_postings(state, &legs).is_ok()
        })
    }

    /// Makes these postings, with this value date. An amount that cannot be posted becomes zero: the
    /// next month corrects it.
    pub(super) fn post(
        mut self,
        state: &mut PostingState,
        value_date: NaiveDate,
        now: Now,
    ) -> Self {
        let account = state.account(self.account).expect("the month was computed for an account");
        let currency = account.currency;
        for charge in Charge::ALL {
            let amount = *self.amount_mut(charge);
            if amount.is_zero() {
                continue;
            }
            let to_holder = if charge == Charge::CreditInterest { amount } else { -amount };
            match self.post_charge(state, charge, (currency, to_holder), (value_date, now)) {
                Some(transfer) => self.transfers.push(transfer),
                None => *self.amount_mut(charge) = Decimal::ZERO,
            }
        }
        self
    }

    /// Posts an amount to the holder; below zero: from the holder. `None`: the posting was made
    /// before, or an account does not take it.
    fn post_charge(
        &self,
        state: &mut PostingState,
        charge: Charge,
        (currency, to_holder): (Currency, Decimal),
        (value_date, now): (NaiveDate, Now),
    ) -> Option<TransferId> {
        let transfer_id = charge_id(self.account, charge, self.month);
        let mut legs = charge_legs(self.account, charge, currency, to_holder);
        let mut parties = [Party::Code(charge.internal_account()), Party::AccountId(self.account)];
        if to_holder < Decimal::ZERO {
            legs.reverse();
            parties.reverse();
        }
        if state.known(transfer_id).is_some()
            || check_accounts(state, &legs).is_err()
            || check_postings(state, &legs).is_err()
        {
            return None;
        }
        let [debtor, creditor] = parties;
        let money = Money::new(to_holder.abs(), currency);
        assert!(money.amount > Amount::ZERO, "a charge of {} moves money", self.account);
        let kind = Kind::Transfer(Transfer { debtor, creditor, money, allow_partial: false });
        let reference = Some(format!("{} {}", charge.name(), self.month.format("%Y-%m")));
        let instruction = Instruction {
            value_date: Some(value_date),
            ..Instruction::internal(transfer_id, kind, reference)
        };
        let posted = state.post_own(self.cause, instruction, Plan::internal(legs.into()), now);
        assert_eq!(posted, transfer_id, "a charge has the id of its month");
        Some(posted)
    }
}

/// The legs of a charge: the internal account, and the holder's.
fn charge_legs(
    account: AccountId,
    charge: Charge,
    currency: Currency,
    to_holder: Decimal,
) -> [PlannedLeg; 2] {
    let internal = internal_account_id(&charge.internal_account(), currency);
    let leg = |account, amount| PlannedLeg { account, amount, currency };
    [leg(internal, -to_holder), leg(account, to_holder)]
}

/// Posts a month's interest and fee. `None`: not now, as the month is not over or the account is not
/// active.
pub fn capitalise(
    state: &mut PostingState,
    month: &MonthlyInterest,
    now: Now,
) -> Option<Capitalised> {
    let account = state.account(month.account)?;
    if account.status != Status::Active || now.today < next_month(month.month) {
        return None;
    }
    Some(month.due(account.currency).post(state, next_month(month.month), now))
}
