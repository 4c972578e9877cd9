//! What is read to answer questions.

use chrono::{DateTime, NaiveDate, Utc};
use shared_events::{
    AccountId, Amount, Money, TransferId,
    bus::Tx,
    ledger::{
        AccountCode, Direction, GetStatement, StatementEntry, TransferFound, TransferStatus,
        TrialBalanceLine,
    },
};

use super::{
    accounts::{Row as AccountRow, currency},
    transfers::{party, reason},
};
use crate::domain::Account;

/// One account.
pub(crate) async fn account(tx: &mut Tx<'_>, id: AccountId) -> sqlx::Result<Option<Account>> {
    let row = sqlx::query_as!(
        AccountRow,
        "SELECT id, code, currency, status, overdraft_limit, posted_debits, posted_credits,
                pending_debits, pending_credits, version, followed_status, followed_limit
         FROM accounts WHERE id = $1",
        id.uuid(),
    )
    .fetch_optional(tx.connection())
    .await?;
    row.map(Account::try_from).transpose()
}

/// The entries of an account that `query` asks for, at most `limit`.
pub(crate) async fn entries(
    tx: &mut Tx<'_>,
    account: AccountId,
    query: &GetStatement,
    limit: u32,
) -> sqlx::Result<Vec<StatementEntry>> {
    let rows = sqlx::query!(
        "SELECT entries.version, transfer_id, entries.amount, balance_after,
                entries.booking_date, debtor_id, debtor_code, creditor_id, creditor_code,
                reference, end_to_end_id, decided_at
         FROM entries JOIN transfers ON transfers.id = transfer_id
         WHERE account_id = $1 AND entries.version > $2
           AND entries.booking_date BETWEEN $3 AND $4
         ORDER BY entries.version LIMIT $5",
        account.uuid(),
        query.after.unwrap_or(0),
        query.from.unwrap_or(FIRST_DAY),
        query.to.unwrap_or(LAST_DAY),
        i64::from(limit),
    )
    .fetch_all(tx.connection())
    .await?;
    let entry = rows.into_iter().map(|row| {
        let is_debit = row.amount.is_sign_negative();
        let (id, code) = match is_debit {
            true => (row.creditor_id, row.creditor_code),
            false => (row.debtor_id, row.debtor_code),
        };
        Ok(StatementEntry {
            version: row.version,
            transfer_id: TransferId(row.transfer_id),
            direction: if is_debit { Direction::Debit } else { Direction::Credit },
            amount: Amount(row.amount.abs()),
            balance_after: Amount(row.balance_after),
            counterparty: party(id, code)?,
            reference: row.reference,
            end_to_end_id: row.end_to_end_id,
            booking_date: row.booking_date,
            posted_at: row.decided_at,
        })
    });
    entry.collect()
}

const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(1, 1, 1).expect("a day");
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("a day");

/// What became of a transfer.
pub(crate) async fn transfer(
    tx: &mut Tx<'_>,
    id: TransferId,
) -> sqlx::Result<Option<TransferFound>> {
    let row = sqlx::query!(
        "SELECT debtor_id, debtor_code, creditor_id, creditor_code, amount, currency, reference,
                end_to_end_id, booking_date, reason, decided_at
         FROM transfers WHERE id = $1",
        id.uuid(),
    )
    .fetch_optional(tx.connection())
    .await?;
    let Some(row) = row else { return Ok(None) };
    let reason = row.reason.as_deref().map(reason).transpose()?;
    let decided_at: DateTime<Utc> = row.decided_at;
    Ok(Some(TransferFound {
        transfer_id: id,
        status: if reason.is_some() { TransferStatus::Rejected } else { TransferStatus::Posted },
        reason,
        debtor: party(row.debtor_id, row.debtor_code)?,
        creditor: party(row.creditor_id, row.creditor_code)?,
        money: Money::new(row.amount, currency(&row.currency)?),
        reference: row.reference,
        end_to_end_id: row.end_to_end_id,
        booking_date: row.booking_date,
        decided_at,
    }))
}

/// The sums over all accounts: customers together, each of the bank's own for itself.
pub(crate) async fn trial_balance(tx: &mut Tx<'_>) -> sqlx::Result<Vec<TrialBalanceLine>> {
    let rows = sqlx::query!(
        r#"SELECT code, currency, count(*) AS "accounts!", sum(posted_debits) AS "debits!",
                  sum(posted_credits) AS "credits!"
           FROM accounts GROUP BY currency, code
           ORDER BY currency, code NULLS FIRST"#,
    )
    .fetch_all(tx.connection())
    .await?;
    let line = rows.into_iter().map(|row| {
        Ok(TrialBalanceLine {
            code: row.code.map(AccountCode),
            currency: currency(&row.currency)?,
            accounts: row.accounts,
            debits: Amount(row.debits),
            credits: Amount(row.credits),
            balance: Amount(row.credits - row.debits),
        })
    });
    line.collect()
}
