//! The handler of `ledger.queries`. Each query is answered from one snapshot.

use shared_events::{
    Amount,
    access::Rights,
    ledger::{self as contract, LedgerQuery},
    messaging::{Answer, Asker, HandleError, QueryHandler, Tx},
    refusal::MessageRefused,
};

use super::{
    inbound::{
        instructions::instruction,
        queries::{as_of, entry_search, payment_name, snapshot_part, statement_range},
    },
    outbound::{outcomes::record, replies},
    values::party,
};
use crate::{
    accounting_periods, accounts, audit, balance_monitors,
    bank_calendar::BankTime,
    command_batch, holds, interest, journal,
    posting::{INSTRUCTIONS_MAX, JournalRecord, stored_record},
    refusals::QueryError,
    repo::undecodable,
    standing_orders,
    statements::query::{AccountPage, page_limit},
    statements::{self, StatementEntry},
};

/// Handles `ledger.queries`.
pub(crate) struct QueryAnswers {
    time: BankTime,
}

impl QueryAnswers {
    pub(crate) const fn new(time: BankTime) -> Self {
        Self { time }
    }
}

type Answered = Result<Answer, QueryError>;

impl QueryHandler for QueryAnswers {
    type Query = LedgerQuery;

    async fn answer(
        &self,
        tx: &mut Tx<'_>,
        query: &LedgerQuery,
        asker: Asker<'_>,
    ) -> Result<Answer, HandleError> {
        match self.answered(tx, query, asker).await {
            Ok(answer) => Ok(answer),
            Err(QueryError::Refused(refusal)) => Ok(Answer::refused(&refusal)),
            Err(QueryError::Failed(error)) => Err(error),
        }
    }
}

impl QueryAnswers {
    async fn answered(&self, tx: &mut Tx<'_>, query: &LedgerQuery, asker: Asker<'_>) -> Answered {
        let rights = asker.rights;
        check_scope(tx, query, rights).await?;
        match query {
            LedgerQuery::Balance(get) => {
                let account = party(&get.account);
                let found = statements::query::account(tx, &account, get.currency, rights).await?;
                Ok(Answer::found(&replies::balance(&found)?))
            }
            LedgerQuery::TrialBalance(get) => {
                let lines = accounts::repo_trial_balance::trial_balance(tx, get.after).await?;
                Ok(Answer::found(&replies::trial_balance(lines, get.in_pages)))
            }
            LedgerQuery::Transfer(get) => transfer(tx, get, rights).await,
            LedgerQuery::Instruction(get) => instruction_found(tx, get, rights).await,
            LedgerQuery::Preview(preview) => previewed(tx, preview, asker, self.time).await,
            LedgerQuery::Statement(get) => statement(tx, get, rights).await,
            LedgerQuery::BalanceAt(get) => balance_at(tx, get, rights).await,
            LedgerQuery::Entries(find) => entries(tx, find, rights).await,
            LedgerQuery::Payments(find) => payments(tx, find, rights).await,
            LedgerQuery::Journal(get) => {
                let (page, size) = ((get.after, get.limit), replies::record_size);
                let found = audit::query::journal(tx, get.chain, page, size).await?;
                Ok(Answer::found(&replies::journal(found)))
            }
            LedgerQuery::Books(get) => {
                let (part, page) = (snapshot_part(get.part), (get.from, get.limit));
                let found = audit::query::snapshot(tx, part, page).await?;
                Ok(Answer::found(&replies::snapshot(found)))
            }
            LedgerQuery::Interest(get) => {
                let (days, known_at) = ((get.from, get.to), get.known_at);
                let account = get.account_id;
                let found =
                    interest::query::interest(tx, account, days, known_at, self.time).await?;
                Ok(Answer::found(&replies::interest(found)))
            }
            LedgerQuery::Monitors(list) => monitors(tx, list).await,
            LedgerQuery::Orders(list) => {
                let account_id = list.account_id;
                let found = standing_orders::query::orders(tx, account_id).await?;
                let orders = found.into_iter().map(replies::order).collect();
                Ok(Answer::found(&contract::OrdersListed { account_id, orders }))
            }
            LedgerQuery::Order(get) => order(tx, get).await,
            LedgerQuery::Period(_) => {
                let open = accounting_periods::query::open_period(tx, self.time).await?;
                Ok(Answer::found(&contract::PeriodFound {
                    closed_through: open.closed_through,
                    closed_at: open.closed_at,
                    today: open.today,
                    latest: open.latest,
                }))
            }
        }
    }
}

/// The record of an instruction, if the instruction was decided.
async fn decided(
    tx: &mut Tx<'_>,
    id: shared_events::TransferId,
    rights: &Rights,
) -> Result<Option<JournalRecord>, QueryError> {
    let stored = journal::repo::records_in_tx(tx, &[id.uuid()]).await?.pop();
    let decided = stored.map(stored_record::decided).transpose().map_err(undecodable)?;
    let Some(record) = decided.map(|decided| decided.record) else { return Ok(None) };
    match statements::query::is_any_visible(tx, &record.accounts(), rights).await? {
        true => Ok(Some(record)),
        false => {
            let why = format!("no grant is for an account of the instruction {id}");
            Err(MessageRefused::not_permitted(why).into())
        }
    }
}

/// Refuses what is about accounts that are none of the asker's business. Queries that load the
/// account anyway check it there.
async fn check_scope(
    tx: &mut Tx<'_>,
    query: &LedgerQuery,
    rights: &Rights,
) -> Result<(), QueryError> {
    let account = match query {
        LedgerQuery::Balance(_)
        | LedgerQuery::BalanceAt(_)
        | LedgerQuery::Statement(_)
        | LedgerQuery::Entries(_)
        | LedgerQuery::Transfer(_)
        | LedgerQuery::Instruction(_)
        | LedgerQuery::Preview(_)
        | LedgerQuery::Period(_)
        // A grant for some branches does not permit these.
        | LedgerQuery::TrialBalance(_)
        | LedgerQuery::Payments(_)
        | LedgerQuery::Journal(_)
        | LedgerQuery::Books(_) => return Ok(()),
        LedgerQuery::Interest(get) => get.account_id,
        LedgerQuery::Monitors(list) => list.account_id,
        LedgerQuery::Orders(list) => list.account_id,
        LedgerQuery::Order(get) => get.account_id,
    };
    match statements::query::is_any_visible(tx, &[account], rights).await? {
        true => Ok(()),
        false => Err(MessageRefused::not_permitted(format!("no grant is for {account}")).into()),
    }
}

async fn transfer(tx: &mut Tx<'_>, get: &contract::GetTransfer, rights: &Rights) -> Answered {
    let id = get.transfer_id;
    let found = decided(tx, id, rights).await?.and_then(replies::transfer);
    let found = found.ok_or_else(|| MessageRefused::not_found(format!("transfer {id}")))?;
    Ok(Answer::found(&found))
}

async fn instruction_found(
    tx: &mut Tx<'_>,
    get: &contract::GetInstruction,
    rights: &Rights,
) -> Answered {
    let id = get.transfer_id;
    let found = decided(tx, id, rights).await?;
    let found = found.ok_or_else(|| MessageRefused::not_found(format!("instruction {id}")))?;
    let hold = holds::repo::read_in_tx(tx, &[id.uuid()]).await?.pop();
    let reversed = holds::repo::reversed_in_tx(tx, &[id.uuid()]).await?.pop();
    Ok(Answer::found(&contract::InstructionFound {
        record: shown_record(rights)(found),
        hold: hold.as_ref().map(replies::hold),
        reversed: reversed.map(|(_, amount)| Amount(amount)),
    }))
}

async fn previewed(
    tx: &mut Tx<'_>,
    preview: &contract::PreviewInstructions,
    asker: Asker<'_>,
    time: BankTime,
) -> Answered {
    if !(1..=INSTRUCTIONS_MAX).contains(&preview.instructions.len()) {
        let rule = format!("1 to {INSTRUCTIONS_MAX}");
        return Err(MessageRefused::invalid("instructions", rule).into());
    }
    let instructions = preview.instructions.iter().map(instruction).collect();
    let (state, submitted) = command_batch::command::preview(tx, instructions, asker, time).await?;
    let instructions = submitted.iter().map(|one| replies::previewed(&state, one)).collect();
    Ok(Answer::found(&contract::InstructionsPreviewed { instructions }))
}

/// How a record is shown: the bank's staff sees its author, and a customer's channel does not.
fn shown_record(rights: &Rights) -> fn(JournalRecord) -> contract::JournalRecord {
    match rights.are_of_staff() {
        true => record,
        false => |found| record(JournalRecord { author: None, ..found }),
    }
}

/// How an entry is shown, in the same way.
fn shown_entry(rights: &Rights) -> fn(StatementEntry) -> contract::StatementEntry {
    match rights.are_of_staff() {
        true => replies::entry,
        false => |entry| replies::entry(StatementEntry { author: None, ..entry }),
    }
}

async fn statement(tx: &mut Tx<'_>, get: &contract::GetStatement, rights: &Rights) -> Answered {
    let (account, range) = (party(&get.account), statement_range(get));
    let (found, period) = statements::query::statement(
        tx,
        (&account, get.currency),
        (range, get.totals),
        (get.after, get.limit),
        rights,
        shown_entry(rights),
    )
    .await?;
    let AccountPage { account: account_id, currency, items: entries, more } = found;
    let next = entries.last().filter(|_| more).map(|last| last.version);
    let period = period.as_ref().map(replies::period);
    Ok(Answer::found(&contract::StatementFound { account_id, currency, entries, next, period }))
}

async fn balance_at(tx: &mut Tx<'_>, get: &contract::GetBalanceAt, rights: &Rights) -> Answered {
    let (account, published) = (party(&get.account), get.as_of);
    let of_account = (&account, get.currency);
    let found = statements::query::balance_at(tx, of_account, as_of(published), rights).await?;
    Ok(Answer::found(&contract::BalanceAtFound {
        account_id: found.account,
        code: found.code,
        currency: found.currency,
        as_of: published,
        balance: found.balance,
        version: found.version,
    }))
}

async fn entries(tx: &mut Tx<'_>, find: &contract::FindEntries, rights: &Rights) -> Answered {
    let (account, search) = (party(&find.account), entry_search(find));
    let shown = shown_entry(rights);
    let of_account = (&account, find.currency);
    let (found, looked_at) =
        statements::query::entries(tx, of_account, &search, find.limit, rights, shown).await?;
    let AccountPage { account: account_id, currency, items: entries, more } = found;
    let next = match more {
        true => entries.last().map(|last| last.version),
        false => looked_at,
    };
    Ok(Answer::found(&contract::EntriesFound { account_id, currency, entries, next }))
}

async fn payments(tx: &mut Tx<'_>, find: &contract::FindPayments, rights: &Rights) -> Answered {
    let (name, page) = (payment_name(&find.name), (find.after, find.limit));
    let shown = shown_record(rights);
    let (payments, more) = statements::query::payments(tx, &name, page, shown).await?;
    let next = payments.last().filter(|_| more).map(|last| last.instruction.transfer_id);
    Ok(Answer::found(&contract::PaymentsFound { payments, next }))
}

async fn monitors(tx: &mut Tx<'_>, list: &contract::ListMonitors) -> Answered {
    let account_id = list.account_id;
    let account = accounts::repo::find(tx, account_id).await?;
    let account =
        account.ok_or_else(|| MessageRefused::not_found(format!("account {account_id}")))?;
    let found = balance_monitors::repo::read_in_tx(tx, &[account_id.uuid()]).await?;
    let monitors = found.values().flatten().map(replies::monitor).collect();
    let currency = account.currency;
    Ok(Answer::found(&contract::MonitorsListed { account_id, currency, monitors }))
}

async fn order(tx: &mut Tx<'_>, get: &contract::GetOrder) -> Answered {
    let contract::GetOrder { account_id, order_id, before, limit } = *get;
    let limit = page_limit(limit, standing_orders::query::EXECUTIONS_PAGE_MAX)?;
    let key = (account_id, order_id);
    let found = standing_orders::query::order(tx, key, before, limit).await?;
    let order = found.order.map(replies::order);
    let executions = found.executions.iter().map(replies::execution).collect();
    let next = found.next;
    Ok(Answer::found(&contract::OrderFound { account_id, order_id, order, executions, next }))
}
