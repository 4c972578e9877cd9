//! Where the bank is that is measured.

use shared_events::bus::Amqp;
use sqlx::PgPool;

use super::{containers::Containers, fault::BenchError, store};

/// The broker, the databases, and the containers they run in.
pub(crate) struct Place {
    pub(super) amqp: Amqp,
    ledger_url: String,
    notifications_url: String,
    pub(super) containers: Containers,
}

impl Place {
    /// The bank behind these addresses, in the containers of the compose project `project`.
    pub(crate) async fn find(
        amqp: Amqp,
        ledger_url: String,
        notifications_url: String,
        project: &str,
    ) -> Result<Self, BenchError> {
        let containers = Containers::of(project).await?;
        Ok(Self { amqp, ledger_url, notifications_url, containers })
    }

    /// The ledger's database.
    pub(super) async fn ledger(&self) -> Result<PgPool, BenchError> {
        Ok(store::open(&self.ledger_url).await?)
    }

    /// The database of notifications.
    pub(super) async fn notifications(&self) -> Result<PgPool, BenchError> {
        Ok(store::open(&self.notifications_url).await?)
    }
}
