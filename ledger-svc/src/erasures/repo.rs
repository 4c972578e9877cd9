//! The table of erasures, and the texts that are erased.

use shared_events::{AccountId, messaging::Tx};
use uuid::Uuid;

use super::entity::{ErasedTexts, Request};

/// The most records that one step looks through.
const STEP_RECORDS_MAX: i64 = 5_000;

/// Stores erasures: all chains, up to their ends. An account that is being erased goes on.
pub(super) async fn insert_in_tx(tx: &mut Tx<'_>, requests: &[Request]) -> sqlx::Result<()> {
    let accounts = accounts(requests);
    let causes: Vec<Uuid> = requests.iter().map(|request| request.cause).collect();
    let correlations: Vec<Uuid> = requests.iter().map(|request| request.correlation).collect();
    let inserted = sqlx::query!(
        "INSERT INTO erasures (account_id, chain, next_place, last_place, cause, correlation)
         SELECT account, chain, 1, place, cause, correlation
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[]) AS asked(account, cause, correlation),
              chains
         ON CONFLICT DO NOTHING",
        &accounts,
        &causes,
        &correlations,
    );
    inserted.execute(tx.connection()).await?;
    Ok(())
}

/// Deletes the standing orders of these accounts, and the texts of others' orders in their favour.
pub(super) async fn erase_orders_in_tx(tx: &mut Tx<'_>, requests: &[Request]) -> sqlx::Result<()> {
    let erased = sqlx::query!(
        "WITH own AS (DELETE FROM orders WHERE account_id = ANY($1))
         UPDATE orders SET terms = (terms::jsonb - '{reference,end_to_end_id}'::text[])::json
         WHERE account_id <> ALL($1)
             AND (terms::jsonb #>> '{creditor,account_id}')::uuid = ANY($1)",
        &accounts(requests),
    );
    erased.execute(tx.connection()).await?;
    Ok(())
}

fn accounts(requests: &[Request]) -> Vec<Uuid> {
    requests.iter().map(|request| request.account.uuid()).collect()
}

/// The account whose erasure was asked for first, apart from these.
pub(super) async fn next_in_tx(
    tx: &mut Tx<'_>,
    apart_from: &[Uuid],
) -> sqlx::Result<Option<AccountId>> {
    let next = sqlx::query_scalar!(
        "SELECT account_id FROM erasures WHERE account_id <> ALL($1) ORDER BY cause LIMIT 1",
        apart_from,
    );
    Ok(next.fetch_optional(tx.connection()).await?.map(AccountId))
}

/// Looks through the next records, and erases the account's texts beside them. Returns whether
/// nothing was left to do.
pub(super) async fn step_in_tx(tx: &mut Tx<'_>, account: AccountId) -> sqlx::Result<bool> {
    let done = sqlx::query_scalar!(
        r#"SELECT erase_texts($1, $2) AS "done!""#,
        account.uuid(),
        STEP_RECORDS_MAX,
    );
    done.fetch_one(tx.connection()).await
}

/// Removes an erasure that is done. `None` where another instance has removed it.
pub(super) async fn remove_in_tx(
    tx: &mut Tx<'_>,
    account: AccountId,
) -> sqlx::Result<Option<ErasedTexts>> {
    let removed = sqlx::query!(
        r#"WITH removed AS (DELETE FROM erasures WHERE account_id = $1 RETURNING *)
           SELECT sum(records)::bigint AS "records!", sum(kept)::bigint AS "kept!",
                  cause, correlation
           FROM removed GROUP BY cause, correlation"#,
        account.uuid(),
    );
    let removed = removed.fetch_optional(tx.connection()).await?;
    Ok(removed.map(|row| ErasedTexts {
        request: Request { account, cause: row.cause, correlation: row.correlation },
        records: row.records.unsigned_abs(),
        kept: row.kept.unsigned_abs(),
    }))
}
