//! TLS between the bank's parts. Promise: every connection of an encrypted bank is encrypted and
//! has a certificate; a stranger without a certificate of the bank's authority, or with one without
//! rights, reaches nothing.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use harness::{
    Bank, Fact, PATIENCE,
    bank::Encrypted,
    certificates::{Certificates, ClientFiles},
    facts, wait_for,
};
use reqwest::Method;
use serde_json::{Value, json};
use shared_events::{
    amqp::ConnectionParameters,
    client::{Client, SendOptions},
    envelope::chain,
    topology::SERVICES,
};
use sqlx::{
    ConnectOptions as _, Connection as _,
    postgres::{PgConnectOptions, PgSslMode},
};
use uuid::Uuid;

use super::bank_client::opening;

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_whole_bank_speaks_tls_and_logs_in_by_certificate,
        who_has_no_certificate_of_the_bank_reaches_no_broker,
        a_certificate_without_rights_does_nothing,
        a_server_of_another_name_or_authority_is_not_spoken_to,
        who_has_no_certificate_of_the_role_reaches_no_database,
        no_process_has_a_secret_in_its_environment,
    ]
}

/// A certificate of another authority, which may have the same name.
const OTHERS: [&str; 2] = ["UnknownIssuer", "BadSignature"];
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

async fn a_whole_bank_speaks_tls_and_logs_in_by_certificate(bank: Bank) -> Result<()> {
    for service in SERVICES {
        bank.encrypt(service).await?;
    }
    bank.start_all(&SERVICES).await?;
    let url = bank.amqps_url("teller", &bank.certificates().client("teller")?);
    let client = Client::new(ConnectionParameters::new(&url, None)?, "encrypted");
    let options = SendOptions { deadline: PATIENCE, ..SendOptions::default() };
    let opened = client.request(shared_events::MessageId::new(), opening("ada")?, &options).await?;
    ensure!(opened[0].kind == "accounts.account.opened.v2", "{opened:?}");
    let activated = "SELECT count(*) FROM accounts WHERE status = 'active'";
    wait_for("the account is active", PATIENCE, async || {
        Ok(bank.number("accounts", activated).await? == 1)
    })
    .await?;

    // As the servers see it.
    let is_banks = |connection: &Value| {
        let name = connection["client_properties"]["connection_name"].as_str().unwrap_or_default();
        name.contains("-svc/") || name.starts_with("encrypted/")
    };
    let mine = |one: &&Value| one["vhost"] == bank.vhost() && is_banks(one);
    wait_for("the broker lists the connections", PATIENCE, async || {
        let all = bank.broker().api(Method::GET, "connections", None).await?;
        let all = all.as_array().context("a list")?;
        let ours: Vec<&Value> = all.iter().filter(mine).collect();
        ensure!(ours.len() >= 7, "{} connections", ours.len());
        for connection in ours {
            ensure!(connection["ssl"] == true, "{connection}");
            ensure!(connection["auth_mechanism"] == "EXTERNAL", "{connection}");
        }
        Ok(true)
    })
    .await?;
    for service in SERVICES {
        let plain = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                     WHERE datname = current_database() AND NOT ssl";
        ensure!(bank.number(service, plain).await? == 0, "a session of {service} is not encrypted");
    }
    Ok(())
}

/// The result of an attempt to connect to the broker.
async fn attempt(bank: &Bank, user: &str, files: &ClientFiles) -> Result<(), String> {
    attempt_url(&bank.amqps_url(user, files), None).await
}

async fn attempt_url(url: &str, password: Option<&str>) -> Result<(), String> {
    let amqp = ConnectionParameters::new(url, password.map(Into::into));
    let amqp = amqp.map_err(|error| error.to_string())?;
    let connected = amqp.connect("stranger").await;
    let connection = connected.map_err(|error| chain(&error).to_string())?;
    // The broker may refuse the certificate after the client has said all.
    let channel = connection.create_channel().await.map_err(|error| error.to_string());
    channel.map(|_| ())
}

fn refused(what: &str, attempt: &Result<(), String>, reasons: &[&str]) -> Result<()> {
    let error = attempt.as_ref().err().with_context(|| format!("{what} was let in"))?;
    let is_meant = reasons.iter().any(|reason| error.contains(reason));
    ensure!(is_meant, "{what} failed for another reason: {error}");
    Ok(())
}

async fn who_has_no_certificate_of_the_bank_reaches_no_broker(bank: Bank) -> Result<()> {
    let ours = bank.certificates();
    attempt(&bank, "teller", &ours.client("teller")?).await.map_err(anyhow::Error::msg)?;

    // Without a certificate the password alone opens nothing.
    let files = ours.client("teller")?;
    let (address, vhost) = (bank.broker().amqps().address(), bank.vhost());
    let bare = format!("amqps://teller@{address}/{vhost}?cacertfile={}", files.authority.display());
    let reasons = ["CertificateRequired", "HandshakeFailure", "certificate required"];
    refused("no certificate", &attempt_url(&bare, Some("teller-dev")).await, &reasons)?;

    let folder = std::env::temp_dir();
    let foreign = Certificates::new(&folder)?.client("teller")?;
    let foreign = ClientFiles { authority: files.authority.clone(), ..foreign };
    let reasons = ["UnknownCA", "BadCertificate", "unknown ca"];
    refused("another authority", &attempt(&bank, "teller", &foreign).await, &reasons)?;

    let now = SystemTime::now();
    let expired = ours.client_for("teller", now - 3 * DAY..now - DAY)?;
    let reasons = ["CertificateExpired", "certificate expired"];
    refused("an expired certificate", &attempt(&bank, "teller", &expired).await, &reasons)?;

    // A server's certificate is none of a client, even if it had a user's name.
    let server = ours.files(&ours.server(&["teller"])?)?;
    let reasons = ["UnsupportedCertificate", "BadCertificate", "HandshakeFailure"];
    refused("a server's certificate", &attempt(&bank, "teller", &server).await, &reasons)
}

async fn a_certificate_without_rights_does_nothing(bank: Bank) -> Result<()> {
    let ours = bank.certificates();
    let name = |kind: &str| format!("{kind}-{}", Uuid::now_v7());
    let nobody = name("nobody");
    let reasons = ["ACCESS_REFUSED", "ACCESS-REFUSED", "refused"];
    refused("nobody", &attempt(&bank, &nobody, &ours.client(&nobody)?).await, &reasons)?;

    // The name in the URL is not the one that counts.
    let posing = attempt(&bank, "accounts", &ours.client(&nobody)?).await;
    refused("who poses as a service", &posing, &reasons)?;

    // A user of the broker without rights in this bank.
    let guest = name("guest");
    let body = json!({ "password_hash": "", "tags": "" });
    bank.broker().api(Method::PUT, &format!("users/{guest}"), Some(body)).await?;
    let reasons = ["NOT_ALLOWED", "NOT-ALLOWED", "access to vhost"];
    let attempted = attempt(&bank, &guest, &ours.client(&guest)?).await;
    bank.broker().api(Method::DELETE, &format!("users/{guest}"), None).await?;
    refused("a user without rights", &attempted, &reasons)
}

async fn a_server_of_another_name_or_authority_is_not_spoken_to(bank: Bank) -> Result<()> {
    let files = bank.certificates().client("teller")?;
    // The broker's certificate is for 127.0.0.1; the same broker has another name here.
    let url = bank.amqps_url("teller", &files).replace("@127.0.0.1:", "@localhost:");
    refused("another name", &attempt_url(&url, None).await, &["not valid for name"])?;
    let foreign = Certificates::new(&std::env::temp_dir())?.client("teller")?;
    let trusting = ClientFiles { authority: foreign.authority.clone(), ..files };
    refused("another authority", &attempt(&bank, "teller", &trusting).await, &OTHERS)?;

    let encrypted = bank.encrypt("ledger").await?;
    let named = options(&bank, &encrypted).host("localhost");
    refused("a database of another name", &session(&named).await, &["not valid for name"])?;
    let trusting = options(&bank, &encrypted).ssl_root_cert(&foreign.authority);
    refused("a database of another authority", &session(&trusting).await, &OTHERS)
}

/// A session of the role of an encrypted service.
fn options(bank: &Bank, encrypted: &Encrypted) -> PgConnectOptions {
    let (name, files) = (&encrypted.database.database.name, &encrypted.database.files);
    let password = std::fs::read_to_string(&encrypted.database_password).unwrap_or_default();
    let address = bank.database_address();
    PgConnectOptions::new_without_pgpass()
        .host(&address.ip().to_string())
        .port(address.port())
        .database(name)
        .username(name)
        .password(password.trim_end_matches('\n'))
        .ssl_mode(PgSslMode::VerifyFull)
        .ssl_root_cert(&files.authority)
        .ssl_client_cert(&files.certificate)
        .ssl_client_key(&files.key)
}

async fn session(options: &PgConnectOptions) -> Result<(), String> {
    let mut session = options.connect().await.map_err(|error| chain(&error).to_string())?;
    session.ping().await.map_err(|error| chain(&error).to_string())
}

async fn who_has_no_certificate_of_the_role_reaches_no_database(bank: Bank) -> Result<()> {
    let (ours, encrypted) = (bank.certificates(), bank.encrypt("ledger").await?);
    let right = options(&bank, &encrypted);
    session(&right).await.map_err(anyhow::Error::msg)?;

    let plain = right.clone().ssl_mode(PgSslMode::Disable);
    refused("no encryption", &session(&plain).await, &["pg_hba.conf"])?;
    let wrong = right.clone().password("another");
    refused("another password", &session(&wrong).await, &["password authentication failed"])?;

    let with = |files: &ClientFiles| {
        right.clone().ssl_client_cert(&files.certificate).ssl_client_key(&files.key)
    };
    let reasons = ["certificate authentication failed", "password authentication failed"];
    let other = ours.client("tls_accounts_0")?;
    refused("another role's certificate", &session(&with(&other)).await, &reasons)?;
    let now = SystemTime::now();
    let name = &encrypted.database.database.name;
    let expired = ours.client_for(name, now - 3 * DAY..now - DAY)?;
    let reasons = ["CertificateExpired", "connection", "closed", "reset"];
    refused("an expired certificate", &session(&with(&expired)).await, &reasons)?;
    let foreign = Certificates::new(&std::env::temp_dir())?.client(name)?;
    let reasons = ["UnknownCA", "connection", "closed", "reset"];
    refused("another authority", &session(&with(&foreign)).await, &reasons)
}

/// Environment and arguments of a process can be read by its user, and are shown by many tools.
async fn no_process_has_a_secret_in_its_environment(bank: Bank) -> Result<()> {
    let encrypted = bank.encrypt("ledger").await?;
    let ledger = bank.start("ledger").await?;
    let secret = std::fs::read_to_string(&encrypted.database_password)?;
    let secret = secret.trim_end();
    let seen = ledger.environment_and_arguments().await?;
    ensure!(seen.contains("BANKWIRE_DATABASE__PASSWORD_FILE="), "{seen}");
    for word in [secret, "PASSWORD=", "ledger-dev"] {
        ensure!(!seen.contains(word), "the process shows {word}");
    }
    ensure!(!ledger.log()?.contains(secret), "the log shows it");
    Ok(())
}
