//! The command line of the benchmark.

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum};
use shared_events::{amqp::ConnectionParameters, envelope::chain, secret::Secret};

use crate::{
    fault::BenchError,
    output::{note, show},
    place::Place,
    plan::{Part, Plan},
    run,
    traffic::Shape,
};

const PASSWORD: &str = "BENCH_AMQP_PASSWORD";

const HELP: &str = "\
Exit codes:
  0  measured
  2  wrong options
  3  not measured: the bank cannot be reached, or not every transfer arrived

Password of the broker:
  BENCH_AMQP_PASSWORD, or the content of the file that BENCH_AMQP_PASSWORD_FILE names, or the one
  in the URL. Only with BANKWIRE_DEVELOPMENT_SECRETS=1 the public one: `<user>-dev`";

/// Measures the bank, beside what its broker and its databases do alone. Writes accounts and
/// transfers into its databases: use a throw-away bank.
#[derive(Debug, Parser)]
#[command(name = "bankwire-bench", version, after_help = HELP, max_term_width = 100)]
pub(crate) struct Options {
    /// Only these parts
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    only: Vec<Part>,
    /// Shorter, and less sure
    #[arg(long)]
    quick: bool,
    /// How long throughput and latency are measured each [default: 15; quick: 4]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: Option<u64>,
    /// Among how many accounts money moves
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..))]
    accounts: u32,
    /// How payments are spread over them
    #[arg(long, default_value = "uniform")]
    shape: Shape,
    /// Write latest.json and latest.svg into this folder
    #[arg(long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Print JSON instead of a table; errors, too, as {"error":{...}} on standard error
    #[arg(long)]
    pub(crate) json: bool,
    /// The compose project whose containers the bank runs in
    #[arg(long, value_name = "NAME", env = "BENCH_COMPOSE_PROJECT", default_value = "bankwire")]
    project: String,
    /// The broker
    #[arg(
        long,
        value_name = "URL",
        env = "BENCH_AMQP_URL",
        hide_env_values = true,
        default_value = "amqps://teller@127.0.0.1:5671/bank"
    )]
    amqp_url: String,
    /// The ledger's database
    #[arg(long, value_name = "URL", env = "BENCH_LEDGER_DATABASE_URL", hide_env_values = true)]
    ledger_database_url: String,
    /// The database of notifications
    #[arg(
        long,
        value_name = "URL",
        env = "BENCH_NOTIFICATIONS_DATABASE_URL",
        hide_env_values = true
    )]
    notifications_database_url: String,
}

impl Options {
    /// Measures, and prints the report.
    pub(crate) async fn run(self) -> Result<(), BenchError> {
        let (plan, amqp) = (self.plan(), self.broker()?);
        let (ledger, notifications) = (self.ledger_database_url, self.notifications_database_url);
        let place = Place::find(amqp, ledger, notifications, &self.project).await?;
        let parts = match self.only.is_empty() {
            true => Part::ALL.to_vec(),
            false => self.only,
        };
        let announce = |part: Part| {
            if let Some(value) = part.to_possible_value() {
                note(&format!("bench: {}", value.get_name()));
            }
        };
        let report = run::run(&place, &plan, &parts, announce).await?;
        if let Some(folder) = self.output {
            report.write(&folder)?;
        }
        show(self.json, &report)
    }

    fn plan(&self) -> Plan {
        let quick = self.quick;
        let seconds = |full, short| Duration::from_secs(if quick { short } else { full });
        Plan {
            quick,
            accounts: self.accounts,
            shape: self.shape,
            warm_up: seconds(2, 1),
            window: self.seconds.map_or_else(|| seconds(15, 4), Duration::from_secs),
            floor: seconds(8, 2),
            round: if quick { Duration::from_millis(1_500) } else { Duration::from_secs(4) },
            rounds: if quick { 2 } else { 4 },
            large_accounts: if quick { 50_000 } else { 1_000_000 },
            large_entries: if quick { 250_000 } else { 5_000_000 },
        }
    }

    fn broker(&self) -> Result<ConnectionParameters, BenchError> {
        let password = Secret::of_environment(PASSWORD);
        let password =
            password.map_err(|error| BenchError::setting(PASSWORD, error.to_string()))?;
        let parameters = ConnectionParameters::new(&self.amqp_url, password);
        let parameters = parameters
            .map_err(|error| BenchError::setting("amqp-url", chain(&error).to_string()))?;
        let parameters = parameters.or_public_password();
        parameters.map_err(|error| BenchError::setting(PASSWORD, error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Options::command().debug_assert();
    }

    #[test]
    fn a_wrong_address_names_its_option() {
        let servers = [
            "--amqp-url=http://127.0.0.1",
            "--ledger-database-url=postgres://ledger@127.0.0.1/ledger",
            "--notifications-database-url=postgres://notifications@127.0.0.1/notifications",
        ];
        let options = Options::parse_from(["bankwire-bench"].iter().chain(&servers));
        let error = options.broker().expect_err("http is no AMQP");
        assert_eq!(error.to_string(), "amqp-url: must begin with amqp:// or amqps://");
    }
}
