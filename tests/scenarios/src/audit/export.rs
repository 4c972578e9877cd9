//! The journal as a file, and the proof as people reach it.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, binaries::scratch_file, facts};
use serde_json::{Value, json};
use tokio::process::Command;

use super::{books, names};
use crate::{clerk::Clerk, desk::Desk};

pub(super) fn facts() -> Vec<Fact> {
    facts![
        an_export_is_added_to_and_proved_without_the_bank,
        a_proof_says_what_it_found_by_its_code
    ]
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path is text")
}

/// What the program for auditors says of an export: its exit code and its lines.
async fn python(file: &Path) -> Result<(i32, Vec<String>)> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/verify_export.py");
    let done = Command::new("python3").arg(program).arg(file).kill_on_drop(true).output().await?;
    let said = format!("{}{}", String::from_utf8(done.stdout)?, String::from_utf8(done.stderr)?);
    let code = done.status.code().context("it ends by itself")?;
    Ok((code, said.lines().map(str::to_owned).collect()))
}

async fn an_export_is_added_to_and_proved_without_the_bank(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    let account = desk.account("early").await?;
    ensure!(desk.deposit(account, "1").await? == "posted");
    let clerk = Clerk::of(&desk.bank)?;
    let file = scratch_file("jsonl")?;
    let export = ["audit", "export", text(&file)?];
    let first = clerk.json(&export).await?;
    ensure!(first["records"] == 1 && first["before"] == 0, "{first}");

    books::write(&mut desk).await?;
    // As if it had been killed in the middle of a line.
    let begun = std::fs::read_to_string(&file)?;
    std::fs::write(&file, format!("{begun}{{\"chain\":0,\"pl"))?;
    let second = clerk.json(&export).await?;
    let records = desk.bank.number("ledger", "SELECT count(*) FROM journal").await?;
    ensure!(second["before"] == 1 && second["records"] == records - 1, "{second}");
    ensure!(clerk.json(&export).await?["records"] == 0);

    let verify = ["audit", "verify", "--file", text(&file)?];
    let proved = clerk.json(&verify).await?;
    let of_the_bank = clerk.json(&["audit", "verify", "--expect", text(&file)?]).await?;
    ensure!(proved == of_the_bank && proved["records"] == records, "{proved}\n{of_the_bank}");
    let (code, said) = python(&file).await?;
    let end = |it: &Value| {
        format!("{} {} {}", it["chain"], it["place"], it["hash"].as_str().unwrap_or_default())
    };
    let ends = proved["ends"].as_array().into_iter().flatten();
    let ends: Vec<String> = ends.filter(|it| it["place"] != 0).map(end).collect();
    ensure!(code == 0 && said == ends, "{said:?} is not {ends:?}");

    let whole = std::fs::read_to_string(&file)?;
    let printed = clerk.run(&["audit", "export"]).await?;
    ensure!(printed.code == 0, "{printed:?}");
    let mut lines = [&whole, &printed.out].map(|it| {
        let mut lines: Vec<String> = it.lines().map(str::to_owned).collect();
        lines.retain(|line| !line.starts_with("{\"ends\""));
        lines.sort();
        lines
    });
    ensure!(lines[0] == lines[1], "standard output gets the same lines");

    // One digit of one amount, in a file that is whole otherwise.
    let at = whole.find("1000.50").context("the salary is in it")?;
    let line = whole[..at].lines().count();
    std::fs::write(&file, whole.replacen("1000.50", "1000.51", 1))?;
    let ended = clerk.run(&[&["--json"], &verify[..]].concat()).await?;
    let changed: Value = serde_json::from_str(whole.lines().nth(line - 1).context("a line")?)?;
    let named = json!({"table": "journal", "chain": changed["chain"], "place": changed["place"]});
    ensure!(ended.code == 4 && names(&ended.json()?, &named), "{ended:?} is not {named}");
    let (code, said) = python(&file).await?;
    ensure!(code == 1 && said[0].starts_with(&format!("line {line} ")), "{said:?}");

    let cut = lines[0].pop().context("it has lines")?;
    std::fs::write(&file, format!("{cut}\n"))?;
    let ended = clerk.run(&verify).await?;
    ensure!(ended.code == 2 && ended.err.contains("is not finished"), "{ended:?}");
    std::fs::remove_file(&file)?;
    Ok(())
}

async fn a_proof_says_what_it_found_by_its_code(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    let clerk = Clerk::of(&desk.bank)?;
    let empty = clerk.json(&["audit", "verify"]).await?;
    ensure!(empty["outcome"] == "verified" && empty["records"] == 0, "{empty}");
    books::write(&mut desk).await?;
    let seen = clerk.run(&["--json", "audit", "verify"]).await?;
    ensure!(seen.code == 0, "{seen:?}");
    let anchor = scratch_file("json")?;
    std::fs::write(&anchor, &seen.out)?;
    let expect = ["audit", "verify", "--expect", text(&anchor)?];
    let people = clerk.run(&expect).await?;
    ensure!(people.code == 0 && people.out.contains("the books verify"), "{people:?}");
    ensure!(people.out.contains("EUR") && people.out.contains("CZK"), "{people:?}");

    desk.bank.execute("ledger", "UPDATE accounts SET posted_debits = posted_debits + 1").await?;
    let people = clerk.run(&expect).await?;
    ensure!(people.code == 4 && people.out.contains("posted_debits"), "{people:?}");
    let program = clerk.run(&["--json", "audit", "verify"]).await?;
    let named = json!({"outcome": "different", "table": "accounts", "column": "posted_debits"});
    ensure!(program.code == 4 && names(&program.json()?, &named), "{program:?}");
    std::fs::write(&anchor, "{}\n")?;
    let ended = clerk.run(&expect).await?;
    ensure!(ended.code == 2 && ended.err.starts_with("error: expect: "), "{ended:?}");
    std::fs::remove_file(&anchor)?;
    Ok(())
}
