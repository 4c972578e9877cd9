//! Outcomes as stored, and back.

use std::borrow::Cow;

use shared_events::ledger::AccountCode;

use super::{
    UnreadableRecord,
    kinds::{read_direction, stored_direction},
};
use crate::{
    accounts::AccountAfter,
    journal::record_v1::{
        AccountAfterV1, HeldV1, HoldAfterV1, OutcomeV1, PostedLegV1, PostedV1, RejectedV1,
        ReleaseCauseV1, ReleasedV1,
    },
    posting::{
        outcome::{
            Held, HoldAfter, InstructionOutcome, Posted, PostedLeg, Rejected, ReleaseCause,
            Released,
        },
        reason::RejectReason,
    },
};

pub(super) fn stored_outcome(outcome: &InstructionOutcome) -> OutcomeV1<'_> {
    match outcome {
        InstructionOutcome::Posted(posted) => OutcomeV1::Posted(PostedV1 {
            legs: posted.legs.iter().map(stored_posted_leg).collect(),
            hold: posted.hold.as_ref().map(|hold| HoldAfterV1 {
                hold_id: hold.hold_id,
                remaining: hold.remaining,
                released: hold.released,
            }),
            reverses: posted.reverses,
        }),
        InstructionOutcome::Held(held) => OutcomeV1::Held(HeldV1 {
            debtor: stored_account(&held.debtor),
            creditor: stored_account(&held.creditor),
            money: held.money,
            expires_at: held.expires_at,
        }),
        InstructionOutcome::Released(released) => OutcomeV1::Released(ReleasedV1 {
            hold_id: released.hold_id,
            cause: match released.cause {
                ReleaseCause::Released => ReleaseCauseV1::Released,
                ReleaseCause::Expired => ReleaseCauseV1::Expired,
                ReleaseCause::Captured => ReleaseCauseV1::Captured,
            },
            debtor: stored_account(&released.debtor),
            creditor: stored_account(&released.creditor),
            money: released.money,
        }),
        InstructionOutcome::Rejected(rejected) => OutcomeV1::Rejected(RejectedV1 {
            reason: Cow::Borrowed(rejected.reason.as_str()),
            account: rejected.account.as_ref().map(stored_account),
        }),
    }
}

pub(super) fn read_outcome(outcome: OutcomeV1<'_>) -> Result<InstructionOutcome, UnreadableRecord> {
    Ok(match outcome {
        OutcomeV1::Posted(posted) => InstructionOutcome::Posted(Posted {
            legs: posted.legs.into_iter().map(read_posted_leg).collect(),
            hold: posted.hold.map(|hold| HoldAfter {
                hold_id: hold.hold_id,
                remaining: hold.remaining,
                released: hold.released,
            }),
            reverses: posted.reverses,
        }),
        OutcomeV1::Held(held) => InstructionOutcome::Held(Held {
            debtor: read_account(held.debtor),
            creditor: read_account(held.creditor),
            money: held.money,
            expires_at: held.expires_at,
        }),
        OutcomeV1::Released(released) => InstructionOutcome::Released(Released {
            hold_id: released.hold_id,
            cause: match released.cause {
                ReleaseCauseV1::Released => ReleaseCause::Released,
                ReleaseCauseV1::Expired => ReleaseCause::Expired,
                ReleaseCauseV1::Captured => ReleaseCause::Captured,
            },
            debtor: read_account(released.debtor),
            creditor: read_account(released.creditor),
            money: released.money,
        }),
        OutcomeV1::Rejected(rejected) => InstructionOutcome::Rejected(Rejected {
            reason: RejectReason::from_code(&rejected.reason)
                .ok_or_else(|| UnreadableRecord::Reason(rejected.reason.into_owned()))?,
            account: rejected.account.map(read_account),
        }),
    })
}

fn stored_posted_leg(leg: &PostedLeg) -> PostedLegV1<'_> {
    PostedLegV1 {
        account: stored_account(&leg.account),
        direction: stored_direction(leg.direction),
        money: leg.money,
    }
}

fn read_posted_leg(leg: PostedLegV1<'_>) -> PostedLeg {
    PostedLeg {
        account: read_account(leg.account),
        direction: read_direction(leg.direction),
        money: leg.money,
    }
}

fn stored_account(account: &AccountAfter) -> AccountAfterV1<'_> {
    AccountAfterV1 {
        account_id: account.account_id,
        code: account.code.as_ref().map(|code| Cow::Borrowed(code.0.as_str())),
        balance: account.balance,
        available: account.available,
        version: account.version,
    }
}

fn read_account(account: AccountAfterV1<'_>) -> AccountAfter {
    AccountAfter {
        account_id: account.account_id,
        code: account.code.map(|code| AccountCode(code.into_owned())),
        balance: account.balance,
        available: account.available,
        version: account.version,
    }
}
