//! Options that every command has, and where passwords come from.

use std::{env, time::Duration};

use clap::Args;
use shared_events::{amqp::ConnectionParameters, envelope::chain};
use teller_client::input::InvalidInput;

const CLIENT_PASSWORD: (&str, &str) = ("TELLER_AMQP_PASSWORD", "teller-dev");

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
        default_value = "amqp://teller@127.0.0.1:5672/bank"
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
        amqp("amqp-url", &self.amqp_url, CLIENT_PASSWORD)
    }

    pub(crate) fn timeout_or(&self, seconds: u64) -> Duration {
        Duration::from_secs(self.timeout.unwrap_or(seconds))
    }
}

fn amqp(
    field: &str,
    url: &str,
    (name, default): (&str, &str),
) -> Result<ConnectionParameters, InvalidInput> {
    let amqp = ConnectionParameters::new(url, secret(name)?.map(Into::into));
    let amqp = amqp.map_err(|error| InvalidInput::new(field, chain(&error).to_string()))?;
    Ok(amqp.or_password(default))
}

/// The environment variable `name`, or the content of the file that `<name>_FILE` names.
pub(crate) fn secret(name: &str) -> Result<Option<String>, InvalidInput> {
    if let Ok(secret) = env::var(name) {
        return Ok(Some(secret));
    }
    let name = format!("{name}_FILE");
    let Ok(path) = env::var(&name) else {
        return Ok(None);
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
        Err(error) => Err(InvalidInput::new(name, format!("cannot read {path}: {error}"))),
    }
}
