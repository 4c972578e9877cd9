//! Draws serial numbers. Promise: a number that was drawn is never drawn again, not even where the
//! transaction that drew it is rolled back.

use shared_events::messaging::Tx;

use super::SerialNumber;

/// Draws `count` serial numbers. Fails when the numbers are used up.
pub(crate) async fn next_serials_in_tx(
    tx: &mut Tx<'_>,
    count: usize,
) -> sqlx::Result<Vec<SerialNumber>> {
    let count = i64::try_from(count).expect("a batch is small");
    let numbers = sqlx::query_scalar!(
        r#"SELECT nextval('account_serials') AS "number!" FROM generate_series(1, $1::bigint)"#,
        count,
    );
    let serial = |number| {
        let wrong = || sqlx::Error::Decode(format!("{number} is no serial number").into());
        SerialNumber::try_new(number).ok_or_else(wrong)
    };
    numbers.fetch_all(tx.connection()).await?.into_iter().map(serial).collect()
}
