//! One run of the tests: one broker and one database server for all of them. Promise: both are gone
//! when the run is over, however it ends.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::{
    broker::{Broker, Data},
    database::DatabaseServer,
};

/// What all tests of a run share.
pub(crate) struct Run {
    pub(crate) broker: Arc<Broker>,
    pub(crate) databases: DatabaseServer,
    pub(crate) folder: PathBuf,
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
        let folder = target_folder()?.join("tmp").join("bank");
        // Both to the end, whatever becomes of either: a start that is given up halfway leaves a
        // container behind.
        let (broker, databases) =
            tokio::join!(Broker::start(Data::InMemory), DatabaseServer::start());
        Ok(Self { broker: broker?, databases: databases?, folder, restartable: Arc::default() })
    }

    /// A broker that the caller has for itself as long as it keeps the answer. Started when first
    /// asked for; on disk, because it is killed and started again.
    pub(crate) async fn own_broker(&self) -> Result<OwnBroker> {
        let mut held = Arc::clone(&self.restartable).lock_owned().await;
        let broker = match &*held {
            Some(broker) => Arc::clone(broker),
            None => Arc::clone(held.insert(Broker::start(Data::OnDisk).await?)),
        };
        Ok(OwnBroker { broker, _held: held })
    }

    /// Removes the containers. What is dropped without this is removed too.
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

/// The folder of the services' binaries: `BANKWIRE_BINARIES`, or the one that this test binary was
/// built into.
pub(crate) fn binaries() -> Result<PathBuf> {
    match std::env::var_os("BANKWIRE_BINARIES") {
        Some(folder) => Ok(PathBuf::from(folder)),
        None => profile_folder(),
    }
}

/// `target/debug`, from `target/debug/deps/bank-0123`.
fn profile_folder() -> Result<PathBuf> {
    let test = std::env::current_exe().context("cannot find this test binary")?;
    let profile = test.parent().and_then(Path::parent);
    Ok(profile.context("this test binary is not in a target folder")?.to_owned())
}

fn target_folder() -> Result<PathBuf> {
    let profile = profile_folder()?;
    Ok(profile.parent().context("this test binary is not in a target folder")?.to_owned())
}
