//! Posts a batch: instructions, and the account events that the ledger follows, in their order.
//!
//! Shape: lock accounts -> take the end of a chain, and load what was decided before -> fold all
//! commands in memory (no I/O) -> book balances, journal and entries as arrays. Cost: three
//! statements for a batch of transfers of any size; holds, reversals and new accounts have one to
//! three more each, closings what their accounts' interest needs. Duplicates: an instruction's id
//! is its idempotency; there is no inbox here.

use metrics::counter;
use shared_events::{
    AccountId, CommandId,
    ledger::{
        InstructionOutcome, LedgerAccountCloseRefused, LedgerAccountLocked, LedgerAccountOpened,
        LedgerCommand,
    },
    messaging::{Event, HandleError, Handler, Idempotency, Outcome, Received, Tx},
};
use tracing::info;

use crate::legacy::domain::{AccountEvent, Books, Followed};
use crate::legacy::handle::{
    announce,
    asked::Asked,
    bank_time::BankTime,
    desk::{Desk, Named},
};

/// Handles `ledger.commands.<n>`.
pub(crate) struct Post {
    time: BankTime,
}

impl Post {
    pub(crate) const fn new(time: BankTime) -> Self {
        Self { time }
    }
}

/// What was decided on one message, to be told once it is stored.
enum Decision {
    Told(CommandId, Vec<crate::legacy::domain::Outcome>),
    Done(Outcome),
    Followed(CommandId, (AccountId, i64), Followed),
}

impl Handler for Post {
    type Message = LedgerCommand;
    const IDEMPOTENCY: Idempotency = Idempotency::NaturalKey;

    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<LedgerCommand>],
    ) -> Result<Vec<Outcome>, HandleError> {
        // Load.
        let asked: Vec<Asked> = batch.iter().map(|it| Asked::by(it.message())).collect();
        let mut named = Named::default();
        asked.iter().for_each(|asked| name(&mut named, asked));
        let mut desk = named.lock_in_tx(tx, self.time).await?;

        // Decide.
        let decide = |(received, asked): (&Received<_>, _)| decide(&mut desk, received.id(), asked);
        let decisions: Vec<Decision> = batch.iter().zip(asked).map(decide).collect();

        // Save, and tell.
        let books = desk.save_in_tx(tx).await?;
        count(&books);
        Ok(decisions.into_iter().map(|decision| tell(&books, decision)).collect())
    }
}

fn name(named: &mut Named, asked: &Asked) {
    match asked {
        Asked::Instructions(all) => all.iter().for_each(|it| named.instruction(it)),
        Asked::Refused(..) => {}
        Asked::Change((id, _), event) => {
            named.account(*id);
            if let AccountEvent::Closing { payout } = event {
                named.closing(*id, *payout);
            }
        }
    }
}

fn decide(desk: &mut Desk, id: CommandId, asked: Asked) -> Decision {
    let Desk { books, now, .. } = desk;
    match asked {
        Asked::Instructions(all) => Decision::Told(id, books.submit_all(id, all, *now)),
        Asked::Refused(command, reason, rule) => {
            Decision::Done(announce::refused(id, command, reason, &rule))
        }
        Asked::Change(change, event) => {
            Decision::Followed(id, change, books.follow(id, change, &event, *now))
        }
    }
}

fn tell(books: &Books, decision: Decision) -> Outcome {
    match decision {
        Decision::Done(outcome) => outcome,
        Decision::Told(id, outcomes) => announce::outcomes(books, id, outcomes),
        Decision::Followed(cause, change, followed) => {
            tell_followed(books, cause, change, &followed)
        }
    }
}

/// Tells what following a change led to: the account's so-many-th at the accounts service.
fn tell_followed(
    books: &Books,
    cause: CommandId,
    (id, change): (AccountId, i64),
    followed: &Followed,
) -> Outcome {
    match *followed {
        Followed::Opened { currency, version } => {
            info!(account.id = %id, "opened account");
            Outcome::announce(&LedgerAccountOpened { account_id: id, currency, version })
        }
        Followed::Locked { version, payout } => {
            info!(account.id = %id, "locked account");
            let locked =
                LedgerAccountLocked { account_id: id, version, closing_version: Some(change) };
            announce::locked(books, cause, &locked, payout)
        }
        Followed::CloseRefused { reason, balance, version } => {
            let balance = balance.amount().expect("a customer's balance has at most 18 digits");
            let mut announce = announce::settled(books, cause);
            announce.push(Event::new(&LedgerAccountCloseRefused {
                account_id: id,
                reason,
                balance,
                version,
                closing_version: Some(change),
            }));
            Outcome::Done { announce, told: vec![] }
        }
        Followed::Quietly => Outcome::silent(),
        Followed::Early => Outcome::Later { why: format!("account {id} is not open here yet") },
    }
}

pub(crate) fn count(books: &Books) {
    let (mut posted, mut held, mut released, mut rejected) = (0_u64, 0_u64, 0_u64, 0_u64);
    for decided in books.decided() {
        match &decided.record.outcome {
            InstructionOutcome::Posted(_) => posted += 1,
            InstructionOutcome::Held(_) => held += 1,
            InstructionOutcome::Released(_) => released += 1,
            InstructionOutcome::Rejected(it) => {
                rejected += 1;
                info!(transfer.id = %decided.record.instruction.transfer_id,
                    reason = it.reason.as_str(), "rejected instruction");
            }
        }
    }
    for (outcome, count) in
        [("posted", posted), ("held", held), ("released", released), ("rejected", rejected)]
    {
        counter!("ledger_transfers_total", "outcome" => outcome).increment(count);
    }
}
