//! The grants of the bank's principals. Promise: a service knows them before it starts, with or
//! without an accounts service; those of a new client hold when the client is made.

use std::{path::PathBuf, sync::PoisonError, time::Duration};

use anyhow::{Context, Result};
use serde_json::json;
use shared_events::{
    access::PrincipalGrants,
    evidence::Hash256,
    topology::{ClientPrincipal, Principals},
};
use sqlx::PgConnection;

use super::Bank;
use crate::database::Database;

/// Lower than any version of an accounts service.
const BEFORE_ANY: i64 = -1_000;
/// A service reads the grants twice a second.
const KNOWN_AFTER: Duration = Duration::from_millis(700);

/// The principals of a bank: those of development, and the clients that its fact has made.
pub(super) struct BankPrincipals {
    principals: Principals,
    changes: i64,
}

impl BankPrincipals {
    pub(super) fn development() -> Self {
        Self { principals: Principals::development(), changes: 0 }
    }

    fn announcement(&self) -> (i64, Vec<PrincipalGrants>) {
        let clients = self.principals.clients.iter();
        let granted = clients.map(|client| PrincipalGrants {
            principal: client.name.clone(),
            grants: client.grants(),
        });
        (BEFORE_ANY + self.changes, granted.collect())
    }
}

impl Bank {
    /// The file of principals, for the accounts service.
    pub(super) fn principals_file(&self) -> Result<PathBuf> {
        let file = self.0.folder.join("principals.json");
        let principals = self.0.principals.lock().unwrap_or_else(PoisonError::into_inner);
        std::fs::write(&file, principals.principals.to_json())?;
        Ok(file)
    }

    /// Stores the grants in a new database.
    pub(super) async fn seed_access(&self, database: &Database) -> Result<()> {
        let (version, principals) = {
            let known = self.0.principals.lock().unwrap_or_else(PoisonError::into_inner);
            known.announcement()
        };
        store(database, version, &principals).await
    }

    /// Gives a client the grants of its roles in all databases, as the accounts service would.
    pub(super) async fn grant(&self, client: &ClientPrincipal) -> Result<()> {
        let (mut version, mut all) = {
            let mut known = self.0.principals.lock().unwrap_or_else(PoisonError::into_inner);
            known.changes += 1;
            known.principals.clients.retain(|other| other.name != client.name);
            known.principals.clients.push(client.clone());
            known.announcement()
        };
        self.principals_file()?;
        let databases = self.0.databases.lock().await;
        if let Some(accounts) = databases.get("accounts") {
            let has_started =
                sqlx::query_scalar::<_, bool>("SELECT count(*) > 0 FROM access_changes");
            let has_started = has_started.fetch_one(&accounts.pool).await?;
            if has_started {
                (version, all) = change(accounts, client).await?;
            }
        }
        for database in databases.values() {
            store(database, version, &all).await?;
        }
        let is_used = !databases.is_empty();
        drop(databases);
        if is_used {
            tokio::time::sleep(KNOWN_AFTER).await;
        }
        Ok(())
    }
}

/// Adds a change with its record, and returns the grants after it with their version.
async fn change(
    accounts: &Database,
    client: &ClientPrincipal,
) -> Result<(i64, Vec<PrincipalGrants>)> {
    let mut tx = accounts.pool.begin().await?;
    let version = sqlx::query_scalar::<_, i64>(
        "INSERT INTO access_changes (version, principal, grants)
         SELECT max(version) + 1, $1, $2 FROM access_changes RETURNING version",
    );
    let grants = serde_json::to_string(&client.grants())?;
    let version = version.bind(&client.name).bind(&grants).fetch_one(&mut *tx).await?;
    record(&mut tx, &client.name, (version, &grants)).await?;
    tx.commit().await?;
    let rows = sqlx::query_as::<_, (String, String)>(
        "SELECT DISTINCT ON (principal) principal, grants FROM access_changes
         ORDER BY principal, version DESC",
    );
    let rows = rows.fetch_all(&accounts.pool).await?.into_iter();
    let all: Result<Vec<PrincipalGrants>> = rows
        .map(|(principal, grants)| {
            Ok(PrincipalGrants { principal, grants: serde_json::from_str(&grants)? })
        })
        .collect();
    Ok((version, all?))
}

/// Appends a change of grants to the history, as the accounts service would for its file.
async fn record(
    tx: &mut PgConnection,
    principal: &str,
    (number, grants): (i64, &str),
) -> Result<()> {
    let end = "SELECT place, hash FROM history_end FOR UPDATE";
    let (place, hash): (i64, Vec<u8>) = sqlx::query_as(end).fetch_one(&mut *tx).await?;
    let record = json!({
        "version": 1, "author": { "principal": "accounts" }, "at": chrono::Utc::now(),
        "grants": { "principal": principal, "number": number, "grants": [] },
    });
    let record = record.to_string().replace(r#""grants":[]"#, &format!(r#""grants":{grants}"#));
    let hash: [u8; 32] = hash.try_into().ok().context("a hash has 32 bytes")?;
    let hash = Hash256(hash).of_next_text(&record).0;
    let insert = "WITH moved AS (UPDATE history_end SET place = $1, hash = $4)
        INSERT INTO history (place, principal, number, hash, record)
        VALUES ($1, $2, $3, $4, $5)";
    let insert = sqlx::query(insert).bind(place + 1).bind(principal).bind(number);
    insert.bind(hash.as_slice()).bind(record).execute(&mut *tx).await?;
    Ok(())
}

async fn store(database: &Database, version: i64, principals: &[PrincipalGrants]) -> Result<()> {
    let at = chrono::Utc::now();
    let announced = json!({ "version": version, "at": at, "principals": principals });
    let stored = sqlx::query(
        "INSERT INTO bus.access AS access (version, at, announced) VALUES ($1, $2, $3)
         ON CONFLICT (one) DO UPDATE SET version = $1, at = $2, announced = $3
         WHERE access.version <= $1",
    );
    let stored = stored.bind(version).bind(at).bind(announced.to_string());
    stored.execute(&database.pool).await.context("the grants are stored")?;
    Ok(())
}
