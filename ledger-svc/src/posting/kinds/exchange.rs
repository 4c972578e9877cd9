//! An exchange: from a debtor in one currency to a creditor in another, through the internal
//! accounts `fx_position` of both currencies. The creditor gets the amount times the rate, rounded
//! to the currency's digits; the difference that rounding makes is posted on `fx_rounding`.

use rust_decimal::Decimal;
use shared_events::{
    Amount, Currency, Money,
    ledger::AccountCode,
    money::exact::{exact_mul, exact_sub},
};

use super::{Debtor, Description, KindRules};
use crate::{
    accounts::internal_account_id,
    bank_calendar::Now,
    posting::{
        amounts::check_money,
        currencies::{is_holdable, may_leave, supported},
        debit::NamedDebit,
        legs::{PlannedLeg, distinct},
        lock_set::LockSet,
        party::Party,
        plan::Plan,
        reason::{Checked, RejectReason, first_of},
        rounding::Rounding,
        view::PostingView,
    },
};

/// The most digits after the point of a rate of exchange.
pub(crate) const RATE_DIGITS_MAX: u32 = 10;

/// Moves money from a debtor in one currency to a creditor in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The debtor.
    pub debtor: Party,
    /// The creditor.
    pub creditor: Party,
    /// The amount that leaves the debtor.
    pub sell: Money,
    /// The currency that reaches the creditor.
    pub buy: Currency,
    /// Units of `buy` for one unit of the currency that is sold.
    pub rate: Amount,
    /// The rounding of the amount that reaches the creditor.
    pub rounding: Rounding,
}

impl Exchange {
    /// The exact amount, and the rounded amount that reaches the creditor. The exact amount has as
    /// many digits after the point as the amount and the rate together, 14 at most.
    fn bought(&self) -> Result<(Decimal, Decimal), RejectReason> {
        let sold = self.sell.amount.decimal();
        let exact = exact_mul(sold, self.rate.decimal()).ok_or(RejectReason::AmountTooLarge)?;
        Ok((exact, self.rounding.round(exact, self.buy)))
    }

    fn check_amounts(&self) -> Checked {
        // Only a valid rate leads to an amount that can be checked.
        if self.check_rate().is_err() {
            return check_money(self.sell);
        }
        let bought = self.bought();
        let bought = bought.and_then(|(_, amount)| check_money(Money::new(amount, self.buy)));
        first_of([check_money(self.sell), bought].into_iter())
    }

    fn check_rate(&self) -> Checked {
        let rate = self.rate.decimal();
        if rate <= Decimal::ZERO || rate.normalize().scale() > RATE_DIGITS_MAX {
            return Err(RejectReason::InvalidRate);
        }
        match self.sell.currency == self.buy {
            true => Err(RejectReason::SameCurrency),
            false => Ok(()),
        }
    }
}

impl KindRules for Exchange {
    fn refers(&self, set: &mut LockSet) {
        set.party(&self.debtor, self.sell.currency);
        set.party(&self.creditor, self.buy);
        for currency in [self.sell.currency, self.buy] {
            set.party(&Party::Code(AccountCode::fx_position()), currency);
        }
        set.party(&Party::Code(AccountCode::fx_rounding()), self.buy);
    }

    /// The author gives the rate, so the bank's own position is debited, too.
    fn debits(&self, _: &dyn PostingView, each: &mut dyn FnMut(NamedDebit)) {
        let debtor = self.debtor.account_id(self.sell.currency);
        debtor.into_iter().for_each(|debtor| each(NamedDebit::new(debtor, self.sell)));
        let position = internal_account_id(&AccountCode::fx_position(), self.buy);
        let bought = self.bought().map_or(Decimal::MAX, |(exact, _)| exact);
        each(NamedDebit::new(position, Money::new(bought, self.buy)));
    }

    fn validates(&self, _: &dyn PostingView, _: Now) -> Checked {
        self.check_amounts()?;
        supported(may_leave(self.sell.currency, &self.debtor) && is_holdable(self.buy))?;
        self.check_rate()
    }

    fn plans(&self, state: &dyn PostingView, now: Now) -> Result<Plan, RejectReason> {
        let Self { debtor, creditor, sell, buy, .. } = self;
        let sold = sell.amount.decimal();
        let (exact, bought) = self.bought()?;
        let internal = |code, amount, currency| PlannedLeg {
            account: internal_account_id(&code, currency),
            amount,
            currency,
        };
        let mut legs = vec![
            PlannedLeg::of_party(debtor, Money::new(-sold, sell.currency)),
            Ok(internal(AccountCode::fx_position(), sold, sell.currency)),
            Ok(internal(AccountCode::fx_position(), -exact, *buy)),
            PlannedLeg::of_party(creditor, Money::new(bought, *buy)),
        ];
        if exact != bought {
            let difference = exact_sub(exact, bought).ok_or(RejectReason::AmountTooLarge)?;
            legs.push(Ok(internal(AccountCode::fx_rounding(), difference, *buy)));
        }
        Plan::spending(state, distinct(legs.into_iter())?, now)
    }

    fn describes(&self) -> Description<'_> {
        Description {
            debtor: Debtor::of_party(&self.debtor, self.sell.currency),
            exchange: Some((self.rate, self.rounding)),
            ..Description::default()
        }
    }
}
