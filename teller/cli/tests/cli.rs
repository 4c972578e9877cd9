//! The command line as a process. No bank is needed: wrong input is refused before anything is
//! sent.

use std::process::{Command, Output};

/// Nobody listens on port 1.
const NOWHERE: &str = "amqp://teller@127.0.0.1:1/bank";

fn teller(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_teller"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TELLER_")) {
        command.env_remove(name);
    }
    command.env("TELLER_AMQP_URL", NOWHERE).env("TELLER_AMQP_PASSWORD", "none");
    command.args(arguments).output().expect("teller starts")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("teller ends by itself")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("teller prints UTF-8")
}

#[track_caller]
fn check_refused_input(arguments: &[&str], message: &str) {
    let output = teller(arguments);
    assert_eq!(text(&output.stderr), format!("error: {message}\n"), "{arguments:?}");
    assert_eq!(code(&output), 2, "{arguments:?}");
    assert_eq!(text(&output.stdout), "", "standard output is for results");
}

#[test]
fn wrong_input_names_the_field_and_the_rule() {
    for (arguments, message) in [
        (["deposit", "ref:1", "12.345", "EUR"], "amount: more digits than EUR has (2)"),
        (["deposit", "ref:1", "0", "EUR"], "amount: must be more than zero"),
        (["withdraw", "ref:1", "ten", "EUR"], "amount: not a decimal number such as 12.50"),
        (["withdraw", "ref:1", "1", "EURO"], "currency: not an ISO 4217 currency code such as EUR"),
        (["deposit", "", "1", "EUR"], "account: must have 1 to 64 characters"),
        (
            ["balance", "code:cash", "--timeout", "5"],
            "currency: is needed: the bank has an account with this code for each currency",
        ),
        (
            ["account", "list", "--status", "asleep"],
            "status: must be pending, active, frozen, closing, closed or erased",
        ),
        (
            ["parked", "list", "--service", "kitchen"],
            "service: must be one of accounts, ledger, notifications",
        ),
        (
            ["holder", "update", "ref:1", "--email=ada"],
            "email: not an e-mail address such as ada@example.com",
        ),
        (["watch", "--count", "1", ""], "pattern: must have 1 to 255 characters"),
    ] {
        check_refused_input(&arguments, message);
    }
}

#[test]
fn every_option_of_a_command_is_checked() {
    let long = "x".repeat(141);
    let open = ["account", "open", "--name", "Ada", "--currency", "EUR"];
    for (more, message) in [
        (vec!["--overdraft=-1"], "overdraft: must be zero or more"),
        (vec!["--product", "Gold Card"], "product: 1 to 40 of a-z, 0-9 and -"),
        (vec!["--language", "english"], "language: two letters (ISO 639-1) such as en"),
        (vec!["--webhook", "ftp://x"], "webhook: not an http or https URL"),
        (vec!["--external-reference", ""], "external_reference: must have 1 to 64 characters"),
    ] {
        check_refused_input(&[&open[..], &more].concat(), message);
    }
    let transfer = ["transfer", "ref:1", "ref:2", "1", "EUR"];
    let too_long = "reference: has 141 characters, at most 140 are allowed";
    for (more, message) in [
        (vec!["--reference", &long], too_long),
        (vec!["--booking-date", "22.11.2026"], "booking_date: not a date such as 2026-11-22"),
    ] {
        check_refused_input(&[&transfer[..], &more].concat(), message);
    }
    let statement = ["statement", "ref:1", "--from", "2026-02-01", "--to", "2026-01-01"];
    check_refused_input(&statement, "to: must not be before from");
    let same = ["transfer", "ref:1", "1", "1", "EUR"];
    check_refused_input(&same, "creditor: must not be the debtor");
}

#[test]
fn the_command_line_itself_is_checked() {
    for (arguments, named) in [
        (vec!["deposit", "ref:1", "1"], "<CURRENCY>"),
        (vec!["deposit", "ref:1", "1", "EUR", "--id", "7"], "--id"),
        (vec!["account", "list", "--timeout", "0"], "--timeout"),
        (vec!["pay", "x.csv", "--batch", "1001"], "--batch"),
        (vec!["fly"], "fly"),
    ] {
        let output = teller(&arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(text(&output.stderr).contains(named), "{arguments:?}");
    }
}

#[test]
fn a_program_is_told_in_json() {
    let output = teller(&["--json", "deposit", "ref:1", "0", "EUR"]);
    assert_eq!(code(&output), 2);
    let error: serde_json::Value =
        serde_json::from_slice(&output.stderr).expect("one line of JSON");
    assert_eq!(error["error"]["kind"], "wrong_input");
    assert_eq!(error["error"]["field"], "amount");
    assert_eq!(error["error"]["message"], "must be more than zero");
}

#[test]
fn a_bank_that_cannot_be_reached_gives_3_at_once() {
    for arguments in [
        vec!["balance", "ref:1"],
        vec!["deposit", "01890a5d-ac96-774b-bcce-b302099a8057", "1", "EUR"],
        vec!["trial-balance"],
    ] {
        let output = teller(&arguments);
        assert_eq!(code(&output), 3, "{arguments:?}");
        let error = text(&output.stderr);
        assert!(error.starts_with("error: no answer from the bank: "), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

#[test]
fn wrong_settings_are_named() {
    let output = teller(&["trial-balance", "--amqp-url", "http://127.0.0.1"]);
    let rule = "error: amqp-url: must begin with amqp:// or amqps://\n";
    assert_eq!((code(&output), text(&output.stderr)), (2, rule));
    let output = Command::new(env!("CARGO_BIN_EXE_teller"))
        .env("TELLER_AMQP_PASSWORD_FILE", "/nowhere/at/all")
        .env_remove("TELLER_AMQP_PASSWORD")
        .arg("trial-balance")
        .output()
        .expect("teller starts");
    let error = text(&output.stderr);
    let then = "error: TELLER_AMQP_PASSWORD: cannot read the secret in /nowhere/at/all: ";
    assert!(error.starts_with(then), "{error}");
    assert_eq!(code(&output), 2);
}

#[test]
fn a_public_password_needs_the_switch_of_development_and_is_told() {
    let run = |switch: &str| {
        Command::new(env!("CARGO_BIN_EXE_teller"))
            .env("TELLER_AMQP_URL", NOWHERE)
            .env_remove("TELLER_AMQP_PASSWORD")
            .env_remove("TELLER_AMQP_PASSWORD_FILE")
            .env("BANKWIRE_DEVELOPMENT_SECRETS", switch)
            .arg("trial-balance")
            .output()
            .expect("teller starts")
    };
    for off in ["", "0", "yes"] {
        let output = run(off);
        let error = text(&output.stderr);
        let then = "error: TELLER_AMQP_PASSWORD: there is no password of teller: ";
        assert!(code(&output) == 2 && error.starts_with(then), "{error}");
    }
    let output = run("1");
    let note = "BANKWIRE_DEVELOPMENT_SECRETS: the password of teller is public\n";
    assert!(text(&output.stderr).starts_with(note), "{}", text(&output.stderr));
    assert_eq!(code(&output), 3, "nobody listens there");
}

#[test]
fn a_missing_file_is_wrong_input() {
    let output = teller(&["pay", "/nowhere.csv"]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).starts_with("error: file: /nowhere.csv cannot be read: "));
    let output = teller(&["legacy", "import", "/nowhere"]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).starts_with("error: account.asc: cannot be read: "));
    let output = teller(&["audit", "verify", "--file", "/nowhere"]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).starts_with("error: file: /nowhere cannot be read: "));
}

#[test]
fn the_help_explains_the_exit_codes_and_the_passwords() {
    let output = teller(&["--help"]);
    let help = text(&output.stdout);
    for words in
        ["Exit codes:", "3  no answer", "4  the books", "<user>-dev", "code:settlement:<BANK>"]
    {
        assert!(help.contains(words), "{words}: {help}");
    }
}

#[test]
fn completions_are_made_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = teller(&["completions", shell]);
        assert_eq!(code(&output), 0);
        assert!(text(&output.stdout).contains("trial-balance"), "{shell}");
    }
}

#[test]
fn the_definitions_of_the_principals_of_development_are_the_committed_ones() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rabbitmq");
    let principals = format!("{folder}/principals.json");
    let output = teller(&["client", "definitions", "--principals", &principals]);
    let committed = std::fs::read_to_string(format!("{folder}/definitions.json"));
    assert_eq!(text(&output.stdout), committed.expect("the definitions are committed"));
}
