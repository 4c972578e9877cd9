//! The trial balance: the sums over all accounts.

use shared_events::{Currency, Total, ledger::AccountCode, messaging::Tx};

use crate::repo::{currency, exact};

/// A line of the trial balance.
#[derive(Clone, Debug)]
pub(crate) struct TrialBalanceLine {
    /// The code of an internal account; `None`: all customers' accounts.
    pub(crate) code: Option<AccountCode>,
    pub(crate) currency: Currency,
    /// How many accounts the line sums.
    pub(crate) accounts: i64,
    pub(crate) debits: Total,
    pub(crate) credits: Total,
    /// Credits less debits.
    pub(crate) balance: Total,
}

/// The sums over all accounts of the currencies after this one: one line for all customers of a
/// currency, one for each internal account.
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
