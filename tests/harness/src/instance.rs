//! A service process. Promise: it runs the released binary, without test code; every disturbance
//! comes from outside.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{
    process::{Child, Command},
    sync::Mutex as AsyncMutex,
};

use crate::{
    processes::Processes,
    proxy::Proxy,
    wait::{PATIENCE, wait_for, wait_value},
};

/// Longer than a service gives itself.
const STOP_DEADLINE: Duration = Duration::from_secs(30);
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// One instance of a service, running or not. Cheap to clone.
#[derive(Clone)]
pub struct Instance(Arc<Inner>);

struct Inner {
    label: String,
    program: PathBuf,
    environment: Vec<(String, String)>,
    log: PathBuf,
    broker: Proxy,
    database: Proxy,
    processes: Processes,
    http: reqwest::Client,
    child: AsyncMutex<Option<Child>>,
    /// Where this start's log begins.
    log_from: Mutex<usize>,
}

/// The answer of `/readyz`: each part by name, with its fault if there is one.
#[derive(Clone, Debug)]
pub struct Readiness {
    /// Whether every part works.
    pub ready: bool,
    /// The parts.
    pub parts: BTreeMap<String, Option<String>>,
}

/// The settings of an instance.
pub(crate) struct Setup {
    pub(crate) label: String,
    pub(crate) program: PathBuf,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) log: PathBuf,
    pub(crate) broker: Proxy,
    pub(crate) database: Proxy,
    pub(crate) processes: Processes,
}

impl Instance {
    pub(crate) fn new(setup: Setup) -> Result<Self> {
        let Setup { label, program, environment, log, broker, database, processes } = setup;
        let http = reqwest::Client::builder().timeout(PROBE_TIMEOUT).build()?;
        let (child, log_from) = (AsyncMutex::new(None), Mutex::new(0));
        Ok(Self(Arc::new(Inner {
            label,
            program,
            environment,
            log,
            broker,
            database,
            processes,
            http,
            child,
            log_from,
        })))
    }

    /// Between this instance and the broker.
    #[must_use]
    pub fn broker(&self) -> &Proxy {
        &self.0.broker
    }

    /// Between this instance and its database.
    #[must_use]
    pub fn database(&self) -> &Proxy {
        &self.0.database
    }

    /// The name in failures: `ledger-1`.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.0.label
    }

    /// Starts the process, and waits until it is ready.
    pub async fn start(&self) -> Result<()> {
        self.launch().await?;
        self.wait_ready().await
    }

    /// Starts the process, and waits for nothing.
    pub async fn launch(&self) -> Result<()> {
        let inner = &self.0;
        let mut child = inner.child.lock().await;
        ensure!(child.is_none(), "{} runs already", inner.label);
        let log = std::fs::File::options().create(true).append(true).open(&inner.log)?;
        let begin = usize::try_from(log.metadata()?.len())?;
        *inner.log_from.lock().unwrap_or_else(PoisonError::into_inner) = begin;
        let mut command = Command::new(&inner.program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BANKWIRE_")) {
            command.env_remove(name);
        }
        command
            .envs(inner.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true);
        let started = command.spawn();
        let started = started.with_context(|| format!("cannot start {}", inner.program.display()));
        let started = child.insert(started?);
        inner.processes.add(started)
    }

    /// Waits until `/readyz` says that every part works.
    pub async fn wait_ready(&self) -> Result<()> {
        let mut exited = None;
        let what = format!("{} is ready", self.0.label);
        wait_for(&what, PATIENCE, async || {
            exited = self.exit_status().await?;
            if exited.is_some() {
                return Ok(true);
            }
            let readiness = self.readiness().await?;
            ensure!(readiness.ready, "{:?}", readiness.parts);
            Ok(true)
        })
        .await?;
        match exited {
            None => Ok(()),
            Some(status) => bail!("{} ended by itself: {status}", self.0.label),
        }
    }

    /// The answer of `/readyz`.
    pub async fn readiness(&self) -> Result<Readiness> {
        let answer = self.0.http.get(self.probe("readyz")?).send().await?;
        let ready = answer.status().is_success();
        Ok(Readiness { ready, parts: answer.json().await? })
    }

    /// The sum of a metric over all its labels; 0 where it was never touched.
    pub async fn metric(&self, name: &str) -> Result<f64> {
        let text = self.0.http.get(self.probe("metrics")?).send().await?.text().await?;
        let values = text.lines().filter_map(|line| {
            let (metric, value) = line.rsplit_once(' ')?;
            let bare = metric.split_once('{').map_or(metric, |(bare, _)| bare);
            (bare == name).then(|| value.parse::<f64>().ok())?
        });
        Ok(values.sum())
    }

    /// The log since the last start.
    pub fn log(&self) -> Result<String> {
        let log = std::fs::read(&self.0.log)?;
        let from = *self.0.log_from.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(String::from_utf8_lossy(log.get(from..).unwrap_or_default()).into_owned())
    }

    /// Waits until it has logged this text since its last start.
    pub async fn wait_log(&self, text: &str) -> Result<()> {
        let what = format!("{} logs {text:?}", self.0.label);
        wait_for(&what, PATIENCE, async || Ok(self.log()?.contains(text))).await
    }

    /// Whether the process runs.
    pub async fn is_running(&self) -> Result<bool> {
        Ok(self.0.child.lock().await.is_some() && self.exit_status().await?.is_none())
    }

    /// The environment and the arguments of the process, as the kernel shows them.
    pub async fn environment_and_arguments(&self) -> Result<String> {
        let child = self.0.child.lock().await;
        let id = child.as_ref().and_then(Child::id);
        let id = id.with_context(|| format!("{} is down", self.0.label))?;
        let shown = |what| std::fs::read(format!("/proc/{id}/{what}"));
        let bytes = [shown("environ")?, shown("cmdline")?].concat();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The most memory that the process has had, as the kernel says.
    pub async fn memory_peak_mib(&self) -> Result<u64> {
        let child = self.0.child.lock().await;
        let id = child.as_ref().and_then(Child::id);
        let id = id.with_context(|| format!("{} is down", self.0.label))?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: u64 = peak.context("no VmHWM")?.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024)
    }

    /// Asks it to stop (SIGTERM), and waits until it has. Fails when it does not end well.
    pub async fn stop(&self) -> Result<()> {
        let mut child = self.0.child.lock().await;
        let mut running = child.take().with_context(|| format!("{} is down", self.0.label))?;
        self.0.processes.terminate(&running)?;
        self.0.processes.forget(&running);
        let ended = tokio::time::timeout(STOP_DEADLINE, running.wait()).await;
        let status = ended.with_context(|| format!("{} does not stop", self.0.label))??;
        ensure!(status.success(), "{} was asked to stop, and ended: {status}", self.0.label);
        Ok(())
    }

    /// Waits until it has ended by itself, and returns how.
    pub async fn wait_exit(&self) -> Result<ExitStatus> {
        let mut child = self.0.child.lock().await;
        let mut running = child.take().with_context(|| format!("{} is down", self.0.label))?;
        let ended = tokio::time::timeout(STOP_DEADLINE, running.wait()).await;
        self.0.processes.forget(&running);
        Ok(ended.with_context(|| format!("{} goes on", self.0.label))??)
    }

    /// Kills it (SIGKILL), wherever it is. It cannot say or do anything more.
    pub async fn kill(&self) -> Result<()> {
        if let Some(mut running) = self.0.child.lock().await.take() {
            self.0.processes.forget(&running);
            running.kill().await?;
        }
        Ok(())
    }

    async fn exit_status(&self) -> Result<Option<ExitStatus>> {
        match self.0.child.lock().await.as_mut() {
            Some(child) => Ok(child.try_wait()?),
            None => Ok(None),
        }
    }

    /// The address that it says it serves probes on: it takes any free port.
    fn probe(&self, path: &str) -> Result<String> {
        let log = self.log()?;
        let said = log.lines().find_map(|line| line.split_once(" probes="));
        let address = said.and_then(|(_, rest)| rest.split_whitespace().next());
        let address: SocketAddr =
            address.context("the log names no address of the probes")?.parse()?;
        Ok(format!("http://{address}/{path}"))
    }

    /// The last lines of its whole log, for people who look for the cause of a failure.
    pub(crate) fn log_tail(&self, lines: usize) -> String {
        let log = std::fs::read(&self.0.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log).into_owned();
        let all: Vec<&str> = log.lines().collect();
        let tail = all[all.len().saturating_sub(lines)..].join("\n");
        format!("--- {} ({}), the last {lines} lines\n{tail}\n", self.0.label, self.0.log.display())
    }

    /// Waits until a metric is at least this much.
    pub async fn wait_metric(&self, name: &str, at_least: f64) -> Result<f64> {
        wait_value(&format!("{name} of {} >= {at_least}", self.0.label), PATIENCE, async || {
            let value = self.metric(name).await?;
            Ok((value >= at_least).then_some(value))
        })
        .await
    }
}
