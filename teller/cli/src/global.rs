//! Options that every command has, and where passwords come from.

use std::time::Duration;

use clap::Args;
use secrecy::SecretString;
use shared_events::{
    amqp::ConnectionParameters,
    envelope::chain,
    secret::{DEVELOPMENT_SWITCH, Secret, are_public_ones_permitted},
};
use teller_client::input::InvalidInput;

use crate::output::note;

const PASSWORD: &str = "TELLER_AMQP_PASSWORD";

#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Global {
    /// The broker
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "TELLER_AMQP_URL",
        hide_env_values = true,
        default_value = "amqps://teller@127.0.0.1:5671/bank"
    )]
    amqp_url: String,
    /// Print JSON instead of tables; errors, too, as {"error":{...}} on standard error
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// How long to wait for an answer [default: 30; legacy and audit: 600]
    #[arg(
        long,
        global = true,
        value_name = "SECONDS",
        value_parser = clap::value_parser!(u64).range(1..=86_400)
    )]
    timeout: Option<u64>,
    /// The person or system on whose behalf commands are sent
    #[arg(long, global = true, value_name = "NAME", env = "TELLER_ACTOR")]
    pub(crate) actor: Option<String>,
}

impl Global {
    /// The broker, as a client of the bank.
    pub(crate) fn client(&self) -> Result<ConnectionParameters, InvalidInput> {
        amqp("amqp-url", &self.amqp_url, PASSWORD)
    }

    pub(crate) fn timeout_or(&self, seconds: u64) -> Duration {
        Duration::from_secs(self.timeout.unwrap_or(seconds))
    }
}

fn amqp(field: &str, url: &str, name: &str) -> Result<ConnectionParameters, InvalidInput> {
    let amqp = ConnectionParameters::new(url, secret(name)?);
    let amqp = amqp.map_err(|error| InvalidInput::new(field, chain(&error).to_string()))?;
    if !amqp.has_login() && are_public_ones_permitted() {
        note(&format!("{DEVELOPMENT_SWITCH}: the password of {} is public", amqp.user()));
    }
    amqp.or_public_password().map_err(|error| InvalidInput::new(name, error.to_string()))
}

/// The environment variable `name`, or the file that `<name>_FILE` names, which can be read now.
pub(crate) fn secret(name: &str) -> Result<Option<Secret>, InvalidInput> {
    let found = Secret::of_environment(name);
    let found = found.map_err(|error| InvalidInput::new(name, error.to_string()))?;
    if let Some(secret) = &found {
        read(name, secret)?;
    }
    Ok(found)
}

/// A secret's text.
pub(crate) fn read(name: &str, secret: &Secret) -> Result<SecretString, InvalidInput> {
    secret.read().map_err(|error| InvalidInput::new(name, chain(&error).to_string()))
}
