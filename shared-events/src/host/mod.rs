//! The process around a service. Promise: a service's `main` is one call; a wrong configuration
//! stops the start and names the key.
//!
//! ```text
//! config      file, then environment (BANKWIRE_...); secrets also in files (..._FILE)
//! telemetry   logs for people or as JSON, metrics for Prometheus
//! probes      /healthz, /readyz, /metrics, and the `healthcheck` that asks them
//! ```

mod config;
mod probes;
mod telemetry;

pub use config::ConfigError;

use std::{future::Future, path::PathBuf, process::ExitCode};

use clap::Parser;
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::{
    address::Address,
    amqp::{ConnectionParameters, Health},
    envelope::chain,
    messaging::{
        AccessLimits, Database, Evidence, RetiredEvents, Schema, connect_database, migrate,
    },
};

/// The resources of a service.
#[derive(Clone, Debug)]
pub struct Host {
    /// The broker.
    pub amqp: ConnectionParameters,
    /// The service's own database.
    pub pool: Database,
    /// The limits in time of what principals may do.
    pub access_limits: AccessLimits,
    /// The versions of events that the service does not announce any more.
    pub retired: RetiredEvents,
    /// How the service states the ends of its chains.
    pub evidence: Evidence,
    /// The health that `/readyz` shows.
    pub health: Health,
    /// Cancelled when the process has to stop.
    pub shutdown: CancellationToken,
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// A running service. Boxed, so that a service is compiled in its own crate and not once more in
/// each program that runs it.
pub type Running = LocalBoxFuture<'static, Result<(), AnyError>>;
type RunService = Box<dyn FnOnce(Host) -> Running>;

#[derive(Debug, Parser)]
struct Arguments {
    /// A TOML file to read the configuration from; the environment goes before it
    #[arg(long, env = "BANKWIRE_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Ask the running service whether it is ready; exit 0 if it is
    Healthcheck,
    /// Bring the schema of the database up to date, and exit. BANKWIRE_DATABASE__URL names the role
    /// that owns the database
    Migrate {
        /// The role that the service runs as, which gets the rights that the service needs
        /// [default: the service's name]
        #[arg(long, env = "BANKWIRE_DATABASE__ROLE", value_name = "ROLE")]
        role: Option<String>,
    },
}

/// The whole of a service's `main`: reads the configuration (the common part and the service's own
/// `T`), starts logs, metrics and probes, runs `service` until a signal stops the process.
/// `migrate` as argument brings the `schema` of the database up to date instead.
/// Exit codes: 0 stopped by a signal or migrated, 1 failed, 2 wrong configuration.
pub fn serve<T>(
    name: &'static str,
    schema: &'static Schema,
    service: fn(Host, T) -> Running,
) -> ExitCode
where
    T: DeserializeOwned + 'static,
{
    let arguments = Arguments::parse();
    if let Some(Command::Migrate { role }) = &arguments.command {
        let role = role.as_deref().unwrap_or(name);
        return match config::load_for_migration(arguments.config.as_deref()) {
            Ok(settings) => exit_code(name, block_on(run_migration(name, settings, schema, role))),
            Err(error) => wrong_configuration(name, &error),
        };
    }
    let read = config::load::<T>(arguments.config.as_deref());
    serve_configured(
        name,
        &arguments,
        read.map(|config::Loaded { common, own, public_secrets }| {
            let own: RunService = Box::new(move |host| service(host, own));
            config::Loaded { common, own, public_secrets }
        }),
    )
}

/// The part of [`serve`] that is the same for every service, compiled once.
fn serve_configured(
    name: &'static str,
    arguments: &Arguments,
    read: Result<config::Loaded<RunService>, ConfigError>,
) -> ExitCode {
    let read = read.and_then(|read| {
        let (servers, retired) = (Servers::of(&read.common)?, read.common.events.retired(name)?);
        Ok((servers, retired, read))
    });
    let (servers, retired, read) = match read {
        Ok(read) => read,
        Err(error) => return wrong_configuration(name, &error),
    };
    if matches!(arguments.command, Some(Command::Healthcheck)) {
        return probes::check(read.common.http.listen);
    }
    exit_code(name, block_on(run(name, (servers, retired), read)))
}

fn block_on(work: impl Future<Output = Result<(), AnyError>>) -> Result<(), AnyError> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

fn wrong_configuration(name: &str, error: &ConfigError) -> ExitCode {
    telemetry::report(name, error);
    ExitCode::from(2)
}

fn exit_code(name: &str, ran: Result<(), AnyError>) -> ExitCode {
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!(service = name, error = %chain(&*error), "failed");
            telemetry::report(name, &*error);
            ExitCode::FAILURE
        }
    }
}

/// The addresses of the servers that every service uses.
struct Servers {
    amqp: ConnectionParameters,
    database: Address,
}

impl Servers {
    fn of(common: &config::CommonSettings) -> Result<Self, ConfigError> {
        Ok(Self { amqp: common.amqp()?, database: common.database()? })
    }
}

async fn run(
    name: &'static str,
    (servers, retired): (Servers, RetiredEvents),
    read: config::Loaded<RunService>,
) -> Result<(), AnyError> {
    let config::Loaded { common, own: service, public_secrets } = read;
    let metrics = telemetry::start(common.log.format)?;
    let health = Health::default();
    // Until the service has looked at the database and has named its other parts.
    health.bad("database", "not started");
    for key in public_secrets {
        warn!(key, "a public secret of development is in use");
        health.good(&format!("development: the secret {key} is public"));
    }
    let shutdown = CancellationToken::new();
    let probes = probes::start(common.http.listen, health.clone(), metrics).await?;
    info!(service = name, version = env!("CARGO_PKG_VERSION"), probes = %probes, "starting");
    stop_on_signal(shutdown.clone())?;
    let pool = connect_database(&servers.database)?;
    let (access_limits, evidence) = (common.access.limits(), common.evidence.evidence());
    let amqp = servers.amqp;
    let host = Host { amqp, pool, access_limits, retired, evidence, health, shutdown };
    service(host).await
}

/// Migrates the database of the service `name`.
async fn run_migration(
    name: &'static str,
    (database, log_format): (Address, config::LogFormat),
    schema: &'static Schema,
    role: &str,
) -> Result<(), AnyError> {
    telemetry::start(log_format)?;
    info!(service = name, role, "migrating the database");
    migrate(&connect_database(&database)?, schema, role).await?;
    info!(service = name, role, "the database is up to date");
    Ok(())
}

/// Stops the service on SIGTERM and SIGINT.
fn stop_on_signal(shutdown: CancellationToken) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        shutdown.cancel();
    });
    Ok(())
}
