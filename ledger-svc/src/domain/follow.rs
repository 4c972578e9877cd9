//! What the ledger does when an account changes at the accounts service. Promise: changes of
//! status, and changes of the limit, are each followed once and in the order of their versions; a
//! late duplicate changes nothing.

use rust_decimal::Decimal;
use shared_events::{AccountId, Currency};

use super::{
    account::{Account, Status},
    books::Books,
};

/// A change of an account that the ledger follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountEvent {
    /// A new account.
    Opened {
        /// The currency it holds.
        currency: Currency,
        /// How far below zero it may go.
        overdraft_limit: Decimal,
    },
    /// No money moves.
    Frozen,
    /// Money moves again.
    Unfrozen,
    /// To be locked, if nothing is on it.
    Closing,
    /// Closed for ever.
    Closed,
    /// How far below zero it may go.
    LimitsChanged {
        /// The new limit.
        overdraft_limit: Decimal,
    },
}

/// What following an event led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// The account is open here too.
    Opened(Account),
    /// Nothing is on it, and nothing will be.
    Locked(Account),
    /// Something is on it.
    CloseRefused(Account),
    /// Followed, with nothing to say; or followed before.
    Quietly,
    /// The account's opening has not been seen: the event is early.
    Early,
}

impl Books {
    /// Follows one change of the account `id`, its `version`-th.
    pub fn follow(&mut self, id: AccountId, version: i64, event: &AccountEvent) -> Followed {
        let Some(known) = self.account(id) else {
            return match event {
                AccountEvent::Opened { currency, overdraft_limit } => {
                    let account = Account::open(id, *currency, *overdraft_limit, version);
                    self.open(account.clone());
                    Followed::Opened(account)
                }
                AccountEvent::Frozen
                | AccountEvent::Unfrozen
                | AccountEvent::Closing
                | AccountEvent::Closed
                | AccountEvent::LimitsChanged { .. } => Followed::Early,
            };
        };
        let is_limit = matches!(event, AccountEvent::LimitsChanged { .. });
        let followed = if is_limit { known.followed_limit } else { known.followed_status };
        if version <= followed {
            return Followed::Quietly;
        }
        let account = self.change(id).expect("it was found");
        match is_limit {
            true => account.followed_limit = version,
            false => account.followed_status = version,
        }
        match event {
            AccountEvent::Opened { .. } => Followed::Quietly,
            AccountEvent::Frozen => quietly(account, Status::Frozen),
            AccountEvent::Unfrozen => quietly(account, Status::Active),
            AccountEvent::Closed => quietly(account, Status::Closed),
            AccountEvent::LimitsChanged { overdraft_limit } => {
                account.overdraft_limit = Some(*overdraft_limit);
                Followed::Quietly
            }
            AccountEvent::Closing if account.is_empty() => {
                account.status = Status::Locked;
                account.version += 1;
                Followed::Locked(account.clone())
            }
            AccountEvent::Closing => Followed::CloseRefused(account.clone()),
        }
    }
}

fn quietly(account: &mut Account, status: Status) -> Followed {
    account.status = status;
    Followed::Quietly
}
