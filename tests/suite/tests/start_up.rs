//! `make up` under faults. Promise: its last line names the remedy, in the words of each compose
//! and engine, as soon as the fault is known. Scripts play Docker and cargo.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Answers as Docker does for a bank of one database, `$STATE`: what goes wrong.
const DOCKER: &str = r#"#!/usr/bin/env bash
case "$1 $*" in
  compose*" version"*) [ "$COMPOSE" = 2 ] ;;
  compose*" up "*) echo "$SAYS" >&2; [ "$STATE" != "not started" ] ;;
  compose*) ;;
  ps*) echo c1 ;;
  inspect*RestartCount*) [ "$STATE" != restarting ] && echo 0 || echo 3 ;;
  inspect*Healthcheck*) printf '%s\n' CMD-SHELL pg_isready ;;
  inspect*State.Status*) echo "ledger-db $STATE, not healthy" ;;
  inspect*) [ "$STATE" = refused ] && echo ledger-svc || echo ledger-db ;;
  logs*) echo "ledger: the database refuses the role or the password of its URL" ;;
  exec*) [ "$STATE" = healthy ] ;;
  info*DockerRootDir*) echo / ;;
  info*) echo "$SAYS" >&2; exit 1 ;;
esac
"#;
const DOCKER_COMPOSE: &str = "#!/usr/bin/env bash\nexec docker compose \"$@\"\n";
const CARGO: &str = r#"#!/usr/bin/env bash
for name in accounts-svc teller; do
  echo "{\"reason\":\"compiler-artifact\",\"executable\":\"$TARGET/$name\",\"fresh\":true}"
done
"#;
/// Somebody who is not root, where nothing is installed by itself.
const ID: &str = "#!/bin/sh\n[ \"$1\" = -u ] && echo 1000 || echo ada\n";

/// A folder of programs that stand before the real ones.
struct Stage(PathBuf);

impl Stage {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("start_up").join(name);
        fs::create_dir_all(&folder).expect("the folder can be made");
        for (program, text) in
            [("docker", DOCKER), ("docker-compose", DOCKER_COMPOSE), ("cargo", CARGO), ("id", ID)]
        {
            let path = folder.join(program);
            fs::write(&path, text).expect("a program can be written");
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(&path, mode).expect("a script can be made executable");
        }
        Self(folder)
    }

    fn run(&self, script: &str, variables: &[(&str, &str)]) -> Output {
        let path = std::env::var("PATH").expect("there is a PATH");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Command::new(root.join(script))
            .env("PATH", format!("{}:{path}", self.0.display()))
            .env_remove("DOCKER_HOST")
            .env("BANKWIRE_SECRETS", self.0.join("secrets"))
            .envs(variables.iter().copied())
            .output()
            .expect("the script starts")
    }

    /// The last line of a script that must fail.
    fn last_line(&self, script: &str, variables: &[(&str, &str)]) -> String {
        let output = self.run(script, variables);
        assert!(!output.status.success(), "{output:?}");
        let told = String::from_utf8(output.stderr).expect("the script writes text");
        told.lines().last().unwrap_or_default().to_owned()
    }
}

#[test]
fn a_port_that_is_taken_is_named_with_its_variable() {
    let stage = Stage::new("port");
    for (compose, says) in [
        (
            "1",
            "ERROR: for broker  Cannot start service broker: driver failed programming external \
             connectivity on endpoint bankwire_broker_1 (3d1): Error starting userland proxy: \
             listen tcp4 127.0.0.1:5999: bind: address already in use",
        ),
        (
            "2",
            "Error response from daemon: driver failed programming external connectivity on \
             endpoint bankwire-broker-1 (3d1): Bind for 127.0.0.1:5999 failed: port is already \
             allocated",
        ),
        (
            "2",
            "Error response from daemon: failed to set up container networking: driver failed \
             programming external connectivity on endpoint bankwire-broker-1 (3d1): failed to \
             bind host port for 127.0.0.1:5999:172.18.0.2:5672/tcp: address already in use",
        ),
    ] {
        let variables =
            [("COMPOSE", compose), ("STATE", "not started"), ("SAYS", says), ("AMQP_PORT", "5999")];
        let line = stage.last_line("scripts/up", &variables);
        let expected = "up: port 5999 is taken by another program: choose one that is free, for \
                        example AMQP_PORT=6000 make up";
        assert_eq!(line, expected, "{says}");
    }
}

#[test]
fn a_database_with_another_password_is_told_at_once() {
    let stage = Stage::new("password");
    let line = stage.last_line("scripts/up", &[("COMPOSE", "2"), ("STATE", "refused")]);
    let expected =
        "up: ledger-db has books that were made with another password: put that one into ";
    assert!(line.starts_with(expected), "{line}");
    let remedy = "/database/ledger, or make a new one theirs: scripts/rotate database/ledger";
    assert!(line.ends_with(remedy), "{line}");
}

#[test]
fn a_bank_has_secrets_of_its_own_that_only_its_owner_can_read() {
    let stage = Stage::new("secrets");
    let folder = stage.0.join("secrets");
    let _ = fs::remove_dir_all(&folder);
    let files = ["broker/operator", "database/accounts", "database/ledger_owner", "webhook"];
    let read = |file: &&str| fs::read_to_string(folder.join(file)).expect("a secret");
    assert!(stage.run("scripts/secrets", &[]).status.success());
    let first: Vec<String> = files.iter().map(read).collect();
    let different: std::collections::BTreeSet<&String> = first.iter().collect();
    assert_eq!(different.len(), files.len(), "each is another");
    assert!(first.iter().all(|secret| secret.len() >= 43 && !secret.ends_with("-dev")));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    assert!(files.iter().all(|file| mode(&folder.join(file)) == 0o600));
    assert!(!folder.join("broker/ledger").exists(), "a service logs in by certificate");

    // Another run keeps the secrets, and makes a missing one.
    fs::remove_file(folder.join(files[0])).expect("it is there");
    assert!(stage.run("scripts/secrets", &[]).status.success());
    let second: Vec<String> = files.iter().map(read).collect();
    assert_ne!(second[0], first[0]);
    assert_eq!(second[1..], first[1..]);

    // Public passwords are made by the switch alone, and are told.
    fs::remove_file(folder.join(files[0])).expect("it is there");
    let output = stage.run("scripts/secrets", &[("BANKWIRE_DEVELOPMENT_SECRETS", "1")]);
    assert_eq!(read(&files[0]), "operator-dev");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("has public passwords of development"), "{told}");
}

/// The environment of a container is shown by `docker inspect`, and its commands in lists of
/// processes.
#[test]
fn no_container_has_a_secret_in_its_environment_or_command() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let compose = fs::read_to_string(root.join("compose.yaml")).expect("compose.yaml");
    for line in compose.lines().filter(|line| !line.trim_start().starts_with('#')) {
        let Some((name, value)) = line.trim().split_once(": ") else { continue };
        let is_secret = name.contains("PASSWORD") || name.contains("SECRET");
        let is_file = value.starts_with("/run/bankwire");
        assert!(!is_secret || is_file || name == "BANKWIRE_DEVELOPMENT_SECRETS", "{line}");
        assert!(!value.contains("-dev}") && !value.contains("whsec_"), "{line}");
    }
}

#[test]
fn no_server_of_the_bank_listens_without_tls() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |file| fs::read_to_string(root.join(file)).expect(file);
    let (compose, broker, rules) =
        (read("compose.yaml"), read("rabbitmq/rabbitmq.conf"), read("docker/secrets/pg_hba.conf"));
    for line in [
        "\nlisteners.tcp = none",
        "\nstream.listeners.tcp = none",
        "\nprometheus.tcp.listener = none",
        "\nmanagement.ssl.port",
    ] {
        assert!(broker.contains(line), "{line}");
    }
    // Erlang's own ports have no encryption.
    let start = read("rabbitmq/start");
    for line in ["inet_dist_use_interface {127,0,0,1}", "ERL_EPMD_ADDRESS:-127.0.0.1"] {
        assert!(start.contains(line), "{line}");
    }
    assert!(!broker.contains("management.tcp") && broker.contains("fail_if_no_peer_cert = true"));
    let mut network = rules.lines().filter(|rule| rule.starts_with("host"));
    let is_strict = |rule: &str| rule.starts_with("hostssl") && rule.contains("clientcert=");
    assert!(network.all(|rule| rule.ends_with("reject") || is_strict(rule)));
    for line in compose.lines().filter(|line| !line.trim_start().starts_with('#')) {
        assert!(!line.contains("amqp://"), "{line}");
        assert!(!line.contains("postgres://") || line.contains("sslmode=verify-full"), "{line}");
    }
}

/// A container that was broken into reaches no more than its networks, and has no right on its
/// machine.
#[test]
fn a_container_has_the_networks_that_it_needs_and_no_rights() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let compose = fs::read_to_string(root.join("compose.yaml")).expect("compose.yaml");
    let confined = compose.split("x-confined: &confined\n").nth(1).expect("the confinement");
    let confined = confined.split("\n\n").next().expect("its lines");
    for line in ["read_only: true", "cap_drop: [ALL]", "security_opt: ['no-new-privileges:true']"] {
        assert!(confined.contains(line), "{line}");
    }
    for group in ["database", "service", "migrate"] {
        let start = format!("x-{group}: &{group}\n  <<: *confined\n");
        let group = compose.split(&start).nth(1).expect("a group of containers is confined");
        let group = group.split("\n\n").next().expect("its lines");
        assert!(group.contains("mem_limit:") && group.contains("pids_limit:"), "{group}");
    }
    let services = compose.split("\nservices:\n").nth(1).expect("services");
    let services =
        services.split("\n# Without masquerading").next().expect("the end of the services");
    let mut networks = Vec::new();
    for service in services.split("\n\n") {
        let service = service.trim_start_matches('\n');
        let (name, rest) = service.trim().split_once(":\n").expect("a name and its lines");
        let is_grouped = ["*database", "*service", "*migrate"]
            .iter()
            .any(|group| rest.contains(&format!("<<: {group}\n")));
        let is_bounded = rest.contains("mem_limit:") && rest.contains("pids_limit:");
        assert!(is_grouped || rest.contains("<<: *confined\n") && is_bounded, "{name}");
        assert!(!rest.contains("docker.sock") && !rest.contains("privileged: true"), "{name}");
        let own = rest.lines().find_map(|line| line.trim().strip_prefix("networks: "));
        networks.push((name, own.unwrap_or("none")));
    }
    let expected = [
        ("secrets", "none"),
        ("broker", "[bus]"),
        ("accounts-db", "[accounts-db]"),
        ("ledger-db", "[ledger-db]"),
        ("notifications-db", "[notifications-db]"),
        ("accounts-migrate", "[accounts-db]"),
        ("accounts-svc", "[bus, accounts-db]"),
        ("ledger-migrate", "[ledger-db]"),
        ("ledger-svc", "[bus, ledger-db]"),
        ("notifications-migrate", "[notifications-db]"),
        ("notifications-svc", "[bus, notifications-db, egress]"),
        ("witness", "[bus]"),
        ("mail", "[egress]"),
    ];
    assert_eq!(networks, expected);
    assert!(services.contains("network_mode: none"), "the container of the secrets has a network");
}

#[test]
fn a_container_that_ends_again_and_again_is_not_waited_for() {
    let stage = Stage::new("restarting");
    let line = stage.last_line("scripts/up", &[("COMPOSE", "2"), ("STATE", "restarting")]);
    assert_eq!(line, "up: ledger-db ended 3 times; its last words are above");
}

#[test]
fn a_full_disk_is_told() {
    let stage = Stage::new("disk");
    let says = "write /var/lib/docker/tmp/x: no space left on device";
    let variables = [("COMPOSE", "1"), ("STATE", "not started"), ("SAYS", says)];
    let line = stage.last_line("scripts/up", &variables);
    assert!(line.starts_with("why: the disk is full: "), "{line}");
}

#[test]
fn an_engine_that_does_not_answer_is_told_with_what_to_do() {
    let stage = Stage::new("engine");
    for (says, expected) in [
        (
            "permission denied while trying to connect to the Docker daemon socket",
            "ensure-engine: ada may not use the Docker engine: sudo usermod -aG docker ada, then \
             log in anew",
        ),
        (
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker \
             daemon running?",
            "ensure-engine: no Docker engine answers: start it (sudo systemctl start docker)",
        ),
    ] {
        let variables = [("COMPOSE", "2"), ("STATE", "healthy"), ("SAYS", says)];
        assert_eq!(stage.last_line("docker/ensure-engine", &variables), expected);
    }
}

#[test]
fn binaries_are_where_cargo_says_that_it_put_them() {
    let stage = Stage::new("binaries");
    let target = stage.0.join("x86_64-unknown-linux-gnu/release");
    fs::create_dir_all(&target).expect("the folder can be made");
    fs::copy(stage.0.join("docker"), target.join("teller")).expect("a program");
    let target = target.to_str().expect("a path is text");
    let output = stage.run("scripts/binaries", &[("TARGET", target)]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), target, "{output:?}");
}
