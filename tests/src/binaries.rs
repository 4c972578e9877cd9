//! The binaries under test. Promise: they are the ones that `cargo build` put beside the tests, and
//! old ones are told.

use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result, ensure};
use shared_events::topology::SERVICES;

/// Another folder to take them from.
const FOLDER: &str = "BANKWIRE_BINARIES";

/// The binary of a service or of `teller`, which must have been built.
pub fn program(name: &str) -> Result<PathBuf> {
    let program = match std::env::var_os(FOLDER) {
        Some(folder) => PathBuf::from(folder),
        None => profile_folder()?,
    }
    .join(name);
    ensure!(
        program.exists(),
        "\n\n  {} is not there. Build it first:  cargo build --workspace\n",
        program.display()
    );
    Ok(program)
}

/// Services whose sources have changed since they were built: what is tested is not what is there.
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
    let newer = sources.split_whitespace().find(|it| changed(Path::new(it)) > Some(built))?;
    Some(format!("{} is older than {newer}", program.display()))
}

/// `target/debug`, from `target/debug/deps/bank-0123`.
fn profile_folder() -> Result<PathBuf> {
    let test = std::env::current_exe().context("cannot find this test binary")?;
    let profile = test.parent().and_then(Path::parent);
    Ok(profile.context("this test binary is not in a target folder")?.to_owned())
}

/// Where logs may be left: `target/tmp`.
pub(crate) fn scratch_folder() -> Result<PathBuf> {
    let profile = profile_folder()?;
    let target = profile.parent().context("this test binary is not in a target folder")?;
    Ok(target.join("tmp"))
}
