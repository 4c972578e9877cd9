//! The state that follows from the journal, as it is stored. Promise: figures and names are read as
//! text, so that an auditor sees impossible values, too.

use shared_events::{AccountId, TransferId, messaging::Tx};
use uuid::Uuid;

use super::entity::{AccountState, EntriesCount, FollowedTerms, HoldState, ReversalState};
use crate::journal::CHAINS;

/// Orphaned records: of chains that the journal does not have, at most 10.
pub(super) async fn orphaned(tx: &mut Tx<'_>) -> sqlx::Result<Vec<TransferId>> {
    let ids = sqlx::query_scalar!(
        "SELECT transfer_id FROM journal WHERE chain < 0 OR chain >= $1
         ORDER BY chain, place LIMIT 10",
        i16::from(CHAINS),
    );
    Ok(ids.fetch_all(tx.connection()).await?.into_iter().map(TransferId).collect())
}

/// Accounts by id, at most `limit`.
pub(super) async fn accounts(
    tx: &mut Tx<'_>,
    from: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<AccountState>> {
    let rows = sqlx::query!(
        r#"SELECT id, code, currency, status, version, branch, blocked, followed_status,
                  followed_limit,
                  trim_scale(overdraft_limit)::text AS overdraft_limit,
                  trim_scale(transfer_limit)::text AS transfer_limit,
                  trim_scale(daily_limit)::text AS daily_limit,
                  trim_scale(monthly_limit)::text AS monthly_limit,
                  trim_scale(minimum_balance)::text AS minimum_balance,
                  trim_scale(posted_debits)::text AS "posted_debits!",
                  trim_scale(posted_credits)::text AS "posted_credits!",
                  trim_scale(pending_debits)::text AS "pending_debits!",
                  trim_scale(pending_credits)::text AS "pending_credits!"
           FROM accounts WHERE id >= $1 ORDER BY id LIMIT $2"#,
        from,
        limit,
    );
    let accounts = rows.fetch_all(tx.connection()).await?.into_iter().map(|row| AccountState {
        account_id: AccountId(row.id),
        code: row.code,
        currency: row.currency,
        status: row.status,
        posted_debits: row.posted_debits,
        posted_credits: row.posted_credits,
        pending_debits: row.pending_debits,
        pending_credits: row.pending_credits,
        version: row.version,
        terms: FollowedTerms {
            branch: row.branch,
            blocked: row.blocked,
            overdraft_limit: row.overdraft_limit,
            transfer_limit: row.transfer_limit,
            daily_limit: row.daily_limit,
            monthly_limit: row.monthly_limit,
            minimum_balance: row.minimum_balance,
            followed_status: row.followed_status,
            followed_limit: row.followed_limit,
        },
    });
    Ok(accounts.collect())
}

/// Holds by id, at most `limit`.
pub(super) async fn holds(tx: &mut Tx<'_>, from: Uuid, limit: i64) -> sqlx::Result<Vec<HoldState>> {
    let rows = sqlx::query!(
        r#"SELECT id, debtor_id, creditor_id, currency, status,
                  trim_scale(remaining)::text AS "remaining!",
                  CASE WHEN isfinite(expires_at) THEN expires_at END AS expires_at,
                  placed_on::text AS "placed_on!"
           FROM holds WHERE id >= $1 ORDER BY id LIMIT $2"#,
        from,
        limit,
    );
    let held = rows.fetch_all(tx.connection()).await?.into_iter().map(|row| HoldState {
        hold_id: TransferId(row.id),
        debtor_id: AccountId(row.debtor_id),
        creditor_id: AccountId(row.creditor_id),
        currency: row.currency,
        remaining: row.remaining,
        status: row.status,
        expires_at: row.expires_at,
        placed_on: row.placed_on,
    });
    Ok(held.collect())
}

/// Reversed amounts by id of the transfer, at most `limit`.
pub(super) async fn reversals(
    tx: &mut Tx<'_>,
    from: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<ReversalState>> {
    let rows = sqlx::query!(
        r#"SELECT original_id, trim_scale(amount)::text AS "amount!"
           FROM reversals WHERE original_id >= $1 ORDER BY original_id LIMIT $2"#,
        from,
        limit,
    );
    let reversals = rows
        .fetch_all(tx.connection())
        .await?
        .into_iter()
        .map(|row| ReversalState { original_id: TransferId(row.original_id), amount: row.amount });
    Ok(reversals.collect())
}

/// The number of entries of each account, by its id, at most `limit`. Reads only the primary key.
pub(super) async fn entries(
    tx: &mut Tx<'_>,
    from: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<EntriesCount>> {
    let rows = sqlx::query!(
        r#"SELECT account_id, count(*) AS "entries!" FROM entries
           WHERE account_id >= $1 GROUP BY account_id ORDER BY account_id LIMIT $2"#,
        from,
        limit,
    );
    let counts = rows
        .fetch_all(tx.connection())
        .await?
        .into_iter()
        .map(|row| EntriesCount { account_id: AccountId(row.account_id), entries: row.entries });
    Ok(counts.collect())
}
