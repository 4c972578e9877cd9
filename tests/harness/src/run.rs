//! One run of the tests: one broker and one database server for all of them. Promise: both are gone
//! when the run is over, however it ends.

use std::{path::PathBuf, sync::Arc};

use anyhow::Result;
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{
    binaries::scratch_folder,
    broker::{Broker, Data},
    certificates::Certificates,
    database::DatabaseServer,
    processes::Processes,
};

/// The servers that all facts of a run share.
pub(crate) struct Run {
    pub(crate) broker: Arc<Broker>,
    pub(crate) databases: DatabaseServer,
    pub(crate) processes: Processes,
    pub(crate) folder: PathBuf,
    pub(crate) certificates: Certificates,
    restartable: Arc<Mutex<Option<Arc<Broker>>>>,
}

/// A broker that one test has for itself, and may restart.
pub(crate) struct OwnBroker {
    pub(crate) broker: Arc<Broker>,
    _held: OwnedMutexGuard<Option<Arc<Broker>>>,
}

impl Run {
    /// Starts the two containers.
    pub(crate) async fn start() -> Result<Self> {
        let provider = rustls::crypto::ring::default_provider();
        // A provider that is there already serves as well.
        let _ = provider.install_default();
        let folder = scratch_folder()?.join("bank");
        let certificates = Certificates::new(&folder)?;
        // Both starts run to their end, even if one fails: an abandoned start leaves a container
        // behind.
        let (broker, databases) = tokio::join!(
            Broker::start(Data::InMemory, &certificates),
            DatabaseServer::start(&certificates)
        );
        let processes = Processes::default();
        tokio::spawn(processes.clone().die_with_us());
        let (broker, databases) = (broker?, databases?);
        let restartable = Arc::default();
        Ok(Self { broker, databases, processes, folder, certificates, restartable })
    }

    /// A broker that the caller has for itself as long as it keeps the answer. Started when first
    /// asked for; on disk, because it is killed and started again.
    pub(crate) async fn own_broker(&self) -> Result<OwnBroker> {
        let mut held = Arc::clone(&self.restartable).lock_owned().await;
        let broker = match &*held {
            Some(broker) => Arc::clone(broker),
            None => {
                let broker = Broker::start(Data::OnDisk, &self.certificates).await?;
                Arc::clone(held.insert(broker))
            }
        };
        Ok(OwnBroker { broker, _held: held })
    }

    /// Removes the containers. Dropping a run removes them as well.
    pub(crate) async fn stop(self) -> Result<()> {
        self.databases.remove().await?;
        let restartable = self.restartable.lock().await.take();
        for broker in [Some(self.broker), restartable].into_iter().flatten() {
            if let Some(broker) = Arc::into_inner(broker) {
                broker.remove().await?;
            }
        }
        Ok(())
    }
}
