//! Instructions: holds, captures, reversals, transfers of many legs, exchanges; executed or
//! previewed. Promise: an instruction about a hold or a transfer enters the queue of the debtor's
//! account, so a freeze in front of it wins.

use std::collections::HashMap;

use shared_events::{
    Currency, Message, MessageId, TransferId,
    envelope::RawEnvelope,
    ledger::{
        AccountAfter, Action, Direction, GetInstruction, Held, HoldsReleased, Instruction,
        InstructionFound, InstructionOutcome, InstructionsRejected, JournalRecord, LegsPosted,
        MonitorRaised, Party, Posted, PostedLeg, PostedTransfer, PreviewInstructions,
        PreviewedInstruction, Rejected, ReleaseCause, SubmitInstructions, TransfersHeld,
        TransfersPosted, TransfersRejected,
    },
    refusal::MessageRefused,
};

use crate::{
    error::{TellerError, unexpected},
    outcome::Outcome,
    teller::{Teller, refusal_in},
};

/// An instruction's id, with its outcome or the outcome that a preview expects.
pub type Decided = PreviewedInstruction;

/// An instruction with the id of its command, and with no optional field.
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
    /// Executes 1 to 1,000 instructions in this order, each for itself or in groups. Returns their
    /// outcomes in the same order.
    pub async fn instruct(
        &self,
        id: MessageId,
        instructions: Vec<Instruction>,
    ) -> Result<Vec<Decided>, TellerError> {
        let ids: Vec<TransferId> =
            instructions.iter().map(|instruction| instruction.transfer_id).collect();
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

    /// The outcomes that these instructions would have now. Nothing is stored.
    pub async fn preview(
        &self,
        instructions: Vec<Instruction>,
    ) -> Result<Vec<Decided>, TellerError> {
        Ok(self.ask(PreviewInstructions { instructions }).await?.instructions)
    }

    /// The outcome of an instruction, and the state of its hold. Refused (`not_found`) where the
    /// ledger has not decided on the instruction.
    pub async fn instruction(
        &self,
        transfer_id: TransferId,
    ) -> Result<InstructionFound, TellerError> {
        self.ask(GetInstruction { transfer_id }).await
    }

    /// The record of an instruction, if the ledger decided on one with this id.
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
        let Debtors::OfDecided(id, side) = debtors(action) else { return Ok(None) };
        match self.instruction(id).await {
            Ok(found) => Ok(account_on(&found.record, side).map(key_of)),
            // The ledger says so itself, with a reason.
            Err(TellerError::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The debtors of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Debtors<'a> {
    /// The action names them, with the currency.
    Named(Vec<(&'a Party, Currency)>),
    /// The account on this side of an earlier hold or transfer.
    OfDecided(TransferId, Direction),
}

/// The debtors of an action.
#[must_use]
pub fn debtors(action: &Action) -> Debtors<'_> {
    match action {
        Action::Transfer(payment) => {
            Debtors::Named(vec![(&payment.debtor, payment.money.currency)])
        }
        Action::Hold(hold) => Debtors::Named(vec![(&hold.debtor, hold.money.currency)]),
        Action::Capture(capture) => Debtors::OfDecided(capture.hold_id, Direction::Debit),
        Action::Release(release) => Debtors::OfDecided(release.hold_id, Direction::Debit),
        // The creditor of the original pays the money back.
        Action::Reverse(reverse) => Debtors::OfDecided(reverse.original_id, Direction::Credit),
        Action::Legs(all) => {
            let debits = all.legs.iter().filter(|leg| leg.direction == Direction::Debit);
            Debtors::Named(debits.map(|leg| (&leg.account, leg.money.currency)).collect())
        }
        Action::Exchange(exchange) => {
            Debtors::Named(vec![(&exchange.debtor, exchange.sell.currency)])
        }
    }
}

/// The account on one side of an outcome; the first of several.
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

/// The partition key of this account's transfers.
fn key_of(account: &AccountAfter) -> String {
    account.code.as_ref().map_or_else(|| account.account_id.to_string(), ToString::to_string)
}

fn decided_by(record: &JournalRecord) -> Decided {
    let transfer_id = record.instruction.transfer_id;
    Decided { transfer_id, outcome: record.outcome.clone() }
}

/// The outcomes of instructions, from the events that answer their command.
fn decided(events: &[RawEnvelope]) -> Result<HashMap<TransferId, Decided>, TellerError> {
    let mut known = HashMap::<TransferId, InstructionOutcome>::new();
    for event in events {
        match event.kind.as_str() {
            TransfersPosted::TYPE => {
                let items = event.read::<TransfersPosted>()?.transfers.into_iter();
                known.extend(items.map(|transfer| (transfer.transfer_id, posted(transfer))));
            }
            LegsPosted::TYPE => {
                let items = event.read::<LegsPosted>()?.transfers.into_iter();
                known.extend(items.map(|transfer| {
                    let posted =
                        Posted { legs: transfer.legs, hold: None, reverses: transfer.reverses };
                    (transfer.transfer_id, InstructionOutcome::Posted(posted))
                }));
            }
            TransfersHeld::TYPE => {
                let items = event.read::<TransfersHeld>()?.transfers.into_iter();
                known.extend(items.map(|hold| {
                    let (debtor, creditor) = (hold.debtor, hold.creditor);
                    let (money, expires_at) = (hold.money, hold.expires_at);
                    let held = Held { debtor, creditor, money, expires_at };
                    (hold.transfer_id, InstructionOutcome::Held(held))
                }));
            }
            HoldsReleased::TYPE => {
                // The release that a capture causes is part of the capture's outcome.
                let items = event.read::<HoldsReleased>()?.holds.into_iter();
                let items = items.filter(|hold| hold.released.cause != ReleaseCause::Captured);
                known.extend(
                    items.map(|hold| {
                        (hold.transfer_id, InstructionOutcome::Released(hold.released))
                    }),
                );
            }
            TransfersRejected::TYPE => {
                let items = event.read::<TransfersRejected>()?.transfers.into_iter();
                known.extend(items.map(|transfer| {
                    let rejected =
                        Rejected { reason: transfer.reason, account: transfer.debtor_account };
                    (transfer.transfer_id, InstructionOutcome::Rejected(rejected))
                }));
            }
            InstructionsRejected::TYPE => {
                let items = event.read::<InstructionsRejected>()?.instructions.into_iter();
                known.extend(items.map(|instruction| {
                    (instruction.transfer_id, InstructionOutcome::Rejected(instruction.rejected))
                }));
            }
            MonitorRaised::TYPE | MessageRefused::TYPE => {}
            _ => return Err(refusal_in(events)),
        }
    }
    let decided = |(transfer_id, outcome)| (transfer_id, Decided { transfer_id, outcome });
    Ok(known.into_iter().map(decided).collect())
}

fn posted(transfer: PostedTransfer) -> InstructionOutcome {
    let leg = |account, direction| PostedLeg { account, direction, money: transfer.money };
    let legs =
        vec![leg(transfer.debtor, Direction::Debit), leg(transfer.creditor, Direction::Credit)];
    InstructionOutcome::Posted(Posted { legs, hold: transfer.hold, reverses: transfer.reverses })
}
