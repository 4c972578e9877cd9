//! The states of an account and the steps between them. Promise: one function has an answer for
//! every step in every state.

use super::{
    entity::{
        AccountStatus::{self, Active, Closed, Closing, Erased, Frozen, Pending},
        Blocks,
    },
    refusal::Refusal,
};

/// A step in an account's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The ledger has opened its side.
    Activate,
    /// The account refuses this direction from now on, in place of the one before.
    Freeze(Blocks),
    Unfreeze,
    /// The ledger is asked to lock the account.
    BeginClosing,
    /// The ledger has locked it.
    Close,
    /// The ledger has refused to lock it.
    GiveUpClosing,
    SetLimits,
    UpdateHolder,
    Erase,
}

/// The status of an account and the direction that it refuses. A pending or closing account that
/// refuses a direction is frozen as soon as it is open, or its closing was refused.
pub(crate) type State = (AccountStatus, Option<Blocks>);

impl Step {
    /// The state after this step, or why it cannot be taken.
    pub(crate) const fn from(self, (status, blocks): State) -> Result<State, Refusal> {
        let after = match (self, status, blocks) {
            (Self::Activate, Pending, None) | (Self::GiveUpClosing, Closing, None) => {
                (Active, None)
            }
            (Self::Activate, Pending, Some(_)) | (Self::GiveUpClosing, Closing, Some(_)) => {
                (Frozen, blocks)
            }
            (Self::Freeze(new), Active | Frozen, _) => (Frozen, Some(new)),
            (Self::Freeze(new), Pending | Closing, _) => (status, Some(new)),
            (Self::Unfreeze, Frozen, _) => (Active, None),
            (Self::Unfreeze, Pending, Some(_)) => (Pending, None),
            // A closing account is not unfrozen: the ledger may know of the freeze, and not yet of
            // the closing.
            (Self::BeginClosing, Active, _) => (Closing, None),
            (Self::Close, Closing, _) => (Closed, None),
            // Again: a service may have lost its part, or got it back by a backup.
            (Self::Erase, Closed | Erased, _) => (Erased, None),
            (Self::SetLimits, Active | Frozen, _)
            | (Self::UpdateHolder, Pending | Active | Frozen | Closing, _) => (status, blocks),
            (
                Self::Activate
                | Self::Freeze(_)
                | Self::Unfreeze
                | Self::BeginClosing
                | Self::Close
                | Self::GiveUpClosing
                | Self::SetLimits
                | Self::UpdateHolder
                | Self::Erase,
                Pending | Active | Frozen | Closing | Closed | Erased,
                _,
            ) => return Err(Refusal::WrongStatus { is: status, needs: self.needs() }),
        };
        Ok(after)
    }

    /// The statuses in which the step can be taken.
    const fn needs(self) -> &'static [AccountStatus] {
        match self {
            Self::Activate => &[Pending],
            Self::Freeze(_) | Self::UpdateHolder => &[Pending, Active, Frozen, Closing],
            Self::Unfreeze => &[Frozen],
            Self::BeginClosing => &[Active],
            Self::Close | Self::GiveUpClosing => &[Closing],
            Self::SetLimits => &[Active, Frozen],
            Self::Erase => &[Closed, Erased],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        Blocks::{Both, Credits, Debits},
        *,
    };

    /// Every state that an account can be in.
    const STATES: [State; 8] = [
        (Pending, None),
        (Pending, Some(Debits)),
        (Active, None),
        (Frozen, Some(Debits)),
        (Closing, None),
        (Closing, Some(Debits)),
        (Closed, None),
        (Erased, None),
    ];

    fn check(when: Step, then: [Option<State>; 8]) {
        assert_eq!(STATES.map(|state| when.from(state).ok()), then, "{when:?} from {STATES:?}");
    }

    #[test]
    fn every_step_from_every_state() {
        let no = None;
        let to = |status, blocks| Some((status, Some(blocks)));
        let free = |status| Some((status, None));
        let frozen = to(Frozen, Debits);
        // In the order of the states.
        check(Step::Activate, [free(Active), frozen, no, no, no, no, no, no]);
        for new in [Debits, Credits, Both] {
            let (pending, closing) = (to(Pending, new), to(Closing, new));
            let frozen = to(Frozen, new);
            let then = [pending, pending, frozen, frozen, closing, closing, no, no];
            check(Step::Freeze(new), then);
        }
        check(Step::Unfreeze, [no, free(Pending), no, free(Active), no, no, no, no]);
        check(Step::BeginClosing, [no, no, free(Closing), no, no, no, no, no]);
        check(Step::Close, [no, no, no, no, free(Closed), free(Closed), no, no]);
        check(Step::GiveUpClosing, [no, no, no, no, free(Active), frozen, no, no]);
        check(Step::SetLimits, [no, no, free(Active), frozen, no, no, no, no]);
        let same = STATES.map(Some);
        check(Step::UpdateHolder, [same[0], same[1], same[2], same[3], same[4], same[5], no, no]);
        check(Step::Erase, [no, no, no, no, no, no, free(Erased), free(Erased)]);
    }

    #[test]
    fn a_refusal_names_exactly_the_statuses_that_allow_the_step() {
        for step in [
            Step::Activate,
            Step::Freeze(Both),
            Step::BeginClosing,
            Step::Close,
            Step::GiveUpClosing,
            Step::SetLimits,
            Step::UpdateHolder,
            Step::Erase,
        ] {
            for (status, blocks) in STATES {
                let is_allowed = step.from((status, blocks)).is_ok();
                assert_eq!(is_allowed, step.needs().contains(&status), "{step:?} from {status:?}");
            }
        }
    }

    #[test]
    fn a_refusal_names_the_status_and_the_one_that_is_needed() {
        let refused = Step::Unfreeze.from((Closing, Some(Both))).expect_err("the ledger decides");
        assert_eq!(refused.to_string(), "the account is closing; it must be frozen");
        let refused = Step::SetLimits
            .from((Pending, None))
            .expect_err("the ledger does not know the account");
        assert!(refused.to_string().ends_with(" must be active or frozen"), "{refused}");
    }
}
