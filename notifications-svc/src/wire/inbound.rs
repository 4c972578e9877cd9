//! Messages as requests of this service, and events as triggers of notifications. Promise: each
//! field is checked here, once; an event is read without copying its texts.

use std::borrow::Cow;

use shared_events::{
    AccountId, Iban,
    accounts::{self as accounts_contract, AccountClosed, AccountFrozen, AccountUnfrozen},
    accounts::{Holder, HolderCurrent, v1, v2},
    code::Open,
    ledger as ledger_contract,
    ledger::{
        HeldTransfer, HoldsReleased, LegsPosted, Party, ReleasedHold, TransfersHeld,
        TransfersPosted, TransfersRejected,
    },
    messaging::Received,
    notifications::{
        GetPreferences, ListNotifications, NOTIFICATIONS_PAGE_MAX, RecoverDeliveries,
        ResendDelivery, SetPreferences,
    },
};

use super::names::{own_channel, own_topic};
use crate::{
    deliveries::Recovery,
    notifications::{IncomingEvent, NotificationListing},
    recipients::{Preferences, PreferencesRequest, RecipientProfile},
    triggers::{
        AccountAfter, Blocks, Booking, DebtorParty, EndedHold, NotificationPayload,
        NotificationTrigger, PlacedHold, PostedLeg, PostedLegs, PostedTransfer, RejectedTransfer,
        ReleaseCause, rules,
    },
};

/// The default number of notifications on a page.
const PAGE_DEFAULT: u32 = 100;

shared_events::message_set! {
    /// The events on `notifications.events`. Some describe a holder; holders are notified of the
    /// others.
    pub(crate) enum NotifiableEvent {
        OpenedV1(v1::AccountOpened),
        Opened(v2::AccountOpened),
        HolderUpdatedV1(v1::HolderUpdated),
        HolderUpdated(v2::HolderUpdated),
        Holder(HolderCurrent),
        Frozen(AccountFrozen),
        Unfrozen(AccountUnfrozen),
        Closed(AccountClosed),
        Posted(TransfersPosted),
        Rejected(TransfersRejected),
        Legs(LegsPosted),
        Held(TransfersHeld),
        Released(HoldsReleased),
    }
}

shared_events::message_set! {
    /// The commands on `notifications.commands`.
    pub(crate) enum NotificationsCommand {
        SetPreferences(SetPreferences),
        Resend(ResendDelivery),
        Recover(RecoverDeliveries),
    }
}

shared_events::message_set! {
    /// The queries on `notifications.queries`.
    pub(crate) enum NotificationsQuery {
        List(ListNotifications),
        Preferences(GetPreferences),
    }
}

/// A field that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InvalidField {
    pub(super) field: &'static str,
    pub(super) rule: String,
}

/// An event with its meaning for holders.
pub(super) fn event(received: &Received<NotifiableEvent>) -> IncomingEvent<'_> {
    let envelope = &received.envelope;
    IncomingEvent {
        id: envelope.id,
        time: envelope.time,
        correlation_id: envelope.correlationid,
        profile: profile(received.message()),
        triggers: triggers(received.message()),
    }
}

/// The holder that an event describes, if any. Version 1 of two events shows the holder, too; of
/// equal descriptions the second changes nothing.
fn profile(event: &NotifiableEvent) -> Option<RecipientProfile> {
    let HolderCurrent { account_id, iban, branch, holder, version } = match event {
        NotifiableEvent::OpenedV1(old) => old.clone().into(),
        NotifiableEvent::Holder(current) => current.clone(),
        NotifiableEvent::HolderUpdatedV1(old) => {
            let v1::HolderUpdated { account_id, holder, version } = old.clone();
            return Some(described(account_id, None, None, holder, version));
        }
        NotifiableEvent::Opened(_)
        | NotifiableEvent::HolderUpdated(_)
        | NotifiableEvent::Frozen(_)
        | NotifiableEvent::Unfrozen(_)
        | NotifiableEvent::Closed(_)
        | NotifiableEvent::Posted(_)
        | NotifiableEvent::Rejected(_)
        | NotifiableEvent::Legs(_)
        | NotifiableEvent::Held(_)
        | NotifiableEvent::Released(_) => return None,
    };
    Some(described(account_id, Some(iban), branch, holder, version))
}

fn described(
    account_id: AccountId,
    iban: Option<Iban>,
    branch: Option<String>,
    holder: Holder,
    version: i64,
) -> RecipientProfile {
    let Holder { name, email, webhook, language } = holder;
    RecipientProfile { account_id, iban, branch, name, email, webhook, language, version }
}

/// The triggers of an event.
fn triggers(event: &NotifiableEvent) -> Vec<NotificationTrigger<'_>> {
    match event {
        NotifiableEvent::OpenedV1(_)
        | NotifiableEvent::Opened(_)
        | NotifiableEvent::HolderUpdatedV1(_)
        | NotifiableEvent::HolderUpdated(_)
        | NotifiableEvent::Holder(_) => vec![],
        NotifiableEvent::Frozen(frozen) => {
            let previous = frozen.previous_blocks.map(blocks);
            rules::of_freeze(frozen.account_id, blocks(frozen.blocks), previous)
                .into_iter()
                .collect()
        }
        NotifiableEvent::Unfrozen(AccountUnfrozen { account_id, .. }) => {
            vec![rules::of_account(*account_id, NotificationPayload::AccountUnfrozen)]
        }
        NotifiableEvent::Closed(AccountClosed { account_id, .. }) => {
            vec![rules::of_account(*account_id, NotificationPayload::AccountClosed)]
        }
        NotifiableEvent::Posted(TransfersPosted { transfers, .. }) => {
            transfers.iter().map(posted_transfer).flat_map(rules::of_posted_transfer).collect()
        }
        NotifiableEvent::Rejected(TransfersRejected { transfers, .. }) => transfers
            .iter()
            .map(rejected_transfer)
            .filter_map(rules::of_rejected_transfer)
            .collect(),
        NotifiableEvent::Legs(LegsPosted { transfers, .. }) => {
            let triggers = |transfer| rules::of_posted_legs(&posted_legs(transfer));
            transfers.iter().flat_map(triggers).collect()
        }
        NotifiableEvent::Held(TransfersHeld { transfers, .. }) => {
            transfers.iter().filter_map(placed_hold_trigger).collect()
        }
        NotifiableEvent::Released(HoldsReleased { holds, .. }) => {
            holds.iter().filter_map(ended_hold_trigger).collect()
        }
    }
}

fn account_after(account: &ledger_contract::AccountAfter) -> AccountAfter<'_> {
    AccountAfter {
        account_id: account.account_id,
        code: account.code.as_ref(),
        balance: account.balance,
    }
}

fn posted_transfer(transfer: &ledger_contract::PostedTransfer) -> PostedTransfer<'_> {
    PostedTransfer {
        booking: Booking {
            transfer_id: transfer.transfer_id,
            reference: transfer.reference.as_deref(),
            end_to_end_id: transfer.end_to_end_id.as_deref(),
            booking_date: transfer.booking_date,
            reverses: transfer.reverses,
        },
        debtor: account_after(&transfer.debtor),
        creditor: account_after(&transfer.creditor),
        money: transfer.money,
        hold_id: transfer.hold.as_ref().map(|hold| hold.hold_id),
    }
}

fn posted_legs(transfer: &ledger_contract::PostedLegs) -> PostedLegs<'_> {
    PostedLegs {
        booking: Booking {
            transfer_id: transfer.transfer_id,
            reference: transfer.reference.as_deref(),
            end_to_end_id: transfer.end_to_end_id.as_deref(),
            booking_date: transfer.booking_date,
            reverses: transfer.reverses,
        },
        legs: transfer.legs.iter().map(posted_leg).collect(),
        rate: transfer.rate,
    }
}

fn posted_leg(leg: &ledger_contract::PostedLeg) -> PostedLeg<'_> {
    PostedLeg { account: account_after(&leg.account), direction: leg.direction, money: leg.money }
}

fn rejected_transfer(transfer: &ledger_contract::RejectedTransfer) -> RejectedTransfer<'_> {
    RejectedTransfer {
        transfer_id: transfer.transfer_id,
        reason: transfer.reason.as_str(),
        debtor: match transfer.debtor {
            Party::AccountId(account_id) => DebtorParty::Account(account_id),
            Party::Code(_) => DebtorParty::Internal,
        },
        creditor_code: match &transfer.creditor {
            Party::Code(code) => Some(code),
            Party::AccountId(_) => None,
        },
        money: transfer.money,
        debtor_account: transfer.debtor_account.as_ref().map(account_after),
    }
}

fn placed_hold_trigger(hold: &HeldTransfer) -> Option<NotificationTrigger<'_>> {
    let placed = PlacedHold {
        transfer_id: hold.transfer_id,
        money: hold.money,
        counterparty: hold.creditor.code.as_ref().map(Cow::Borrowed),
        available: hold.debtor.available,
        expires_at: hold.expires_at,
        reference: hold.reference.as_deref().map(Cow::Borrowed),
        end_to_end_id: hold.end_to_end_id.as_deref().map(Cow::Borrowed),
    };
    rules::of_placed_hold(account_after(&hold.debtor), placed)
}

fn ended_hold_trigger(hold: &ReleasedHold) -> Option<NotificationTrigger<'_>> {
    let ReleasedHold { transfer_id, released } = hold;
    let ended = EndedHold {
        transfer_id: *transfer_id,
        hold_id: released.hold_id,
        cause: release_cause(&released.cause),
        money: released.money,
        counterparty: released.creditor.code.as_ref().map(Cow::Borrowed),
        available: released.debtor.available,
    };
    rules::of_ended_hold(account_after(&released.debtor), ended)
}

fn release_cause(cause: &Open<ledger_contract::ReleaseCause>) -> ReleaseCause<'_> {
    let known = match cause {
        Open::Known(known) => known,
        Open::Unknown(code) => return ReleaseCause::Other(Cow::Borrowed(code.as_str())),
    };
    match known {
        ledger_contract::ReleaseCause::Released => ReleaseCause::Released,
        ledger_contract::ReleaseCause::Expired => ReleaseCause::Expired,
        ledger_contract::ReleaseCause::Captured => ReleaseCause::Captured,
    }
}

const fn blocks(blocks: accounts_contract::Blocks) -> Blocks {
    match blocks {
        accounts_contract::Blocks::Debits => Blocks::Debits,
        accounts_contract::Blocks::Credits => Blocks::Credits,
        accounts_contract::Blocks::Both => Blocks::Both,
    }
}

/// Preferences to set.
pub(super) fn preferences(command: &SetPreferences) -> Result<PreferencesRequest, InvalidField> {
    let preferences = Preferences {
        email: command.email,
        webhook: command.webhook,
        topics: command.topics.iter().copied().map(own_topic).collect(),
    };
    let secret = command.webhook_secret.as_deref();
    PreferencesRequest::try_new(command.account_id, preferences, secret)
        .map_err(|rule| InvalidField { field: "webhook_secret", rule: rule.to_string() })
}

/// The failed deliveries that a command recovers.
pub(super) fn recovery(command: &RecoverDeliveries) -> Result<Recovery, InvalidField> {
    let channel = command.channel.map(own_channel);
    Recovery::try_new(command.account_id, channel, command.since, command.until)
        .map_err(|rule| InvalidField { field: "until", rule: rule.to_string() })
}

/// The page of a query.
pub(super) fn listing(query: &ListNotifications) -> Result<NotificationListing, InvalidField> {
    let limit = query.limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=NOTIFICATIONS_PAGE_MAX).contains(&limit) {
        let rule = format!("must be 1 to {NOTIFICATIONS_PAGE_MAX}");
        return Err(InvalidField { field: "limit", rule });
    }
    Ok(NotificationListing { account_id: query.account_id, before: query.before, limit })
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
