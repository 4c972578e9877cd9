//! The rules that reject an instruction, and the plan of a valid one.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate, TimeDelta};
use rust_decimal::{Decimal, RoundingStrategy};
use shared_events::{
    AccountId, Amount, Currency, Money, TransferId,
    ledger::{
        AccountCode, Action, Direction, Exchange, HoldStatus, Instruction, InstructionOutcome,
        LedgerStatus, Legs, Party, RejectReason as R, Reverse, Rounding,
    },
    money::AMOUNT_MAX,
    text::is_visible_line,
};

use super::{
    Model, Now, account_id,
    currency::{is_unholdable, leaves},
    numbers::{end, product},
    plan::{Broken, Line, Plan},
};

/// The hold or transfer that an action is about.
pub(super) fn about(action: &Action) -> Option<TransferId> {
    match action {
        Action::Capture(capture) => Some(capture.hold_id),
        Action::Release(release) => Some(release.hold_id),
        Action::Reverse(reversal) => Some(reversal.original_id),
        Action::Transfer(_) | Action::Hold(_) | Action::Legs(_) | Action::Exchange(_) => None,
    }
}

/// All parties of an action, with their currencies.
pub(super) fn parties(action: &Action) -> Vec<(Party, Currency)> {
    let own = |code| Party::Code(code);
    match action {
        Action::Transfer(payment) => [&payment.debtor, &payment.creditor]
            .map(|one| (one.clone(), payment.money.currency))
            .to_vec(),
        Action::Hold(hold) => {
            [&hold.debtor, &hold.creditor].map(|one| (one.clone(), hold.money.currency)).to_vec()
        }
        Action::Legs(legs) if legs.legs.len() > 100 => vec![],
        Action::Legs(multi_leg) => {
            multi_leg.legs.iter().map(|leg| (leg.account.clone(), leg.money.currency)).collect()
        }
        Action::Exchange(exchange) => vec![
            (exchange.debtor.clone(), exchange.sell.currency),
            (own(AccountCode::fx_position()), exchange.sell.currency),
            (own(AccountCode::fx_position()), exchange.buy),
            (exchange.creditor.clone(), exchange.buy),
            (own(AccountCode::fx_rounding()), exchange.buy),
        ],
        Action::Capture(_) | Action::Release(_) | Action::Reverse(_) => vec![],
    }
}

fn money(money: Money, broken: &mut Broken) {
    let amount = money.amount.decimal();
    let too_many = amount.normalize().scale() > money.currency.digits();
    broken.extend((amount <= Decimal::ZERO).then_some(R::AmountNotPositive));
    broken.extend(too_many.then_some(R::TooManyDigits));
    let most = AMOUNT_MAX.min(end(money.currency) - Decimal::new(1, money.currency.digits()));
    broken.extend((amount > most).then_some(R::AmountTooLarge));
}

fn texts_and_dates(instruction: &Instruction, now: Now, broken: &mut Broken) {
    let invalid = |text: &Option<String>, most| {
        text.as_ref().is_some_and(|text| text.chars().count() > most || !is_visible_line(text))
    };
    let outside =
        |day: Option<NaiveDate>| day.is_some_and(|day| day.year() < 1900 || day.year() > 2199);
    let text = invalid(&instruction.reference, 140) || invalid(&instruction.end_to_end_id, 35);
    broken.extend(text.then_some(R::InvalidText));
    broken.extend(outside(instruction.booking_date).then_some(R::InvalidBookingDate));
    if let Some(booked) = instruction.booking_date {
        let closed = now.closed_through.is_some_and(|last| booked <= last);
        broken.extend(closed.then_some(R::PeriodClosed));
        let late = booked.signed_duration_since(now.today).num_days() > 31;
        broken.extend(late.then_some(R::BookingDateTooLate));
    }
    broken.extend(outside(instruction.value_date).then_some(R::InvalidValueDate));
}

/// Resolves parties to accounts. An unknown party is left out.
fn lines(all: &[(&Party, Decimal, Currency)], broken: &mut Broken) -> Vec<Line> {
    let mut lines: Vec<Line> = vec![];
    for (party, amount, currency) in all {
        match account_id(party, *currency) {
            None => drop(broken.insert(R::UnknownAccount)),
            Some(id) => {
                broken.extend(lines.iter().any(|line| line.0 == id).then_some(R::SameAccount));
                lines.push((id, Money::new(*amount, *currency)));
            }
        }
    }
    lines
}

impl Model {
    /// The plan of an instruction, or the first rule that the instruction breaks.
    pub(super) fn plan(&self, instruction: &Instruction, now: Now) -> Result<Plan, R> {
        let mut broken = Broken::new();
        texts_and_dates(instruction, now, &mut broken);
        let plan = self.planned(&instruction.action, now, &mut broken);
        match broken.first() {
            Some(reason) => Err(*reason),
            None => Ok(plan.expect("what breaks no rule can be done")),
        }
    }

    fn planned(&self, action: &Action, now: Now, broken: &mut Broken) -> Option<Plan> {
        let spends = Some(now.today);
        match action {
            Action::Transfer(payment) => {
                leaves(payment.money.currency, &payment.debtor, &payment.creditor, broken);
                let lines = self.between(
                    (&payment.debtor, &payment.creditor),
                    payment.money,
                    payment.up_to,
                    broken,
                );
                self.accounts_allow(&lines, broken);
                self.debtors_can(&lines, spends, broken);
                self.balances_fit(&lines, broken);
                Some(Plan::Post { lines, spends: true, reverses: None })
            }
            Action::Hold(hold) => {
                let last = now.instant + TimeDelta::days(400);
                let in_time = hold.expires_at > now.instant && hold.expires_at <= last;
                broken.extend((!in_time).then_some(R::InvalidExpiry));
                leaves(hold.money.currency, &hold.debtor, &hold.creditor, broken);
                let lines =
                    self.between((&hold.debtor, &hold.creditor), hold.money, hold.up_to, broken);
                self.accounts_allow(&lines, broken);
                self.debtors_can(&lines, spends, broken);
                self.pending_fits(&lines, broken);
                Some(Plan::Hold { lines, expires_at: hold.expires_at })
            }
            Action::Capture(capture) => {
                let given = capture.amount.map(Amount::decimal);
                let (hold, amount) = self.open_hold(capture.hold_id, given, now, broken)?;
                self.accounts_allow(&hold, broken);
                self.balances_fit(&hold, broken);
                let rest = self.holds[&capture.hold_id].left.amount.decimal() - amount;
                broken.extend((rest < Decimal::ZERO).then_some(R::ExceedsHold));
                let released = if capture.keep_rest { Decimal::ZERO } else { rest };
                Some(Plan::Capture { hold: capture.hold_id, captured: amount, released })
            }
            Action::Release(release) => {
                self.open_hold(release.hold_id, None, now, broken)?;
                Some(Plan::Release { hold: release.hold_id })
            }
            Action::Reverse(reversal) => self.reversal(reversal, broken),
            Action::Legs(multi_leg) => {
                let lines = legs(multi_leg, broken);
                self.accounts_allow(&lines, broken);
                self.debtors_can(&lines, spends, broken);
                self.balances_fit(&lines, broken);
                Some(Plan::Post { lines, spends: true, reverses: None })
            }
            Action::Exchange(order) => {
                let lines = exchange(order, broken)?;
                self.accounts_allow(&lines, broken);
                self.debtors_can(&lines, spends, broken);
                self.balances_fit(&lines, broken);
                Some(Plan::Post { lines, spends: true, reverses: None })
            }
        }
    }

    /// From a debtor to a creditor; "up to" means as much as can be spent, if that is anything.
    fn between(
        &self,
        (debtor, creditor): (&Party, &Party),
        asked: Money,
        up_to: bool,
        broken: &mut Broken,
    ) -> Vec<Line> {
        money(asked, broken);
        let mut amount = asked.amount.decimal();
        let payer = account_id(debtor, asked.currency).and_then(|id| self.accounts.get(&id));
        if let Some(payer) = payer.filter(|account| up_to && account.currency == asked.currency) {
            let above = payer.terms.minimum.map(|limit| payer.posted - payer.pending_out - limit);
            let most = [payer.available(), above].into_iter().flatten().min();
            amount =
                most.filter(|most| *most > Decimal::ZERO).map_or(amount, |most| amount.min(most));
        }
        lines(&[(debtor, -amount, asked.currency), (creditor, amount, asked.currency)], broken)
    }

    /// A hold from which something is to be taken, and how much.
    fn open_hold(
        &self,
        id: TransferId,
        given: Option<Decimal>,
        now: Now,
        broken: &mut Broken,
    ) -> Option<(Vec<Line>, Decimal)> {
        let not_positive = given.is_some_and(|amount| amount <= Decimal::ZERO);
        broken.extend(not_positive.then_some(R::AmountNotPositive));
        let Some(hold) = self.holds.get(&id) else {
            broken.insert(R::UnknownHold);
            return None;
        };
        let currency = hold.left.currency;
        if let Some(given) = given {
            money(Money::new(given, currency), broken);
        }
        broken.extend(match hold.status {
            HoldStatus::Open if hold.expires_at <= now.instant => Some(R::HoldExpired),
            HoldStatus::Open => None,
            HoldStatus::Captured => Some(R::HoldCaptured),
            HoldStatus::Released => Some(R::HoldReleased),
            HoldStatus::Expired => Some(R::HoldExpired),
        });
        let amount = given.unwrap_or(hold.left.amount.decimal());
        let lines = [(hold.debtor, -amount), (hold.creditor, amount)];
        Some((lines.map(|(id, amount)| (id, Money::new(amount, currency))).to_vec(), amount))
    }

    fn reversal(&self, reversal: &Reverse, broken: &mut Broken) -> Option<Plan> {
        let given = reversal.amount.map(Amount::decimal);
        let not_positive = given.is_some_and(|amount| amount <= Decimal::ZERO);
        broken.extend(not_positive.then_some(R::AmountNotPositive));
        let Some(InstructionOutcome::Posted(original)) = self.outcome(reversal.original_id) else {
            broken.insert(R::UnknownTransfer);
            return None;
        };
        let (two, whole) = (original.legs.len() == 2, original.legs[0].money);
        let never = original.reverses.is_some() || (!two && given.is_some());
        broken.extend(never.then_some(R::NotReversible));
        if let Some(given) = given.filter(|_| two) {
            money(Money::new(given, whole.currency), broken);
        }
        let before = self.reversed.get(&reversal.original_id).copied().unwrap_or_default();
        let left = whole.amount.decimal() - before;
        let amount = given.unwrap_or(left);
        broken.extend((left.is_zero() || amount > left).then_some(R::ExceedsOriginal));
        let back = original.legs.iter().rev().map(|leg| {
            let part = if two { amount } else { leg.money.amount.decimal() };
            let part = if leg.direction == Direction::Debit { part } else { -part };
            (leg.account.account_id, Money::new(part, leg.money.currency))
        });
        let lines: Vec<Line> = back.collect();
        self.accounts_allow(&lines, broken);
        self.debtors_can(&lines, None, broken);
        self.balances_fit(&lines, broken);
        Some(Plan::Post { lines, spends: false, reverses: Some((reversal.original_id, amount)) })
    }

    /// Whether money may move on the accounts at all.
    pub(super) fn accounts_allow(&self, lines: &[Line], broken: &mut Broken) {
        for (id, money) in lines {
            let Some(account) = self.accounts.get(id) else {
                broken.insert(R::UnknownAccount);
                continue;
            };
            let out = money.amount.decimal().is_sign_negative();
            broken.extend(match account.terms.status {
                LedgerStatus::Closed => Some(R::AccountClosed),
                LedgerStatus::Locked => Some(R::AccountNotActive),
                LedgerStatus::Frozen => account.terms.stops(out).then_some(R::AccountFrozen),
                LedgerStatus::Active => None,
            });
            broken.extend((account.currency != money.currency).then_some(R::CurrencyMismatch));
        }
    }

    /// Whether the debtors have the funds, and, where the amount counts as spent today, the limits.
    fn debtors_can(&self, lines: &[Line], spends: Option<NaiveDate>, broken: &mut Broken) {
        for (id, money) in lines {
            let amount = -money.amount.decimal();
            let Some(account) = self.accounts.get(id).filter(|_| amount > Decimal::ZERO) else {
                continue;
            };
            let (terms, over) = (&account.terms, |most: Option<Decimal>, term| {
                most.is_some_and(|most| term > most)
            });
            let short = account.available().is_some_and(|available| available < amount);
            broken.extend(short.then_some(R::InsufficientFunds));
            let Some(today) = spends else { continue };
            let on_day = account.spent.get(&today).copied().unwrap_or_default();
            broken.extend(over(terms.transfer, amount).then_some(R::TransferLimit));
            broken.extend(over(terms.daily, on_day + amount).then_some(R::DailyLimit));
            let in_month = account.spent_in_month(today);
            broken.extend(over(terms.monthly, in_month + amount).then_some(R::MonthlyLimit));
            let stays = account.posted - account.pending_out - amount;
            let too_little = terms.minimum.is_some_and(|limit| stays < limit);
            broken.extend(too_little.then_some(R::MinimumBalance));
        }
    }

    /// The debtor, whose balance is announced with a rejection.
    pub(super) fn payer(&self, instruction: &Instruction) -> Option<AccountId> {
        match &instruction.action {
            Action::Transfer(payment) => account_id(&payment.debtor, payment.money.currency),
            Action::Hold(hold) => account_id(&hold.debtor, hold.money.currency),
            Action::Exchange(exchange) => account_id(&exchange.debtor, exchange.sell.currency),
            Action::Legs(legs) if legs.legs.len() > 100 => None,
            Action::Legs(multi_leg) => {
                let first = multi_leg.legs.iter().find(|leg| leg.direction == Direction::Debit)?;
                account_id(&first.account, first.money.currency)
            }
            Action::Capture(capture) => self.holds.get(&capture.hold_id).map(|hold| hold.debtor),
            Action::Release(release) => self.holds.get(&release.hold_id).map(|hold| hold.debtor),
            Action::Reverse(reversal) => match self.outcome(reversal.original_id)? {
                InstructionOutcome::Posted(posted) => {
                    let paid = posted.legs.iter().find(|leg| leg.direction == Direction::Credit)?;
                    Some(paid.account.account_id)
                }
                InstructionOutcome::Held(_)
                | InstructionOutcome::Released(_)
                | InstructionOutcome::Rejected(_) => None,
            },
        }
    }
}

fn legs(legs: &Legs, broken: &mut Broken) -> Vec<Line> {
    broken.extend((legs.legs.len() < 2).then_some(R::TooFewLegs));
    for leg in legs.legs.iter().take(100).filter(|leg| is_unholdable(leg.money.currency)) {
        let leaves = match leg.direction {
            Direction::Debit => matches!(leg.account, Party::AccountId(_)),
            Direction::Credit => matches!(leg.account, Party::Code(_)),
        };
        broken.extend((!leaves).then_some(R::UnsupportedCurrency));
    }
    if legs.legs.len() > 100 {
        legs.legs.iter().take(100).for_each(|leg| money(leg.money, broken));
        broken.insert(R::TooManyLegs);
        return vec![];
    }
    let (mut sums, mut all) = (BTreeMap::<Currency, Decimal>::new(), vec![]);
    for leg in &legs.legs {
        money(leg.money, broken);
        let amount = leg.money.amount.decimal();
        let signed = if leg.direction == Direction::Debit { -amount } else { amount };
        *sums.entry(leg.money.currency).or_default() += signed;
        all.push((&leg.account, signed, leg.money.currency));
    }
    broken.extend(sums.values().any(|sum| !sum.is_zero()).then_some(R::UnbalancedLegs));
    lines(&all, broken)
}

fn exchange(exchange: &Exchange, broken: &mut Broken) -> Option<Vec<Line>> {
    money(exchange.sell, broken);
    let leaves =
        !is_unholdable(exchange.sell.currency) || matches!(exchange.debtor, Party::AccountId(_));
    let unsupported = !leaves || is_unholdable(exchange.buy);
    broken.extend(unsupported.then_some(R::UnsupportedCurrency));
    let rate = exchange.rate.decimal();
    let invalid = rate <= Decimal::ZERO || rate.normalize().scale() > 10;
    broken.extend(invalid.then_some(R::InvalidRate));
    broken.extend((exchange.sell.currency == exchange.buy).then_some(R::SameCurrency));
    if invalid || exchange.sell.currency == exchange.buy {
        return None;
    }
    let sold = exchange.sell.amount.decimal();
    let Some(exact) = product(sold, rate) else {
        broken.insert(R::AmountTooLarge);
        return None;
    };
    let bought = exact.round_dp_with_strategy(
        exchange.buy.digits(),
        match exchange.rounding {
            Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
            Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Rounding::Down => RoundingStrategy::ToZero,
        },
    );
    money(Money::new(bought, exchange.buy), broken);
    let (position, rounding) =
        (Party::Code(AccountCode::fx_position()), Party::Code(AccountCode::fx_rounding()));
    let mut all = vec![
        (&exchange.debtor, -sold, exchange.sell.currency),
        (&position, sold, exchange.sell.currency),
        (&position, -exact, exchange.buy),
        (&exchange.creditor, bought, exchange.buy),
    ];
    if exact != bought {
        all.push((&rounding, exact - bought, exchange.buy));
    }
    Some(lines(&all, broken))
}
