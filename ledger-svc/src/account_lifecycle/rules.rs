//! What the ledger does when an account changes at the accounts service. Promise: changes of
//! status, and changes of the limit, are each followed once and in the order of their versions; a
//! late duplicate changes nothing. What is closed stays closed, and what is locked can only be
//! closed, whatever is said of it. Each closing has an answer: a freeze that is there first wins.

use rust_decimal::Decimal;
use shared_events::{
    AccountId, CommandId, Currency, Money, TransferId,
    accounts::{Blocks, CloseRefusal},
    ledger::{Action, Instruction, InstructionOutcome, Party, Payment},
    money::Total,
};

use crate::journal::conversion::digest;

use crate::legacy::domain::{
    account::{Account, Limits, Status},
    books::Books,
    carry::carry_out,
    plan::{Now, Plan, PlannedLeg, check_legs, check_postings},
    record::payout_id,
    settle::left,
};

/// A change of an account that the ledger follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountEvent {
    /// A new account.
    Opened {
        /// The currency it holds.
        currency: Currency,
        /// What it may spend.
        limits: Limits,
    },
    /// No money moves, or none in one direction.
    Frozen {
        /// What it refuses.
        blocks: Blocks,
    },
    /// Money moves again.
    Unfrozen,
    /// To be locked, if nothing is on it.
    Closing {
        /// Where to move what is left first.
        payout: Option<AccountId>,
    },
    /// Closed for ever.
    Closed,
    /// What it may spend.
    LimitsChanged {
        /// The new limits.
        limits: Limits,
    },
}

/// What following an event led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// The account is open here too.
    Opened {
        /// The currency it holds.
        currency: Currency,
        /// Its first version.
        version: i64,
    },
    /// Nothing is on it, and nothing will be.
    Locked {
        /// The version by which it is locked.
        version: i64,
        /// The transfer that emptied it, if one had to.
        payout: Option<TransferId>,
    },
    /// It cannot be locked.
    CloseRefused {
        /// Why not.
        reason: CloseRefusal,
        /// What is on it.
        balance: Total,
        /// Its version.
        version: i64,
    },
    /// Followed, with nothing to say; or followed before.
    Quietly,
    /// The account's opening has not been seen: the event is early.
    Early,
}

/// A change that a later one has overtaken, or that was followed before. A closing that a freeze
/// has overtaken still waits for its answer; whoever has it already takes no notice.
fn overtaken(account: &Account, version: i64, event: &AccountEvent) -> Followed {
    let is_overtaken = version < account.followed_status && account.status == Status::Frozen;
    match event {
        AccountEvent::Closing { .. } if is_overtaken => Followed::CloseRefused {
            reason: CloseRefusal::AccountFrozen,
            balance: account.balance(),
            version: account.version,
        },
        AccountEvent::Opened { .. }
        | AccountEvent::Frozen { .. }
        | AccountEvent::Unfrozen
        | AccountEvent::Closing { .. }
        | AccountEvent::Closed
        | AccountEvent::LimitsChanged { .. } => Followed::Quietly,
    }
}

impl Books {
    /// Follows one change of the account `id`, its `version`-th, told by the message `cause`.
    pub fn follow(
        &mut self,
        cause: CommandId,
        (id, version): (AccountId, i64),
        event: &AccountEvent,
        now: Now,
    ) -> Followed {
        let Some(known) = self.account(id) else {
            let AccountEvent::Opened { currency, limits } = event else { return Followed::Early };
            let account = Account::open(id, *currency, limits.clone(), version);
            let opened = Followed::Opened { currency: *currency, version: account.version };
            self.put_followed(account);
            return opened;
        };
        let is_limit = matches!(event, AccountEvent::LimitsChanged { .. });
        let followed = if is_limit { known.followed_limit } else { known.followed_status };
        if version <= followed {
            return overtaken(known, version, event);
        }
        let mut account = known.clone();
        match is_limit {
            true => account.followed_limit = version,
            false => account.followed_status = version,
        }
        let is_closed = account.status == Status::Closed;
        let is_ending = is_closed || account.status == Status::Locked;
        match event {
            AccountEvent::Opened { .. } => {}
            AccountEvent::LimitsChanged { limits } => account.limits = limits.clone(),
            AccountEvent::Frozen { .. } | AccountEvent::Unfrozen if is_ending => {}
            AccountEvent::Closing { .. } if is_closed => {}
            AccountEvent::Frozen { blocks } => {
                (account.status, account.blocked) = (Status::Frozen, *blocks);
            }
            AccountEvent::Unfrozen => account.status = Status::Active,
            AccountEvent::Closed => account.status = Status::Closed,
            // The accounts service closes none that is frozen: the freeze is over by this version.
            AccountEvent::Closing { payout } => {
                if !is_ending {
                    account.status = Status::Active;
                }
                self.put_followed(account);
                return self.lock(cause, (id, version), *payout, now);
            }
        }
        self.put_followed(account);
        Followed::Quietly
    }

    /// Locks an account that is settled, and moves what is left on it away first where that was
    /// asked.
    fn lock(
        &mut self,
        cause: CommandId,
        (id, change): (AccountId, i64),
        payout: Option<AccountId>,
        now: Now,
    ) -> Followed {
        let asked = self.account(id).expect("it was put");
        let before = asked.balance();
        if asked.has_pending() {
            return self.close_refused(id, CloseRefusal::HoldsOpen, before);
        }
        let settled = self.settle_months(cause, id, now);
        let last = self.last_interest(id, now);
        let account = self.account(id).expect("it was put").clone();
        let left = left(account.balance(), last.as_ref());
        let refusal = match (settled, payout) {
            (Err(reason), _) => Some(reason),
            (Ok(()), _) if last.as_ref().is_some_and(|it| !self.can_post_charges(it)) => {
                Some(CloseRefusal::InterestNotSettled)
            }
            (Ok(()), _) if left < Total::ZERO && before >= Total::ZERO => {
                Some(CloseRefusal::InterestOwed)
            }
            (Ok(()), Some(to)) if left > Total::ZERO => {
                (!self.can_pay_out(&account, to, left)).then_some(CloseRefusal::PayoutRejected)
            }
            (Ok(()), _) => (!left.is_zero()).then_some(CloseRefusal::BalanceNotZero),
        };
        if let Some(reason) = refusal {
            return self.close_refused(id, reason, left);
        }
        if let Some(last) = last {
            let posted = self.post_charges(last, now.today, now);
            self.put_settled(cause, posted);
        }
        let payout = payout.filter(|_| left > Total::ZERO);
        let payout = payout.map(|to| self.pay_out(cause, (id, change), to, now));
        let mut account = self.account(id).expect("it was put").clone();
        assert!(account.is_empty(), "an account is locked with {} on it", account.balance());
        account.status = Status::Locked;
        account.version += 1;
        self.unsettled.remove(&id);
        let locked = Followed::Locked { version: account.version, payout };
        self.put_followed(account);
        locked
    }

    fn close_refused(&self, id: AccountId, reason: CloseRefusal, balance: Total) -> Followed {
        let version = self.account(id).expect("it was put").version;
        Followed::CloseRefused { reason, balance, version }
    }

    /// Whether both accounts allow that so much moves from one to the other.
    fn can_pay_out(&self, account: &Account, to: AccountId, amount: Total) -> bool {
        let Some(amount) = amount.amount() else { return false };
        let legs = payout_legs(account, to, amount.decimal());
        account.id != to && check_legs(self, &legs).is_ok() && check_postings(self, &legs).is_ok()
    }

    /// Moves all that is on an account to another, whatever its limits.
    fn pay_out(
        &mut self,
        cause: CommandId,
        (id, version): (AccountId, i64),
        to: AccountId,
        now: Now,
    ) -> TransferId {
        let account = self.account(id).expect("it was put");
        let (balance, currency) = (account.balance(), account.currency);
        let balance = balance.amount().expect("it was checked").decimal();
        let legs = payout_legs(account, to, balance).to_vec();
        let transfer_id = payout_id(id, version);
        let action = Action::Transfer(Payment {
            debtor: Party::AccountId(id),
            creditor: Party::AccountId(to),
            money: Money::new(balance, currency),
            up_to: false,
        });
        let instruction = Instruction {
            transfer_id,
            group: None,
            action,
            reference: Some("payout at closing".to_owned()),
            end_to_end_id: None,
            booking_date: None,
            value_date: None,
        };
        let plan = Plan::Post { legs, spends: false, reverses: None };
        let outcome: InstructionOutcome = carry_out(self, transfer_id, plan, now);
        self.keep(digest(&instruction), cause, instruction, now, outcome);
        transfer_id
    }
}

fn payout_legs(account: &Account, to: AccountId, amount: Decimal) -> [PlannedLeg; 2] {
    let leg = |id, amount| PlannedLeg { account: id, amount, currency: account.currency };
    [leg(account.id, -amount), leg(to, amount)]
}
