//! The migration of a legacy bank. Promise: the totals equal those of the export's README, if any
//! process dies during the import, and if the import runs several times.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use chrono::Days;
use harness::{Bank, Fact, Instance, PATIENCE, Proxy, facts, today, wait_for};
use serde_json::{Value, json};
use shared_events::Total;
use shared_events::topology::SERVICES;

use super::{bank_client::BankClient, cli_runner::TellerCli, interest::advance_clock};

pub(crate) fn facts() -> Vec<Fact> {
    let dying = facts![the_real_books_survive_the_death_of_everything];
    let living = facts![
        the_real_books_give_the_figures_of_their_readme,
        a_small_export_is_imported_once,
        legacy_orders_pay_from_the_day_that_is_named_on
    ];
    let all = dying.into_iter().map(Fact::with_own_broker).chain(living);
    all.map(|fact| fact.within(DEADLINE)).collect()
}

/// The real books are 24,000 transfers: beside the other facts, on a slow machine, that takes long.
const DEADLINE: Duration = Duration::from_secs(900);

/// How long it may take until an import is as far as a fact waits for.
const PROGRESS: Duration = Duration::from_secs(90);

async fn a_small_export_is_imported_once(bank: Bank) -> Result<()> {
    let instances = bank.start_all(&SERVICES).await?;
    let folder = root().join("teller/legacy/tests/data/legacy-small");
    let (teller, client) = (TellerCli::of(&bank)?, BankClient::new(bank)?);
    for (opened, already_there) in [(3, 0), (0, 3)] {
        let output = teller.run(&["--json", "legacy", "import", text(&folder)?]).await?;
        ensure!(output.code == 2, "bad rows are left out: {output:?}");
        let imported = output.json()?;
        let accounts = json!({
            "opened": opened, "already_there": already_there, "raised": 0, "unusable": 0,
        });
        ensure!(imported["accounts"] == accounts, "{imported}");
        ensure!(counts(&imported) == (34, 16, 0), "{imported}");
        ensure!(imported["bad_rows"].as_array().map(Vec::len) == Some(29), "{imported}");
        let reconciled = teller.json(&["legacy", "reconcile", text(&folder)?]).await?;
        ensure!(counts(&reconciled) == (34, 16, 0), "{reconciled}");
        check_tally(&reconciled, "account_days", [12, 1, 1])?;
        check_tally(&reconciled, "accounts", [1, 1, 1])?;
        ensure!(reconciled["closing_sum"] == "7295.27", "{reconciled}");
        let mismatch = json!([{
            "account": 90103, "day": "1993-01-20", "ledger": "3800.00", "printed": "3900.00",
            "difference": "100.00",
        }]);
        ensure!(reconciled["mismatches"] == mismatch, "{reconciled}");
        check_balanced(&client).await?;
    }
    let entries = client.bank.number("ledger", "SELECT count(*) FROM entries").await?;
    ensure!(entries == 2 * 16, "{entries} entries");
    for instance in instances {
        instance.stop().await?;
    }
    Ok(())
}

async fn the_real_books_give_the_figures_of_their_readme(bank: Bank) -> Result<()> {
    let Some(folder) = real_books("the_real_books_give_the_figures_of_their_readme") else {
        return Ok(());
    };
    bank.start_all(&SERVICES).await?;
    let (teller, client) = (TellerCli::of(&bank)?, BankClient::new(bank)?);
    let imported = teller.json(&["legacy", "import", text(&folder)?]).await?;
    ensure!(imported["accounts"]["opened"] == 591, "{}", imported["accounts"]);
    // Its standing orders pay from next month on, and leave the books as they are.
    let first = (today(&client.bank).await? + Days::new(28)).to_string();
    for _ in 0..2 {
        let loaded = teller.json(&["legacy", "orders", text(&folder)?, "--first", &first]).await?;
        let all = json!({"rows": 835, "set": 835, "refused": 0, "bad_rows": []});
        ensure!(loaded == all, "{loaded}");
        let kept = client.bank.number("ledger", "SELECT count(*) FROM orders").await?;
        ensure!(kept == 835, "{kept} orders");
    }
    check_real(&teller, &client, &imported, &folder).await
}

async fn legacy_orders_pay_from_the_day_that_is_named_on(bank: Bank) -> Result<()> {
    let instances = bank.start_all(&["ledger", "accounts", "notifications"]).await?;
    let folder = root().join("teller/legacy/tests/data/legacy-small");
    let teller = TellerCli::of(&bank)?;
    let load = ["legacy", "orders", text(&folder)?, "--first"];
    let today = today(&bank).await?;
    let (early, first) = (today.to_string(), (today + Days::new(2)).to_string());
    let wrong = teller.run(&[&load[..], &[&early]].concat()).await?;
    ensure!(wrong.code == 2 && wrong.err.contains("first: must be after today"), "{wrong:?}");
    // Before its account is there, the bank refuses the order by name.
    let refused = teller.run(&[&["--json"], &load[..], &[&first]].concat()).await?;
    ensure!(refused.code == 1 && refused.json()?["refused"] == 1, "{refused:?}");
    teller.run(&["legacy", "import", text(&folder)?]).await?;
    let first = (today + Days::new(3)).to_string();
    for _ in 0..2 {
        let loaded = teller.json(&[&load[..], &[&first]].concat()).await?;
        let one = json!({"rows": 1, "set": 1, "refused": 0, "bad_rows": []});
        ensure!(loaded == one, "{loaded}");
    }
    let listed = teller.json(&["order", "list", "90101"]).await?;
    ensure!(listed["orders"].as_array().map(Vec::len) == Some(1), "{listed}");
    ensure!(listed["orders"][0]["next_date"] == first.as_str(), "{listed}");
    // Long enough for any holidays after that day, and less than until the next month's.
    instances[0].stop().await?;
    advance_clock(&bank, 12).await?;
    bank.start("ledger").await?;
    let order = listed["orders"][0]["order_id"].as_str().context("the message has an id")?;
    wait_for("the order has paid", PATIENCE, async || {
        let shown = teller.json(&["order", "show", "90101", order]).await?;
        Ok(shown["executions"][0]["status"] == "executed")
    })
    .await?;
    let shown = teller.json(&["order", "show", "90101", order]).await?;
    ensure!(shown["executions"].as_array().map(Vec::len) == Some(1), "{shown}");
    // 3,097.77 less 250.00.
    let balance = teller.json(&["balance", "90101"]).await?;
    ensure!(balance["balance"] == "2847.77", "{balance}");
    let found =
        teller.json(&["search", "90101", "--reference", "SIPO, PREVOD NA UCET, YZ"]).await?;
    ensure!(found.to_string().contains("250"), "{found}");
    Ok(())
}

/// Each process is killed while the import needs it, the importing one included.
async fn the_real_books_survive_the_death_of_everything(bank: Bank) -> Result<()> {
    let Some(folder) = real_books("the_real_books_survive_the_death_of_everything") else {
        return Ok(());
    };
    let instances = bank.start_all(&SERVICES).await?;
    // The broker comes back at another port; the teller's address stays.
    let way = Proxy::to(bank.broker().amqp().clone()).await?;
    let teller = TellerCli::of(&bank)?.with_broker_address(way.address())?;
    let mut first = teller.start(&["--json", "legacy", "import", text(&folder)?])?;
    let accounts = "SELECT count(*) FROM accounts";
    let transfers = "SELECT count(*) FROM journal";
    let far = async |service: &str, query: &str, count: i64| {
        wait_for(&format!("{service} has {count}"), PROGRESS, async || {
            Ok(bank.number(service, query).await? >= count)
        })
        .await
    };
    far("accounts", accounts, 100).await?;
    kill_and_start(&instances, "accounts").await?;
    far("ledger", accounts, 300).await?;
    kill_and_start(&instances, "ledger").await?;
    far("ledger", transfers, 4_000).await?;
    kill_and_start(&instances, "ledger").await?;
    far("ledger", transfers, 8_000).await?;
    bank.broker().kill().await?;
    bank.broker().start_again().await?;
    far("ledger", transfers, 12_000).await?;
    kill_and_start(&instances, "notifications").await?;
    far("ledger", transfers, 16_000).await?;
    first.kill().await?;
    let so_far = bank.number("ledger", transfers).await?;
    ensure!(so_far < 23_932, "the import was over before the kill");

    let imported = teller.json(&["legacy", "import", text(&folder)?]).await?;
    let there = json!({"opened": 0, "already_there": 591, "raised": 0, "unusable": 0});
    ensure!(imported["accounts"] == there, "{}", imported["accounts"]);
    let client = BankClient::new(bank.clone())?;
    check_real(&teller, &client, &imported, &folder).await?;
    for service in SERVICES {
        let parked = bank.parked(service).await?;
        ensure!(parked.is_empty(), "{service} gave up {parked:?}");
    }
    Ok(())
}

async fn kill_and_start(instances: &[Instance], service: &str) -> Result<()> {
    let instance = instances.iter().find(|instance| instance.label().starts_with(service));
    let instance = instance.context("the instance was started")?;
    instance.kill().await?;
    instance.launch().await
}

/// The figures of the real books' README.
async fn check_real(
    teller: &TellerCli,
    client: &BankClient,
    imported: &Value,
    folder: &Path,
) -> Result<()> {
    ensure!(counts(imported) == (23_932, 23_932, 0), "{imported}");
    ensure!(imported["bad_rows"] == json!([]), "{imported}");
    let reconciled = teller.json(&["legacy", "reconcile", text(folder)?]).await?;
    ensure!(counts(&reconciled) == (23_932, 23_932, 0), "{reconciled}");
    check_tally(&reconciled, "account_days", [11_024, 8_447, 16])?;
    check_tally(&reconciled, "accounts", [171, 404, 16])?;
    ensure!(reconciled["closing_sum"] == "19057313.70", "{}", reconciled["closing_sum"]);
    ensure!(reconciled["mismatches"].as_array().map(Vec::len) == Some(16), "{reconciled}");
    check_balanced(client).await?;
    let entries = client.bank.number("ledger", "SELECT count(*) FROM entries").await?;
    ensure!(entries == 2 * 23_932, "{entries} entries");
    let proved = teller.json(&["audit", "verify"]).await?;
    let counts = (&proved["outcome"], &proved["records"], &proved["entries"]);
    ensure!(counts == (&json!("verified"), &json!(23_932), &json!(2 * 23_932)), "{proved}");
    Ok(())
}

/// Rows, posted, rejected.
fn counts(actual: &Value) -> (u64, u64, u64) {
    let count = |field: &str| actual[field].as_u64().unwrap_or(u64::MAX);
    (count("rows"), count("posted"), count("rejected"))
}

fn check_tally(actual: &Value, what: &str, [exact, rounding, mismatch]: [u64; 3]) -> Result<()> {
    let expected = json!({"exact": exact, "rounding": rounding, "mismatch": mismatch});
    ensure!(actual[what] == expected, "{what}: {}, not {expected}", actual[what]);
    Ok(())
}

/// The trial balance is zero for each currency, and has lines.
async fn check_balanced(client: &BankClient) -> Result<()> {
    let lines = client.trial_balance().await?.lines;
    let koruny = lines.iter().all(|line| line.currency.code() == "CZK");
    ensure!(koruny && lines.len() > 3, "{lines:?}");
    let sum = Total::sum(lines.iter().map(|line| line.balance));
    ensure!(sum == Some(Total::ZERO), "the books are off by {sum:?}: {lines:?}");
    Ok(())
}

/// The real books, which are not in the repository.
#[allow(clippy::print_stderr, reason = "what is skipped is said")]
fn real_books(fact: &str) -> Option<PathBuf> {
    let folder = root().join("../shared/data/legacy-bank");
    if !folder.exists() {
        eprintln!("\n  SKIPPED  {fact}: {} does not exist here\n", folder.display());
        return None;
    }
    Some(folder)
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path is text")
}
