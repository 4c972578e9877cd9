//! The broker of a run: RabbitMQ in a container, as `rabbitmq/` has it. Promise: it boots with
//! the definitions that the bank boots with; each test has a virtual host of its own with the same.

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use shared_events::topology::VIRTUAL_HOST;
use testcontainers::{
    ContainerAsync, CopyTargetOptions, GenericImage, ImageExt,
    core::{IntoContainerPort, WaitFor},
    runners::AsyncRunner,
};

use crate::{
    certificates::Certificates,
    docker::{docker, image},
    proxy::Target,
    wait::wait_for,
};

/// An administrator: not part of the bank, made for the tests. The password is the name. It may
/// publish in the name of any user.
pub const TESTER: &str = "tests";
/// The client of most facts: every role.
pub const CLIENT: &str = "teller";
const START_DEADLINE: Duration = Duration::from_secs(120);
const FILES: &str = "/etc/bankwire/rabbitmq";
/// Where the broker keeps its data, and whose that is: user 999 in our image and the official.
const FOLDER: &str = "/var/lib/rabbitmq";
const FOLDER_OPTIONS: &str = "uid=999,gid=999,mode=755";
/// Where the broker's certificate stands.
const SECRETS: &str = "/run/bankwire";
/// The bank's broker has none: facts that are not about TLS speak without.
const AMQP_PORT: u16 = 5672;
const AMQPS_PORT: u16 = 5671;
const MANAGEMENT_PORT: u16 = 15672;

/// Characters with a meaning in URLs, shells and JSON.
const ODD_PASSWORD: &str = "p%41ss %ff@:/?#&\"'\\$(x)|á😀";

/// The password of a user. One of them has one that is hard to pass on.
pub(crate) fn password(user: &str) -> String {
    match user {
        TESTER => TESTER.to_owned(),
        "accounts" => ODD_PASSWORD.to_owned(),
        user => format!("{user}-dev"),
    }
}

/// The same as it stands in a URL.
pub(crate) fn in_url(password: &str) -> String {
    password.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// A running broker.
pub struct Broker {
    container: ContainerAsync<GenericImage>,
    http: reqwest::Client,
    amqp: Target,
    amqps: Target,
    management: Target,
    definitions: Value,
    vhosts: AtomicU32,
}

/// Whether a broker's data must outlive its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    InMemory,
    OnDisk,
}

impl Broker {
    pub(crate) async fn start(data: Data, certificates: &Certificates) -> Result<Arc<Self>> {
        let server = certificates.server(&["127.0.0.1"])?;
        let secret = |file| CopyTargetOptions::new(format!("{SECRETS}/{file}")).with_mode(0o644);
        let definitions: Value = serde_json::from_slice(&read("definitions.json")?)?;
        let request = image("RABBITMQ_IMAGE", "bankwire/rabbitmq:dev")
            .await?
            .with_exposed_port(AMQP_PORT.tcp())
            .with_exposed_port(AMQPS_PORT.tcp())
            .with_exposed_port(MANAGEMENT_PORT.tcp())
            .with_entrypoint(&format!("{FILES}/start"))
            .with_wait_for(WaitFor::message_on_stdout("Time to start RabbitMQ"))
            .with_startup_timeout(START_DEADLINE)
            .with_user("rabbitmq")
            .with_env_var("RABBITMQ_NODENAME", "rabbit@localhost")
            .with_env_var("BANKWIRE_DEVELOPMENT_SECRETS", "1")
            .with_env_var("BANKWIRE_ACCOUNTS_PASSWORD", password("accounts"))
            .with_copy_to(secret("authority.pem"), certificates.authority())
            .with_copy_to(secret("tls.pem"), server.certificate.into_bytes())
            .with_copy_to(secret("tls.key"), server.key.into_bytes())
            .with_copy_to(in_container("start", 0o755), read("start")?)
            .with_copy_to(in_container("enabled_plugins", 0o644), read("enabled_plugins")?)
            .with_copy_to(in_container("guard.erl", 0o644), read("guard.erl")?)
            .with_copy_to(in_container("rabbitmq.conf", 0o644), configuration()?)
            .with_copy_to(
                in_container("definitions.json", 0o644),
                serde_json::to_vec_pretty(&with_tester(definitions.clone()))?,
            );
        let request = match data {
            Data::InMemory => request.with_host_config_modifier(|host| {
                let mount = (FOLDER.to_owned(), FOLDER_OPTIONS.to_owned());
                host.tmpfs = Some(HashMap::from([mount]));
            }),
            Data::OnDisk => request,
        };
        let container = request.start().await.context("the broker does not start")?;
        let nowhere = Target::new((Ipv4Addr::LOCALHOST, 0).into());
        let broker = Self {
            container,
            // A connection of its own for each request: the API closes idle ones as it is asked.
            http: reqwest::Client::builder()
                .timeout(Duration::from_secs(60))
                .pool_max_idle_per_host(0)
                .build()?,
            amqp: nowhere.clone(),
            amqps: Target::new(nowhere.address()),
            management: Target::new(nowhere.address()),
            definitions,
            vhosts: AtomicU32::new(0),
        };
        broker.find_ports().await?;
        broker.wait_until_up().await?;
        Ok(Arc::new(broker))
    }

    /// `http://host:port` of the management API.
    #[must_use]
    pub fn management_url(&self) -> String {
        format!("http://{}", self.management.address())
    }

    /// Runs a program in the broker's container, and returns what it prints.
    pub async fn exec(&self, command: &[&str]) -> Result<String> {
        docker(&[&["exec", self.container.id()], command].concat()).await
    }

    /// Where it speaks AMQP; follows the broker through its restarts.
    #[must_use]
    pub const fn amqp(&self) -> &Target {
        &self.amqp
    }

    /// Where it speaks AMQP over TLS, to clients with a certificate.
    #[must_use]
    pub const fn amqps(&self) -> &Target {
        &self.amqps
    }

    /// Stops the broker within its process, and starts it again.
    pub async fn restart_app(&self) -> Result<()> {
        self.stop_app().await?;
        self.start_app().await
    }

    /// Stops the broker within its process: clients are told, and cannot connect.
    pub async fn stop_app(&self) -> Result<()> {
        docker(&["exec", self.container.id(), "rabbitmqctl", "--quiet", "stop_app"]).await?;
        Ok(())
    }

    /// Starts the broker again after [`Broker::stop_app`].
    pub async fn start_app(&self) -> Result<()> {
        docker(&["exec", self.container.id(), "rabbitmqctl", "--quiet", "start_app"]).await?;
        self.wait_until_up().await
    }

    /// Kills the broker's process (SIGKILL): nobody is told.
    pub async fn kill(&self) -> Result<()> {
        docker(&["kill", self.container.id()]).await?;
        Ok(())
    }

    /// Starts the broker again after [`Broker::kill`]. Its ports are others then.
    pub async fn start_again(&self) -> Result<()> {
        docker(&["start", self.container.id()]).await?;
        self.find_ports().await?;
        self.wait_until_up().await
    }

    /// Raises the memory alarm: the broker blocks every publisher.
    pub async fn run_short_of_memory(&self) -> Result<()> {
        self.memory_limit("1").await
    }

    /// Lets it have memory again.
    pub async fn have_memory_again(&self) -> Result<()> {
        self.memory_limit("2GiB").await
    }

    async fn memory_limit(&self, bytes: &str) -> Result<()> {
        let id = self.container.id();
        let limit = ["set_vm_memory_high_watermark", "absolute", bytes];
        docker(&[&["exec", id, "rabbitmqctl", "--quiet"], limit.as_slice()].concat()).await?;
        Ok(())
    }

    /// Asks the management HTTP API: `path` is what follows `/api/`.
    pub async fn api(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let url = format!("http://{}/api/{path}", self.management.address());
        let mut request = self.http.request(method.clone(), url).basic_auth(TESTER, Some(TESTER));
        if let Some(body) = &body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{method} /api/{path}: {status} {text}");
        match text.is_empty() {
            true => Ok(Value::Null),
            false => Ok(serde_json::from_str(&text)?),
        }
    }

    /// A new virtual host with everything that the bank's has, for the same users.
    pub(crate) async fn make_vhost(&self) -> Result<String> {
        let vhost = format!("bank-{}", self.vhosts.fetch_add(1, Ordering::Relaxed));
        let put = async |path: String, body: Value| self.api(Method::PUT, &path, Some(body)).await;
        put(format!("vhosts/{vhost}"), json!({ "default_queue_type": "quorum" })).await?;
        let everything = json!({ "configure": ".*", "write": ".*", "read": ".*" });
        put(format!("permissions/{vhost}/{TESTER}"), everything).await?;
        let import = json!({
            "exchanges": self.of_bank("exchanges")?,
            "queues": self.of_bank("queues")?,
            "bindings": self.of_bank("bindings")?,
            "policies": self.of_bank("policies")?,
            "parameters": self.of_bank("parameters")?,
        });
        self.api(Method::POST, &format!("definitions/{vhost}"), Some(import)).await?;
        for (what, path) in
            [("permissions", "permissions"), ("topic_permissions", "topic-permissions")]
        {
            for permission in self.of_bank(what)? {
                let user = permission["user"].as_str().context("a permission has a user")?;
                put(format!("{path}/{vhost}/{user}"), permission.clone()).await?;
            }
        }
        Ok(vhost)
    }

    pub(crate) async fn drop_vhost(&self, vhost: &str) -> Result<()> {
        self.api(Method::DELETE, &format!("vhosts/{vhost}"), None).await?;
        Ok(())
    }

    /// Parts of the definitions that stand in the bank's virtual host, without its name.
    fn of_bank(&self, what: &str) -> Result<Vec<Value>> {
        let parts = self.definitions[what].as_array();
        let parts = parts.with_context(|| format!("definitions.json has no {what}"))?;
        let mut found = Vec::with_capacity(parts.len());
        for part in parts {
            let mut part = part.clone();
            let object = part.as_object_mut().context("a definition is an object")?;
            match object.remove("vhost") {
                Some(vhost) if vhost == VIRTUAL_HOST => found.push(part),
                other => bail!("definitions.json: {what} in virtual host {other:?}"),
            }
        }
        Ok(found)
    }

    async fn find_ports(&self) -> Result<()> {
        for (port, target) in [
            (AMQP_PORT, &self.amqp),
            (AMQPS_PORT, &self.amqps),
            (MANAGEMENT_PORT, &self.management),
        ] {
            let port = self.container.get_host_port_ipv4(port.tcp()).await?;
            target.move_to(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        }
        Ok(())
    }

    async fn wait_until_up(&self) -> Result<()> {
        wait_for("the broker is up", START_DEADLINE, async || {
            let listener = format!("health/checks/port-listener/{AMQP_PORT}");
            self.api(Method::GET, &listener, None).await?;
            Ok(true)
        })
        .await
    }

    pub(crate) async fn remove(self) -> Result<()> {
        Ok(self.container.rm().await?)
    }
}

fn in_container(file: &str, mode: u32) -> CopyTargetOptions {
    CopyTargetOptions::new(format!("{FILES}/{file}")).with_mode(mode)
}

/// A file of `rabbitmq/`, as it is in the working tree.
fn read(file: &str) -> Result<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rabbitmq");
    let path: PathBuf = folder.join(file);
    std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The broker's own settings, plain listeners beside those with TLS, and figures that are never
/// older than half a second.
fn configuration() -> Result<Vec<u8>> {
    let configuration = String::from_utf8(read("rabbitmq.conf")?)?;
    let none = "\nlisteners.tcp = none\n";
    ensure!(configuration.contains(none), "the bank's broker listens without TLS");
    let configuration = configuration.replace(none, "\nlisteners.tcp.default = 5672\n");
    let more = "management.tcp.port = 15672\ncollect_statistics_interval = 500\n";
    Ok(format!("{configuration}\n{more}").into_bytes())
}

/// The bank's definitions, and an administrator.
fn with_tester(mut definitions: Value) -> Value {
    let users = definitions["users"].as_array_mut();
    users.into_iter().for_each(|users| {
        let tags = ["administrator", "impersonator"];
        users.push(json!({ "name": TESTER, "password": TESTER, "tags": tags }));
    });
    definitions
}
