//! How an instance reaches its servers. Promise: a service that a fact encrypts reaches them as in
//! the bank: over TLS, by certificate, with its secrets in files.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context, Result};
use reqwest::Method;
use serde_json::json;

use super::Bank;
use crate::{
    broker,
    certificates::{Certificates, ClientFiles},
    database::{StrictDatabase, password},
};

/// The addresses that an instance is given: its proxies.
pub(super) struct Addresses {
    pub(super) broker: SocketAddr,
    pub(super) database: SocketAddr,
}

/// The secrets of an encrypted service.
#[derive(Clone, Debug)]
pub struct Encrypted {
    /// Its certificate at the broker.
    pub broker: ClientFiles,
    /// The file of its password at the broker; without one, its certificate logs in.
    pub broker_password: Option<PathBuf>,
    /// Its database, and its certificate there.
    pub database: StrictDatabase,
    /// The file of its password at its database.
    pub database_password: PathBuf,
}

impl Bank {
    /// The instances of a service prepared from now on use TLS, with certificates and secrets of
    /// their own in files. They log in to the broker by certificate.
    pub async fn encrypt(&self, service: &str) -> Result<Encrypted> {
        self.encrypt_as(service, None).await
    }

    /// The same; they log in to the broker with this password. Only with a broker of its own.
    pub async fn encrypt_with_password(&self, service: &str, password: &str) -> Result<Encrypted> {
        self.set_broker_password(service, password).await?;
        self.encrypt_as(service, Some(password)).await
    }

    async fn encrypt_as(&self, service: &str, at_broker: Option<&str>) -> Result<Encrypted> {
        let certificates = self.certificates();
        let database = self.0.run.databases.make_strict(service, certificates).await?;
        let secret = |name: &str, secret: &str| {
            let file = self.0.folder.join(format!("{service}-{name}"));
            // A line break at the end is not part of the secret.
            std::fs::write(&file, format!("{secret}\n"))?;
            anyhow::Ok(file)
        };
        let encrypted = Encrypted {
            broker: certificates.client(service)?,
            broker_password: at_broker.map(|text| secret("broker-password", text)).transpose()?,
            database_password: secret("database-password", &password(service))?,
            database,
        };
        let database = encrypted.database.database.clone();
        self.run_migrations(service, &database).await?;
        self.0.databases.lock().await.insert(service.to_owned(), database);
        self.0.encrypted.lock().await.insert(service.to_owned(), encrypted.clone());
        Ok(encrypted)
    }

    /// The address and the login of [`Bank::database`], for another process.
    pub async fn database_url(&self, service: &str) -> Result<String> {
        Ok(self.database(service).await?.owner_url)
    }

    /// The authority of the servers, which issues certificates to clients.
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        &self.0.run.certificates
    }

    /// `amqps://user@host:port/vhost?...`: the broker, as one who shows this certificate.
    #[must_use]
    pub fn amqps_url(&self, user: &str, files: &ClientFiles) -> String {
        amqps_url(user, self.0.broker.amqps().address(), &self.0.vhost, files)
    }

    /// Gives a user of the broker another password. Only with a broker of its own.
    pub async fn set_broker_password(&self, user: &str, password: &str) -> Result<()> {
        let body = json!({ "password": password, "tags": "" });
        self.0.broker.api(Method::PUT, &format!("users/{user}"), Some(body)).await?;
        Ok(())
    }

    /// Gives the role of an encrypted service another password.
    pub async fn set_database_password(&self, encrypted: &Encrypted, password: &str) -> Result<()> {
        let role = &encrypted.database.database.role;
        self.0.run.databases.set_password(&format!("ALTER ROLE {role}"), password).await
    }

    /// Ends every session in the database of an encrypted service.
    pub async fn end_sessions(&self, encrypted: &Encrypted) -> Result<()> {
        self.0.run.databases.end_sessions(&encrypted.database.database.name).await
    }

    /// The address of the database server.
    #[must_use]
    pub fn database_address(&self) -> SocketAddr {
        self.0.run.databases.target().address()
    }

    pub(super) async fn encrypted(&self, service: &str) -> Option<Encrypted> {
        self.0.encrypted.lock().await.get(service).cloned()
    }
}

impl Encrypted {
    /// Writes a new certificate at the broker and at the database, valid until `end`.
    pub fn renew(&self, certificates: &Certificates, user: &str, end: SystemTime) -> Result<()> {
        certificates.renew(&self.broker, user, end)?;
        certificates.renew(&self.database.files, &self.database.database.name, end)
    }
}

/// Replaces a secret as a whole, as the bank's scripts do.
pub fn replace(file: &Path, secret: &str) -> Result<()> {
    let new = file.with_extension("new");
    std::fs::write(&new, format!("{secret}\n"))?;
    std::fs::rename(&new, file).context("the new secret cannot take its place")
}

/// The versions of events that the accounts service of a bank does not announce.
pub const RETIRED_EVENTS: &str = "accounts.account.opened.v1 accounts.holder.updated.v1";

/// The variables of one service, without their prefix.
pub(super) fn own(service: &str) -> Vec<(&'static str, String)> {
    let variables = match service {
        // As in the compose file: nobody reads the events that show holders to everybody.
        "accounts" => vec![("EVENTS__RETIRED", RETIRED_EVENTS)],
        // Nobody listens there: a test that wants mail to arrive says where.
        "notifications" => vec![
            ("SMTP__URL", "smtp://127.0.0.1:9"),
            ("SMTP__FROM", "bank@example.com"),
            ("WEBHOOK__SECRET", "whsec_YmFua3dpcmUtZGV2LXdlYmhvb2stc2VjcmV0"),
        ],
        _ => vec![],
    };
    variables.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
}

/// The variables of the servers, without their prefix.
pub(super) fn of(
    service: &str,
    vhost: &str,
    database: &str,
    at: &Addresses,
    encrypted: Option<&Encrypted>,
) -> Vec<(&'static str, String)> {
    let Some(encrypted) = encrypted else {
        let server = at.database;
        return vec![
            ("AMQP__URL", format!("amqp://{service}@{}/{vhost}", at.broker)),
            ("AMQP__PASSWORD", broker::password(service)),
            ("DATABASE__URL", format!("postgres://{service}@{server}/{database}?sslmode=disable")),
            ("DATABASE__PASSWORD", password(service)),
            ("DEVELOPMENT_SECRETS", "1".to_owned()),
        ];
    };
    let (role, parameters) = (database, encrypted.database.files.database_parameters());
    let file = encrypted.database_password.display().to_string();
    let mut variables = vec![
        ("AMQP__URL", amqps_url(service, at.broker, vhost, &encrypted.broker)),
        ("DATABASE__URL", format!("postgres://{role}@{}/{database}?{parameters}", at.database)),
        ("DATABASE__PASSWORD_FILE", file),
        ("DEVELOPMENT_SECRETS", "1".to_owned()),
    ];
    let password = encrypted.broker_password.as_ref();
    variables.extend(password.map(|file| ("AMQP__PASSWORD_FILE", file.display().to_string())));
    variables
}

fn amqps_url(user: &str, address: SocketAddr, vhost: &str, files: &ClientFiles) -> String {
    format!("amqps://{user}@{address}/{vhost}?{}", files.amqp_parameters())
}
