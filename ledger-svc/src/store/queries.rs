//! What is read to answer questions.

use chrono::{DateTime, NaiveDate, Utc};
use shared_events::{
    AccountId, Amount, TransferId,
    bus::Tx,
    ledger::{
        AccountCode, Action, Direction, GetStatement, InstructionOutcome, JournalRecord, Party,
        StatementEntry, TransferFound, TransferStatus, TrialBalanceLine,
    },
};

use super::{
    accounts::{self, currency},
    journal, parsed,
};
use crate::domain::{Account, posted_legs};

/// The database's clock.
pub(crate) async fn now(tx: &mut Tx<'_>) -> sqlx::Result<DateTime<Utc>> {
    let now = sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "now!""#);
    now.fetch_one(tx.connection()).await
}

/// One account.
pub(crate) async fn account(tx: &mut Tx<'_>, id: AccountId) -> sqlx::Result<Option<Account>> {
    Ok(accounts::read_in_tx(tx, &[id.uuid()]).await?.pop())
}

/// The entries of an account that `query` asks for, at most `limit`.
pub(crate) async fn entries(
    tx: &mut Tx<'_>,
    account: AccountId,
    query: &GetStatement,
    limit: u32,
) -> sqlx::Result<Vec<StatementEntry>> {
    let rows = sqlx::query!(
        r#"SELECT version, entries.transfer_id, amount, balance_after, booking_date, value_date,
                  posted_at, record::text AS "record!"
           FROM entries JOIN journal ON journal.transfer_id = entries.transfer_id
           WHERE account_id = $1 AND version > $2 AND booking_date BETWEEN $3 AND $4
           ORDER BY version LIMIT $5"#,
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
        let direction = if is_debit { Direction::Debit } else { Direction::Credit };
        let record = journal::record(&row.record)?;
        Ok(StatementEntry {
            version: row.version,
            transfer_id: TransferId(row.transfer_id),
            direction,
            amount: Amount(row.amount.abs()),
            balance_after: Amount(row.balance_after),
            counterparty: counterparty(&record, direction)?,
            reference: record.instruction.reference,
            end_to_end_id: record.instruction.end_to_end_id,
            booking_date: row.booking_date,
            value_date: Some(row.value_date).filter(|it| *it != row.booking_date),
            posted_at: row.posted_at,
        })
    });
    entry.collect()
}

/// The first account on the other side of an entry in this direction.
fn counterparty(record: &JournalRecord, direction: Direction) -> sqlx::Result<Party> {
    let other = posted_legs(record).iter().find(|leg| leg.direction != direction);
    let other = other.map(|leg| match &leg.account.code {
        Some(code) => Party::Code(code.clone()),
        None => Party::AccountId(leg.account.account_id),
    });
    parsed("journal.record", "a transfer with one side", other)
}

const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(1, 1, 1).expect("a day");
const LAST_DAY: NaiveDate = NaiveDate::from_ymd_opt(9999, 12, 31).expect("a day");

/// What became of a transfer from one debtor to one creditor.
pub(crate) async fn transfer(
    tx: &mut Tx<'_>,
    id: TransferId,
) -> sqlx::Result<Option<TransferFound>> {
    let Some(decided) = journal::decided_in_tx(tx, &[id.uuid()]).await?.pop() else {
        return Ok(None);
    };
    let record = decided.record;
    let Action::Transfer(payment) = record.instruction.action else { return Ok(None) };
    let (status, reason) = match record.outcome {
        InstructionOutcome::Rejected(it) => (TransferStatus::Rejected, Some(it.reason)),
        InstructionOutcome::Posted(_)
        | InstructionOutcome::Held(_)
        | InstructionOutcome::Released(_) => (TransferStatus::Posted, None),
    };
    Ok(Some(TransferFound {
        transfer_id: id,
        status,
        reason,
        debtor: payment.debtor,
        creditor: payment.creditor,
        money: payment.money,
        reference: record.instruction.reference,
        end_to_end_id: record.instruction.end_to_end_id,
        booking_date: record.booking_date,
        decided_at: record.decided_at,
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
