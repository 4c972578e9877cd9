//! What an event means to holders. Promise: of a transfer, each customer on either side, or of a
//! leg, hears once; of a rejected one, who was to pay; the bank's own accounts hear of nothing.

use shared_events::{
    AccountId, TransferId,
    ledger::{
        AccountAfter, AccountCode, Direction, Party, PostedLeg, PostedLegs, PostedTransfer,
        RejectReason, RejectedTransfer,
    },
    notifications::{NotifiableEvent, Topic},
};

use super::told::{Movement, Rejection, Told};

/// Something that the holder of one account is to hear. Borrows the event: most holders are told
/// nothing, and cost nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct News<'e> {
    pub(crate) account_id: AccountId,
    /// Whether the account exists for sure. A rejected transfer may name one that never did.
    pub(crate) certain: bool,
    about: About<'e>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About<'e> {
    Posted(&'e PostedTransfer, Direction),
    Leg(&'e PostedLegs, &'e PostedLeg),
    Rejected(&'e RejectedTransfer),
    Frozen,
    Unfrozen,
    Closed,
}

impl News<'_> {
    pub(crate) const fn topic(&self) -> Topic {
        match self.about {
            About::Posted(..) | About::Leg(..) => Topic::TransferPosted,
            About::Rejected(_) => Topic::TransferRejected,
            About::Frozen => Topic::AccountFrozen,
            About::Unfrozen => Topic::AccountUnfrozen,
            About::Closed => Topic::AccountClosed,
        }
    }

    /// The transfer that it is about, if it is about one.
    pub(crate) const fn transfer_id(&self) -> Option<TransferId> {
        match self.about {
            About::Posted(it, _) => Some(it.transfer_id),
            About::Leg(it, _) => Some(it.transfer_id),
            About::Rejected(it) => Some(it.transfer_id),
            About::Frozen | About::Unfrozen | About::Closed => None,
        }
    }

    /// The facts, to keep.
    pub(crate) fn told(&self) -> Told {
        match self.about {
            About::Posted(it, direction) => Told::TransferPosted(movement(it, direction)),
            About::Leg(it, leg) => Told::TransferPosted(movement_of_leg(it, leg)),
            About::Rejected(it) => Told::TransferRejected(rejection(it)),
            About::Frozen => Told::AccountFrozen,
            About::Unfrozen => Told::AccountUnfrozen,
            About::Closed => Told::AccountClosed,
        }
    }
}

/// Who is to hear what of an event.
pub(crate) fn news(event: &NotifiableEvent) -> Vec<News<'_>> {
    let of_account = |account_id, about| vec![News { account_id, certain: true, about }];
    match event {
        NotifiableEvent::Opened(_) | NotifiableEvent::HolderUpdated(_) => vec![],
        NotifiableEvent::Frozen(it) => of_account(it.account_id, About::Frozen),
        NotifiableEvent::Unfrozen(it) => of_account(it.account_id, About::Unfrozen),
        NotifiableEvent::Closed(it) => of_account(it.account_id, About::Closed),
        NotifiableEvent::Posted(it) => it.transfers.iter().flat_map(of_posted).collect(),
        NotifiableEvent::Rejected(it) => it.transfers.iter().filter_map(of_rejected).collect(),
        NotifiableEvent::Legs(it) => it.transfers.iter().flat_map(of_legs).collect(),
    }
}

fn of_posted(transfer: &PostedTransfer) -> impl Iterator<Item = News<'_>> {
    let sides = [(&transfer.debtor, Direction::Debit), (&transfer.creditor, Direction::Credit)];
    let customers = sides.into_iter().filter(|(account, _)| account.code.is_none());
    customers.map(move |(account, direction)| News {
        account_id: account.account_id,
        certain: true,
        about: About::Posted(transfer, direction),
    })
}

fn of_legs(transfer: &PostedLegs) -> impl Iterator<Item = News<'_>> {
    let customers = transfer.legs.iter().filter(|leg| leg.account.code.is_none());
    customers.map(move |leg| News {
        account_id: leg.account.account_id,
        certain: true,
        about: About::Leg(transfer, leg),
    })
}

fn of_rejected(transfer: &RejectedTransfer) -> Option<News<'_>> {
    let certain = match &transfer.debtor_account {
        Some(AccountAfter { code: Some(_), .. }) => return None,
        Some(AccountAfter { code: None, .. }) => true,
        None => false,
    };
    match transfer.debtor {
        Party::AccountId(account_id) => {
            Some(News { account_id, certain, about: About::Rejected(transfer) })
        }
        Party::Code(_) => None,
    }
}

fn movement(transfer: &PostedTransfer, direction: Direction) -> Movement {
    let (own, other) = match direction {
        Direction::Debit => (&transfer.debtor, &transfer.creditor),
        Direction::Credit => (&transfer.creditor, &transfer.debtor),
    };
    Movement {
        transfer_id: transfer.transfer_id,
        direction,
        money: transfer.money,
        counterparty: other.code.clone(),
        balance: own.balance,
        reference: transfer.reference.clone(),
        end_to_end_id: transfer.end_to_end_id.clone(),
        booking_date: transfer.booking_date,
    }
}

fn movement_of_leg(transfer: &PostedLegs, own: &PostedLeg) -> Movement {
    Movement {
        transfer_id: transfer.transfer_id,
        direction: own.direction,
        money: own.money,
        counterparty: counterparty(transfer, own),
        balance: own.account.balance,
        reference: transfer.reference.clone(),
        end_to_end_id: transfer.end_to_end_id.clone(),
        booking_date: transfer.booking_date,
    }
}

/// The bank's own account on the other side of a leg, where it is alone there in this currency.
fn counterparty(transfer: &PostedLegs, own: &PostedLeg) -> Option<AccountCode> {
    let is_other = |leg: &&PostedLeg| {
        leg.direction != own.direction && leg.money.currency == own.money.currency
    };
    let mut others = transfer.legs.iter().filter(is_other);
    match (others.next(), others.next()) {
        (Some(other), None) => other.account.code.clone(),
        (Some(_), Some(_)) | (None, _) => None,
    }
}

/// The balance is told where it is the reason. Otherwise it may be of another currency.
fn rejection(transfer: &RejectedTransfer) -> Rejection {
    let balance = transfer.debtor_account.as_ref();
    let balance = balance.filter(|_| transfer.reason == RejectReason::InsufficientFunds);
    Rejection {
        transfer_id: transfer.transfer_id,
        reason: transfer.reason,
        money: transfer.money,
        counterparty: code_of(&transfer.creditor),
        balance: balance.map(|account| account.balance),
    }
}

fn code_of(party: &Party) -> Option<AccountCode> {
    match party {
        Party::Code(code) => Some(code.clone()),
        Party::AccountId(_) => None,
    }
}

#[cfg(test)]
mod tests;
