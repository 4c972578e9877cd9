//! The journal as a file, and the proof as people reach it.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, binaries::scratch_file, facts};
use serde_json::{Value, json};
use tokio::process::Command;

use super::{books, names};
use crate::{bank_client::BankClient, cli_runner::TellerCli};

pub(super) fn facts() -> Vec<Fact> {
    facts![
        an_export_is_added_to_and_proved_without_the_bank,
        the_exit_code_of_a_proof_says_its_result
    ]
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path is text")
}

/// The exit code and the lines of the auditors' program for an export.
async fn python(file: &Path) -> Result<(i32, Vec<String>)> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/verify_export.py");
    let done = Command::new("python3").arg(program).arg(file).kill_on_drop(true).output().await?;
    let said = format!("{}{}", String::from_utf8(done.stdout)?, String::from_utf8(done.stderr)?);
    let code = done.status.code().context("the program was killed")?;
    Ok((code, said.lines().map(str::to_owned).collect()))
}

async fn an_export_is_added_to_and_proved_without_the_bank(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let account = client.account("early").await?;
    ensure!(client.deposit(account, "1").await? == "posted");
    let teller = TellerCli::of(&client.bank)?;
    let file = scratch_file("jsonl")?;
    let export = ["audit", "export", text(&file)?];
    let first = teller.json(&export).await?;
    ensure!(first["records"] == 1 && first["before"] == 0, "{first}");

    books::write(&mut client).await?;
    // As if it had been killed in the middle of a line.
    let begun = std::fs::read_to_string(&file)?;
    std::fs::write(&file, format!("{begun}{{\"chain\":0,\"pl"))?;
    let second = teller.json(&export).await?;
    let records = client.bank.number("ledger", "SELECT count(*) FROM journal").await?;
    ensure!(second["before"] == 1 && second["records"] == records - 1, "{second}");
    ensure!(teller.json(&export).await?["records"] == 0);

    let verify = ["audit", "verify", "--file", text(&file)?];
    let proved = teller.json(&verify).await?;
    let mut of_the_bank = teller.json(&["audit", "verify", "--expect", text(&file)?]).await?;
    let history = of_the_bank["history"].take();
    ensure!(begun.contains("\"history\":") && history["place"].as_i64() > Some(20), "{history}");
    of_the_bank.as_object_mut().context("an object")?.remove("history");
    ensure!(proved == of_the_bank && proved["records"] == records, "{proved}\n{of_the_bank}");
    let (code, said) = python(&file).await?;
    let end = |end: &Value| {
        format!("{} {} {}", end["chain"], end["place"], end["hash"].as_str().unwrap_or_default())
    };
    let ends = proved["ends"].as_array().into_iter().flatten();
    let ends: Vec<String> = ends.filter(|end| end["place"] != 0).map(end).collect();
    ensure!(code == 0 && said == ends, "{said:?} is not {ends:?}");

    let whole = std::fs::read_to_string(&file)?;
    let printed = teller.run(&["audit", "export"]).await?;
    ensure!(printed.code == 0, "{printed:?}");
    let mut lines = [&whole, &printed.out].map(|text| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.retain(|line| !line.starts_with("{\"ends\""));
        lines.sort();
        lines
    });
    ensure!(lines[0] == lines[1], "standard output gets the same lines");

    // One digit of one amount, in a file that is whole otherwise.
    let at = whole.find("1000.50").context("the salary is in the export")?;
    let line = whole[..at].lines().count();
    std::fs::write(&file, whole.replacen("1000.50", "1000.51", 1))?;
    let output = teller.run(&[&["--json"], &verify[..]].concat()).await?;
    let changed: Value = serde_json::from_str(whole.lines().nth(line - 1).context("a line")?)?;
    let named = json!({"table": "journal", "chain": changed["chain"], "place": changed["place"]});
    ensure!(output.code == 4 && names(&output.json()?, &named), "{output:?} is not {named}");
    let (code, said) = python(&file).await?;
    ensure!(code == 1 && said[0].starts_with(&format!("line {line} ")), "{said:?}");

    let cut = lines[0].pop().context("the export has lines")?;
    std::fs::write(&file, format!("{cut}\n"))?;
    let output = teller.run(&verify).await?;
    ensure!(output.code == 2 && output.err.contains("is not finished"), "{output:?}");
    std::fs::remove_file(&file)?;
    Ok(())
}

async fn the_exit_code_of_a_proof_says_its_result(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let teller = TellerCli::of(&client.bank)?;
    let empty = teller.json(&["audit", "verify"]).await?;
    ensure!(empty["outcome"] == "verified" && empty["records"] == 0, "{empty}");
    books::write(&mut client).await?;
    let seen = teller.run(&["--json", "audit", "verify"]).await?;
    ensure!(seen.code == 0, "{seen:?}");
    let anchor = scratch_file("json")?;
    std::fs::write(&anchor, &seen.out)?;
    let expect = ["audit", "verify", "--expect", text(&anchor)?];
    let people = teller.run(&expect).await?;
    ensure!(people.code == 0 && people.out.contains("the books verify"), "{people:?}");
    ensure!(people.out.contains("EUR") && people.out.contains("CZK"), "{people:?}");

    client.bank.execute("ledger", "UPDATE accounts SET posted_debits = posted_debits + 1").await?;
    let people = teller.run(&expect).await?;
    ensure!(people.code == 4 && people.out.contains("posted_debits"), "{people:?}");
    let program = teller.run(&["--json", "audit", "verify"]).await?;
    let named = json!({"outcome": "different", "table": "accounts", "column": "posted_debits"});
    ensure!(program.code == 4 && names(&program.json()?, &named), "{program:?}");
    std::fs::write(&anchor, "{}\n")?;
    let output = teller.run(&expect).await?;
    ensure!(output.code == 2 && output.err.starts_with("error: expect: "), "{output:?}");
    std::fs::remove_file(&anchor)?;
    Ok(())
}
