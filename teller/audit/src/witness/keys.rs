//! The public keys of the services. Promise: a file is read for each statement that is heard, so a
//! key that is added needs no restart, and once for all statements of a witness's file; a file may
//! have several keys, of which one must have signed.

use std::{collections::BTreeMap, fs, path::PathBuf, str::FromStr};

use shared_events::{
    chains::ChainsSigned, evidence::VerifyingKey, owned::Shape as _, topology::owner_of,
};
use teller_client::input::InvalidInput;

/// The field of errors.
const FIELD: &str = "key";

/// A file with public keys of a service, as `ledger=FILE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    service: String,
    file: PathBuf,
}

/// The files of public keys of the services.
#[derive(Clone, Debug, Default)]
pub struct WitnessKeys(Vec<KeyFile>);

/// The keys of the services, as their files had them.
#[derive(Debug)]
pub(super) struct ReadKeys(BTreeMap<&'static str, Vec<VerifyingKey>>);

impl FromStr for KeyFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let services = || services().collect::<Vec<_>>().join(" or ");
        match text.split_once('=') {
            Some((service, file)) if services_has(service) && !file.is_empty() => {
                Ok(Self { service: service.to_owned(), file: file.into() })
            }
            _ => Err(format!("must be SERVICE=FILE, with {} as service", services())),
        }
    }
}

impl WitnessKeys {
    /// The keys in these files.
    #[must_use]
    pub const fn new(files: Vec<KeyFile>) -> Self {
        Self(files)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The services that have keys.
    pub fn services(&self) -> impl Iterator<Item = &'static str> {
        services().filter(|service| self.0.iter().any(|key| key.service == *service))
    }

    /// Reads the keys of all services.
    pub(super) fn read(&self) -> Result<ReadKeys, InvalidInput> {
        let of_service = |service| Ok((service, self.read_of(service)?));
        Ok(ReadKeys(self.services().map(of_service).collect::<Result<_, InvalidInput>>()?))
    }

    /// Reads the keys of a service.
    pub(super) fn read_of(&self, service: &str) -> Result<Vec<VerifyingKey>, InvalidInput> {
        let mut keys = Vec::new();
        for KeyFile { file, .. } in self.0.iter().filter(|key| key.service == service) {
            let wrong = |why: String| {
                InvalidInput::new(FIELD, format!("{} cannot be used: {why}", file.display()))
            };
            let pem = fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
            let found = VerifyingKey::all_from_pem(&pem);
            keys.extend(found.map_err(|error| wrong(error.to_string()))?);
        }
        match keys.is_empty() {
            true => Err(no_key_of(service)),
            false => Ok(keys),
        }
    }
}

impl ReadKeys {
    /// The keys of a service.
    pub(super) fn of(&self, service: &str) -> Result<&[VerifyingKey], InvalidInput> {
        self.0.get(service).map(Vec::as_slice).ok_or_else(|| no_key_of(service))
    }
}

fn no_key_of(service: &str) -> InvalidInput {
    let rule = format!("the file has statements of {service}: give its public key");
    InvalidInput::new(FIELD, rule)
}

/// The services that sign the ends of their chains.
fn services() -> impl Iterator<Item = &'static str> {
    let types = ChainsSigned::TYPES.into_iter();
    let published = types.filter(|kind| shared_events::catalogue::find(kind).is_some());
    published.filter_map(owner_of)
}

/// Whether a service signs the ends of its chains.
pub(super) fn services_has(service: &str) -> bool {
    services().any(|known| known == service)
}
