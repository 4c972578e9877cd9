//! The schema of a service's database. Promise: the role that owns the tables changes them, in a
//! job of its own (`<service> migrate`); the role that the service runs as has the rights of
//! `rights.sql` and no others.
//!
//! | promise | test |
//! |---|---|
//! | a service starts on its own schema | `a_database_is_current_behind_or_of_another_version` |
//! | a role's name is no SQL | `a_role_is_named_as_an_identifier` |

use sqlx::{
    AssertSqlSafe, PgConnection,
    migrate::{AppliedMigration, Migrate as _, MigrateError, Migration, Migrator},
};

/// The delivery tables, `bus.inbox` and `bus.outbox`. Migrated before the service's own.
static DELIVERY: Schema =
    Schema { migrations: &MIGRATOR, rights: include_str!("../../rights.sql") };
static MIGRATOR: Migrator = sqlx::migrate!();

/// The place of the role's name in `rights.sql`.
const ROLE: &str = ":role";
/// The codes of a schema that nobody has made yet: no table, no schema, no rights.
const NOT_MADE: [&str; 3] = ["42P01", "3F000", "42501"];

/// The tables of a service, and the rights of the role that it runs as.
#[derive(Debug)]
pub struct Schema {
    /// The migrations of the service's own tables.
    pub migrations: &'static Migrator,
    /// Statements that revoke all rights of `:role` and grant those that the service needs.
    pub rights: &'static str,
}

impl Schema {
    /// The schemas of a service's database, in the order of their migrations.
    const fn all(&'static self) -> [&'static Self; 2] {
        [&DELIVERY, self]
    }

    /// Brings the tables up to date, and grants the rights of `role` anew.
    pub(super) async fn migrate(
        &'static self,
        connection: &mut PgConnection,
        role: &str,
    ) -> Result<(), MigrateError> {
        for schema in self.all() {
            schema.migrations.run(&mut *connection).await?;
        }
        let rights = self.all().map(|schema| schema.rights).concat();
        let rights = AssertSqlSafe(rights.replace(ROLE, &identifier(role)));
        // Without an explicit transaction, the statements of one message are one: a service that
        // runs meanwhile lacks no right.
        sqlx::raw_sql(rights).execute(&mut *connection).await?;
        Ok(())
    }

    /// Returns the first migration that the database lacks.
    pub(super) async fn missing(
        &'static self,
        connection: &mut PgConnection,
    ) -> Result<Option<i64>, MigrateError> {
        for schema in self.all() {
            let Migrator { migrations, table_name, .. } = schema.migrations;
            let applied = match connection.list_applied_migrations(table_name).await {
                Err(error) if is_not_made(&error) => vec![],
                applied => applied?,
            };
            if let Some(version) = first_missing(migrations, &applied)? {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }
}

fn is_not_made(error: &MigrateError) -> bool {
    let MigrateError::Execute(sqlx::Error::Database(answer)) = error else { return false };
    answer.code().is_some_and(|code| NOT_MADE.contains(&&*code))
}

fn first_missing(
    known: &[Migration],
    applied: &[AppliedMigration],
) -> Result<Option<i64>, MigrateError> {
    for AppliedMigration { version, checksum } in applied {
        match known.iter().find(|migration| migration.version == *version) {
            None => return Err(MigrateError::VersionMissing(*version)),
            Some(migration) if migration.checksum != *checksum => {
                return Err(MigrateError::VersionMismatch(*version));
            }
            Some(_) => {}
        }
    }
    let is_missing = |version: &i64| applied.iter().all(|applied| applied.version != *version);
    Ok(known.iter().map(|migration| migration.version).find(is_missing))
}

fn identifier(role: &str) -> String {
    format!("\"{}\"", role.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use sqlx::{SqlSafeStr as _, migrate::MigrationType};

    use super::*;

    fn migration(version: i64) -> Migration {
        let sql = "SELECT 1".into_sql_str();
        Migration::new(version, "test".into(), MigrationType::Simple, sql, false)
    }

    fn applied(version: i64) -> AppliedMigration {
        AppliedMigration { version, checksum: migration(version).checksum }
    }

    #[test]
    fn a_database_is_current_behind_or_of_another_version() {
        let known = [1, 2, 4].map(migration);
        let missing = |versions: &[i64]| {
            let applied: Vec<_> = versions.iter().copied().map(applied).collect();
            first_missing(&known, &applied).map_err(|error| error.to_string())
        };
        assert_eq!(missing(&[1, 2, 4]), Ok(None));
        assert_eq!(missing(&[1]), Ok(Some(2)));
        assert_eq!(missing(&[]), Ok(Some(1)));
        assert_eq!(missing(&[1, 4]), Ok(Some(2)));
        let newer = missing(&[1, 2, 4, 5]).expect_err("an unknown migration");
        assert!(newer.contains('5'), "{newer}");
        let edited = AppliedMigration { version: 1, checksum: vec![0].into() };
        assert!(matches!(first_missing(&known, &[edited]), Err(MigrateError::VersionMismatch(1))));
    }

    #[test]
    fn a_role_is_named_as_an_identifier() {
        assert_eq!(identifier("ledger"), "\"ledger\"");
        assert_eq!(identifier("x\"; DROP TABLE journal"), "\"x\"\"; DROP TABLE journal\"");
    }
}
