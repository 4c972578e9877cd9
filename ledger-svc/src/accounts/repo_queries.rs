//! What is read to answer questions.

use shared_events::{
    AccountId, Currency, TransferId,
    ledger::{
        AccountCode, Action, InstructionOutcome, TransferFound, TransferStatus, TrialBalanceLine,
    },
    messaging::Tx,
};

use crate::legacy::domain::Account;
use crate::legacy::store::{
    accounts::{self, currency},
    exact, journal,
};

/// One account.
pub(crate) async fn account(tx: &mut Tx<'_>, id: AccountId) -> sqlx::Result<Option<Account>> {
    Ok(accounts::read_in_tx(tx, &[id.uuid()]).await?.pop())
}

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

/// The sums over all accounts: customers together, each of the bank's own for itself. Of currencies
/// after this one only.
pub(crate) async fn trial_balance(
    tx: &mut Tx<'_>,
    after: Option<Currency>,
) -> sqlx::Result<Vec<TrialBalanceLine>> {
    let rows = sqlx::query!(
        r#"SELECT code, currency, count(*) AS "accounts!",
                  sum(posted_debits)::text AS "debits!", sum(posted_credits)::text AS "credits!",
                  (sum(posted_credits) - sum(posted_debits))::text AS "balance!"
           FROM accounts WHERE $1::text IS NULL OR currency > $1
           GROUP BY currency, code
           ORDER BY currency, code NULLS FIRST"#,
        after.map(Currency::code),
    )
    .fetch_all(tx.connection())
    .await?;
    let line = rows.into_iter().map(|row| {
        Ok(TrialBalanceLine {
            code: row.code.map(AccountCode),
            currency: currency(&row.currency)?,
            accounts: row.accounts,
            debits: exact("the sum of debits", row.debits)?,
            credits: exact("the sum of credits", row.credits)?,
            balance: exact("the sum of balances", row.balance)?,
        })
    });
    line.collect()
}
