//! Decisions become events. Promise: each outcome is announced once, in the order of its command;
//! no event lists more than a reader expects.

use shared_events::{
    AccountId, Amount, CommandId, TransferId,
    accounts::CloseRefusal as PublishedRefusal,
    ledger::{
        HeldTransfer, HoldsReleased, InstructionsRejected, LEGS_PER_EVENT_MAX,
        LedgerAccountCloseRefused, LedgerAccountLocked, LedgerAccountOpened, LedgerCommandRejected,
        LedgerReason, LegsPosted, MonitorRaised, OUTCOMES_PER_EVENT_MAX, PostedLegs,
        PostedTransfer, RejectedInstruction, RejectedTransfer, ReleaseCause, Released,
        ReleasedHold, TransfersHeld, TransfersPosted, TransfersRejected,
    },
    messaging::{Event, Outcome},
    money::Money,
};
use tracing::info;

use super::outcomes::{account, hold_after, posted_leg, reject_reason, rejected, released};
use crate::{
    account_lifecycle::{Applied, CloseRefusal},
    balance_monitors,
    command_batch::{
        CommandRefusal,
        command::{DecidedBatch, Decision},
    },
    interest::Capitalised,
    posting::{
        Description, Instruction, InstructionOutcome, JournalRecord, Posted, PostingState,
        Rejected, Submitted,
    },
    wire::values::{outbound_condition, outbound_party, outbound_rounding},
};

/// The outcomes of a batch, one for each message. `submission` names the type and the field of a
/// message that carries instructions.
pub(in crate::wire) fn batch_outcome(
    batch: &DecidedBatch,
    command: CommandId,
    decision: &Decision,
    submission: Option<(&'static str, &'static str)>,
) -> Outcome {
    match decision {
        Decision::Submitted(submitted) => submitted_outcome(&batch.state, command, submitted),
        Decision::Refused(refusal) => {
            let (command_type, field) = submission.expect("only instructions are refused");
            command_refused(command, command_type, field, *refusal)
        }
        Decision::NotPermitted(missing) => {
            let (command_type, _) = submission.expect("services may change accounts");
            command_not_permitted(command, command_type, missing)
        }
        Decision::NeedsApproval(needs) => Outcome::NeedsApproval(needs.clone()),
        Decision::Applied(key, applied) => lifecycle_outcome(batch, command, *key, applied),
    }
}

/// New outcomes are announced; known ones are repeated to the requester.
fn submitted_outcome(state: &PostingState, command: CommandId, all: &[Submitted]) -> Outcome {
    let (mut new, mut known) = (OutcomeEvents::default(), OutcomeEvents::default());
    for submitted in all {
        match submitted {
            Submitted::New(id) => new.add(state, *id),
            Submitted::Known(id) => known.add(state, *id),
            Submitted::Refused(instruction, reason) => {
                new.add_rejected(instruction, &Rejected { reason: *reason, account: None });
            }
        }
    }
    Outcome::Done { announce: new.into_events(command), told: known.into_events(command) }
}

fn command_refused(
    command_id: CommandId,
    command_type: &str,
    field: &str,
    refusal: CommandRefusal,
) -> Outcome {
    let (reason, rule) = match refusal {
        CommandRefusal::Empty => (LedgerReason::NoTransfers, "at least one".to_owned()),
        CommandRefusal::TooMany => {
            let rule = format!("at most {}", shared_events::ledger::INSTRUCTIONS_MAX);
            (LedgerReason::TooManyTransfers, rule)
        }
    };
    let (command_type, message) = (command_type.to_owned(), format!("{field}: {rule}"));
    let reason = reason.into();
    Outcome::announce(&LedgerCommandRejected { command_id, command_type, reason, message })
}

/// The refusal of a command whose id was used before, with other content.
pub(in crate::wire) fn command_conflict(command_id: CommandId, command_type: &str) -> Outcome {
    let message = "this command id was used before, with other content".to_owned();
    let (command_type, reason) =
        (command_type.to_owned(), LedgerReason::IdempotencyConflict.into());
    Outcome::announce(&LedgerCommandRejected { command_id, command_type, reason, message })
}

/// The refusal of a command that no grant of its author permits.
fn command_not_permitted(command_id: CommandId, command_type: &str, why: &str) -> Outcome {
    let (command_type, message) = (command_type.to_owned(), why.to_owned());
    let reason = LedgerReason::NotPermitted.into();
    Outcome::announce(&LedgerCommandRejected { command_id, command_type, reason, message })
}

/// The answer to a change of an account, the `change`-th at the accounts service.
fn lifecycle_outcome(
    batch: &DecidedBatch,
    cause: CommandId,
    (account_id, change): (AccountId, i64),
    applied: &Applied,
) -> Outcome {
    let closing_version = Some(change);
    match *applied {
        Applied::Opened { currency, version } => {
            info!(account.id = %account_id, "opened account");
            Outcome::announce(&LedgerAccountOpened { account_id, currency, version })
        }
        Applied::Locked { version, payout } => {
            info!(account.id = %account_id, "locked account");
            let mut announce = settlement_events(batch, cause);
            let mut paid_out = OutcomeEvents::default();
            payout.into_iter().for_each(|transfer| paid_out.add(&batch.state, transfer));
            announce.extend(paid_out.into_events(cause));
            let locked = LedgerAccountLocked { account_id, version, closing_version };
            announce.push(Event::new(&locked));
            Outcome::Done { announce, told: vec![] }
        }
        Applied::CloseRefused { reason, balance, version } => {
            let balance = balance.amount().expect("a customer's balance has at most 18 digits");
            let mut announce = settlement_events(batch, cause);
            announce.push(Event::new(&LedgerAccountCloseRefused {
                account_id,
                reason: close_refusal(reason).into(),
                balance,
                version,
                closing_version,
            }));
            Outcome::Done { announce, told: vec![] }
        }
        Applied::Quietly => Outcome::silent(),
        Applied::Early => {
            Outcome::Later { why: format!("account {account_id} is not open here yet") }
        }
    }
}

/// The published reason why an account cannot be locked.
#[must_use]
pub const fn close_refusal(reason: CloseRefusal) -> PublishedRefusal {
    match reason {
        CloseRefusal::BalanceNotZero => PublishedRefusal::BalanceNotZero,
        CloseRefusal::HoldsOpen => PublishedRefusal::HoldsOpen,
        CloseRefusal::PayoutRejected => PublishedRefusal::PayoutRejected,
        CloseRefusal::AccountFrozen => PublishedRefusal::AccountFrozen,
        CloseRefusal::InterestOwed => PublishedRefusal::InterestOwed,
        CloseRefusal::InterestNotSettled => PublishedRefusal::InterestNotSettled,
    }
}

/// The interest and fees that were posted because an account is closed.
fn settlement_events(batch: &DecidedBatch, cause: CommandId) -> Vec<Event> {
    let months = batch.settlement.capitalised_by(cause).iter();
    months.flat_map(|month| month_events(&batch.state, month)).collect()
}

/// The postings of a month's interest and fee.
pub(super) fn month_events(state: &PostingState, month: &Capitalised) -> Vec<Event> {
    let mut events = OutcomeEvents::default();
    month.transfers.iter().for_each(|id| events.add(state, *id));
    events.into_events(month.cause)
}

/// The outcomes of one command by the event that lists them, each in the command's order.
#[derive(Default)]
pub(super) struct OutcomeEvents {
    posted: Vec<PostedTransfer>,
    legs: Vec<PostedLegs>,
    held: Vec<HeldTransfer>,
    released: Vec<ReleasedHold>,
    rejected: Vec<RejectedTransfer>,
    rejected_otherwise: Vec<RejectedInstruction>,
    raised: Vec<MonitorRaised>,
}

impl OutcomeEvents {
    /// Adds the outcome under an id, and the monitors that it has raised.
    pub(super) fn add(&mut self, state: &PostingState, id: TransferId) {
        self.raised.extend(state.raised(id).iter().map(monitor_raised));
        let record = &state.known(id).expect("every decision is in the state").record;
        let instruction = &record.instruction;
        match &record.outcome {
            InstructionOutcome::Posted(posted) => self.add_posted(record, posted),
            InstructionOutcome::Held(held) => self.held.push(HeldTransfer {
                transfer_id: id,
                debtor: account(&held.debtor),
                creditor: account(&held.creditor),
                money: held.money,
                expires_at: held.expires_at,
                reference: instruction.reference.clone(),
                end_to_end_id: instruction.end_to_end_id.clone(),
            }),
            InstructionOutcome::Released(release) => {
                self.released.push(ReleasedHold { transfer_id: id, released: released(release) });
            }
            InstructionOutcome::Rejected(rejected) => self.add_rejected(instruction, rejected),
        }
    }

    fn add_posted(&mut self, record: &JournalRecord, posted: &Posted) {
        let instruction = &record.instruction;
        let transfer_id = instruction.transfer_id;
        let Some([debit, credit]) = posted.two_sides() else {
            self.legs.push(posted_legs(record, posted));
            return;
        };
        self.posted.push(PostedTransfer {
            transfer_id,
            debtor: account(&debit.account),
            creditor: account(&credit.account),
            money: debit.money,
            reference: instruction.reference.clone(),
            end_to_end_id: instruction.end_to_end_id.clone(),
            booking_date: record.booking_date,
            value_date: Some(record.value_date).filter(|date| *date != record.booking_date),
            hold: posted.hold.as_ref().map(hold_after),
            reverses: posted.reverses,
        });
        // The rest of a hold is released with the capture.
        if let Some(hold) = posted.hold.as_ref().filter(|hold| hold.released > Amount::ZERO) {
            let released = Released {
                hold_id: hold.hold_id,
                cause: ReleaseCause::Captured.into(),
                debtor: account(&debit.account),
                creditor: account(&credit.account),
                money: Money { amount: hold.released, ..debit.money },
            };
            self.released.push(ReleasedHold { transfer_id, released });
        }
    }

    /// An instruction between a debtor and a creditor is rejected as a transfer, another as an
    /// instruction about a hold or a transfer.
    fn add_rejected(&mut self, instruction: &Instruction, rejection: &Rejected) {
        let transfer_id = instruction.transfer_id;
        let Description { between, about, .. } = instruction.kind.description();
        if let Some((debtor, creditor, money)) = between {
            self.rejected.push(RejectedTransfer {
                transfer_id,
                reason: reject_reason(rejection.reason).into(),
                debtor: outbound_party(debtor),
                creditor: outbound_party(creditor),
                money,
                debtor_account: rejection.account.as_ref().map(account),
            });
            return;
        }
        let rejected = rejected(rejection);
        self.rejected_otherwise.push(RejectedInstruction { transfer_id, about, rejected });
    }

    /// The releases of expired holds.
    pub(super) fn into_expiries(self) -> Vec<Event> {
        let chunks = chunks(self.released).into_iter();
        chunks.map(|holds| Event::new(&HoldsReleased { command_id: None, holds })).collect()
    }

    pub(super) fn into_events(self, command_id: CommandId) -> Vec<Event> {
        let mut events = Vec::new();
        for transfers in chunks(self.posted) {
            events.push(Event::new(&TransfersPosted { command_id, transfers }));
        }
        for transfers in chunks_of_legs(self.legs) {
            events.push(Event::new(&LegsPosted { command_id, transfers }));
        }
        for transfers in chunks(self.held) {
            events.push(Event::new(&TransfersHeld { command_id, transfers }));
        }
        for holds in chunks(self.released) {
            events.push(Event::new(&HoldsReleased { command_id: Some(command_id), holds }));
        }
        for transfers in chunks(self.rejected) {
            events.push(Event::new(&TransfersRejected { command_id, transfers }));
        }
        for instructions in chunks(self.rejected_otherwise) {
            events.push(Event::new(&InstructionsRejected { command_id, instructions }));
        }
        // Last, so that a reply that is too large is cut off here before any outcome is.
        events.extend(self.raised.iter().map(Event::new));
        events
    }
}

const fn monitor_raised(raised: &balance_monitors::MonitorRaised) -> MonitorRaised {
    MonitorRaised {
        account_id: raised.account_id,
        monitor_id: raised.monitor_id,
        condition: outbound_condition(raised.condition),
        transfer_id: raised.transfer_id,
        balance: raised.balance,
        version: raised.version,
    }
}

fn posted_legs(record: &JournalRecord, posted: &Posted) -> PostedLegs {
    let instruction = &record.instruction;
    let exchange = instruction.kind.description().exchange;
    PostedLegs {
        transfer_id: instruction.transfer_id,
        legs: posted.legs.iter().map(posted_leg).collect(),
        rate: exchange.map(|(rate, _)| rate),
        rounding: exchange.map(|(_, rounding)| outbound_rounding(rounding)),
        reverses: posted.reverses,
        reference: instruction.reference.clone(),
        end_to_end_id: instruction.end_to_end_id.clone(),
        booking_date: record.booking_date,
        value_date: record.value_date,
    }
}

/// Lists that are short enough for one event.
fn chunks<T>(mut all: Vec<T>) -> Vec<Vec<T>> {
    let mut chunks = Vec::new();
    while all.len() > OUTCOMES_PER_EVENT_MAX {
        let rest = all.split_off(OUTCOMES_PER_EVENT_MAX);
        chunks.push(std::mem::replace(&mut all, rest));
    }
    if !all.is_empty() {
        chunks.push(all);
    }
    chunks
}

/// The same for transfers of several legs, whose length is the number of their legs.
fn chunks_of_legs(all: Vec<PostedLegs>) -> Vec<Vec<PostedLegs>> {
    let (mut chunks, mut legs) = (Vec::<Vec<PostedLegs>>::new(), 0);
    for one in all {
        let count = one.legs.len();
        match chunks.last_mut() {
            Some(chunk)
                if legs + count <= LEGS_PER_EVENT_MAX && chunk.len() < OUTCOMES_PER_EVENT_MAX =>
            {
                legs += count;
                chunk.push(one);
            }
            _ => {
                legs = count;
                chunks.push(vec![one]);
            }
        }
    }
    chunks
}
