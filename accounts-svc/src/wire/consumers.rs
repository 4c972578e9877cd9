//! The consumers of the three subscriptions. Promise: every command is answered by one event; every
//! answer of the ledger has its effect once, and one that comes before its account waits.

use metrics::counter;
use shared_events::{
    AccountId,
    messaging::{Answer, Asker, HandleError, Handler, Outcome, QueryHandler, Received, Tx},
};
use tracing::{debug, info};

use super::{
    access::listed,
    history,
    inbound::{self, AccountsCommand, AccountsQuery, LedgerAccountEvent},
    outbound,
};
use crate::{
    access,
    account_numbers::Bank,
    accounts::{
        self, AccountChange, AuthorisedRequest, ChangeKind, LedgerAnswer, LedgerReaction, Refusal,
    },
    directory,
    history::{books_in_tx, history_in_tx},
};

/// Consumes `accounts.commands`.
pub(crate) struct AccountCommands {
    bank: Bank,
    /// The days for which the data of closed accounts are kept.
    kept_days: u16,
}

impl AccountCommands {
    /// New accounts get IBANs of this bank; the data of closed accounts are kept for so many days.
    pub(crate) const fn new(bank: Bank, kept_days: u16) -> Self {
        Self { bank, kept_days }
    }
}

impl Handler for AccountCommands {
    type Message = AccountsCommand;

    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<AccountsCommand>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let requests: Vec<_> = batch.iter().map(authorised).collect();
        let decisions =
            accounts::execute_in_tx(tx, (&self.bank, self.kept_days), &requests).await?;
        let conclude = |((command, asked), decision): ((_, &AuthorisedRequest), _)| match decision {
            Ok(change) => accept(command, &change),
            Err(Refusal::NeedsApproval(needs)) => {
                count(command, "needs_approval");
                Outcome::NeedsApproval(needs)
            }
            Err(refusal) => refuse(command, asked.request.account_id(), &refusal),
        };
        Ok(batch.iter().zip(&requests).zip(decisions).map(conclude).collect())
    }

    fn conflict(&self, command: &Received<AccountsCommand>) -> Outcome {
        let account_id = inbound::request(command.message()).account_id();
        refuse(command, account_id, &Refusal::IdempotencyConflict)
    }

    fn not_permitted(&self, command: &Received<AccountsCommand>, why: &str) -> Outcome {
        let account_id = inbound::request(command.message()).account_id();
        outbound::not_permitted(command.id(), &command.envelope.kind, account_id, why)
    }
}

fn authorised(received: &Received<AccountsCommand>) -> AuthorisedRequest {
    AuthorisedRequest {
        request: inbound::request(received.message()),
        rights: received.rights.clone(),
        cause: history::of_command(received),
    }
}

fn accept(command: &Received<AccountsCommand>, change: &AccountChange) -> Outcome {
    count(command, "accepted");
    let account = &change.account;
    info!(account.id = %account.id, account.version, command.id = %command.id(),
        "{}", log_text(&change.kind));
    outbound::changed(change)
}

fn refuse(
    command: &Received<AccountsCommand>,
    account_id: AccountId,
    refusal: &Refusal,
) -> Outcome {
    let (reason, kind) = (refusal.code(), &command.envelope.kind);
    count(command, reason);
    info!(account.id = %account_id, command.id = %command.id(), kind, reason,
        field = refusal.field(), "refused command");
    outbound::refused(command.id(), kind, account_id, refusal)
}

fn count(command: &Received<AccountsCommand>, outcome: &'static str) {
    let kind = command.envelope.kind.clone();
    counter!("accounts_commands_total", "type" => kind, "outcome" => outcome).increment(1);
}

/// Consumes `accounts.events`.
pub(crate) struct LedgerEvents;

impl Handler for LedgerEvents {
    type Message = LedgerAccountEvent;

    async fn handle(
        &self,
        tx: &mut Tx<'_>,
        batch: &[Received<LedgerAccountEvent>],
    ) -> Result<Vec<Outcome>, HandleError> {
        let answer = |received: &Received<LedgerAccountEvent>| {
            (inbound::ledger_answer(received.message()), history::of_event(received))
        };
        let answers: Vec<_> = batch.iter().map(answer).collect();
        let reactions = accounts::follow_ledger_in_tx(tx, &answers).await?;
        let react = |((answer, _), reaction): (&(LedgerAnswer, _), &LedgerReaction)| {
            log_reaction(answer, reaction);
            outbound::reacted(answer.account_id, reaction)
        };
        Ok(answers.iter().zip(&reactions).map(react).collect())
    }
}

fn log_reaction(answer: &LedgerAnswer, reaction: &LedgerReaction) {
    let id = answer.account_id;
    match reaction {
        LedgerReaction::Changed(change) => {
            info!(account.id = %id, account.version = change.account.version,
                "{}", log_text(&change.kind));
        }
        LedgerReaction::Outdated => {
            debug!(account.id = %id, answer = ?answer.content,
                "ignored an answer of the ledger: the account has moved on");
        }
        // The bus logs a message that has to wait.
        LedgerReaction::UnknownAccount => {}
    }
}

/// The log line of a change.
const fn log_text(kind: &ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Opened => "opened account",
        ChangeKind::Activated => "activated account",
        ChangeKind::Frozen { .. } => "froze account",
        ChangeKind::Unfrozen => "unfroze account",
        ChangeKind::Closing { .. } => "began to close account",
        ChangeKind::Closed => "closed account",
        ChangeKind::CloseRefused { .. } => "gave up closing account",
        ChangeKind::LimitsChanged => "changed limits of account",
        ChangeKind::HolderUpdated => "updated holder of account",
        ChangeKind::Erased => "erased the holder's data of account",
    }
}

/// Consumes `accounts.queries`.
pub(crate) struct AccountQueries;

impl QueryHandler for AccountQueries {
    type Query = AccountsQuery;

    async fn answer(
        &self,
        tx: &mut Tx<'_>,
        query: &AccountsQuery,
        Asker { rights, .. }: Asker<'_>,
    ) -> Result<Answer, HandleError> {
        let answer = match query {
            AccountsQuery::Get(get) => match inbound::account_key(get) {
                Ok(key) => {
                    let found = directory::find_in_tx(tx, &key).await?;
                    outbound::found(&key, found.as_ref(), rights)
                }
                Err(invalid) => outbound::invalid(invalid),
            },
            AccountsQuery::List(list) => match inbound::listing(list) {
                Ok(listing) => {
                    let found = directory::list_in_tx(tx, &listing, rights).await?;
                    outbound::listed(&found, listing.limit)
                }
                Err(invalid) => outbound::invalid(invalid),
            },
            AccountsQuery::ListAccess(_) => {
                Answer::found(&listed(&access::current_in_tx(tx).await?))
            }
            AccountsQuery::GetHistory(get) => match history::listing(get) {
                Ok(listing) => {
                    let found = history_in_tx(tx, &listing, rights).await?;
                    history::found(&found, listing.limit)
                }
                Err(invalid) => outbound::invalid(invalid),
            },
            AccountsQuery::GetBooks(get) => match history::books_listing(get) {
                Ok(listing) => {
                    let found = books_in_tx(tx, &listing).await?;
                    history::books_found(found, listing.limit)
                }
                Err(invalid) => outbound::invalid(invalid),
            },
        };
        Ok(answer)
    }
}
