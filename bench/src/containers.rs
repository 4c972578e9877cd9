//! The containers that the bank runs in, as the engine on this machine knows them: to run a tool
//! beside a database, and to read what each has used. Promise: nothing runs in a container that is
//! being measured; its counters are read from outside.

use std::{collections::BTreeMap, path::PathBuf};

use tokio::process;

use crate::fault::BenchError;

/// Where the ledger's books are.
pub(crate) const LEDGER_DB: &str = "ledger-db";

/// A container of a compose project.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    id: String,
    /// The file of its control group that counts its CPU time. It stays when it is restarted.
    cpu: PathBuf,
}

/// The containers of a compose project, by the names of their services.
#[derive(Clone, Debug, Default)]
pub(crate) struct Containers {
    running: BTreeMap<String, Container>,
    /// The ids of those that have ended: their work was done.
    ended: BTreeMap<String, String>,
}

impl Containers {
    /// The containers. None where the project has none, or there is no engine.
    pub(crate) async fn of(project: &str) -> Result<Self, BenchError> {
        let filter = format!("label=com.docker.compose.project={project}");
        let list = ["ps", "--all", "--quiet", "--no-trunc", "--filter", &filter];
        let Ok(ids) = docker(&list).await else { return Ok(Self::default()) };
        let mut containers = Self::default();
        for id in ids.split_whitespace() {
            let format = r#"{{index .Config.Labels "com.docker.compose.service"}} {{.State.Pid}}"#;
            let facts = docker(&["inspect", "--format", format, id]).await?;
            let (name, pid) = facts.trim().split_once(' ').unwrap_or_default();
            let (name, id) = (name.to_owned(), id.to_owned());
            if pid == "0" {
                containers.ended.insert(name, id);
            } else {
                containers.running.insert(name, Container { id, cpu: cpu_file(pid)? });
            }
        }
        Ok(containers)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Container)> {
        self.running.iter().map(|(name, container)| (name.as_str(), container))
    }

    pub(crate) fn has(&self, service: &str) -> bool {
        self.running.contains_key(service)
    }

    /// Of the largest process in each container, the most memory that it has had, in MiB.
    pub(crate) fn peak_memory_mib(&self) -> Result<BTreeMap<String, f64>, BenchError> {
        let peak = |(name, container): (&str, &Container)| {
            Ok((name.to_owned(), container.peak_memory_mib()?))
        };
        self.iter().map(peak).collect()
    }

    /// Runs a command in the container of `service`, and returns what it printed.
    pub(crate) async fn exec(&self, service: &str, command: &[&str]) -> Result<String, BenchError> {
        let id = self.id(service)?;
        docker(&[&["exec", id], command].concat()).await
    }

    /// Waits until all written pages are on the disk. The hundreds of megabytes of one part would
    /// otherwise be flushed beside the next one, and each of its commits would wait. Databases
    /// outside these containers are left alone.
    pub(crate) async fn flush(&self) -> Result<(), BenchError> {
        match self.has(LEDGER_DB) {
            true => self.exec(LEDGER_DB, &["sync"]).await.map(drop),
            false => Ok(()),
        }
    }

    pub(crate) async fn stop(&self, service: &str) -> Result<(), BenchError> {
        docker(&["stop", self.id(service)?]).await.map(drop)
    }

    pub(crate) async fn start(&self, service: &str) -> Result<(), BenchError> {
        docker(&["start", self.id(service)?]).await.map(drop)
    }

    /// Whether one of the bank's services says that it works.
    pub(crate) async fn is_ready(&self, service: &str) -> bool {
        self.exec(service, &["service", "healthcheck"]).await.is_ok()
    }

    fn id(&self, service: &str) -> Result<&str, BenchError> {
        let running = self.running.get(service).map(|container| &container.id);
        let id = running.or_else(|| self.ended.get(service)).ok_or_else(|| {
            BenchError::Wrong(format!("there is no container of {service}: name the --project"))
        })?;
        Ok(id)
    }
}

impl Container {
    /// CPU time that all its processes have used, in seconds.
    pub(crate) fn cpu_seconds(&self) -> Result<f64, BenchError> {
        let text = read(&self.cpu)?;
        // Version 2 has lines with names, in microseconds; version 1 one number, in nanoseconds.
        let (number, per_second) =
            match text.lines().find_map(|line| line.strip_prefix("usage_usec ")) {
                Some(micros) => (micros, 1e6),
                None => (text.as_str(), 1e9),
            };
        let number: Result<f64, _> = number.trim().parse();
        let wrong = || BenchError::Wrong(format!("{} is not understood", self.cpu.display()));
        number.map(|time| time / per_second).map_err(|_| wrong())
    }

    /// The most memory that its largest process has had at a time (`VmHWM`), in MiB. A service is
    /// one process.
    fn peak_memory_mib(&self) -> Result<f64, BenchError> {
        let pids = read(&self.cpu.with_file_name("cgroup.procs"))?;
        let peaks = pids.split_whitespace().filter_map(|pid| {
            // One that has ended since does not count.
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            peak.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()
        });
        let largest = peaks.reduce(f64::max);
        let gone = || BenchError::Wrong(format!("container {} has ended", self.id));
        largest.map(|kib| kib / 1024.0).ok_or_else(gone)
    }
}

/// Where the CPU time of a process's control group is counted, in version 1 or 2 of these groups.
fn cpu_file(pid: &str) -> Result<PathBuf, BenchError> {
    let cgroups = read(&format!("/proc/{pid}/cgroup").into())?;
    let path = |controller: &str, root: &str, file: &str| {
        let mut lines = cgroups.lines().filter_map(|line| line.split_once(':'));
        let (_, rest) = lines.find(|(_, rest)| rest.split(':').next() == Some(controller))?;
        let group = rest.split_once(':')?.1;
        let file = PathBuf::from(format!("/sys/fs/cgroup{root}{group}/{file}"));
        file.exists().then_some(file)
    };
    let first = path("cpuacct", "/cpuacct", "cpuacct.usage");
    let first = first.or_else(|| path("cpu,cpuacct", "/cpu,cpuacct", "cpuacct.usage"));
    first
        .or_else(|| path("", "", "cpu.stat"))
        .ok_or_else(|| BenchError::Wrong(format!("the control group of process {pid} is not here")))
}

pub(crate) fn read(file: &PathBuf) -> Result<String, BenchError> {
    std::fs::read_to_string(file).map_err(BenchError::system(format!("read {}", file.display())))
}

/// Runs `docker` and returns what it printed.
pub(crate) async fn docker(arguments: &[&str]) -> Result<String, BenchError> {
    let command = format!("docker {}", arguments.join(" "));
    let output = process::Command::new("docker").args(arguments).output().await;
    let output = output.map_err(BenchError::system(format!("run {command}")))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(BenchError::Command { command, said })
        }
    }
}
