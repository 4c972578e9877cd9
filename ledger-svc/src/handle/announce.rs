//! What the ledger says about what it decided: its own decisions become the contract's events here,
//! and nowhere else.

use shared_events::{
    Amount, CommandId, Message,
    accounts::CloseRefusal,
    bus::{Event, Outcome},
    ledger::{
        AccountAfter, LedgerAccountCloseRefused, LedgerAccountLocked, LedgerAccountOpened,
        LedgerCommandRejected, LedgerReason, OUTCOMES_PER_EVENT_MAX, PostedTransfer, RejectReason,
        RejectedTransfer, SubmitTransfers, TRANSFERS_MAX, Transfer, TransfersPosted,
        TransfersRejected,
    },
};

use crate::domain::{self, Account, After, Decided, Decision};

/// The answer to a command: new outcomes are announced, known ones told again.
pub(super) fn outcomes(command: CommandId, outcomes: Vec<domain::Outcome>) -> Outcome {
    let (mut new, mut known) = (Listed::default(), Listed::default());
    for outcome in outcomes {
        match outcome {
            domain::Outcome::New(decided) => new.decided(decided),
            domain::Outcome::Known(decided) => known.decided(decided),
            domain::Outcome::Conflict(transfer) => {
                new.rejected.push(rejected(transfer, RejectReason::IdempotencyConflict, None));
            }
        }
    }
    Outcome::Done { announce: new.into_events(command), told: known.into_events(command) }
}

/// Posted and rejected transfers of one command, each in its order.
#[derive(Default)]
struct Listed {
    posted: Vec<PostedTransfer>,
    rejected: Vec<RejectedTransfer>,
}

impl Listed {
    fn decided(&mut self, decided: Decided) {
        let booking_date = decided.booking_date;
        match decided.decision {
            Decision::Posted { debtor, creditor } => self.posted.push(PostedTransfer {
                transfer_id: decided.transfer.transfer_id,
                debtor: after(debtor),
                creditor: after(creditor),
                money: decided.transfer.money,
                reference: decided.transfer.reference,
                end_to_end_id: decided.transfer.end_to_end_id,
                booking_date,
            }),
            Decision::Rejected { reason, debtor } => {
                self.rejected.push(rejected(decided.transfer, reason, debtor));
            }
        }
    }

    fn into_events(self, command_id: CommandId) -> Vec<Event> {
        let posted = self.posted.chunks(OUTCOMES_PER_EVENT_MAX).map(|transfers| {
            Event::new(&TransfersPosted { command_id, transfers: transfers.to_vec() })
        });
        let rejected = self.rejected.chunks(OUTCOMES_PER_EVENT_MAX).map(|transfers| {
            Event::new(&TransfersRejected { command_id, transfers: transfers.to_vec() })
        });
        posted.chain(rejected).collect()
    }
}

fn after(after: After) -> AccountAfter {
    AccountAfter {
        account_id: after.id,
        code: after.code,
        balance: Amount(after.balance),
        available: after.available.map(Amount),
        version: after.version,
    }
}

fn rejected(transfer: Transfer, reason: RejectReason, debtor: Option<After>) -> RejectedTransfer {
    RejectedTransfer {
        transfer_id: transfer.transfer_id,
        reason,
        debtor: transfer.debtor,
        creditor: transfer.creditor,
        money: transfer.money,
        debtor_account: debtor.map(after),
    }
}

/// A command that was refused as a whole.
pub(super) fn refused(command_id: CommandId, reason: LedgerReason) -> Outcome {
    let message = match reason {
        LedgerReason::NoTransfers => "transfers: at least one".to_owned(),
        LedgerReason::TooManyTransfers => format!("transfers: at most {TRANSFERS_MAX}"),
    };
    let command_type = SubmitTransfers::TYPE.to_owned();
    Outcome::announce(&LedgerCommandRejected { command_id, command_type, reason, message })
}

/// The ledger's side of an account is open.
pub(super) fn opened(account: &Account) -> Outcome {
    Outcome::announce(&LedgerAccountOpened {
        account_id: account.id,
        currency: account.currency,
        version: account.version,
    })
}

/// Nothing is on an account, and nothing will be.
pub(super) fn locked(account: &Account) -> Outcome {
    Outcome::announce(&LedgerAccountLocked { account_id: account.id, version: account.version })
}

/// Something is on an account that was to be closed.
pub(super) fn close_refused(account: &Account) -> Outcome {
    Outcome::announce(&LedgerAccountCloseRefused {
        account_id: account.id,
        reason: CloseRefusal::BalanceNotZero,
        balance: Amount(account.balance()),
        version: account.version,
    })
}
