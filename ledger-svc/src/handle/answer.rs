//! Answers questions about money. Each is read in one snapshot.

use shared_events::{
    Amount, Currency,
    bus::{Answer, Answerer, HandleError, Tx},
    ledger::{
        BalanceFound, ENTRIES_PAGE_MAX, GetStatement, LedgerQuery, Party, StatementFound,
        TrialBalanceFound,
    },
    refusal::MessageRefused,
};

use crate::{
    domain::{Account, own_account_id},
    store::queries,
};

/// Entries of a page, if the question names no limit.
const PAGE_DEFAULT: u32 = 100;

/// Handles `ledger.queries`.
pub(crate) struct Answers;

impl Answerer for Answers {
    type Query = LedgerQuery;

    async fn answer(&self, tx: &mut Tx<'_>, query: &LedgerQuery) -> Result<Answer, HandleError> {
        let answer = match query {
            LedgerQuery::Balance(it) => {
                account(tx, &it.account, it.currency).await?.map(|it| balance(&it))
            }
            LedgerQuery::Statement(it) => statement(tx, it).await?,
            LedgerQuery::Transfer(it) => {
                let found = queries::transfer(tx, it.transfer_id).await?;
                found
                    .ok_or_else(|| {
                        MessageRefused::not_found(format!("transfer {}", it.transfer_id))
                    })
                    .map(|found| Answer::found(&found))
            }
            LedgerQuery::TrialBalance(_) => {
                let lines = queries::trial_balance(tx).await?;
                Ok(Answer::found(&TrialBalanceFound { lines }))
            }
        };
        Ok(answer.unwrap_or_else(|refusal| Answer::refused(&refusal)))
    }
}

/// The account that a question names, or why there is none.
async fn account(
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

fn balance(account: &Account) -> Answer {
    Answer::found(&BalanceFound {
        account_id: account.id,
        code: account.code.clone(),
        currency: account.currency,
        status: account.status,
        posted_debits: Amount(account.posted_debits),
        posted_credits: Amount(account.posted_credits),
        pending_debits: Amount(account.pending_debits),
        pending_credits: Amount(account.pending_credits),
        balance: Amount(account.balance()),
        overdraft_limit: account.overdraft_limit.map(Amount),
        available: account.available().map(Amount),
        version: account.version,
    })
}

async fn statement(
    tx: &mut Tx<'_>,
    query: &GetStatement,
) -> Result<Result<Answer, MessageRefused>, HandleError> {
    let limit = query.limit.unwrap_or(PAGE_DEFAULT);
    if !(1..=ENTRIES_PAGE_MAX).contains(&limit) {
        return Ok(Err(MessageRefused::invalid("limit", format!("1 to {ENTRIES_PAGE_MAX}"))));
    }
    let account = match account(tx, &query.account, query.currency).await? {
        Ok(account) => account,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut entries = queries::entries(tx, account.id, query, limit + 1).await?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let next = entries.last().filter(|_| more).map(|last| last.version);
    let (account_id, currency) = (account.id, account.currency);
    Ok(Ok(Answer::found(&StatementFound { account_id, currency, entries, next })))
}
