//! What clients ask for. Promise: every command is answered by one event: what it did, or why not.

use metrics::counter;
use shared_events::{
    AccountId,
    accounts::AccountsCommand,
    bus::{HandleError, Handler, Outcome, Received, Tx},
};
use tracing::info;

use super::{
    announce::{announce, code, done, reject},
    save::save_in_tx,
};
use crate::{
    domain::{Bank, Book, Changed, Refusal, account_of, external_reference},
    store,
};

/// Handles `accounts.commands`.
pub(crate) struct Commands {
    bank: Bank,
}

impl Commands {
    pub(crate) const fn new(bank: Bank) -> Self {
        Self { bank }
    }

    async fn load_in_tx(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<AccountsCommand>],
    ) -> sqlx::Result<Book> {
        let ids: Vec<AccountId> = batch.iter().map(|it| account_of(it.message())).collect();
        let accounts = store::lock_accounts_in_tx(tx, &ids).await?;
        let (openings, references) = openings(batch);
        if openings == 0 {
            return Ok(Book::new(accounts, [], vec![]));
        }
        let taken = store::taken_references_in_tx(tx, &references).await?;
        let serials = store::next_serials_in_tx(tx, openings).await?;
        let ibans = serials.into_iter().map(|serial| self.bank.iban(serial)).collect();
        Ok(Book::new(accounts, taken, ibans))
    }
}

impl Handler for Commands {
    type Message = AccountsCommand;

    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<AccountsCommand>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let mut book = self.load_in_tx(tx, batch).await?;
        let decide = |received: &Received<_>| book.decide(received.message());
        let decisions: Vec<_> = batch.iter().map(decide).collect();
        save_in_tx(tx, &book).await?;
        let answer = |(received, decision)| match decision {
            Ok(changed) => accepted(received, &changed),
            Err(refusal) => refused(received, &refusal),
        };
        Ok(batch.iter().zip(decisions).map(answer).collect())
    }

    fn conflict(&self, received: &Received<AccountsCommand>) -> Outcome {
        refused(received, &Refusal::IdempotencyConflict)
    }
}

/// How many commands open an account, and the references they ask for. A reference that breaks a
/// rule is left out: it will be refused, and the database might not even read it.
fn openings(batch: &[Received<AccountsCommand>]) -> (usize, Vec<&str>) {
    let (mut count, mut references) = (0, Vec::new());
    for received in batch {
        if let AccountsCommand::Open(command) = received.message() {
            count += 1;
            let reference = command.external_reference.as_deref();
            references.extend(reference.filter(|it| external_reference(it).is_ok()));
        }
    }
    (count, references)
}

fn accepted(received: &Received<AccountsCommand>, changed: &Changed) -> Outcome {
    let account = &changed.account;
    count(received, "accepted");
    info!(account.id = %account.account_id, account.version, command.id = %received.id(),
        "{}", done(&changed.change));
    announce(changed)
}

fn refused(received: &Received<AccountsCommand>, refusal: &Refusal) -> Outcome {
    let account_id = account_of(received.message());
    let (reason, kind) = (code(refusal.reason()), &received.envelope.kind);
    count(received, reason);
    info!(account.id = %account_id, command.id = %received.id(), kind, reason,
        field = refusal.field(), "refused command");
    reject(received.id(), kind, account_id, refusal)
}

fn count(received: &Received<AccountsCommand>, outcome: &'static str) {
    let kind = received.envelope.kind.clone();
    counter!("accounts_commands_total", "type" => kind, "outcome" => outcome).increment(1);
}
