//! The processes of services that run now. Promise: a run that is interrupted leaves none behind.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    process::Child,
    signal::unix::{SignalKind, signal},
};

/// Their ids. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Processes(Arc<Mutex<HashSet<Pid>>>);

impl Processes {
    /// Looks after a process that was just started.
    pub(crate) fn add(&self, child: &Child) -> Result<()> {
        let id = pid(child)?;
        self.with(|processes| processes.insert(id));
        Ok(())
    }

    /// Asks a process to end.
    pub(crate) fn terminate(&self, child: &Child) -> Result<()> {
        Ok(kill_process(pid(child)?, Signal::TERM)?)
    }

    /// Forgets a process before it is waited for: afterwards its id may be another's.
    pub(crate) fn forget(&self, child: &Child) {
        if let Ok(id) = pid(child) {
            self.with(|processes| processes.remove(&id));
        }
    }

    /// Kills all of them when this process is asked to end. Containers have testcontainers'
    /// watchdog, which ends this process too.
    pub(crate) async fn die_with_us(self) -> Result<()> {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        self.with(|processes| {
            for id in processes.drain() {
                // It may have ended by itself.
                let _ = kill_process(id, Signal::KILL);
            }
        });
        Ok(())
    }

    fn with<T>(&self, change: impl FnOnce(&mut HashSet<Pid>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn pid(child: &Child) -> Result<Pid> {
    let id = child.id().context("the process has ended already")?;
    Pid::from_raw(i32::try_from(id)?).context("a process has an id")
}
