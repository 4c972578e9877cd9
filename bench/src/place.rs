//! Where the bank is that is measured.

use shared_events::amqp::ConnectionParameters;
use sqlx::{PgConnection, PgPool};
use url::Url;

use crate::{containers::Containers, fault::BenchError, store};

/// The databases that a transfer changes.
pub(crate) const DATABASES: [Database; 2] = [Database::Ledger, Database::Notifications];

#[derive(Clone, Copy, Debug)]
pub(crate) enum Database {
    Ledger,
    Notifications,
}

/// The broker, the databases, and the containers they run in.
pub(crate) struct Place {
    pub(crate) amqp: ConnectionParameters,
    ledger_url: String,
    notifications_url: String,
    pub(crate) containers: Containers,
}

impl Place {
    /// The bank behind these addresses, in the containers of the compose project `project`.
    pub(crate) async fn find(
        amqp: ConnectionParameters,
        ledger_url: String,
        notifications_url: String,
        project: &str,
    ) -> Result<Self, BenchError> {
        let containers = Containers::of(project).await?;
        Ok(Self { amqp, ledger_url, notifications_url, containers })
    }

    /// The ledger's database.
    pub(crate) async fn ledger(&self) -> Result<PgPool, BenchError> {
        Ok(store::open(&self.ledger_url).await?)
    }

    /// The database of notifications.
    pub(crate) async fn notifications(&self) -> Result<PgPool, BenchError> {
        Ok(store::open(&self.notifications_url).await?)
    }

    /// The server of a database, past the database itself, and its name.
    pub(crate) async fn maintenance(
        &self,
        database: Database,
    ) -> Result<(PgConnection, String), BenchError> {
        let url = match database {
            Database::Ledger => &self.ledger_url,
            Database::Notifications => &self.notifications_url,
        };
        let parsed = Url::parse(url).map_err(|error| BenchError::Wrong(error.to_string()))?;
        let name = parsed.path().trim_start_matches('/').to_owned();
        Ok((store::maintenance(url).await?, name))
    }
}
