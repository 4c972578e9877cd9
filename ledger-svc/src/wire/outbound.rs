//! What the ledger says about what it decided: its records become the contract's events here, and
//! nowhere else.

use shared_events::{
    Amount, CommandId, Message, TransferId,
    ledger::{
        Action, HeldTransfer, HoldsReleased, Instruction, InstructionOutcome, InstructionsRejected,
        JournalRecord, LEGS_PER_EVENT_MAX, LedgerAccountLocked, LedgerCommandRejected,
        LedgerReason, LegsPosted, MonitorRaised, OUTCOMES_PER_EVENT_MAX, Party, Posted, PostedLegs,
        PostedTransfer, Rejected, RejectedInstruction, RejectedTransfer, ReleaseCause, Released,
        ReleasedHold, SubmitTransfers, TransfersHeld, TransfersPosted, TransfersRejected,
    },
    messaging::{Event, Outcome},
    money::Money,
};

use crate::legacy::domain::{self, Books, Capitalised, two_sides};

/// The answer to a command: new outcomes are announced, known ones told again.
pub(crate) fn outcomes(
    books: &Books,
    command: CommandId,
    outcomes: Vec<domain::Outcome>,
) -> Outcome {
    let (mut new, mut known) = (Told::default(), Told::default());
    for outcome in outcomes {
        match outcome {
            domain::Outcome::New(id) => new.decided(books, id),
            domain::Outcome::Known(id) => known.decided(books, id),
            domain::Outcome::Refused(instruction, reason) => {
                new.rejected(&instruction, &Rejected { reason, account: None });
            }
        }
    }
    Outcome::Done { announce: new.into_events(command), told: known.into_events(command) }
}

/// What became of the instructions of one command, by what is said of them, each in its order.
#[derive(Default)]
pub(crate) struct Told {
    posted: Vec<PostedTransfer>,
    legs: Vec<PostedLegs>,
    held: Vec<HeldTransfer>,
    released: Vec<ReleasedHold>,
    rejected: Vec<RejectedTransfer>,
    rejected_otherwise: Vec<RejectedInstruction>,
    raised: Vec<MonitorRaised>,
}

impl Told {
    pub(crate) fn decided(&mut self, books: &Books, id: TransferId) {
        self.raised.extend_from_slice(books.raised(id));
        let decided = books.known(id).expect("what was decided is known");
        let record = &decided.record;
        let instruction = &record.instruction;
        match &record.outcome {
            InstructionOutcome::Posted(posted) => self.posted(record, posted),
            InstructionOutcome::Held(held) => self.held.push(HeldTransfer {
                transfer_id: id,
                debtor: held.debtor.clone(),
                creditor: held.creditor.clone(),
                money: held.money,
                expires_at: held.expires_at,
                reference: instruction.reference.clone(),
                end_to_end_id: instruction.end_to_end_id.clone(),
            }),
            InstructionOutcome::Released(released) => {
                self.released.push(ReleasedHold { transfer_id: id, released: released.clone() });
            }
            InstructionOutcome::Rejected(rejected) => self.rejected(instruction, rejected),
        }
    }

    fn posted(&mut self, record: &JournalRecord, posted: &Posted) {
        let instruction = &record.instruction;
        let Some([debit, credit]) = two_sides(&posted.legs) else {
            self.legs.push(posted_legs(record, posted));
            return;
        };
        self.posted.push(PostedTransfer {
            transfer_id: instruction.transfer_id,
            debtor: debit.account.clone(),
            creditor: credit.account.clone(),
            money: debit.money,
            reference: instruction.reference.clone(),
            end_to_end_id: instruction.end_to_end_id.clone(),
            booking_date: record.booking_date,
            value_date: Some(record.value_date).filter(|it| *it != record.booking_date),
            hold: posted.hold.clone(),
            reverses: posted.reverses,
        });
        // The rest of a hold goes back with the capture.
        if let Some(hold) = posted.hold.as_ref().filter(|hold| hold.released > Amount::ZERO) {
            self.released.push(ReleasedHold {
                transfer_id: instruction.transfer_id,
                released: Released {
                    hold_id: hold.hold_id,
                    cause: ReleaseCause::Captured,
                    debtor: debit.account.clone(),
                    creditor: credit.account.clone(),
                    money: Money { amount: hold.released, ..debit.money },
                },
            });
        }
    }

    /// Transfers and holds are rejected as transfers: they have two parties to tell of.
    fn rejected(&mut self, instruction: &Instruction, rejected: &Rejected) {
        let transfer_id = instruction.transfer_id;
        let mut between = |debtor: &Party, creditor: &Party, money| {
            self.rejected.push(RejectedTransfer {
                transfer_id,
                reason: rejected.reason,
                debtor: debtor.clone(),
                creditor: creditor.clone(),
                money,
                debtor_account: rejected.account.clone(),
            });
        };
        let about = match &instruction.action {
            Action::Transfer(it) => return between(&it.debtor, &it.creditor, it.money),
            Action::Hold(it) => return between(&it.debtor, &it.creditor, it.money),
            Action::Capture(it) => Some(it.hold_id),
            Action::Release(it) => Some(it.hold_id),
            Action::Reverse(it) => Some(it.original_id),
            Action::Legs(_) | Action::Exchange(_) => None,
        };
        let rejected = rejected.clone();
        self.rejected_otherwise.push(RejectedInstruction { transfer_id, about, rejected });
    }

    /// What ended by itself: no command asked for it.
    pub(crate) fn into_expiries(self) -> Vec<Event> {
        let chunks = chunks(self.released).into_iter();
        chunks.map(|holds| Event::new(&HoldsReleased { command_id: None, holds })).collect()
    }

    pub(crate) fn into_events(self, command_id: CommandId) -> Vec<Event> {
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
        // Last: a reply that is too large ends here first, and is no outcome short.
        events.extend(self.raised.iter().map(Event::new));
        events
    }
}

fn posted_legs(record: &JournalRecord, posted: &Posted) -> PostedLegs {
    let instruction = &record.instruction;
    let (rate, rounding) = match &instruction.action {
        Action::Exchange(it) => (Some(it.rate), Some(it.rounding)),
        Action::Transfer(_)
        | Action::Hold(_)
        | Action::Capture(_)
        | Action::Release(_)
        | Action::Reverse(_)
        | Action::Legs(_) => (None, None),
    };
    PostedLegs {
        transfer_id: instruction.transfer_id,
        legs: posted.legs.clone(),
        rate,
        rounding,
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

/// The same, where each is as long as its legs.
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

/// A command that was refused as a whole.
pub(crate) fn refused(
    command_id: CommandId,
    command: &'static str,
    reason: LedgerReason,
    rule: &str,
) -> Outcome {
    let field = if command == SubmitTransfers::TYPE { "transfers" } else { "instructions" };
    let message = format!("{field}: {rule}");
    let command_type = command.to_owned();
    Outcome::announce(&LedgerCommandRejected { command_id, command_type, reason, message })
}

/// The interest and fees that were posted because an account was to be closed.
pub(crate) fn settled(books: &Books, cause: CommandId) -> Vec<Event> {
    let months = books.settled(cause).iter().map(|month| capitalised(books, month));
    months.flatten().collect()
}

/// The postings of a month's interest and fee.
pub(crate) fn capitalised(books: &Books, month: &Capitalised) -> Vec<Event> {
    let mut told = Told::default();
    month.transfers.iter().for_each(|id| told.decided(books, *id));
    told.into_events(month.cause)
}

/// Nothing is on an account, and nothing will be; what was is on the payout account.
pub(crate) fn locked(
    books: &Books,
    cause: CommandId,
    locked: &LedgerAccountLocked,
    payout: Option<TransferId>,
) -> Outcome {
    let mut told = Told::default();
    if let Some(transfer) = payout {
        told.decided(books, transfer);
    }
    let mut announce = settled(books, cause);
    announce.extend(told.into_events(cause));
    announce.push(Event::new(locked));
    Outcome::Done { announce, told: vec![] }
}
