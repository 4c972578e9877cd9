//! Answers questions about money. Each is read in one snapshot.

use shared_events::{
    Amount, Currency, MessageId, Total,
    ledger::{
        BalanceFound, GetInstruction, GetTrialBalance, HoldNow, INSTRUCTIONS_MAX, InstructionFound,
        InstructionOutcome, InstructionsPreviewed, LedgerQuery, Party, PreviewInstructions,
        PreviewedInstruction, Rejected, TrialBalanceFound, TrialBalanceLine,
    },
    messaging::{Answer, HandleError, QueryHandler, Tx},
    page::page,
    refusal::MessageRefused,
};
use uuid::Uuid;

use crate::legacy::handle::{bank_time::BankTime, desk::Named, history, interest, proof};
use crate::{
    legacy::domain::{Account, Books, Outcome, Status, own_account_id},
    legacy::store::{holds, journal, periods, queries},
};

/// Entries of a page, if the question names no limit.
pub(crate) const PAGE_DEFAULT: u32 = 100;

/// Handles `ledger.queries`.
pub(crate) struct Answers {
    time: BankTime,
}

impl Answers {
    pub(crate) const fn new(time: BankTime) -> Self {
        Self { time }
    }
}

pub(crate) type Answered = Result<Result<Answer, MessageRefused>, HandleError>;

impl QueryHandler for Answers {
    type Query = LedgerQuery;

    async fn answer(&self, tx: &mut Tx<'_>, query: &LedgerQuery) -> Result<Answer, HandleError> {
        let answer = match query {
            LedgerQuery::Balance(it) => {
                account(tx, &it.account, it.currency).await?.and_then(|it| balance(&it))
            }
            LedgerQuery::Statement(it) => history::statement(tx, it).await?,
            LedgerQuery::Transfer(it) => {
                let found = queries::transfer(tx, it.transfer_id).await?;
                found
                    .ok_or_else(|| {
                        MessageRefused::not_found(format!("transfer {}", it.transfer_id))
                    })
                    .map(|found| Answer::found(&found))
            }
            LedgerQuery::Preview(it) => preview(tx, it, self.time).await?,
            LedgerQuery::Instruction(it) => instruction(tx, it).await?,
            LedgerQuery::Journal(it) => proof::journal(tx, it).await?,
            LedgerQuery::Books(it) => proof::books(tx, it).await?,
            LedgerQuery::BalanceAt(it) => history::balance_at(tx, it).await?,
            LedgerQuery::Entries(it) => history::entries(tx, it).await?,
            LedgerQuery::Payments(it) => history::payments(tx, it).await?,
            LedgerQuery::Monitors(it) => crate::balance_monitors::command::listed(tx, it).await?,
            LedgerQuery::Orders(it) => {
                crate::standing_orders::command::orders_listed(tx, it).await?
            }
            LedgerQuery::Order(it) => crate::standing_orders::command::order_found(tx, it).await?,
            LedgerQuery::Interest(it) => interest::accrued(tx, it, self.time).await?,
            LedgerQuery::Period(_) => {
                crate::accounting_periods::command::found(tx, self.time).await?
            }
            LedgerQuery::TrialBalance(it) => Ok(trial_balance(tx, it).await?),
        };
        Ok(answer.unwrap_or_else(|refusal| Answer::refused(&refusal)))
    }
}

/// The account that a question names, or why there is none.
pub(crate) async fn account(
    tx: &mut Tx<'_>,
    party: &Party,
    currency: Option<Currency>,
) -> Result<Result<Account, MessageRefused>, HandleError> {
    let id = match (party, currency) {
        (Party::AccountId(id), _) => *id,
        (Party::Code(code), Some(currency)) => own_account_id(code, currency),
        (Party::Code(_), None) => {
            let rule = "needed with the code of one of the bank's own accounts";
            return Ok(Err(MessageRefused::invalid("currency", rule)));
        }
    };
    let found = queries::account(tx, id).await?;
    Ok(found.ok_or_else(|| MessageRefused::not_found(format!("account {party}"))))
}

fn balance(account: &Account) -> Result<Answer, MessageRefused> {
    let pending = [account.pending_debits, account.pending_credits].map(Total::amount);
    let (Some(after), [Some(pending_debits), Some(pending_credits)]) = (account.after(), pending)
    else {
        let rule = "what is on the account has more digits than can be told: the ledger takes them \
                    off when it starts";
        return Err(MessageRefused::invalid("account", rule));
    };
    Ok(Answer::found(&BalanceFound {
        account_id: account.id,
        code: account.code.clone(),
        currency: account.currency,
        status: account.status,
        blocks: (account.status == Status::Frozen).then_some(account.blocked),
        posted_debits: account.posted_debits,
        posted_credits: account.posted_credits,
        pending_debits,
        pending_credits,
        balance: after.balance,
        overdraft_limit: account.limits.overdraft.map(Amount),
        available: after.available,
        version: account.version,
    }))
}

/// All of it, or a page of whole currencies: each adds up by itself, whatever is posted before the
/// next page is asked for.
async fn trial_balance(tx: &mut Tx<'_>, query: &GetTrialBalance) -> Result<Answer, HandleError> {
    let lines = queries::trial_balance(tx, query.after).await?;
    let (lines, next) = match query.in_pages {
        true => whole_currencies(&lines),
        false => (lines, None),
    };
    Ok(Answer::found(&TrialBalanceFound { lines, next }))
}

/// As many currencies as fit a page, one at least, and the last of them if there are more.
fn whole_currencies(lines: &[TrialBalanceLine]) -> (Vec<TrialBalanceLine>, Option<Currency>) {
    let by_currency: Vec<&[TrialBalanceLine]> =
        lines.chunk_by(|a, b| a.currency == b.currency).collect();
    let (fitting, more) = page(by_currency, usize::MAX);
    let kept: usize = fitting.iter().map(|it| it.len()).sum();
    let next = fitting.last().and_then(|it| it.last()).map(|it| it.currency);
    let lines = lines[..kept].to_vec();
    (lines, next.filter(|_| more))
}

/// What the books would say: the same folding as for work, on books that nobody stores.
async fn preview(tx: &mut Tx<'_>, query: &PreviewInstructions, time: BankTime) -> Answered {
    let instructions = &query.instructions;
    if !(1..=INSTRUCTIONS_MAX).contains(&instructions.len()) {
        let rule = format!("1 to {INSTRUCTIONS_MAX}");
        return Ok(Err(MessageRefused::invalid("instructions", rule)));
    }
    let mut named = Named::default();
    instructions.iter().for_each(|it| named.instruction(it));
    let mut books = named.read_in_tx(tx).await?;
    let now = time.now(periods::clock(tx).await?);
    // An id that nothing keeps: of a command that is never sent.
    let outcomes = books.submit_all(MessageId(Uuid::nil()), instructions.clone(), now);
    let instructions = outcomes.into_iter().map(|outcome| previewed(&books, outcome)).collect();
    Ok(Ok(Answer::found(&InstructionsPreviewed { instructions })))
}

fn previewed(books: &Books, outcome: Outcome) -> PreviewedInstruction {
    match outcome {
        Outcome::New(id) | Outcome::Known(id) => {
            let decided = books.known(id).expect("what was decided is known");
            PreviewedInstruction { transfer_id: id, outcome: decided.record.outcome.clone() }
        }
        Outcome::Refused(instruction, reason) => {
            let outcome = InstructionOutcome::Rejected(Rejected { reason, account: None });
            PreviewedInstruction { transfer_id: instruction.transfer_id, outcome }
        }
    }
}

async fn instruction(tx: &mut Tx<'_>, query: &GetInstruction) -> Answered {
    let id = query.transfer_id;
    let Some(decided) = journal::decided_in_tx(tx, &[id.uuid()]).await?.pop() else {
        return Ok(Err(MessageRefused::not_found(format!("instruction {id}"))));
    };
    let held = holds::read_in_tx(tx, &[id.uuid()]).await?.pop();
    let hold = held.map(|it| HoldNow {
        status: it.status,
        remaining: Amount(it.remaining),
        expires_at: it.expires_at,
    });
    let reversed = holds::reversed_in_tx(tx, &[id.uuid()]).await?.pop();
    let reversed = reversed.map(|(_, amount)| Amount(amount));
    Ok(Ok(Answer::found(&InstructionFound { record: decided.record, hold, reversed })))
}
