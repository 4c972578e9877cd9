//! The command line `teller`, run as a process.

use std::{
    path::PathBuf,
    process::{Output, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use harness::{Bank, bank::program, broker::CLIENT, statements::check_statement};
use serde_json::Value;
use tokio::{
    process::{Child, Command},
    time::timeout,
};

/// A command that takes longer hangs: the real books take minutes on a slow machine.
const DEADLINE: Duration = Duration::from_secs(800);

/// The command line, and where its bank is.
#[derive(Clone)]
pub(crate) struct TellerCli {
    program: PathBuf,
    client: String,
}

/// How a command output.
#[derive(Clone, Debug)]
pub(crate) struct CliOutput {
    /// Its exit code.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl TellerCli {
    pub(crate) fn of(bank: &Bank) -> Result<Self> {
        Ok(Self { program: program("teller")?, client: bank.amqp_url(CLIENT) })
    }

    /// The same command line, as another client of the bank.
    pub(crate) fn with_client(self, url: &str) -> Self {
        Self { client: url.to_owned(), ..self }
    }

    /// The same command line, with the broker at another address.
    pub(crate) fn with_broker_address(self, address: std::net::SocketAddr) -> Result<Self> {
        let (rest, vhost) = self.client.rsplit_once('/').context("a URL ends in its vhost")?;
        let (who, _) = rest.rsplit_once('@').context("a URL names its user")?;
        let client = format!("{who}@{address}/{vhost}");
        Ok(Self { client, ..self })
    }

    /// The process of a command, not started yet.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TELLER_")) {
            command.env_remove(name);
        }
        command
            .env("TELLER_AMQP_URL", &self.client)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Starts a command, and waits for nothing.
    pub(crate) fn start(&self, arguments: &[&str]) -> Result<Child> {
        Ok(self.command(arguments).spawn()?)
    }

    /// Runs a command to its end. A camt.053 that it writes must be valid.
    pub(crate) async fn run(&self, arguments: &[&str]) -> Result<CliOutput> {
        let actual = || format!("teller {arguments:?}");
        let output = wait_output(self.start(arguments)?).await.with_context(actual)?;
        check_statement(&output.out).await.with_context(actual)?;
        Ok(output)
    }

    /// Runs a command that must end well, and reads what it says to programs.
    pub(crate) async fn json(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.run(&[&["--json"], arguments].concat()).await?;
        ensure!(output.code == 0, "teller {arguments:?}: {output:?}");
        output.json()
    }
}

impl CliOutput {
    /// The JSON on standard output.
    pub(crate) fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.out).with_context(|| format!("not JSON: {self:?}"))
    }
}

/// Waits for the end of a command.
pub(crate) async fn wait_output(child: Child) -> Result<CliOutput> {
    let Output { status, stdout, stderr } = timeout(DEADLINE, child.wait_with_output()).await??;
    let code = status.code().with_context(|| format!("killed: {status}"))?;
    Ok(CliOutput { code, out: String::from_utf8(stdout)?, err: String::from_utf8(stderr)? })
}
