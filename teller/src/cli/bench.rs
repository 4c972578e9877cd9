//! `teller bench`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};

use super::{failure::Failure, output::note, session::Session};
use crate::bench::{self, Part, Place, Plan, Shape};

#[derive(Debug, Args)]
pub(crate) struct Bench {
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
    /// The compose project whose containers the bank runs in
    #[arg(long, value_name = "NAME", env = "TELLER_COMPOSE_PROJECT", default_value = "bankwire")]
    project: String,
    /// The ledger's database
    #[arg(
        long,
        value_name = "URL",
        env = "TELLER_LEDGER_DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://ledger:ledger-dev@127.0.0.1:5434/ledger"
    )]
    ledger_database_url: String,
    /// The database of notifications
    #[arg(
        long,
        value_name = "URL",
        env = "TELLER_NOTIFICATIONS_DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://notifications:notifications-dev@127.0.0.1:5435/notifications"
    )]
    notifications_database_url: String,
}

impl Bench {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let (ledger, notifications) = (self.ledger_database_url, self.notifications_database_url);
        let place = Place::find(session.amqp()?, ledger, notifications, &self.project).await?;
        let seconds = |full, quick| Duration::from_secs(if self.quick { quick } else { full });
        let plan = Plan {
            quick: self.quick,
            accounts: self.accounts,
            shape: self.shape,
            warm_up: seconds(2, 1),
            window: self.seconds.map_or_else(|| seconds(15, 4), Duration::from_secs),
            floor: seconds(8, 2),
            round: if self.quick { Duration::from_millis(1_500) } else { Duration::from_secs(4) },
            rounds: if self.quick { 2 } else { 4 },
            large_accounts: if self.quick { 50_000 } else { 1_000_000 },
            large_entries: if self.quick { 250_000 } else { 5_000_000 },
        };
        let parts = match self.only.is_empty() {
            true => Part::ALL.to_vec(),
            false => self.only,
        };
        let tell = |part: Part| {
            if let Some(value) = part.to_possible_value() {
                note(&format!("bench: {}", value.get_name()));
            }
        };
        let report = bench::run(&place, &plan, &parts, tell);
        let report = report.await?;
        if let Some(folder) = self.output {
            report.write(&folder)?;
        }
        session.out.show(&report, || report.table())?;
        Ok(())
    }
}
