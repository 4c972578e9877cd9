//! The binaries under test. Promise: they are the ones that `cargo build` made for the profile of
//! the tests, wherever cargo's configuration has them put, and old ones are told.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::SystemTime,
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use shared_events::topology::SERVICES;

/// Another folder to take them from.
const FOLDER: &str = "BANKWIRE_BINARIES";

/// The binary of a service, of `teller` or of the benchmark, which must have been built.
pub fn program(name: &str) -> Result<PathBuf> {
    let program = match std::env::var_os(FOLDER) {
        Some(folder) => PathBuf::from(folder).join(name),
        None => built(&profile_folder()?, name),
    };
    ensure!(
        program.exists(),
        "\n\n  {} does not exist. Build the workspace first:  cargo build --workspace\n",
        program.display()
    );
    Ok(program)
}

/// Services whose sources are newer than their binaries: such a run tests old code.
pub(crate) fn outdated() -> Vec<String> {
    if std::env::var_os(FOLDER).is_some() {
        return vec![];
    }
    let services = SERVICES.iter().map(|service| format!("{service}-svc"));
    services.filter_map(|name| newer_source(&program(&name).ok()?)).collect()
}

/// A source that is newer than the program built of it, by the list that cargo keeps beside it.
fn newer_source(program: &Path) -> Option<String> {
    let changed = |path: &Path| -> Option<SystemTime> { path.metadata().ok()?.modified().ok() };
    let built = changed(program)?;
    let list = std::fs::read_to_string(program.with_extension("d")).ok()?;
    let (_, sources) = list.split_once(": ")?;
    let newer =
        sources.split_whitespace().find(|source| changed(Path::new(source)) > Some(built))?;
    Some(format!("{} is older than {newer}", program.display()))
}

/// A program of a profile: beside the tests, or in the same place below the target folder where
/// `build.build-dir` names another folder for intermediate files.
fn built(profile: &Path, name: &str) -> PathBuf {
    static TARGET: OnceLock<Option<PathBuf>> = OnceLock::new();
    let beside = profile.join(name);
    if beside.exists() {
        return beside;
    }
    let target = TARGET.get_or_init(target_folder).as_ref();
    // `debug`, or `x86_64-unknown-linux-gnu/debug` where a target is configured.
    let mut places = (1..=2).filter_map(|parts| {
        let all: Vec<_> = profile.iter().collect();
        let last: PathBuf = all.get(all.len().checked_sub(parts)?..)?.iter().collect();
        Some(target?.join(last).join(name))
    });
    places.find(|place| place.exists()).unwrap_or(beside)
}

/// Where cargo delivers what it builds.
fn target_folder() -> Option<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = ["metadata", "--no-deps", "--offline", "--format-version", "1"];
    let manifest = ["--manifest-path", concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")];
    let told = Command::new(cargo).args(metadata).args(manifest).output().ok()?;
    let told: Value = serde_json::from_slice(&told.stdout).ok()?;
    Some(PathBuf::from(told["target_directory"].as_str()?))
}

/// `target/debug`, from `target/debug/deps/bank-0123`.
fn profile_folder() -> Result<PathBuf> {
    let test = std::env::current_exe().context("cannot find this test binary")?;
    let profile = test.parent().and_then(Path::parent);
    Ok(profile.context("this test binary is not in a target folder")?.to_owned())
}

/// The folder for logs and other files that nobody needs after a run: `target/tmp`.
pub fn scratch_folder() -> Result<PathBuf> {
    let profile = profile_folder()?;
    let target = profile.parent().context("this test binary is not in a target folder")?;
    let folder = target.join("tmp");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The path of a new file in the scratch folder. The fact removes the file.
pub fn scratch_file(extension: &str) -> Result<PathBuf> {
    Ok(scratch_folder()?.join(format!("{}.{extension}", uuid::Uuid::now_v7())))
}
