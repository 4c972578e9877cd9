//! The facts of one notification. They are stored as JSON with the notification, a webhook carries
//! them in its body, and a letter is written from them. Promise: the JSON form never changes, names
//! no other customer, and has no reason of a freeze, which is for the bank's file alone.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use shared_events::{
    Amount, Money, TransferId,
    ledger::{AccountCode, Direction},
    text::visible,
};

use crate::recipients::Topic;

/// The facts by topic. Texts are borrowed from the event, or owned once they are read from a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "topic", rename_all = "snake_case")]
pub(crate) enum NotificationPayload<'e> {
    TransferPosted(Movement<'e>),
    TransferRejected(Rejection<'e>),
    TransferHeld(PlacedHold<'e>),
    HoldReleased(EndedHold<'e>),
    AccountFrozen(Freeze),
    AccountUnfrozen,
    AccountClosed,
}

/// Money that came in or went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Movement<'e> {
    pub(crate) transfer_id: TransferId,
    /// As seen from the holder's account.
    pub(crate) direction: Direction,
    pub(crate) money: Money,
    /// The internal account on the other side; `None`: a customer's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counterparty: Option<Cow<'e, AccountCode>>,
    /// The balance after the posting.
    pub(crate) balance: Amount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<Cow<'e, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) end_to_end_id: Option<Cow<'e, str>>,
    pub(crate) booking_date: NaiveDate,
    /// The transfer that this one reverses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reverses: Option<TransferId>,
    /// The hold that the transfer captured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hold_id: Option<TransferId>,
    /// The rate, where the movement is one side of an exchange.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rate: Option<Amount>,
}

/// A hold that was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlacedHold<'e> {
    /// The hold.
    pub(crate) transfer_id: TransferId,
    pub(crate) money: Money,
    /// The internal account that the hold is for; `None`: a customer's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counterparty: Option<Cow<'e, AccountCode>>,
    /// The available balance after the hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) available: Option<Amount>,
    /// The instant at which the hold expires.
    pub(crate) expires_at: DateTime<Utc>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<Cow<'e, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) end_to_end_id: Option<Cow<'e, str>>,
}

/// A hold that ended without payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct EndedHold<'e> {
    /// The instruction that released the hold; of an expiry, an id that the ledger made.
    pub(crate) transfer_id: TransferId,
    pub(crate) hold_id: TransferId,
    pub(crate) cause: ReleaseCause<'e>,
    pub(crate) money: Money,
    /// The internal account that the hold was for; `None`: a customer's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counterparty: Option<Cow<'e, AccountCode>>,
    /// The available balance after the release.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) available: Option<Amount>,
}

/// The cause of a hold's end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReleaseCause<'e> {
    Released,
    Expired,
    /// A capture took less than the hold; the rest was released with it.
    Captured,
    /// The contract's code of a cause that this version does not know.
    #[serde(untagged)]
    Other(Cow<'e, str>),
}

/// A freeze, without its reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Freeze {
    #[serde(default, skip_serializing_if = "Blocks::is_both")]
    pub(crate) blocks: Blocks,
}

/// The direction of money that a freeze refuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Blocks {
    Debits,
    Credits,
    #[default]
    Both,
}

impl Blocks {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_both(&self) -> bool {
        *self == Self::Both
    }
}

/// A transfer from the account that was rejected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rejection<'e> {
    pub(crate) transfer_id: TransferId,
    /// The contract's code of the reason, such as `insufficient_funds`. A code that this version
    /// does not know is kept.
    pub(crate) reason: Cow<'e, str>,
    pub(crate) money: Money,
    /// The internal account that was to be paid; `None`: a customer's account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) counterparty: Option<Cow<'e, AccountCode>>,
    /// The balance, where it is the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) balance: Option<Amount>,
}

impl NotificationPayload<'_> {
    pub(crate) const fn topic(&self) -> Topic {
        match self {
            Self::TransferPosted(_) => Topic::TransferPosted,
            Self::TransferRejected(_) => Topic::TransferRejected,
            Self::TransferHeld(_) => Topic::TransferHeld,
            Self::HoldReleased(_) => Topic::HoldReleased,
            Self::AccountFrozen(_) => Topic::AccountFrozen,
            Self::AccountUnfrozen => Topic::AccountUnfrozen,
            Self::AccountClosed => Topic::AccountClosed,
        }
    }

    /// The transfer that the facts are about, where there is one.
    pub(crate) const fn transfer_id(&self) -> Option<TransferId> {
        match self {
            Self::TransferPosted(movement) => Some(movement.transfer_id),
            Self::TransferRejected(rejection) => Some(rejection.transfer_id),
            Self::TransferHeld(hold) => Some(hold.transfer_id),
            Self::HoldReleased(hold) => Some(hold.transfer_id),
            Self::AccountFrozen(_) | Self::AccountUnfrozen | Self::AccountClosed => None,
        }
    }

    /// The JSON form that is stored.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a payload writes plain JSON")
    }
}

impl NotificationPayload<'static> {
    /// Reads the stored form. References of strangers become one line of visible characters,
    /// whenever they were stored. `None` where this version cannot read the payload.
    pub(crate) fn read(json: &str) -> Option<Self> {
        let mut payload = serde_json::from_str(json).ok()?;
        let texts = match &mut payload {
            Self::TransferPosted(movement) => {
                [&mut movement.reference, &mut movement.end_to_end_id]
            }
            Self::TransferHeld(hold) => [&mut hold.reference, &mut hold.end_to_end_id],
            Self::TransferRejected(_)
            | Self::HoldReleased(_)
            | Self::AccountFrozen(_)
            | Self::AccountUnfrozen
            | Self::AccountClosed => return Some(payload),
        };
        for text in texts.into_iter().flatten() {
            *text = Cow::Owned(visible(text).into_owned());
        }
        Some(payload)
    }
}

#[cfg(test)]
mod tests;
