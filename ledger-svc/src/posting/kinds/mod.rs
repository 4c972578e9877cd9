//! The kinds of instructions, one file each. Each kind has the same five functions in the same
//! order: it refers to accounts, holds and transfers; names its debits; validates its content;
//! plans the change; and describes itself for a rejection. The engine around the kinds has one
//! dispatch, [`Kind::rules`].
//!
//! A new kind is a file here, a variant of [`Kind`] with its line in the dispatch, a variant of the
//! stored record with its two conversions, and its mapping in `wire/kinds`.

mod capture;
mod exchange;
mod hold;
mod multi_leg;
mod release;
mod reversal;
mod transfer;

pub use capture::Capture;
pub use exchange::Exchange;
pub(crate) use exchange::RATE_DIGITS_MAX;
pub(crate) use hold::HOLD_DAYS_MAX;
pub use hold::PlaceHold;
pub(crate) use multi_leg::LEGS;
pub use multi_leg::{Leg, MultiLeg};
pub use release::Release;
pub use reversal::Reversal;
pub use transfer::Transfer;

use shared_events::{AccountId, Amount, Currency, Money, TransferId, ledger::Direction};

use super::{
    debit::NamedDebit,
    lock_set::LockSet,
    party::Party,
    plan::Plan,
    reason::{Checked, RejectReason},
    rounding::Rounding,
    view::PostingView,
};
use crate::bank_calendar::Now;

/// A kind of instruction, with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Moves money from a debtor to a creditor.
    Transfer(Transfer),
    /// Reserves money of a debtor for a creditor (the first half of a two-phase transfer).
    Hold(PlaceHold),
    /// Posts reserved money, the whole amount or a part.
    Capture(Capture),
    /// Releases the rest of a hold.
    Release(Release),
    /// Moves money of a posted transfer back.
    Reversal(Reversal),
    /// Moves money among several accounts at once.
    MultiLeg(MultiLeg),
    /// Moves money from a debtor in one currency to a creditor in another.
    Exchange(Exchange),
}

/// The five functions of a kind.
pub(super) trait KindRules {
    /// Adds the accounts, holds and transfers to which the instruction refers.
    fn refers(&self, set: &mut LockSet);

    /// Names each debit, with the most that it may take, as far as the state shows it.
    fn debits(&self, state: &dyn PostingView, each: &mut dyn FnMut(NamedDebit));

    /// Checks the content: amounts, then a part against its whole, currencies, and form.
    fn validates(&self, state: &dyn PostingView, now: Now) -> Checked;

    /// Plans the change, or returns the first rule of the accounts that stands against it. The
    /// content is valid.
    fn plans(&self, state: &dyn PostingView, now: Now) -> Result<Plan, RejectReason>;

    /// Describes the instruction for its outcome.
    fn describes(&self) -> Description<'_>;
}

/// An instruction as its outcome is announced.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Description<'a> {
    /// The account that a rejection shows.
    debtor: Debtor,
    /// The debtor, the creditor and the amount, if the instruction names one of each.
    pub(crate) between: Option<(&'a Party, &'a Party, Money)>,
    /// The hold or the transfer that the instruction is about.
    pub(crate) about: Option<TransferId>,
    /// The rate and the rounding of an exchange.
    pub(crate) exchange: Option<(Amount, Rounding)>,
}

/// The debtor of an instruction.
#[derive(Clone, Copy, Debug, Default)]
enum Debtor {
    /// No account is known.
    #[default]
    Unknown,
    /// An account.
    Account(AccountId),
    /// The debtor of a hold.
    OfHold(TransferId),
    /// The creditor of a posted transfer, from which a reversal takes the money back.
    OfReversal(TransferId),
}

impl Debtor {
    fn of_party(party: &Party, currency: Currency) -> Self {
        party.account_id(currency).map_or(Self::Unknown, Self::Account)
    }
}

impl Description<'_> {
    /// The account that a rejection shows, by the transaction's state.
    pub(super) fn debtor(&self, state: &dyn PostingView) -> Option<AccountId> {
        match self.debtor {
            Debtor::Unknown => None,
            Debtor::Account(id) => Some(id),
            Debtor::OfHold(id) => state.hold(id).map(|hold| hold.debtor),
            Debtor::OfReversal(id) => {
                let legs = &state.posted(id)?.legs;
                let first = legs.iter().find(|leg| leg.direction == Direction::Credit)?;
                Some(first.account.account_id)
            }
        }
    }
}

impl Kind {
    /// The rules of the kind: the one dispatch.
    pub(super) fn rules(&self) -> &dyn KindRules {
        match self {
            Self::Transfer(transfer) => transfer,
            Self::Hold(hold) => hold,
            Self::Capture(capture) => capture,
            Self::Release(release) => release,
            Self::Reversal(reversal) => reversal,
            Self::MultiLeg(multi_leg) => multi_leg,
            Self::Exchange(exchange) => exchange,
        }
    }
}

impl Kind {
    /// The instruction as its outcome is announced.
    pub(crate) fn description(&self) -> Description<'_> {
        self.rules().describes()
    }
}

#[cfg(test)]
mod currency_tests;
