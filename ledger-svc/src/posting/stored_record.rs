//! The stored record of a decision, and back. Promise: the turn loses nothing; text is not copied
//! on the way into the record.

use std::borrow::Cow;

use shared_events::ledger::{AccountCode, Direction};

use super::{
    instruction::Instruction,
    kinds::{Capture, Exchange, Kind, Leg, MultiLeg, PlaceHold, Release, Reversal, Transfer},
    outcome::{
        Held, HoldAfter, InstructionOutcome, Posted, PostedLeg, Rejected, ReleaseCause, Released,
    },
    party::Party,
    reason::RejectReason,
    record::{Decided, JournalRecord},
    rounding::Rounding,
};
use crate::{
    accounts::AccountAfter,
    journal::{
        record_v1::{
            AccountAfterV1, ActionV1, CaptureV1, DirectionV1, ExchangeV1, HeldV1, HoldAfterV1,
            HoldV1, InstructionV1, LegV1, LegsV1, OutcomeV1, PartyV1, PaymentV1, PostedLegV1,
            PostedV1, RecordV1, RejectedV1, ReleaseCauseV1, ReleaseV1, ReleasedV1, ReverseV1,
            RoundingV1,
        },
        repo::StoredRecord,
    },
};

/// A stored text that this version of the ledger does not understand.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableRecord {
    /// The text is not a record.
    #[error("the record is not of version 1")]
    Shape(#[source] serde_json::Error),
    /// The record's reason is not known.
    #[error("the record names the reason {0:?}, which no version of the ledger writes")]
    Reason(String),
}

/// Reads a stored record of the journal.
pub(crate) fn decided(stored: &StoredRecord) -> Result<Decided, UnreadableRecord> {
    Ok(Decided { digest: stored.digest, record: read(&stored.text)? })
}

/// Reads a stored text.
///
/// # Errors
/// If the text is not a record of version 1, or names a reason that is not known.
pub fn read(text: &str) -> Result<JournalRecord, UnreadableRecord> {
    let record = RecordV1::from_text(text).map_err(UnreadableRecord::Shape)?;
    Ok(JournalRecord {
        instruction: read_instruction(record.instruction),
        command_id: record.command_id,
        decided_at: record.decided_at,
        booking_date: record.booking_date,
        value_date: record.value_date,
        outcome: read_outcome(record.outcome)?,
    })
}

/// The stored record.
#[must_use]
pub fn stored(record: &JournalRecord) -> RecordV1<'_> {
    RecordV1 {
        instruction: stored_instruction(&record.instruction),
        command_id: record.command_id,
        decided_at: record.decided_at,
        booking_date: record.booking_date,
        value_date: record.value_date,
        outcome: stored_outcome(&record.outcome),
    }
}

/// The digest of an instruction's content, as it is stored beside the record.
#[must_use]
pub fn digest(instruction: &Instruction) -> [u8; 32] {
    stored_instruction(instruction).digest()
}

fn stored_instruction(instruction: &Instruction) -> InstructionV1<'_> {
    InstructionV1 {
        transfer_id: instruction.transfer_id,
        group: instruction.group,
        action: stored_kind(&instruction.kind),
        reference: instruction.reference.as_deref().map(Cow::Borrowed),
        end_to_end_id: instruction.end_to_end_id.as_deref().map(Cow::Borrowed),
        booking_date: instruction.booking_date,
        value_date: instruction.value_date,
    }
}

fn read_instruction(instruction: InstructionV1<'_>) -> Instruction {
    Instruction {
        transfer_id: instruction.transfer_id,
        group: instruction.group,
        kind: read_kind(instruction.action),
        reference: instruction.reference.map(Cow::into_owned),
        end_to_end_id: instruction.end_to_end_id.map(Cow::into_owned),
        booking_date: instruction.booking_date,
        value_date: instruction.value_date,
    }
}

fn stored_kind(kind: &Kind) -> ActionV1<'_> {
    match kind {
        Kind::Transfer(payment) => ActionV1::Transfer(PaymentV1 {
            debtor: stored_party(&payment.debtor),
            creditor: stored_party(&payment.creditor),
            money: payment.money,
            up_to: payment.allow_partial,
        }),
        Kind::Hold(hold) => ActionV1::Hold(HoldV1 {
            debtor: stored_party(&hold.debtor),
            creditor: stored_party(&hold.creditor),
            money: hold.money,
            up_to: hold.allow_partial,
            expires_at: hold.expires_at,
        }),
        Kind::Capture(capture) => ActionV1::Capture(CaptureV1 {
            hold_id: capture.hold_id,
            amount: capture.amount,
            keep_rest: capture.keep_rest,
        }),
        Kind::Release(release) => ActionV1::Release(ReleaseV1 { hold_id: release.hold_id }),
        Kind::Reversal(reverse) => ActionV1::Reverse(ReverseV1 {
            original_id: reverse.original_id,
            amount: reverse.amount,
        }),
        Kind::MultiLeg(all) => {
            ActionV1::Legs(LegsV1 { legs: all.legs.iter().map(stored_leg).collect() })
        }
        Kind::Exchange(exchange) => ActionV1::Exchange(ExchangeV1 {
            debtor: stored_party(&exchange.debtor),
            creditor: stored_party(&exchange.creditor),
            sell: exchange.sell,
            buy: exchange.buy,
            rate: exchange.rate,
            rounding: match exchange.rounding {
                Rounding::HalfEven => RoundingV1::HalfEven,
                Rounding::HalfUp => RoundingV1::HalfUp,
                Rounding::Down => RoundingV1::Down,
            },
        }),
    }
}

fn read_kind(action: ActionV1<'_>) -> Kind {
    match action {
        ActionV1::Transfer(payment) => Kind::Transfer(Transfer {
            debtor: read_party(payment.debtor),
            creditor: read_party(payment.creditor),
            money: payment.money,
            allow_partial: payment.up_to,
        }),
        ActionV1::Hold(hold) => Kind::Hold(PlaceHold {
            debtor: read_party(hold.debtor),
            creditor: read_party(hold.creditor),
            money: hold.money,
            allow_partial: hold.up_to,
            expires_at: hold.expires_at,
        }),
        ActionV1::Capture(capture) => Kind::Capture(Capture {
            hold_id: capture.hold_id,
            amount: capture.amount,
            keep_rest: capture.keep_rest,
        }),
        ActionV1::Release(release) => Kind::Release(Release { hold_id: release.hold_id }),
        ActionV1::Reverse(reverse) => {
            Kind::Reversal(Reversal { original_id: reverse.original_id, amount: reverse.amount })
        }
        ActionV1::Legs(all) => {
            Kind::MultiLeg(MultiLeg { legs: all.legs.into_iter().map(read_leg).collect() })
        }
        ActionV1::Exchange(exchange) => Kind::Exchange(Exchange {
            debtor: read_party(exchange.debtor),
            creditor: read_party(exchange.creditor),
            sell: exchange.sell,
            buy: exchange.buy,
            rate: exchange.rate,
            rounding: match exchange.rounding {
                RoundingV1::HalfEven => Rounding::HalfEven,
                RoundingV1::HalfUp => Rounding::HalfUp,
                RoundingV1::Down => Rounding::Down,
            },
        }),
    }
}

fn stored_leg(leg: &Leg) -> LegV1<'_> {
    LegV1 {
        account: stored_party(&leg.account),
        direction: stored_direction(leg.direction),
        money: leg.money,
    }
}

fn read_leg(leg: LegV1<'_>) -> Leg {
    Leg {
        account: read_party(leg.account),
        direction: read_direction(leg.direction),
        money: leg.money,
    }
}

fn stored_party(party: &Party) -> PartyV1<'_> {
    match party {
        Party::AccountId(id) => PartyV1::AccountId(*id),
        Party::Code(code) => PartyV1::Code(Cow::Borrowed(&code.0)),
    }
}

fn read_party(party: PartyV1<'_>) -> Party {
    match party {
        PartyV1::AccountId(id) => Party::AccountId(id),
        PartyV1::Code(code) => Party::Code(AccountCode(code.into_owned())),
    }
}

const fn stored_direction(direction: Direction) -> DirectionV1 {
    match direction {
        Direction::Debit => DirectionV1::Debit,
        Direction::Credit => DirectionV1::Credit,
    }
}

const fn read_direction(direction: DirectionV1) -> Direction {
    match direction {
        DirectionV1::Debit => Direction::Debit,
        DirectionV1::Credit => Direction::Credit,
    }
}

fn stored_outcome(outcome: &InstructionOutcome) -> OutcomeV1<'_> {
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

fn read_outcome(outcome: OutcomeV1<'_>) -> Result<InstructionOutcome, UnreadableRecord> {
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

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn a_golden_record_is_the_same_after_a_turn_through_the_ledgers_own_types() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/journal/golden");
        let mut texts = Vec::new();
        for entry in fs::read_dir(folder).expect("the golden files") {
            let path = entry.expect("a listed file").path();
            let text = fs::read_to_string(&path).expect("a golden file");
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("json") => texts.push(text),
                Some("jsonl") => texts.extend(text.lines().map(str::to_owned)),
                _ => {}
            }
        }
        assert!(texts.len() >= 74, "no golden file is removed");
        for text in texts {
            let record = read(&text).expect("a record that the ledger understands");
            assert_eq!(stored(&record).to_text(), text);
        }
    }
}
