//! What a batch decides on.

use shared_events::{AccountId, accounts::Account, messaging::Tx};
use uuid::Uuid;

use super::row::{Row, read_all};
use crate::account_numbers::Serial;

/// Those of these accounts that exist. Locked until the transaction ends, in the order of their
/// ids, so that two batches never wait for each other.
pub(crate) async fn lock_accounts_in_tx(
    tx: &mut Tx<'_>,
    ids: &[AccountId],
) -> sqlx::Result<Vec<Account>> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query_as!(
        Row,
        "SELECT id, iban, holder_name, holder_email, holder_webhook, holder_language, product,
                currency, overdraft_limit, transfer_limit, daily_limit, monthly_limit,
                minimum_balance, blocks, external_reference, status, closing_version,
                version
         FROM accounts WHERE id = ANY($1) ORDER BY id FOR UPDATE",
        &ids,
    );
    read_all(rows.fetch_all(tx.connection()).await?)
}

/// Those of these external references that accounts have.
pub(crate) async fn taken_references_in_tx(
    tx: &mut Tx<'_>,
    references: &[&str],
) -> sqlx::Result<Vec<String>> {
    let taken = sqlx::query_scalar!(
        r#"SELECT external_reference AS "external_reference!" FROM accounts
           WHERE external_reference = ANY($1)"#,
        references as _,
    );
    taken.fetch_all(tx.connection()).await
}

/// So many serial numbers that nobody was given before. Fails when the numbers are used up.
pub(crate) async fn next_serials_in_tx(tx: &mut Tx<'_>, count: usize) -> sqlx::Result<Vec<Serial>> {
    let count = i64::try_from(count).expect("a batch is small");
    let numbers = sqlx::query_scalar!(
        r#"SELECT nextval('account_serials') AS "number!" FROM generate_series(1, $1::bigint)"#,
        count,
    );
    let serial = |number| {
        let wrong = || sqlx::Error::Decode(format!("{number} is no serial number").into());
        Serial::try_new(number).ok_or_else(wrong)
    };
    numbers.fetch_all(tx.connection()).await?.into_iter().map(serial).collect()
}
