//! Which status leads where. Promise: every step that an account can take stands in one table.

use shared_events::accounts::AccountStatus::{self, Active, Closed, Closing, Frozen, Pending};

use super::refusal::Refusal;

/// Something that happens to an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The ledger has opened its side.
    Activate,
    Freeze,
    Unfreeze,
    /// The ledger is asked to lock the account.
    BeginClosing,
    /// The ledger has locked it.
    Close,
    /// The ledger has refused to lock it.
    GiveUpClosing,
    SetLimits,
    UpdateHolder,
}

impl Step {
    /// The statuses in which the step may be taken, and the one it leads to if that is another.
    const fn rule(self) -> (&'static [AccountStatus], Option<AccountStatus>) {
        match self {
            Self::Activate => (&[Pending], Some(Active)),
            Self::Freeze => (&[Active], Some(Frozen)),
            Self::Unfreeze => (&[Frozen], Some(Active)),
            Self::BeginClosing => (&[Active], Some(Closing)),
            Self::Close => (&[Closing], Some(Closed)),
            Self::GiveUpClosing => (&[Closing], Some(Active)),
            Self::SetLimits => (&[Active, Frozen], None),
            Self::UpdateHolder => (&[Pending, Active, Frozen, Closing], None),
        }
    }

    /// The status after this step, or why it cannot be taken.
    pub(crate) fn from(self, is: AccountStatus) -> Result<AccountStatus, Refusal> {
        let (needs, leads_to) = self.rule();
        match needs.contains(&is) {
            true => Ok(leads_to.unwrap_or(is)),
            false => Err(Refusal::WrongStatus { is, needs }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(when: Step, then: [Option<AccountStatus>; 5]) {
        let given = [Pending, Active, Frozen, Closing, Closed];
        assert_eq!(given.map(|status| when.from(status).ok()), then, "{when:?} from {given:?}");
    }

    #[test]
    fn every_step_from_every_status() {
        let no = None;
        // from            pending        active         frozen         closing        closed
        check(Step::Activate, [Some(Active), no, no, no, no]);
        check(Step::Freeze, [no, Some(Frozen), no, no, no]);
        check(Step::Unfreeze, [no, no, Some(Active), no, no]);
        check(Step::BeginClosing, [no, Some(Closing), no, no, no]);
        check(Step::Close, [no, no, no, Some(Closed), no]);
        check(Step::GiveUpClosing, [no, no, no, Some(Active), no]);
        check(Step::SetLimits, [no, Some(Active), Some(Frozen), no, no]);
        check(Step::UpdateHolder, [Some(Pending), Some(Active), Some(Frozen), Some(Closing), no]);
    }

    #[test]
    fn a_refusal_says_which_status_it_is_and_which_it_must_be() {
        let refused = Step::Freeze.from(Closed).expect_err("closed is for ever");
        assert_eq!(refused.to_string(), "the account is closed; it must be active");
        let refused = Step::SetLimits.from(Pending).expect_err("the ledger does not know it yet");
        assert_eq!(refused.to_string(), "the account is pending; it must be active or frozen");
    }
}
