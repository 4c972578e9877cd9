//! Freezing an account and ending the freeze. Promise: the last freeze holds, whatever direction
//! the one before refused, so that an officer widens or narrows a freeze without a moment in which
//! money moves.

use super::{
    change::{ChangeKind, Decision, advance},
    entity::{Account, Blocks},
    lifecycle::Step,
};
use crate::fields::{InvalidField, visible_text};

const REASON_CHARS_MAX: usize = 140;

/// A freeze with its reason, which is for the bank's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Freeze {
    blocks: Blocks,
    reason: String,
}

impl Freeze {
    /// Checks the reason.
    pub(crate) fn try_new(blocks: Blocks, reason: String) -> Result<Self, InvalidField> {
        visible_text("reason", &reason, REASON_CHARS_MAX)?;
        Ok(Self { blocks, reason })
    }

    /// The frozen account. A freeze that changes nothing but the reason is a change, too: the file
    /// keeps every reason.
    pub(super) fn freeze(&self, account: &Account) -> Decision {
        let (reason, previous_blocks) = (self.reason.clone(), account.blocks);
        let kind = ChangeKind::Frozen { reason, previous_blocks };
        advance(account, Step::Freeze(self.blocks), kind)
    }
}

/// The account without its freeze.
pub(super) fn unfreeze(account: &Account) -> Decision {
    advance(account, Step::Unfreeze, ChangeKind::Unfrozen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_1_to_140_characters() {
        let check = |reason: &str| Freeze::try_new(Blocks::Both, reason.to_owned());
        assert!(check("court order").is_ok());
        assert!(check(&"x".repeat(140)).is_ok());
        for text in ["", " ", "a\nb", "a\u{2029}b", &"x".repeat(141)] {
            assert_eq!(check(text).expect_err(text).field, "reason");
        }
    }
}
