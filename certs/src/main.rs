//! `bankwire-certs FOLDER [--renew] --server broker=broker,localhost ... --client ledger ...`
//! makes the certificates that are missing or old, or all. `bankwire-certs FOLDER [--renew]
//! --signing-key ledger ...` makes keys that sign the ends of chains. Promise: it prints its own
//! words and arguments alone.

use std::{io::Write as _, path::Path, process::ExitCode};

use bankwire_certs::{
    Usage,
    folder::{Folder, FolderError},
    signing_keys,
};

const USAGE: &str = "usage: bankwire-certs FOLDER [--renew] [--server NAME=HOST,HOST]... \
                     [--client USER]...\n       \
                     bankwire-certs FOLDER [--renew] [--signing-key SERVICE]...";
const SIGNING_KEY: &str = "--signing-key";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let said = match run(&arguments) {
        Ok(Some(made)) => {
            let _ = std::io::stdout().write_all(made.as_bytes());
            return ExitCode::SUCCESS;
        }
        Ok(None) => USAGE.to_owned(),
        Err(error) => {
            let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
            format!("bankwire-certs: {error}{}", cause.unwrap_or_default())
        }
    };
    let _ = writeln!(std::io::stderr(), "{said}");
    ExitCode::from(2)
}

/// A line for each certificate that was made; nothing for wrong arguments.
fn run(arguments: &[String]) -> Result<Option<String>, FolderError> {
    let Some((path, rest)) = arguments.split_first() else { return Ok(None) };
    let is_renewed = rest.iter().any(|argument| argument == "--renew");
    let rest: Vec<&String> = rest.iter().filter(|argument| *argument != "--renew").collect();
    match rest.first().is_some_and(|first| *first == SIGNING_KEY) {
        true => make_signing_keys(path, is_renewed, &rest),
        false => make_certificates(path, is_renewed, &rest),
    }
}

fn make_signing_keys(
    path: &str,
    is_renewed: bool,
    rest: &[&String],
) -> Result<Option<String>, FolderError> {
    let mut made = String::new();
    for option in rest.chunks(2) {
        let [name, service] = option else { return Ok(None) };
        if *name != SIGNING_KEY {
            return Ok(None);
        }
        if signing_keys::provide(Path::new(path), service, is_renewed)? {
            made.push_str(&format!("certs: made {path}/{service}.key\n"));
        }
    }
    Ok(Some(made))
}

fn make_certificates(
    path: &str,
    is_renewed: bool,
    rest: &[&String],
) -> Result<Option<String>, FolderError> {
    let folder = Folder::open(Path::new(path))?;
    let mut rest = rest.iter();
    let mut made = String::new();
    while let Some(option) = rest.next() {
        let value = rest.next().map(|value| value.as_str());
        let named = value.and_then(|value| value.split_once('='));
        let is_made = match (option.as_str(), value, named) {
            ("--server", _, Some((name, hosts))) => {
                let hosts: Vec<&str> = hosts.split(',').collect();
                (name, folder.provide(name, Usage::Server(&hosts), is_renewed)?)
            }
            ("--client", Some(user), _) => (user, folder.provide(user, Usage::Client, is_renewed)?),
            _ => return Ok(None),
        };
        if let (name, true) = is_made {
            made.push_str(&format!("certs: made {path}/{name}.pem\n"));
        }
    }
    Ok(Some(made))
}
