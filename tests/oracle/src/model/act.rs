//! The changes that a valid instruction makes.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Money, Total, TransferId,
    accounts::{Blocks, CloseRefusal},
    ledger::{
        AccountAfter, Action, Direction, Held, HoldAfter, HoldStatus, Instruction,
        InstructionOutcome, LedgerStatus, Party, Payment, Posted, PostedLeg, ReleaseCause,
        Released,
    },
};

use super::{
    Account, Hold, Model, Now, Terms,
    changes::{AccountEvent, Followed, payout_id},
    plan::{Line, Plan},
};

impl Terms {
    /// Whether a freeze stands against money in this direction.
    pub(super) fn stops(&self, out: bool) -> bool {
        match self.blocks {
            Blocks::Both => true,
            Blocks::Debits => out,
            Blocks::Credits => !out,
        }
    }
}

impl Model {
    pub(super) fn act(&mut self, id: TransferId, plan: Plan, now: Now) -> InstructionOutcome {
        match plan {
            Plan::Post { lines, spends, reverses } => {
                if let Some((original, amount)) = reverses {
                    *self.reversed.entry(original).or_default() += amount;
                }
                let legs = self.book(&lines, |account, amount| {
                    if spends && amount.is_sign_negative() {
                        *account.spent.entry(now.today).or_default() -= amount;
                    }
                });
                let reverses = reverses.map(|(original, _)| original);
                InstructionOutcome::Posted(Posted { legs, hold: None, reverses })
            }
            Plan::Hold { lines, expires_at } => {
                let [(debtor, _), (creditor, money)] = lines[..] else { panic!("two lines") };
                let (left, placed_on) = (money, now.today);
                let status = HoldStatus::Open;
                let hold = Hold { debtor, creditor, left, status, expires_at, placed_on };
                let [debtor, creditor] = self.set_aside(&hold, money.amount.decimal());
                self.holds.insert(id, hold);
                InstructionOutcome::Held(Held { debtor, creditor, money, expires_at })
            }
            Plan::Capture { hold, captured, released } => self.capture(hold, captured, released),
            Plan::Release { hold } => {
                InstructionOutcome::Released(self.give_back(hold, ReleaseCause::Released))
            }
        }
    }

    /// Ends a hold whose time is over. `None`: there is none.
    pub fn expire(
        &mut self,
        by: &Instruction,
        id: TransferId,
        now: Now,
    ) -> Option<InstructionOutcome> {
        let hold = self.holds.get(&id)?;
        if hold.status != HoldStatus::Open || hold.expires_at > now.instant {
            return None;
        }
        let outcome = InstructionOutcome::Released(self.give_back(id, ReleaseCause::Expired));
        self.keep(by, outcome.clone());
        Some(outcome)
    }

    fn book(&mut self, lines: &[Line], also: impl Fn(&mut Account, Decimal)) -> Vec<PostedLeg> {
        let mut legs = vec![];
        for (id, money) in lines {
            let amount = money.amount.decimal();
            let account = self.change(*id, |account| {
                account.posted += amount;
                also(account, amount);
            });
            let out = amount.is_sign_negative();
            let direction = if out { Direction::Debit } else { Direction::Credit };
            legs.push(PostedLeg {
                account,
                direction,
                money: Money::new(amount.abs(), money.currency),
            });
        }
        legs
    }

    fn capture(
        &mut self,
        id: TransferId,
        captured: Decimal,
        released: Decimal,
    ) -> InstructionOutcome {
        let mut hold = self.holds[&id].clone();
        let currency = hold.left.currency;
        let lines = [
            (hold.debtor, Money::new(-captured, currency)),
            (hold.creditor, Money::new(captured, currency)),
        ];
        let legs = self.book(&lines, |account, amount| match amount.is_sign_negative() {
            true => {
                account.pending_out -= captured + released;
                *account.spent.entry(hold.placed_on).or_default() -= released;
            }
            false => account.pending_in -= captured + released,
        });
        hold.left.amount.0 -= captured + released;
        if hold.left.amount.0.is_zero() {
            hold.status = HoldStatus::Captured;
        }
        let (remaining, released) = (hold.left.amount, Amount(released));
        self.holds.insert(id, hold);
        let hold = Some(HoldAfter { hold_id: id, remaining, released });
        InstructionOutcome::Posted(Posted { legs, hold, reverses: None })
    }

    fn give_back(&mut self, hold_id: TransferId, cause: ReleaseCause) -> Released {
        let mut hold = self.holds[&hold_id].clone();
        let money = hold.left;
        let [debtor, creditor] = self.set_aside(&hold, -money.amount.decimal());
        hold.left.amount = Amount::ZERO;
        hold.status = match cause {
            ReleaseCause::Released => HoldStatus::Released,
            ReleaseCause::Expired => HoldStatus::Expired,
            ReleaseCause::Captured => HoldStatus::Captured,
        };
        self.holds.insert(hold_id, hold);
        Released { hold_id, cause: cause.into(), debtor, creditor, money }
    }

    fn set_aside(&mut self, hold: &Hold, amount: Decimal) -> [AccountAfter; 2] {
        let debtor = self.change(hold.debtor, |account| {
            account.pending_out += amount;
            *account.spent.entry(hold.placed_on).or_default() += amount;
        });
        [debtor, self.change(hold.creditor, |account| account.pending_in += amount)]
    }

    fn change(&mut self, id: AccountId, change: impl FnOnce(&mut Account)) -> AccountAfter {
        let account = self.accounts.get_mut(&id).expect("the rules have found the account");
        change(account);
        account.version += 1;
        account.after(id)
    }

    /// Follows the accounts service. Late duplicates are not for the model.
    pub fn follow(&mut self, id: AccountId, version: i64, event: &AccountEvent) -> Followed {
        if let AccountEvent::Opened { currency, limits } = event {
            if self.accounts.contains_key(&id) {
                return Followed::Quietly;
            }
            let terms = Terms { overdraft: limits.overdraft, ..Terms::FREE };
            self.open(id, *currency, terms);
            return Followed::Opened { currency: *currency, version: 1 };
        }
        let Some(account) = self.accounts.get_mut(&id) else { return Followed::Early };
        let followed = match event {
            AccountEvent::LimitsChanged { .. } => &mut account.followed_limits,
            _ => &mut account.followed_status,
        };
        if version <= *followed {
            let is_overtaken = version < *followed && account.terms.status == LedgerStatus::Frozen;
            return match event {
                // A freeze was there first, and the closing was not answered yet.
                AccountEvent::Closing { .. } if is_overtaken => Followed::CloseRefused {
                    reason: CloseRefusal::AccountFrozen,
                    balance: Total::of(account.posted).expect("no balance has more digits"),
                    version: account.version,
                },
                _ => Followed::Quietly,
            };
        }
        *followed = version;
        let terms = &mut account.terms;
        // The way to the end has no way back.
        let is_ending = matches!(terms.status, LedgerStatus::Locked | LedgerStatus::Closed);
        match event {
            AccountEvent::Frozen { .. } | AccountEvent::Unfrozen if is_ending => {}
            AccountEvent::Closing { .. } if terms.status == LedgerStatus::Closed => {}
            AccountEvent::Frozen { blocks } => {
                (terms.status, terms.blocks) = (LedgerStatus::Frozen, *blocks);
            }
            AccountEvent::Unfrozen => terms.status = LedgerStatus::Active,
            AccountEvent::Closed => terms.status = LedgerStatus::Closed,
            AccountEvent::LimitsChanged { limits } => {
                terms.overdraft = limits.overdraft;
                (terms.transfer, terms.daily) = (limits.transfer, limits.daily);
                (terms.monthly, terms.minimum) = (limits.monthly, limits.minimum_balance);
            }
            AccountEvent::Closing { payout } => {
                // Only what is not frozen is closed: the freeze is over by then.
                if !is_ending {
                    terms.status = LedgerStatus::Active;
                }
                return self.lock(id, version, *payout);
            }
            AccountEvent::Opened { .. } => {}
        }
        Followed::Quietly
    }

    /// Locks an account on which nothing is, or from which all can go to the payout account.
    fn lock(&mut self, id: AccountId, change: i64, payout: Option<AccountId>) -> Followed {
        let account = &self.accounts[&id];
        let (balance, version, currency) = (account.posted, account.version, account.currency);
        let told = Total::of(balance).expect("no balance has more digits");
        let refused = |reason| Followed::CloseRefused { reason, balance: told, version };
        if account.pending_out + account.pending_in != Decimal::ZERO {
            return refused(CloseRefusal::HoldsOpen);
        }
        let mut paid = None;
        if balance != Decimal::ZERO {
            let Some(to) = payout.filter(|_| balance > Decimal::ZERO) else {
                return refused(CloseRefusal::BalanceNotZero);
            };
            let lines = [(id, Money::new(-balance, currency)), (to, Money::new(balance, currency))];
            let mut broken = Default::default();
            self.accounts_allow(&lines, &mut broken);
            self.balances_fit(&lines, &mut broken);
            if id == to || !broken.is_empty() {
                return refused(CloseRefusal::PayoutRejected);
            }
            let legs = self.book(&lines, |_, _| ());
            let payout = paid_out(payout_id(id, change), id, to, Money::new(balance, currency));
            paid = Some(payout.transfer_id);
            self.keep(
                &payout,
                InstructionOutcome::Posted(Posted { legs, hold: None, reverses: None }),
            );
        }
        let account = self.accounts.get_mut(&id).expect("the account exists");
        account.terms.status = LedgerStatus::Locked;
        account.version += 1;
        Followed::Locked { version: account.version, payout: paid }
    }
}

fn paid_out(transfer_id: TransferId, from: AccountId, to: AccountId, money: Money) -> Instruction {
    let (debtor, creditor) = (Party::AccountId(from), Party::AccountId(to));
    Instruction {
        transfer_id,
        group: None,
        action: Action::Transfer(Payment { debtor, creditor, money, up_to: false }),
        reference: Some("payout at closing".to_owned()),
        end_to_end_id: None,
        booking_date: None::<NaiveDate>,
        value_date: None,
    }
}
