//! The rules that reject an instruction, and the plan of a valid one.

use chrono::{NaiveDate, TimeDelta};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency, Money, TransferId,
    ledger::{
        AccountCode, Action, Direction, HoldStatus, Instruction, InstructionOutcome, LedgerStatus,
        Party, RejectReason as R, Reverse,
    },
};

use super::{
    Model, Now, account_id,
    currency::leaves,
    form::{exchange, legs, lines, money, texts_and_dates},
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
