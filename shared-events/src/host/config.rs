//! Configuration. Promise: the environment takes precedence over the file; a secret needs neither;
//! an error names the missing or wrong key.

use std::{collections::HashMap, net::SocketAddr, path::Path};

use config::{Config, Environment, File};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    address::{Address, AddressError, Scheme},
    amqp::ConnectionParameters,
};

const PREFIX: &str = "BANKWIRE";
const FILE_SUFFIX: &str = "_FILE";
const DATABASE_SCHEMES: [Scheme; 2] = [("postgres", 5432), ("postgresql", 5432)];

/// The settings of every service. As environment: `BANKWIRE_AMQP__URL` and so on.
#[derive(Debug, Deserialize)]
pub(super) struct CommonSettings {
    pub(super) amqp: ServerSettings,
    pub(super) database: ServerSettings,
    #[serde(default)]
    pub(super) http: ProbeSettings,
    #[serde(default)]
    pub(super) log: LogSettings,
}

/// A server, and the password if the URL has none.
#[derive(Debug, Deserialize)]
pub(super) struct ServerSettings {
    url: SecretString,
    #[serde(default)]
    password: Option<SecretString>,
}

/// The part of the settings that a migration reads.
#[derive(Debug, Deserialize)]
struct MigrationSettings {
    database: ServerSettings,
    #[serde(default)]
    log: LogSettings,
}

impl CommonSettings {
    /// The broker's address and login.
    pub(super) fn amqp(&self) -> Result<ConnectionParameters, ConfigError> {
        let ServerSettings { url, password } = &self.amqp;
        let read = ConnectionParameters::new(url.expose_secret(), password.clone());
        read.map_err(|source| ConfigError::Address { key: "amqp.url", source })
    }

    /// The address of the service's own database.
    pub(super) fn database(&self) -> Result<Address, ConfigError> {
        self.database.database()
    }
}

impl ServerSettings {
    /// The address of a database.
    fn database(&self) -> Result<Address, ConfigError> {
        let Self { url, password } = self;
        let read = Address::parse(url.expose_secret(), password.clone(), &DATABASE_SCHEMES);
        read.map_err(|source| ConfigError::Address { key: "database.url", source })
    }
}

/// The address of the probes' listener.
#[derive(Debug, Deserialize)]
pub(super) struct ProbeSettings {
    pub(super) listen: SocketAddr,
}

impl Default for ProbeSettings {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 8080)) }
    }
}

/// The format of logs.
#[derive(Debug, Default, Deserialize)]
pub(super) struct LogSettings {
    #[serde(default)]
    pub(super) format: LogFormat,
}

/// For people or for programs.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LogFormat {
    #[default]
    Human,
    Json,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A key is missing or its value is wrong.
    #[error("the configuration is wrong")]
    Wrong(#[from] config::ConfigError),
    /// The address of a server cannot be used. As environment, `amqp.url` is `BANKWIRE_AMQP__URL`.
    #[error("{key} cannot be used")]
    Address {
        /// The key.
        key: &'static str,
        /// The fault of its value; the value itself is not shown.
        #[source]
        source: AddressError,
    },
    /// A `..._FILE` variable names a file that cannot be read.
    #[error("cannot read the file that {variable} names")]
    SecretFile {
        /// The variable.
        variable: String,
        /// The fault of the file.
        #[source]
        source: std::io::Error,
    },
}

/// Reads the common part and the service's own.
pub(super) fn load<T: DeserializeOwned>(
    file: Option<&Path>,
) -> Result<(CommonSettings, T), ConfigError> {
    let read = read(file)?;
    Ok((read.clone().try_deserialize()?, read.try_deserialize()?))
}

/// Reads the address of the database, as its owner, and the format of logs.
pub(super) fn load_for_migration(file: Option<&Path>) -> Result<(Address, LogFormat), ConfigError> {
    let MigrationSettings { database, log } = read(file)?.try_deserialize()?;
    Ok((database.database()?, log.format))
}

fn read(file: Option<&Path>) -> Result<Config, ConfigError> {
    let mut sources = Config::builder();
    if let Some(file) = file {
        sources = sources.add_source(File::from(file));
    }
    let environment = Environment::with_prefix(PREFIX)
        .prefix_separator("_")
        .separator("__")
        .source(Some(with_secrets(std::env::vars().collect())?));
    Ok(sources.add_source(environment).build()?)
}

/// `BANKWIRE_X_FILE=/run/secrets/x` stands for `BANKWIRE_X=<what the file says>`.
fn with_secrets(
    mut variables: HashMap<String, String>,
) -> Result<HashMap<String, String>, ConfigError> {
    let named: Vec<(String, String)> = variables
        .iter()
        .filter(|(name, _)| name.starts_with(PREFIX) && name.ends_with(FILE_SUFFIX))
        .map(|(name, path)| (name.clone(), path.clone()))
        .collect();
    for (variable, path) in named {
        let secret = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::SecretFile { variable: variable.clone(), source })?;
        variables.remove(&variable);
        let name = variable.trim_end_matches(FILE_SUFFIX).to_owned();
        variables.insert(name, secret.trim_end_matches(['\r', '\n']).to_owned());
    }
    Ok(variables)
}
