//! The files of `teller client`: the principals, and the new password of a client. Promise: a file
//! is written as a whole or not at all, and a password is readable for its owner alone.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use clap::Args;
use shared_events::topology::{InvalidPrincipals, Principals, password_hash};
use teller_client::{TellerError, input::InvalidInput};

const OWNER_ALONE: u32 = 0o600;
const PASSWORD_BYTES: usize = 32;

#[derive(Debug, Args)]
pub(crate) struct PrincipalsFile {
    /// The file of principals
    #[arg(
        long,
        value_name = "FILE",
        env = "BANKWIRE_PRINCIPALS",
        default_value = "rabbitmq/principals.json"
    )]
    principals: PathBuf,
}

impl PrincipalsFile {
    pub(crate) fn read(&self) -> Result<Principals, TellerError> {
        let text = fs::read_to_string(&self.principals).map_err(|error| self.unusable(&error))?;
        Ok(Principals::parse(&text).map_err(|InvalidPrincipals { field, rule }| {
            InvalidInput::new(format!("{}: {field}", self.principals.display()), rule)
        })?)
    }

    /// Replaces the file: a reader sees the old text or the new one.
    pub(crate) fn write(&self, principals: &Principals) -> Result<(), TellerError> {
        let written = write_beside(&self.principals, &principals.to_json());
        Ok(written.map_err(|error| self.unusable(&error))?)
    }

    fn unusable(&self, error: &io::Error) -> InvalidInput {
        InvalidInput::new("principals", format!("{}: {error}", self.principals.display()))
    }
}

fn write_beside(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    if let Ok(found) = fs::metadata(path) {
        fs::set_permissions(&beside, found.permissions())?;
    }
    fs::rename(&beside, path)
}

/// Where a new password goes.
#[derive(Debug, Args)]
pub(crate) struct PasswordOutput {
    /// Write the new password into this file, which must not exist; only its owner may read it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the new password
    #[arg(long, conflicts_with = "out")]
    show_password: bool,
}

/// A new password, kept where the caller wanted it.
pub(crate) struct NewPassword {
    pub(crate) hash: String,
    /// The password itself, if it is to be printed.
    pub(crate) shown: Option<String>,
}

impl PasswordOutput {
    /// Makes a password and stores it.
    pub(crate) fn make(&self) -> Result<NewPassword, TellerError> {
        let random: [u8; PASSWORD_BYTES] = rand::random();
        let password: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        match &self.out {
            Some(path) => store(path, &password).map_err(|error| {
                InvalidInput::new("out", format!("{}: {error}", path.display()))
            })?,
            None if self.show_password => {}
            None => {
                let rule = "must name a file for the new password (or use --show-password)";
                return Err(InvalidInput::new("out", rule).into());
            }
        }
        let hash = password_hash(rand::random(), &password);
        Ok(NewPassword { hash, shown: self.show_password.then_some(password) })
    }
}

fn store(path: &Path, password: &str) -> io::Result<()> {
    let options = OpenOptions::new().write(true).create_new(true).mode(OWNER_ALONE).open(path);
    let mut file = options?;
    file.write_all(password.as_bytes())?;
    file.sync_all()
}
