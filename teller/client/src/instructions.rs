//! Instructions: holds, captures, reversals, transfers of many legs, exchanges, carried out or
//! tried out. Promise: what a hold or a transfer leads to later stands in the queue of the account
//! that pays, so a freeze in front of it wins.

use std::collections::HashMap;

use shared_events::{
    Message, MessageId, TransferId,
    envelope::RawEnvelope,
    ledger::{
        AccountAfter, Action, Direction, GetInstruction, Held, HoldsReleased, Instruction,
        InstructionFound, InstructionOutcome, InstructionsRejected, JournalRecord, LegsPosted,
        MonitorRaised, Posted, PostedLeg, PostedTransfer, PreviewInstructions,
        PreviewedInstruction, Rejected, ReleaseCause, SubmitInstructions, TransfersHeld,
        TransfersPosted, TransfersRejected,
    },
    refusal::MessageRefused,
};

use crate::{
    bank::{Teller, refusal_in},
    error::{TellerError, unexpected},
    outcome::Outcome,
};

/// An instruction's id, and what became, or would become, of it.
pub type Decided = PreviewedInstruction;

/// An instruction under the id of the command that will carry it, with nothing but what it must
/// have.
#[must_use]
pub const fn instruction(id: MessageId, action: Action) -> Instruction {
    Instruction {
        transfer_id: TransferId(id.0),
        group: None,
        action,
        reference: None,
        end_to_end_id: None,
        booking_date: None,
        value_date: None,
    }
}

impl Teller {
    /// Carries out 1 to 1,000 instructions, in this order, each for itself or in groups. Returns
    /// what became of each, in the same order.
    pub async fn instruct(
        &self,
        id: MessageId,
        instructions: Vec<Instruction>,
    ) -> Result<Vec<Decided>, TellerError> {
        let ids: Vec<TransferId> = instructions.iter().map(|it| it.transfer_id).collect();
        let events = self.submit_instructions(id, instructions).await?;
        let known = decided(&events)?;
        self.completed(&ids, &events, known, |record| Some(decided_by(&record))).await
    }

    /// Posts one transfer that says more than `transfer` can: "up to", or a value date.
    pub async fn instruct_transfer(
        &self,
        id: MessageId,
        transfer: Instruction,
    ) -> Result<Outcome, TellerError> {
        let ids = [transfer.transfer_id];
        let events = self.submit_instructions(id, vec![transfer]).await?;
        self.outcomes(&ids, &events).await?.pop().ok_or_else(|| unexpected(&events))
    }

    /// What would become of these instructions now. Nothing is stored.
    pub async fn preview(
        &self,
        instructions: Vec<Instruction>,
    ) -> Result<Vec<Decided>, TellerError> {
        Ok(self.ask(PreviewInstructions { instructions }).await?.instructions)
    }

    /// What became of an instruction, and where its hold stands. Refused (`not_found`) where the
    /// ledger has not decided on it.
    pub async fn instruction(
        &self,
        transfer_id: TransferId,
    ) -> Result<InstructionFound, TellerError> {
        self.ask(GetInstruction { transfer_id }).await
    }

    /// What was asked under this id and what became of it, if the ledger decided on it.
    pub async fn decided_before(
        &self,
        transfer_id: TransferId,
    ) -> Result<Option<JournalRecord>, TellerError> {
        match self.instruction(transfer_id).await {
            Ok(found) => Ok(Some(found.record)),
            Err(TellerError::Refused(refusal)) if refusal.code == "not_found" => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn submit_instructions(
        &self,
        id: MessageId,
        instructions: Vec<Instruction>,
    ) -> Result<Vec<RawEnvelope>, TellerError> {
        let key = match instructions.first() {
            Some(first) => self.payer(&first.action).await?,
            None => None,
        };
        let options = self.options(key.as_deref());
        Ok(self.client.request(id, SubmitInstructions { instructions }, &options).await?)
    }

    /// The account that pays, where the instruction names it by a hold or a transfer only.
    async fn payer(&self, action: &Action) -> Result<Option<String>, TellerError> {
        let (id, side) = match action {
            Action::Capture(it) => (it.hold_id, Direction::Debit),
            Action::Release(it) => (it.hold_id, Direction::Debit),
            // Who was paid pays it back.
            Action::Reverse(it) => (it.original_id, Direction::Credit),
            Action::Transfer(_) | Action::Hold(_) | Action::Legs(_) | Action::Exchange(_) => {
                return Ok(None);
            }
        };
        match self.instruction(id).await {
            Ok(found) => Ok(account_on(&found.record, side).map(key_of)),
            // The ledger says so itself, with a reason.
            Err(TellerError::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The account on one side of what became of an instruction; of several the first.
#[must_use]
pub fn account_on(record: &JournalRecord, side: Direction) -> Option<&AccountAfter> {
    match (&record.outcome, side) {
        (InstructionOutcome::Posted(posted), _) => {
            posted.legs.iter().find(|leg| leg.direction == side).map(|leg| &leg.account)
        }
        (InstructionOutcome::Held(held), Direction::Debit) => Some(&held.debtor),
        (InstructionOutcome::Held(held), Direction::Credit) => Some(&held.creditor),
        (InstructionOutcome::Released(_) | InstructionOutcome::Rejected(_), _) => None,
    }
}

/// What transfers of this account have as their partition key.
fn key_of(account: &AccountAfter) -> String {
    account.code.as_ref().map_or_else(|| account.account_id.to_string(), ToString::to_string)
}

fn decided_by(record: &JournalRecord) -> Decided {
    let transfer_id = record.instruction.transfer_id;
    Decided { transfer_id, outcome: record.outcome.clone() }
}

/// What became of instructions, out of the events that answer their command.
fn decided(events: &[RawEnvelope]) -> Result<HashMap<TransferId, Decided>, TellerError> {
    let mut known = HashMap::<TransferId, InstructionOutcome>::new();
    for event in events {
        match event.kind.as_str() {
            TransfersPosted::TYPE => {
                let told = event.read::<TransfersPosted>()?.transfers.into_iter();
                known.extend(told.map(|it| (it.transfer_id, posted(it))));
            }
            LegsPosted::TYPE => {
                let told = event.read::<LegsPosted>()?.transfers.into_iter();
                known.extend(told.map(|it| {
                    let posted = Posted { legs: it.legs, hold: None, reverses: it.reverses };
                    (it.transfer_id, InstructionOutcome::Posted(posted))
                }));
            }
            TransfersHeld::TYPE => {
                let told = event.read::<TransfersHeld>()?.transfers.into_iter();
                known.extend(told.map(|it| {
                    let (debtor, creditor) = (it.debtor, it.creditor);
                    let (money, expires_at) = (it.money, it.expires_at);
                    let held = Held { debtor, creditor, money, expires_at };
                    (it.transfer_id, InstructionOutcome::Held(held))
                }));
            }
            HoldsReleased::TYPE => {
                // What a capture gives back is said of the capture.
                let told = event.read::<HoldsReleased>()?.holds.into_iter();
                let told = told.filter(|it| it.released.cause != ReleaseCause::Captured);
                known.extend(
                    told.map(|it| (it.transfer_id, InstructionOutcome::Released(it.released))),
                );
            }
            TransfersRejected::TYPE => {
                let told = event.read::<TransfersRejected>()?.transfers.into_iter();
                known.extend(told.map(|it| {
                    let rejected = Rejected { reason: it.reason, account: it.debtor_account };
                    (it.transfer_id, InstructionOutcome::Rejected(rejected))
                }));
            }
            InstructionsRejected::TYPE => {
                let told = event.read::<InstructionsRejected>()?.instructions.into_iter();
                known.extend(
                    told.map(|it| (it.transfer_id, InstructionOutcome::Rejected(it.rejected))),
                );
            }
            MonitorRaised::TYPE | MessageRefused::TYPE => {}
            _ => return Err(refusal_in(events)),
        }
    }
    let decided = |(transfer_id, outcome)| (transfer_id, Decided { transfer_id, outcome });
    Ok(known.into_iter().map(decided).collect())
}

fn posted(it: PostedTransfer) -> InstructionOutcome {
    let leg = |account, direction| PostedLeg { account, direction, money: it.money };
    let legs = vec![leg(it.debtor, Direction::Debit), leg(it.creditor, Direction::Credit)];
    InstructionOutcome::Posted(Posted { legs, hold: it.hold, reverses: it.reverses })
}
