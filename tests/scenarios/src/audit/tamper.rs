//! An attacker who owns the database. Promise: a change can be undone, and the changed row has the
//! name by which the proof names rows.

use anyhow::{Context, Result};
use harness::Bank;
use serde_json::Value;
use sqlx::AssertSqlSafe;

/// A table of a service, with the columns that name a row, and the field of a difference that has
/// the value of each; no field: a difference does not name the row so.
pub(super) type Named = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// The tables that the proof covers.
pub(super) const TABLES: [Named; 10] = [
    ("ledger", "journal", &[("chain", "chain"), ("place", "place")]),
    ("ledger", "chains", &[("chain", "chain")]),
    ("ledger", "entries", &[("account_id", "account_id"), ("version", "version")]),
    ("ledger", "accounts", &[("id", "account_id")]),
    ("ledger", "holds", &[("id", "transfer_id")]),
    ("ledger", "reversals", &[("original_id", "transfer_id")]),
    ("accounts", "history", &[("place", "place")]),
    ("accounts", "history_end", &[("place", "")]),
    ("accounts", "accounts", &[("id", "account_id")]),
    ("accounts", "access_changes", &[("version", "")]),
];

/// One table, and its owner.
pub(super) struct Tamperer<'a> {
    bank: &'a Bank,
    pub(super) service: &'static str,
    pub(super) table: &'static str,
    names: &'static [(&'static str, &'static str)],
}

impl<'a> Tamperer<'a> {
    /// A table of the ledger.
    pub(super) fn of(bank: &'a Bank, table: &str) -> Result<Self> {
        Self::of_service(bank, "ledger", table)
    }

    pub(super) fn of_service(bank: &'a Bank, service: &str, table: &str) -> Result<Self> {
        let known = TABLES.into_iter().find(|row| (row.0, row.1) == (service, table));
        let (service, table, names) = known.context("a table of the proof")?;
        Ok(Self { bank, service, table, names })
    }

    /// Remembers what stands there.
    pub(super) async fn keep(&self) -> Result<()> {
        let table = self.table;
        let keep = format!("CREATE TABLE kept_{table} AS TABLE {table}");
        self.bank.execute(self.service, &keep).await
    }

    /// Puts back what stood there.
    pub(super) async fn restore(&self) -> Result<()> {
        let table = self.table;
        let statements =
            format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}");
        self.unguarded(&statements).await
    }

    /// Runs statements on the table while no trigger sees it.
    pub(super) async fn unguarded(&self, statements: &str) -> Result<()> {
        let table = self.table;
        let statements = format!(
            "BEGIN; ALTER TABLE {table} DISABLE TRIGGER USER; {statements};
             ALTER TABLE {table} ENABLE TRIGGER USER; COMMIT"
        );
        self.bank.execute(self.service, &statements).await
    }

    /// Its columns, with their types.
    pub(super) async fn columns(&self) -> Result<Vec<(String, String)>> {
        let columns = sqlx::query_as(
            "SELECT column_name::text, udt_name::text FROM information_schema.columns
             WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position",
        );
        let pool = self.bank.pool(self.service).await?;
        Ok(columns.bind(self.table).fetch_all(&pool).await?)
    }

    /// The condition that holds for just the `nth` of the rows that `condition` holds for. In which
    /// table of several it stands belongs to it.
    pub(super) async fn row(&self, condition: &str, nth: i64) -> Result<String> {
        let table = self.table;
        let key: Vec<&str> = self.names.iter().map(|(column, _)| *column).collect();
        let count = format!("SELECT count(*) FROM {table} WHERE {condition}");
        let count = self.bank.number(self.service, &count).await?;
        let nth = nth.checked_rem(count).with_context(|| format!("{table}: no {condition}"))?;
        let key = key.join(", ");
        let row = format!(
            "SELECT format('tableoid = %s AND ctid = %L', tableoid::oid, ctid) FROM {table}
             WHERE {condition} ORDER BY {key} OFFSET {nth} LIMIT 1"
        );
        self.text(&row).await
    }

    /// The name of a row in a difference.
    pub(super) async fn name(&self, row: &str) -> Result<Value> {
        let (table, name) = (self.table, self.name_of());
        let name = format!("SELECT {name}::text FROM {table} WHERE {row}");
        Ok(serde_json::from_str(&self.text(&name).await?)?)
    }

    fn name_of(&self) -> String {
        let fields = self.names.iter().filter(|(_, field)| !field.is_empty());
        let fields = fields.map(|(column, field)| format!("'{field}', {column}"));
        format!("jsonb_build_object({})", fields.collect::<Vec<_>>().join(", "))
    }

    /// Changes one column of a row, and returns the row's name before and after.
    pub(super) async fn change(&self, row: &str, column: &str, to: &str) -> Result<[Value; 2]> {
        let (table, name, before) = (self.table, self.name_of(), self.name(row).await?);
        let pool = self.bank.pool(self.service).await?;
        let mut tx = pool.begin().await?;
        let guard = |what| AssertSqlSafe(format!("ALTER TABLE {table} {what} TRIGGER USER"));
        sqlx::raw_sql(guard("DISABLE")).execute(&mut *tx).await?;
        let update =
            format!("UPDATE {table} SET {column} = {to} WHERE {row} RETURNING {name}::text");
        let after: String = sqlx::query_scalar(AssertSqlSafe(update.clone()))
            .fetch_one(&mut *tx)
            .await
            .context(update)?;
        sqlx::raw_sql(guard("ENABLE")).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok([before, serde_json::from_str(&after)?])
    }

    async fn text(&self, query: &str) -> Result<String> {
        let pool = self.bank.pool(self.service).await?;
        let text = sqlx::query_scalar(AssertSqlSafe(query.to_owned())).fetch_one(&pool).await;
        text.with_context(|| query.to_owned())
    }
}

/// Another value for a column of this type.
pub(super) fn another(column: &str, kind: &str) -> Result<String> {
    Ok(match kind {
        "uuid" => "gen_random_uuid()".to_owned(),
        "text" => return Ok(another_text(column)),
        "bpchar" => "'JPY'".to_owned(),
        "numeric" => format!("coalesce({column}, 0) + 0.01"),
        // No chain has this number.
        "int2" => format!("{column} + 4"),
        "int8" => format!("coalesce({column}, 0) + 1000000"),
        "date" => format!("{column} + 1"),
        "timestamptz" => format!("{column} + interval '1 microsecond'"),
        "bytea" if column == "salt" => "uuid_send(gen_random_uuid())".to_owned(),
        "bytea" => format!("sha256({column})"),
        "json" => format!("({column}::text || ' ')::json"),
        other => anyhow::bail!("column {column}: how is a {other} tampered with?"),
    })
}

/// Another text, which the database's own checks of the column take.
fn another_text(column: &str) -> String {
    match column {
        "status" => "CASE status WHEN 'active' THEN 'frozen' WHEN 'frozen' THEN 'active'
             WHEN 'closed' THEN 'active' WHEN 'released' THEN 'expired' ELSE 'released' END"
            .to_owned(),
        "blocked" | "blocks" => {
            format!("CASE {column} WHEN 'debits' THEN 'credits' ELSE 'debits' END")
        }
        "branch" | "product" | "principal" => format!("coalesce({column}, '') || 'x'"),
        "iban" => "translate(iban, '0123456789', '1234567890')".to_owned(),
        "holder_language" => "CASE holder_language WHEN 'en' THEN 'cs' ELSE 'en' END".to_owned(),
        "texts" => r#"replace(texts, '"name":"', '"name":"x')"#.to_owned(),
        other => format!("coalesce({other}, '') || '?'"),
    }
}
