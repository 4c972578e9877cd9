//! The rules: facts of an event as triggers. Promise: of a transfer each customer on either side is
//! notified once, of legs each customer of their own; of a rejected transfer and of a hold the
//! debtor; internal accounts are never notified. The rest of a hold that is released with a capture
//! causes no notification: the capture itself does.

use std::borrow::Cow;

use shared_events::{
    AccountId,
    ledger::{AccountCode, Direction},
};

use super::{
    AccountAfter, Blocks, DebtorParty, EndedHold, Freeze, Movement, NotificationPayload,
    NotificationTrigger, PlacedHold, PostedLeg, PostedLegs, PostedTransfer, RejectedTransfer,
    Rejection, ReleaseCause,
};

/// The code of the only reason that the balance explains.
const INSUFFICIENT_FUNDS: &str = "insufficient_funds";

/// A freeze. A freeze that changes nothing but its reason notifies nobody: no holder learns the
/// reason.
pub(crate) fn of_freeze<'e>(
    account_id: AccountId,
    blocks: Blocks,
    previous: Option<Blocks>,
) -> Option<NotificationTrigger<'e>> {
    let is_new = previous != Some(blocks);
    let payload = NotificationPayload::AccountFrozen(Freeze { blocks });
    is_new.then(|| of_account(account_id, payload))
}

/// A change of an account that its holder is always notified of.
pub(crate) const fn of_account(
    account_id: AccountId,
    payload: NotificationPayload<'_>,
) -> NotificationTrigger<'_> {
    NotificationTrigger { account_id, is_certain: true, payload }
}

/// Both sides of a transfer.
pub(crate) fn of_posted_transfer(
    transfer: PostedTransfer<'_>,
) -> impl Iterator<Item = NotificationTrigger<'_>> {
    let PostedTransfer { debtor, creditor, .. } = transfer;
    let sides = [(debtor, creditor, Direction::Debit), (creditor, debtor, Direction::Credit)];
    sides.into_iter().filter_map(move |(own, other, direction)| {
        let movement = movement_of_transfer(&transfer, own, other, direction);
        of_customer(own, NotificationPayload::TransferPosted(movement))
    })
}

/// Every leg of a transfer.
pub(crate) fn of_posted_legs<'e>(transfer: &PostedLegs<'e>) -> Vec<NotificationTrigger<'e>> {
    let triggers = transfer.legs.iter().filter_map(|leg| {
        let movement = movement_of_leg(transfer, leg);
        of_customer(leg.account, NotificationPayload::TransferPosted(movement))
    });
    triggers.collect()
}

/// The reason that concerns the sender of a transfer alone, and not its debtor: what a stranger
/// tries is no news for a customer.
const NOT_PERMITTED: &str = "not_permitted";

/// The debtor of a rejected transfer. The account of a debtor whom the ledger does not know may not
/// exist.
pub(crate) fn of_rejected_transfer(
    transfer: RejectedTransfer<'_>,
) -> Option<NotificationTrigger<'_>> {
    let account_id = match transfer.debtor {
        DebtorParty::Account(account_id) if transfer.reason != NOT_PERMITTED => account_id,
        DebtorParty::Account(_) | DebtorParty::Internal => return None,
    };
    let is_certain = match transfer.debtor_account {
        Some(AccountAfter { code: Some(_), .. }) => return None,
        Some(AccountAfter { code: None, .. }) => true,
        None => false,
    };
    let payload = NotificationPayload::TransferRejected(rejection(&transfer));
    Some(NotificationTrigger { account_id, is_certain, payload })
}

/// The debtor of a hold.
pub(crate) fn of_placed_hold<'e>(
    debtor: AccountAfter<'e>,
    hold: PlacedHold<'e>,
) -> Option<NotificationTrigger<'e>> {
    of_customer(debtor, NotificationPayload::TransferHeld(hold))
}

/// The debtor of a hold that ended without payment.
pub(crate) fn of_ended_hold<'e>(
    debtor: AccountAfter<'e>,
    hold: EndedHold<'e>,
) -> Option<NotificationTrigger<'e>> {
    match hold.cause {
        ReleaseCause::Captured => None,
        ReleaseCause::Released | ReleaseCause::Expired | ReleaseCause::Other(_) => {
            of_customer(debtor, NotificationPayload::HoldReleased(hold))
        }
    }
}

/// `None` for an internal account.
fn of_customer<'e>(
    account: AccountAfter<'e>,
    payload: NotificationPayload<'e>,
) -> Option<NotificationTrigger<'e>> {
    let is_customer = account.code.is_none();
    is_customer.then(|| of_account(account.account_id, payload))
}

fn movement_of_transfer<'e>(
    transfer: &PostedTransfer<'e>,
    own: AccountAfter<'e>,
    other: AccountAfter<'e>,
    direction: Direction,
) -> Movement<'e> {
    let booking = transfer.booking;
    Movement {
        transfer_id: booking.transfer_id,
        direction,
        money: transfer.money,
        counterparty: other.code.map(Cow::Borrowed),
        balance: own.balance,
        reference: booking.reference.map(Cow::Borrowed),
        end_to_end_id: booking.end_to_end_id.map(Cow::Borrowed),
        booking_date: booking.booking_date,
        reverses: booking.reverses,
        hold_id: transfer.hold_id,
        rate: None,
    }
}

fn movement_of_leg<'e>(transfer: &PostedLegs<'e>, own: &PostedLeg<'e>) -> Movement<'e> {
    let booking = transfer.booking;
    Movement {
        transfer_id: booking.transfer_id,
        direction: own.direction,
        money: own.money,
        counterparty: counterparty(transfer, own),
        balance: own.account.balance,
        reference: booking.reference.map(Cow::Borrowed),
        end_to_end_id: booking.end_to_end_id.map(Cow::Borrowed),
        booking_date: booking.booking_date,
        reverses: booking.reverses,
        hold_id: None,
        rate: transfer.rate,
    }
}

/// The internal account on the other side of a leg, where it is the only one there in this
/// currency. The counterparty of an exchange is always the bank: rounding may add more legs.
fn counterparty<'e>(
    transfer: &PostedLegs<'e>,
    own: &PostedLeg<'e>,
) -> Option<Cow<'e, AccountCode>> {
    if transfer.rate.is_some() {
        return Some(Cow::Owned(AccountCode::fx_position()));
    }
    let is_other = |leg: &&PostedLeg<'_>| {
        leg.direction != own.direction && leg.money.currency == own.money.currency
    };
    let mut others = transfer.legs.iter().filter(is_other);
    match (others.next(), others.next()) {
        (Some(other), None) => other.account.code.map(Cow::Borrowed),
        (Some(_), Some(_)) | (None, _) => None,
    }
}

/// The balance is part of the notification where it is the reason. Otherwise the transfer may be of
/// another currency than the account.
fn rejection<'e>(transfer: &RejectedTransfer<'e>) -> Rejection<'e> {
    let account = transfer.debtor_account.filter(|_| transfer.reason == INSUFFICIENT_FUNDS);
    Rejection {
        transfer_id: transfer.transfer_id,
        reason: Cow::Borrowed(transfer.reason),
        money: transfer.money,
        counterparty: transfer.creditor_code.map(Cow::Borrowed),
        balance: account.map(|account| account.balance),
    }
}
