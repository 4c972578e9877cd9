//! The topics of notifications. Promise: a topic's name in the database never changes its meaning.

use super::UnknownName;

/// A kind of event that a holder can be notified of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    TransferPosted,
    TransferRejected,
    TransferHeld,
    HoldReleased,
    AccountFrozen,
    AccountUnfrozen,
    AccountClosed,
}

impl Topic {
    /// Every topic that this version knows, in the order of the contract.
    pub(crate) const ALL: [Self; 7] = [
        Self::TransferPosted,
        Self::TransferRejected,
        Self::TransferHeld,
        Self::HoldReleased,
        Self::AccountFrozen,
        Self::AccountUnfrozen,
        Self::AccountClosed,
    ];

    /// The name in the database.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::TransferPosted => "transfer_posted",
            Self::TransferRejected => "transfer_rejected",
            Self::TransferHeld => "transfer_held",
            Self::HoldReleased => "hold_released",
            Self::AccountFrozen => "account_frozen",
            Self::AccountUnfrozen => "account_unfrozen",
            Self::AccountClosed => "account_closed",
        }
    }

    /// The topic with this name.
    pub(crate) fn from_name(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|topic| topic.as_str() == name);
        found.ok_or_else(|| UnknownName::new("topic", name))
    }

    /// The known topics among these names. Topics that only a newer version knows are left out.
    pub(crate) fn known(names: &[String]) -> Vec<Self> {
        names.iter().filter_map(|name| Self::from_name(name).ok()).collect()
    }
}
