//! The content of a message of `ledger.commands`, checked.

use shared_events::AccountId;

use crate::{
    account_lifecycle::AccountChange,
    posting::{INSTRUCTIONS_MAX, Instruction, LockSet},
};

/// Why a command is refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandRefusal {
    /// The command carries no instruction.
    Empty,
    /// The command carries more instructions than it may.
    TooMany,
}

/// The content of one message.
#[derive(Clone, Debug)]
pub(crate) enum LedgerRequest {
    /// Instructions, 1 to [`INSTRUCTIONS_MAX`].
    Instructions(Vec<Instruction>),
    /// A command that is refused as a whole.
    Refused(CommandRefusal),
    /// A change of an account, by its number at the accounts service.
    Change((AccountId, i64), AccountChange),
}

impl LedgerRequest {
    /// A request of `count` instructions.
    pub(crate) fn of_instructions(
        count: usize,
        instructions: impl FnOnce() -> Vec<Instruction>,
    ) -> Self {
        match count {
            0 => Self::Refused(CommandRefusal::Empty),
            1..=INSTRUCTIONS_MAX => Self::Instructions(instructions()),
            _ => Self::Refused(CommandRefusal::TooMany),
        }
    }

    /// Adds all that the request refers to.
    pub(super) fn refers(&self, set: &mut LockSet) {
        match self {
            Self::Instructions(all) => {
                all.iter().for_each(|instruction| instruction.refers(set));
            }
            Self::Refused(_) => {}
            Self::Change((id, _), change) => {
                set.account(*id);
                if let AccountChange::Closing { payout: Some(payout) } = change {
                    set.account(*payout);
                }
            }
        }
    }

    /// The account that the request closes.
    pub(super) const fn closes(&self) -> Option<AccountId> {
        match self {
            Self::Change((id, _), AccountChange::Closing { .. }) => Some(*id),
            Self::Change(..) | Self::Instructions(_) | Self::Refused(_) => None,
        }
    }
}
