//! What stands against an instruction, and what it would do where nothing does.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
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
};

/// One account, and how much: in if it is positive, out if it is negative.
pub(super) type Line = (AccountId, Money);

/// What is to be done.
pub(super) enum Plan {
    Post { lines: Vec<Line>, spends: bool, reverses: Option<(TransferId, Decimal)> },
    Hold { lines: Vec<Line>, expires_at: DateTime<Utc> },
    Capture { hold: TransferId, captured: Decimal, released: Decimal },
    Release { hold: TransferId },
}

/// The rules that are broken.
pub(super) type Broken = BTreeSet<R>;

/// The hold or transfer that an action is about.
pub(super) fn about(action: &Action) -> Option<TransferId> {
    match action {
        Action::Capture(it) => Some(it.hold_id),
        Action::Release(it) => Some(it.hold_id),
        Action::Reverse(it) => Some(it.original_id),
        Action::Transfer(_) | Action::Hold(_) | Action::Legs(_) | Action::Exchange(_) => None,
    }
}

/// All whom an action names.
pub(super) fn parties(action: &Action) -> Vec<(Party, Currency)> {
    let own = |code| Party::Code(code);
    match action {
        Action::Transfer(it) => {
            [&it.debtor, &it.creditor].map(|one| (one.clone(), it.money.currency)).to_vec()
        }
        Action::Hold(it) => {
            [&it.debtor, &it.creditor].map(|one| (one.clone(), it.money.currency)).to_vec()
        }
        Action::Legs(it) if it.legs.len() > 100 => vec![],
        Action::Legs(it) => {
            it.legs.iter().map(|leg| (leg.account.clone(), leg.money.currency)).collect()
        }
        Action::Exchange(it) => vec![
            (it.debtor.clone(), it.sell.currency),
            (own(AccountCode::fx_position()), it.sell.currency),
            (own(AccountCode::fx_position()), it.buy),
            (it.creditor.clone(), it.buy),
            (own(AccountCode::fx_rounding()), it.buy),
        ],
        Action::Capture(_) | Action::Release(_) | Action::Reverse(_) => vec![],
    }
}

fn money(it: Money, broken: &mut Broken) {
    let amount = it.amount.decimal();
    let too_many = amount.normalize().scale() > it.currency.digits();
    broken.extend((amount <= Decimal::ZERO).then_some(R::AmountNotPositive));
    broken.extend(too_many.then_some(R::TooManyDigits));
    let most = AMOUNT_MAX.min(end(it.currency) - Decimal::new(1, it.currency.digits()));
    broken.extend((amount > most).then_some(R::AmountTooLarge));
}

fn texts_and_dates(it: &Instruction, now: Now, broken: &mut Broken) {
    let invalid = |text: &Option<String>, most| {
        text.as_ref().is_some_and(|it| it.chars().count() > most || !is_visible_line(it))
    };
    let outside =
        |day: Option<NaiveDate>| day.is_some_and(|it| it.year() < 1900 || it.year() > 2199);
    let text = invalid(&it.reference, 140) || invalid(&it.end_to_end_id, 35);
    broken.extend(text.then_some(R::InvalidText));
    broken.extend(outside(it.booking_date).then_some(R::InvalidBookingDate));
    if let Some(booked) = it.booking_date {
        let closed = now.closed_through.is_some_and(|last| booked <= last);
        broken.extend(closed.then_some(R::PeriodClosed));
        let late = booked.signed_duration_since(now.today).num_days() > 31;
        broken.extend(late.then_some(R::BookingDateTooLate));
    }
    broken.extend(outside(it.value_date).then_some(R::InvalidValueDate));
}

/// Reads parties as accounts. Who does not exist is left out.
fn lines(all: &[(&Party, Decimal, Currency)], broken: &mut Broken) -> Vec<Line> {
    let mut lines: Vec<Line> = vec![];
    for (party, amount, currency) in all {
        match account_id(party, *currency) {
            None => drop(broken.insert(R::UnknownAccount)),
            Some(id) => {
                broken.extend(lines.iter().any(|it| it.0 == id).then_some(R::SameAccount));
                lines.push((id, Money::new(*amount, *currency)));
            }
        }
    }
    lines
}

impl Model {
    /// What the instruction would do; or the first of the rules that it breaks.
    pub(super) fn plan(&self, it: &Instruction, now: Now) -> Result<Plan, R> {
        let mut broken = Broken::new();
        texts_and_dates(it, now, &mut broken);
        let plan = self.planned(&it.action, now, &mut broken);
        match broken.first() {
            Some(reason) => Err(*reason),
            None => Ok(plan.expect("what breaks no rule can be done")),
        }
    }

    fn planned(&self, action: &Action, now: Now, broken: &mut Broken) -> Option<Plan> {
        let spends = Some(now.today);
        match action {
            Action::Transfer(it) => {
                leaves(it.money.currency, &it.debtor, &it.creditor, broken);
                let lines = self.between((&it.debtor, &it.creditor), it.money, it.up_to, broken);
                self.accounts_allow(&lines, broken);
                self.debtors_can(&lines, spends, broken);
                self.balances_fit(&lines, broken);
                Some(Plan::Post { lines, spends: true, reverses: None })
            }
            Action::Hold(it) => {
                let last = now.instant + TimeDelta::days(400);
                let in_time = it.expires_at > now.instant && it.expires_at <= last;
                broken.extend((!in_time).then_some(R::InvalidExpiry));
                leaves(it.money.currency, &it.debtor, &it.creditor, broken);
                let lines = self.between((&it.debtor, &it.creditor), it.money, it.up_to, broken);
                self.accounts_allow(&lines, broken);
                self.debtors_can(&lines, spends, broken);
                self.pending_fits(&lines, broken);
                Some(Plan::Hold { lines, expires_at: it.expires_at })
            }
            Action::Capture(it) => {
                let given = it.amount.map(Amount::decimal);
                let (hold, amount) = self.open_hold(it.hold_id, given, now, broken)?;
                self.accounts_allow(&hold, broken);
                self.balances_fit(&hold, broken);
                let rest = self.holds[&it.hold_id].left.amount.decimal() - amount;
                broken.extend((rest < Decimal::ZERO).then_some(R::ExceedsHold));
                let released = if it.keep_rest { Decimal::ZERO } else { rest };
                Some(Plan::Capture { hold: it.hold_id, captured: amount, released })
            }
            Action::Release(it) => {
                self.open_hold(it.hold_id, None, now, broken)?;
                Some(Plan::Release { hold: it.hold_id })
            }
            Action::Reverse(it) => self.reversal(it, broken),
            Action::Legs(it) => {
                let lines = legs(it, broken);
                self.accounts_allow(&lines, broken);
                self.debtors_can(&lines, spends, broken);
                self.balances_fit(&lines, broken);
                Some(Plan::Post { lines, spends: true, reverses: None })
            }
            Action::Exchange(it) => {
                let lines = exchange(it, broken)?;
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
        if let Some(payer) = payer.filter(|it| up_to && it.currency == asked.currency) {
            let above = payer.terms.minimum.map(|it| payer.posted - payer.pending_out - it);
            let most = [payer.available(), above].into_iter().flatten().min();
            amount = most.filter(|it| *it > Decimal::ZERO).map_or(amount, |it| amount.min(it));
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
        let not_positive = given.is_some_and(|it| it <= Decimal::ZERO);
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

    fn reversal(&self, it: &Reverse, broken: &mut Broken) -> Option<Plan> {
        let given = it.amount.map(Amount::decimal);
        let not_positive = given.is_some_and(|it| it <= Decimal::ZERO);
        broken.extend(not_positive.then_some(R::AmountNotPositive));
        let Some(InstructionOutcome::Posted(original)) = self.outcome(it.original_id) else {
            broken.insert(R::UnknownTransfer);
            return None;
        };
        let (two, whole) = (original.legs.len() == 2, original.legs[0].money);
        let never = original.reverses.is_some() || (!two && given.is_some());
        broken.extend(never.then_some(R::NotReversible));
        if let Some(given) = given.filter(|_| two) {
            money(Money::new(given, whole.currency), broken);
        }
        let before = self.reversed.get(&it.original_id).copied().unwrap_or_default();
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
        Some(Plan::Post { lines, spends: false, reverses: Some((it.original_id, amount)) })
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

    /// Whether those who pay can; and where it counts as spent today, whether they may.
    fn debtors_can(&self, lines: &[Line], spends: Option<NaiveDate>, broken: &mut Broken) {
        for (id, money) in lines {
            let amount = -money.amount.decimal();
            let Some(account) = self.accounts.get(id).filter(|_| amount > Decimal::ZERO) else {
                continue;
            };
            let (terms, over) =
                (&account.terms, |most: Option<Decimal>, it| most.is_some_and(|most| it > most));
            let short = account.available().is_some_and(|it| it < amount);
            broken.extend(short.then_some(R::InsufficientFunds));
            let Some(today) = spends else { continue };
            let on_day = account.spent.get(&today).copied().unwrap_or_default();
            broken.extend(over(terms.transfer, amount).then_some(R::TransferLimit));
            broken.extend(over(terms.daily, on_day + amount).then_some(R::DailyLimit));
            let in_month = account.spent_in_month(today);
            broken.extend(over(terms.monthly, in_month + amount).then_some(R::MonthlyLimit));
            let stays = account.posted - account.pending_out - amount;
            let too_little = terms.minimum.is_some_and(|it| stays < it);
            broken.extend(too_little.then_some(R::MinimumBalance));
        }
    }

    /// Who pays, for whoever is told of a rejection.
    pub(super) fn payer(&self, it: &Instruction) -> Option<AccountId> {
        match &it.action {
            Action::Transfer(it) => account_id(&it.debtor, it.money.currency),
            Action::Hold(it) => account_id(&it.debtor, it.money.currency),
            Action::Exchange(it) => account_id(&it.debtor, it.sell.currency),
            Action::Legs(it) if it.legs.len() > 100 => None,
            Action::Legs(it) => {
                let first = it.legs.iter().find(|leg| leg.direction == Direction::Debit)?;
                account_id(&first.account, first.money.currency)
            }
            Action::Capture(it) => self.holds.get(&it.hold_id).map(|it| it.debtor),
            Action::Release(it) => self.holds.get(&it.hold_id).map(|it| it.debtor),
            Action::Reverse(it) => match self.outcome(it.original_id)? {
                InstructionOutcome::Posted(it) => {
                    let paid = it.legs.iter().find(|leg| leg.direction == Direction::Credit)?;
                    Some(paid.account.account_id)
                }
                InstructionOutcome::Held(_)
                | InstructionOutcome::Released(_)
                | InstructionOutcome::Rejected(_) => None,
            },
        }
    }
}

fn legs(it: &Legs, broken: &mut Broken) -> Vec<Line> {
    broken.extend((it.legs.len() < 2).then_some(R::TooFewLegs));
    for leg in it.legs.iter().take(100).filter(|leg| is_unholdable(leg.money.currency)) {
        let leaves = match leg.direction {
            Direction::Debit => matches!(leg.account, Party::AccountId(_)),
            Direction::Credit => matches!(leg.account, Party::Code(_)),
        };
        broken.extend((!leaves).then_some(R::UnsupportedCurrency));
    }
    if it.legs.len() > 100 {
        it.legs.iter().take(100).for_each(|leg| money(leg.money, broken));
        broken.insert(R::TooManyLegs);
        return vec![];
    }
    let (mut sums, mut all) = (BTreeMap::<Currency, Decimal>::new(), vec![]);
    for leg in &it.legs {
        money(leg.money, broken);
        let amount = leg.money.amount.decimal();
        let signed = if leg.direction == Direction::Debit { -amount } else { amount };
        *sums.entry(leg.money.currency).or_default() += signed;
        all.push((&leg.account, signed, leg.money.currency));
    }
    broken.extend(sums.values().any(|it| !it.is_zero()).then_some(R::UnbalancedLegs));
    lines(&all, broken)
}

fn exchange(it: &Exchange, broken: &mut Broken) -> Option<Vec<Line>> {
    money(it.sell, broken);
    let leaves = !is_unholdable(it.sell.currency) || matches!(it.debtor, Party::AccountId(_));
    let unsupported = !leaves || is_unholdable(it.buy);
    broken.extend(unsupported.then_some(R::UnsupportedCurrency));
    let rate = it.rate.decimal();
    let invalid = rate <= Decimal::ZERO || rate.normalize().scale() > 10;
    broken.extend(invalid.then_some(R::InvalidRate));
    broken.extend((it.sell.currency == it.buy).then_some(R::SameCurrency));
    if invalid || it.sell.currency == it.buy {
        return None;
    }
    let sold = it.sell.amount.decimal();
    let Some(exact) = product(sold, rate) else {
        broken.insert(R::AmountTooLarge);
        return None;
    };
    let bought = exact.round_dp_with_strategy(
        it.buy.digits(),
        match it.rounding {
            Rounding::HalfEven => RoundingStrategy::MidpointNearestEven,
            Rounding::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Rounding::Down => RoundingStrategy::ToZero,
        },
    );
    money(Money::new(bought, it.buy), broken);
    let (position, rounding) =
        (Party::Code(AccountCode::fx_position()), Party::Code(AccountCode::fx_rounding()));
    let mut all = vec![
        (&it.debtor, -sold, it.sell.currency),
        (&position, sold, it.sell.currency),
        (&position, -exact, it.buy),
        (&it.creditor, bought, it.buy),
    ];
    if exact != bought {
        all.push((&rounding, exact - bought, it.buy));
    }
    Some(lines(&all, broken))
}
