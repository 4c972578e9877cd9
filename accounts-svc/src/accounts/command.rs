//! What clients ask for. Promise: every command is answered by one event: what it did, or why not.

use metrics::counter;
use shared_events::{
    AccountId, Iban,
    accounts::{AccountsCommand, OpenAccount},
    messaging::{HandleError, Handler, Outcome, Received, Tx},
};
use tracing::info;

use super::{Book, Changed, Refusal, account_of, openings, repo, save::save_in_tx};
use crate::{
    account_numbers::Bank,
    holders::rules::external_reference,
    wire::outbound::{announce, code, done, reject},
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
        let accounts = repo::lock_accounts_in_tx(tx, &ids).await?;
        let commands = commands_to_open(batch);
        if commands.is_empty() {
            return Ok(Book::new(accounts, vec![]));
        }
        let taken = repo::taken_references_in_tx(tx, &references(&commands)).await?;
        let openings = openings(commands, &accounts, taken);
        let openings = self.number_in_tx(tx, openings).await?;
        Ok(Book::new(accounts, openings))
    }

    /// Gives an IBAN to each opening that is not refused.
    async fn number_in_tx(
        &self,
        tx: &mut Tx<'_>,
        openings: Vec<Result<(), Refusal>>,
    ) -> sqlx::Result<Vec<Result<Iban, Refusal>>> {
        let count = openings.iter().filter(|opening| opening.is_ok()).count();
        let mut serials = match count {
            0 => vec![],
            _ => repo::next_serials_in_tx(tx, count).await?,
        }
        .into_iter();
        let mut iban = || {
            let serial = serials.next().expect("as many were drawn as there are openings");
            self.bank.iban(serial)
        };
        Ok(openings.into_iter().map(|opening| opening.map(|()| iban())).collect())
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

/// The commands of a batch that open an account.
fn commands_to_open<'b>(batch: &'b [Received<AccountsCommand>]) -> Vec<&'b OpenAccount> {
    let opening = |received: &'b Received<AccountsCommand>| {
        let AccountsCommand::Open(command) = received.message() else { return None };
        Some(command)
    };
    batch.iter().filter_map(opening).collect()
}

/// The references that they ask for. One that breaks a rule is left out: it will be refused, and
/// the database might not even read it.
fn references<'c>(commands: &[&'c OpenAccount]) -> Vec<&'c str> {
    let asked = commands.iter().filter_map(|command| command.external_reference.as_deref());
    asked.filter(|reference| external_reference(reference).is_ok()).collect()
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
