//! Configuration. Promise: the environment takes precedence over the file; every secret may stand
//! in a file of its own; an error names the missing or wrong key; a public secret is refused,
//! unless the switch of development is set.

use std::{collections::HashMap, net::SocketAddr, num::NonZeroU16, path::Path, time::Duration};

use config::{Config, Environment, File, Value, ValueKind};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    address::{Address, AddressError, Scheme},
    amqp::ConnectionParameters,
    messaging::{AccessLimits, Evidence, NotRetirable, RetiredEvents},
    secret::{
        self, DEVELOPMENT_SWITCH, FILE_SUFFIX, Secret, SecretError, are_public_ones_permitted,
    },
};

const PREFIX: &str = "BANKWIRE";
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
    #[serde(default)]
    pub(super) access: AccessSettings,
    #[serde(default)]
    pub(super) events: EventSettings,
    #[serde(default)]
    pub(super) evidence: EvidenceSettings,
}

/// A server, and the password if the URL has none.
#[derive(Debug, Deserialize)]
pub(super) struct ServerSettings {
    url: SecretString,
    #[serde(default)]
    password: Option<Secret>,
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

/// What principals may do.
#[derive(Debug, Default, Deserialize)]
pub(super) struct AccessSettings {
    age_seconds_max: Option<u64>,
    approval_seconds_max: Option<u64>,
    log_days: Option<NonZeroU16>,
}

impl AccessSettings {
    /// The limits in time.
    pub(super) fn limits(&self) -> AccessLimits {
        let default = AccessLimits::default();
        let or = |seconds: Option<u64>, default| seconds.map_or(default, Duration::from_secs);
        AccessLimits {
            grants_age_max: or(self.age_seconds_max, default.grants_age_max),
            approval_within: or(self.approval_seconds_max, default.approval_within),
            log_days: self.log_days.unwrap_or(default.log_days),
        }
    }
}

/// The events that a service announces.
#[derive(Debug, Default, Deserialize)]
pub(super) struct EventSettings {
    /// The versions that it does not announce any more, separated by spaces.
    #[serde(default)]
    retired: String,
}

impl EventSettings {
    /// The retired versions of the events of `service`.
    pub(super) fn retired(&self, service: &str) -> Result<RetiredEvents, ConfigError> {
        let parsed = RetiredEvents::parse(service, &self.retired);
        parsed.map_err(|source| ConfigError::Retired { source })
    }
}

/// The signed ends of the chains.
#[derive(Debug, Default, Deserialize)]
pub(super) struct EvidenceSettings {
    /// The private key as PEM, or the file that has it: `BANKWIRE_EVIDENCE__KEY_FILE`.
    key: Option<Secret>,
    interval_seconds: Option<u64>,
}

impl EvidenceSettings {
    /// How a service states the ends of its chains.
    pub(super) fn evidence(&self) -> Evidence {
        let every = Evidence::default().every;
        let every =
            self.interval_seconds.map_or(every, |seconds| Duration::from_secs(seconds.max(1)));
        Evidence { key: self.key.clone(), every }
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
    /// A version of an event cannot be retired.
    #[error("events.retired cannot be used")]
    Retired {
        /// The fault.
        #[source]
        source: NotRetirable,
    },
    /// A secret cannot be had.
    #[error("{key} cannot be used")]
    Secret {
        /// The key.
        key: String,
        /// The fault.
        #[source]
        source: SecretError,
    },
    /// A secret stands in the sources, for everybody to read.
    #[error(
        "{0} is a public secret of development: set another, or for development \
         {DEVELOPMENT_SWITCH}=1"
    )]
    PublicSecret(String),
}

/// The configuration of a service.
pub(super) struct Loaded<T> {
    pub(super) common: CommonSettings,
    pub(super) own: T,
    /// The keys of public secrets, which the switch of development permits.
    pub(super) public_secrets: Vec<String>,
}

/// Reads the common part and the service's own.
pub(super) fn load<T: DeserializeOwned>(file: Option<&Path>) -> Result<Loaded<T>, ConfigError> {
    let (read, public_secrets) = read(file)?;
    Ok(Loaded {
        common: read.clone().try_deserialize()?,
        own: read.try_deserialize()?,
        public_secrets,
    })
}

/// Reads the address of the database, as its owner, and the format of logs.
pub(super) fn load_for_migration(file: Option<&Path>) -> Result<(Address, LogFormat), ConfigError> {
    let MigrationSettings { database, log } = read(file)?.0.try_deserialize()?;
    Ok((database.database()?, log.format))
}

/// The configuration, and the keys of its public secrets.
fn read(file: Option<&Path>) -> Result<(Config, Vec<String>), ConfigError> {
    let mut sources = Config::builder();
    if let Some(file) = file {
        sources = sources.add_source(File::from(file));
    }
    let environment = Environment::with_prefix(PREFIX)
        .prefix_separator("_")
        .separator("__")
        .source(Some(with_files(&std::env::vars().collect())?));
    let read = sources.add_source(environment).build()?;
    let public_secrets = public_secrets(&read)?;
    match public_secrets.first() {
        Some(key) if !are_public_ones_permitted() => Err(ConfigError::PublicSecret(key.clone())),
        _ => Ok((read, public_secrets)),
    }
}

/// `BANKWIRE_X_FILE=/run/x` is the key `x` with the value `{ file = "/run/x" }`: the secret that is
/// in this file whenever it is used.
fn with_files(variables: &HashMap<String, String>) -> Result<HashMap<String, String>, ConfigError> {
    let mut read = HashMap::with_capacity(variables.len());
    for (name, value) in variables {
        let bare = name.strip_suffix(FILE_SUFFIX).filter(|_| name.starts_with(PREFIX));
        match bare {
            Some(bare) if variables.contains_key(bare) => {
                let (key, source) = (key_of(bare), SecretError::Twice(bare.to_owned()));
                return Err(ConfigError::Secret { key, source });
            }
            Some(bare) => read.insert(format!("{bare}__FILE"), value.clone()),
            None => read.insert(name.clone(), value.clone()),
        };
    }
    Ok(read)
}

/// The key of a variable: `amqp.password` of `BANKWIRE_AMQP__PASSWORD`.
fn key_of(variable: &str) -> String {
    let bare = variable.strip_prefix(PREFIX).unwrap_or(variable).trim_start_matches('_');
    bare.to_lowercase().replace("__", ".")
}

/// The keys whose secrets are public. Reads every secret, so that a file that is missing stops the
/// start.
fn public_secrets(read: &Config) -> Result<Vec<String>, ConfigError> {
    let mut found = Vec::new();
    for (key, value) in read.cache.clone().into_table()? {
        collect_public_secrets(&key, value, &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn collect_public_secrets(
    key: &str,
    value: Value,
    found: &mut Vec<String>,
) -> Result<(), ConfigError> {
    let name = key.rsplit_once('.').map_or(key, |(_, name)| name);
    let secret = match (name, &value.kind) {
        ("url", ValueKind::String(url)) => password_in(url),
        (_, ValueKind::Table(table)) if !table.contains_key("file") => {
            for (name, value) in table.clone() {
                collect_public_secrets(&format!("{key}.{name}"), value, found)?;
            }
            None
        }
        ("password" | "secret" | "secret_before" | "key", _) => {
            Some(value.try_deserialize::<Secret>()?)
        }
        _ => None,
    };
    let secret = secret.map(|secret| secret.read()).transpose();
    let secret = secret.map_err(|source| ConfigError::Secret { key: key.to_owned(), source })?;
    if secret.as_ref().is_some_and(secret::is_public) {
        found.push(key.to_owned());
    }
    Ok(())
}

/// The password of a URL. The parser of addresses refuses a text that is no URL.
fn password_in(url: &str) -> Option<Secret> {
    let url = url::Url::parse(url).ok()?;
    Some(percent_encoding::percent_decode_str(url.password()?).decode_utf8_lossy().as_ref().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(toml: &str) -> Config {
        let source = File::from_str(toml, config::FileFormat::Toml);
        Config::builder().add_source(source).build().expect("TOML")
    }

    #[test]
    fn a_variable_that_names_a_file_is_the_same_key_in_the_other_form() {
        let variables = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let read =
            with_files(&variables(&[("BANKWIRE_AMQP__PASSWORD_FILE", "/run/x"), ("A", "b")]));
        let then = variables(&[("BANKWIRE_AMQP__PASSWORD__FILE", "/run/x"), ("A", "b")]);
        assert_eq!(read.expect("one form"), then);
        let both = [("BANKWIRE_AMQP__PASSWORD_FILE", "/x"), ("BANKWIRE_AMQP__PASSWORD", "hunter2")];
        let error = with_files(&variables(&both)).expect_err("two forms");
        let error = crate::envelope::chain(&error).to_string();
        assert_eq!(
            error,
            "amqp.password cannot be used: BANKWIRE_AMQP__PASSWORD and \
             BANKWIRE_AMQP__PASSWORD_FILE are both set: set one of them"
        );
    }

    #[test]
    fn the_access_log_keeps_a_day_at_least() {
        let read = |toml: &str| {
            let read: Result<AccessSettings, _> = config(toml).try_deserialize();
            read.map(|settings| settings.limits().log_days.get()).map_err(|wrong| wrong.to_string())
        };
        assert_eq!(read(""), Ok(400));
        // A variable of the environment is a text.
        assert_eq!(read("log_days = \"1\""), Ok(1));
        let none = read("log_days = 0").expect_err("no day");
        assert!(none.contains("log_days"), "{none}");
    }

    #[test]
    fn every_public_secret_is_found() {
        let file = std::env::temp_dir().join(format!("public-{}", uuid::Uuid::now_v7()));
        std::fs::write(&file, "ledger-dev\n").expect("a file can be written");
        let toml = format!(
            "[amqp]\nurl = \"amqp://u:p-dev@h\"\npassword = \"mine\"\n\
             [database]\nurl = \"postgres://u@h\"\npassword = {{ file = {file:?} }}\n\
             [webhook]\nsecret = \"whsec_YmFua3dpcmUtZGV2LXdlYmhvb2stc2VjcmV0\"\n\
             [smtp]\nfrom = \"who-dev\"\n"
        );
        let found = public_secrets(&config(&toml)).expect("all can be read");
        assert_eq!(found, ["amqp.url", "database.password", "webhook.secret"]);
        std::fs::remove_file(&file).expect("it is there");
        let error = public_secrets(&config(&toml)).expect_err("the file is gone");
        let error = crate::envelope::chain(&error).to_string();
        assert!(error.starts_with("database.password cannot be used: cannot read"), "{error}");
    }
}
