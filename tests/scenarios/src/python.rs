//! A program that knows the published schemas and nothing else of the bank. Promise: the contract
//! is enough to use the bank, and a bank that breaks it is noticed.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, binaries::scratch_folder, broker::CLIENT, facts};
use serde_json::{Value, json};
use shared_events::topology::SERVICES;
use tokio::{process::Command, sync::OnceCell};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        the_schemas_are_enough_to_use_the_bank,
        a_bank_that_breaks_its_contract_is_noticed,
        a_stranger_connects_with_a_certificate_and_a_password_from_a_file,
    ]
}

const MODULES: &str = "import cryptography, jsonschema, pika, rfc3339_validator";

async fn the_schemas_are_enough_to_use_the_bank(bank: Bank) -> Result<()> {
    bank.start_all(&SERVICES).await?;
    let done = first_day(&bank, &schemas()).await?;
    let summary: Value = serde_json::from_slice(&done.stdout).with_context(|| said(&done))?;
    ensure!(done.status.success() && summary["ok"] == true, "{}", said(&done));
    ensure!(summary["balances"] == json!({"alice": "70.00", "bob": "30.00"}), "{summary}");
    ensure!(summary["rejected"] == "insufficient_funds", "{summary}");
    Ok(())
}

async fn a_stranger_connects_with_a_certificate_and_a_password_from_a_file(
    bank: Bank,
) -> Result<()> {
    bank.start_all(&SERVICES).await?;
    let url = bank.amqps_url(CLIENT, &bank.certificates().client(CLIENT)?);
    std::fs::create_dir_all(scratch()?)?;
    let file = scratch()?.join("client-password");
    std::fs::write(&file, "teller-dev\n")?;
    let mut command = program(&url, &schemas()).await?;
    let done = run(command.arg("--password-file").arg(&file)).await?;
    ensure!(done.status.success(), "{}", said(&done));
    // Without a password the certificate is the login.
    let done = run(&mut program(&url, &schemas()).await?).await?;
    ensure!(done.status.success(), "{}", said(&done));
    Ok(())
}

/// The same bank, held to a contract that promises more than it keeps.
async fn a_bank_that_breaks_its_contract_is_noticed(bank: Bank) -> Result<()> {
    bank.start_all(&SERVICES).await?;
    let other = scratch()?.join("schemas-that-promise-more");
    std::fs::create_dir_all(&other)?;
    for file in std::fs::read_dir(schemas())? {
        let file = file?;
        std::fs::copy(file.path(), other.join(file.file_name()))?;
    }
    let path = other.join("ledger.balance.found.v1.json");
    let mut schema: Value = serde_json::from_slice(&std::fs::read(&path)?)?;
    let required = schema["required"].as_array_mut().context("a balance has fields")?;
    required.push("interest".into());
    std::fs::write(&path, schema.to_string())?;
    let done = first_day(&bank, &other).await?;
    ensure!(done.status.code() == Some(1), "{}", said(&done));
    let summary: Value = serde_json::from_slice(&done.stdout).with_context(|| said(&done))?;
    let mismatch = summary["mismatch"].as_str().unwrap_or_default();
    ensure!(mismatch.contains("'interest' is a required property"), "{summary}");
    Ok(())
}

async fn first_day(bank: &Bank, schemas: &Path) -> Result<Output> {
    run(&mut program(&bank.amqp_url(CLIENT), schemas).await?).await
}

async fn program(url: &str, schemas: &Path) -> Result<Command> {
    let mut command = script("first_day.py").await?;
    command.arg(url).arg(schemas);
    Ok(command)
}

/// A program of `tests/python`, with the modules that it needs.
pub(crate) async fn script(name: &str) -> Result<Command> {
    static PYTHON: OnceCell<PathBuf> = OnceCell::const_new();
    let python = PYTHON.get_or_try_init(python).await?;
    let mut command = Command::new(python);
    command.arg(tests().join("python").join(name));
    Ok(command)
}

/// A Python that has what the program needs: the machine's, or one below `target`.
#[allow(clippy::print_stderr, reason = "whoever waits for downloads wants to know")]
async fn python() -> Result<PathBuf> {
    let system = PathBuf::from("python3");
    let version = run(Command::new(&system).arg("--version")).await;
    version.context("there is no python3 on this machine: install python3 and python3-venv")?;
    let found = run(Command::new(&system).args(["-c", MODULES])).await?;
    if found.status.success() {
        return Ok(system);
    }
    let (folder, requirements) = (scratch()?.join("venv"), tests().join("python/requirements.txt"));
    let (folder_name, missing) = (folder.display(), said(&found));
    eprintln!("python3 lacks modules; installing them into {folder_name}\n{missing}");
    let made = run(Command::new(&system).args(["-m", "venv"]).arg(&folder)).await?;
    ensure!(made.status.success(), "no venv (is python3-venv installed?): {}", said(&made));
    let python = folder.join("bin/python");
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
    let installed = run(Command::new(&python).args(pip).arg(requirements)).await?;
    ensure!(installed.status.success(), "pip cannot install: {}", said(&installed));
    Ok(python)
}

async fn run(command: &mut Command) -> Result<Output> {
    let done = command.kill_on_drop(true).output().await;
    done.with_context(|| format!("{:?} does not run", command.as_std().get_program()))
}

fn said(done: &Output) -> String {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", done.status, text(&done.stdout), text(&done.stderr))
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn schemas() -> PathBuf {
    tests().join("../shared-events/schemas")
}

fn scratch() -> Result<PathBuf> {
    Ok(scratch_folder()?.join("python"))
}
