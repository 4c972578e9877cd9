//! What an event means to holders. Promise: of a transfer, each customer on either side, or of a
//! leg, hears once; of a rejected one, and of a hold, who was to pay; the bank's own accounts hear
//! of nothing. The rest of a hold that goes back with a capture is no news of its own.

use shared_events::{
    AccountId, TransferId,
    accounts::Blocks,
    ledger::{
        AccountAfter, AccountCode, Direction, HeldTransfer, Party, PostedLeg, PostedLegs,
        PostedTransfer, RejectReason, RejectedTransfer, ReleaseCause, ReleasedHold,
    },
    notifications::{NotifiableEvent, Topic},
};

use crate::domain::told::{Freeze, GivenBack, Movement, Rejection, SetAside, Told};

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
    Held(&'e HeldTransfer),
    Released(&'e ReleasedHold),
    Frozen(Blocks),
    Unfrozen,
    Closed,
}

impl News<'_> {
    pub(crate) const fn topic(&self) -> Topic {
        match self.about {
            About::Posted(..) | About::Leg(..) => Topic::TransferPosted,
            About::Rejected(_) => Topic::TransferRejected,
            About::Held(_) => Topic::TransferHeld,
            About::Released(_) => Topic::HoldReleased,
            About::Frozen(_) => Topic::AccountFrozen,
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
            About::Held(it) => Some(it.transfer_id),
            About::Released(it) => Some(it.transfer_id),
            About::Frozen(_) | About::Unfrozen | About::Closed => None,
        }
    }

    /// The facts, to keep.
    pub(crate) fn told(&self) -> Told {
        match self.about {
            About::Posted(it, direction) => Told::TransferPosted(movement(it, direction)),
            About::Leg(it, leg) => Told::TransferPosted(movement_of_leg(it, leg)),
            About::Rejected(it) => Told::TransferRejected(rejection(it)),
            About::Held(it) => Told::TransferHeld(set_aside(it)),
            About::Released(it) => Told::HoldReleased(given_back(it)),
            About::Frozen(blocks) => Told::AccountFrozen(Freeze { blocks }),
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
        // Only the reason is another, which is told to nobody.
        NotifiableEvent::Frozen(it) if it.previous_blocks == Some(it.blocks) => vec![],
        NotifiableEvent::Frozen(it) => of_account(it.account_id, About::Frozen(it.blocks)),
        NotifiableEvent::Unfrozen(it) => of_account(it.account_id, About::Unfrozen),
        NotifiableEvent::Closed(it) => of_account(it.account_id, About::Closed),
        NotifiableEvent::Posted(it) => it.transfers.iter().flat_map(of_posted).collect(),
        NotifiableEvent::Rejected(it) => it.transfers.iter().filter_map(of_rejected).collect(),
        NotifiableEvent::Held(it) => {
            let news = it.transfers.iter().map(|it| of_debtor(&it.debtor, About::Held(it)));
            news.flatten().collect()
        }
        NotifiableEvent::Released(it) => {
            let ended = it.holds.iter().filter(|it| it.released.cause != ReleaseCause::Captured);
            let news = ended.map(|it| of_debtor(&it.released.debtor, About::Released(it)));
            news.flatten().collect()
        }
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

fn of_debtor<'e>(debtor: &AccountAfter, about: About<'e>) -> Option<News<'e>> {
    let is_customer = debtor.code.is_none();
    is_customer.then_some(News { account_id: debtor.account_id, certain: true, about })
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
        reverses: transfer.reverses,
        hold_id: transfer.hold.as_ref().map(|hold| hold.hold_id),
        rate: None,
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
        reverses: transfer.reverses,
        hold_id: None,
        rate: transfer.rate,
    }
}

/// The bank's own account on the other side of a leg, where it is alone there in this currency. An
/// exchange is with the bank, whatever rounding adds.
fn counterparty(transfer: &PostedLegs, own: &PostedLeg) -> Option<AccountCode> {
    if transfer.rate.is_some() {
        return Some(AccountCode::fx_position());
    }
    let is_other = |leg: &&PostedLeg| {
        leg.direction != own.direction && leg.money.currency == own.money.currency
    };
    let mut others = transfer.legs.iter().filter(is_other);
    match (others.next(), others.next()) {
        (Some(other), None) => other.account.code.clone(),
        (Some(_), Some(_)) | (None, _) => None,
    }
}

fn set_aside(hold: &HeldTransfer) -> SetAside {
    SetAside {
        transfer_id: hold.transfer_id,
        money: hold.money,
        counterparty: hold.creditor.code.clone(),
        available: hold.debtor.available,
        expires_at: hold.expires_at,
        reference: hold.reference.clone(),
        end_to_end_id: hold.end_to_end_id.clone(),
    }
}

fn given_back(hold: &ReleasedHold) -> GivenBack {
    let released = &hold.released;
    GivenBack {
        transfer_id: hold.transfer_id,
        hold_id: released.hold_id,
        cause: released.cause,
        money: released.money,
        counterparty: released.creditor.code.clone(),
        available: released.debtor.available,
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
