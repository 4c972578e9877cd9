//! `bankwire-certs FOLDER [--renew] --server broker=broker,localhost ... --client ledger ...`
//! makes the certificates that are missing or old, or all. Promise: it prints its own words and
//! arguments alone.

use std::{io::Write as _, path::Path, process::ExitCode};

use bankwire_certs::{
    Usage,
    folder::{Folder, FolderError},
};

const USAGE: &str = "usage: bankwire-certs FOLDER [--renew] [--server NAME=HOST,HOST]... \
                     [--client USER]...";

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
    let folder = Folder::open(Path::new(path))?;
    let is_renewed = rest.iter().any(|argument| argument == "--renew");
    let mut rest = rest.iter().filter(|argument| *argument != "--renew");
    let mut made = String::new();
    while let Some(option) = rest.next() {
        let value = rest.next().map(String::as_str);
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
