//! Signed ends of the chains, and the witness that keeps them. Promise: whoever owns a database
//! cannot rewrite what a witness has heard without being found.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use harness::{
    Bank, Fact, PATIENCE, bank::evidence::SigningFiles, binaries::scratch_file, facts, wait_for,
};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::{
    bank_client::BankClient,
    cli_runner::{CliOutput, TellerCli, wait_output},
    python::script,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        services_sign_the_ends_of_their_chains_and_others_verify_them,
        a_rewritten_record_is_found_by_what_the_witness_has_kept,
        a_chain_that_is_cut_off_ends_the_witness,
        a_witness_goes_on_with_new_keys_and_ends_at_a_foreign_one,
        a_key_that_cannot_be_used_is_told_and_a_service_without_one_signs_nothing,
        a_silent_service_is_told,
    ]
}

/// A witness outside the bank: a client that hears the statements and may do nothing else.
struct Outside {
    teller: TellerCli,
    file: PathBuf,
    keys: Vec<SigningFiles>,
}

impl Outside {
    async fn of(bank: &Bank, keys: &[&SigningFiles]) -> Result<Self> {
        let client = bank.add_client(&["witness"]).await?;
        let teller = TellerCli::of(bank)?.with_client(&bank.amqp_url(&client.name));
        let keys = keys.iter().copied().cloned().collect();
        Ok(Self { teller, file: scratch_file("jsonl")?, keys })
    }

    fn file(&self) -> Result<&str> {
        self.file.to_str().context("a path is text")
    }

    /// `--key ledger=...` for each key.
    fn keys(&self) -> Vec<String> {
        self.keys.iter().flat_map(|key| ["--key".to_owned(), key.option()]).collect()
    }

    fn arguments(&self, more: &[&str]) -> Result<Vec<String>> {
        let first = ["audit", "witness", self.file()?].map(str::to_owned);
        let more = more.iter().map(|argument| (*argument).to_owned());
        Ok(first.into_iter().chain(self.keys()).chain(more).collect())
    }

    /// Hears statements, with these options.
    async fn hear(&self, more: &[&str]) -> Result<CliOutput> {
        let arguments = self.arguments(more)?;
        self.teller.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await
    }

    /// Hears this many statements, of which each must fit.
    async fn hears(&self, count: usize) -> Result<()> {
        let output = self.hear(&["--count", &count.to_string()]).await?;
        ensure!(output.code == 0 && output.out.lines().count() == count, "{output:?}");
        Ok(())
    }

    /// Ends with 4, and says this.
    async fn refuses(&self, why: &str) -> Result<()> {
        let output = self.hear(&[]).await?;
        ensure!(output.code == 4 && output.out.contains(why), "{why}: {output:?}");
        Ok(())
    }

    /// The lines of the file.
    fn lines(&self) -> Result<Vec<Value>> {
        let text = std::fs::read_to_string(&self.file)?;
        text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// `teller audit verify` of the books, against the file or not.
    async fn verify(&self, auditor: &TellerCli, more: &[&str]) -> Result<CliOutput> {
        let keys = self.keys();
        let expect = ["--json", "audit", "verify", "--expect", self.file()?].into_iter();
        let keys = keys.iter().map(String::as_str);
        auditor.run(&expect.chain(keys).chain(more.iter().copied()).collect::<Vec<_>>()).await
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Starts the services, of which the first has two instances, and writes some records.
async fn signing_bank(bank: &Bank) -> Result<(BankClient, SigningFiles, SigningFiles)> {
    let (ledger, accounts) = (bank.sign_chains("ledger")?, bank.sign_chains("accounts")?);
    bank.start_all(&["ledger", "ledger", "accounts", "notifications"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let ada = client.account("ada").await?;
    ensure!(client.deposit(ada, "10").await? == "posted");
    Ok((client, ledger, accounts))
}

async fn services_sign_the_ends_of_their_chains_and_others_verify_them(bank: Bank) -> Result<()> {
    let (_client, ledger, accounts) = signing_bank(&bank).await?;
    let witness = Outside::of(&bank, &[&ledger, &accounts]).await?;
    witness.hears(8).await?;
    let types: Vec<Value> = witness.lines()?.iter().map(|line| line["type"].clone()).collect();
    for kind in ["ledger.chains.signed.v1", "accounts.chains.signed.v1"] {
        ensure!(types.iter().filter(|heard| *heard == kind).count() > 1, "{types:?}");
    }

    let verified = async |keys: &[&SigningFiles]| {
        let mut script = script("verify_notes.py").await?;
        script.arg(&witness.file).args(keys.iter().map(|key| key.public()));
        let done = script.kill_on_drop(true).output().await?;
        let said = [done.stdout, done.stderr].concat();
        anyhow::Ok((done.status.success(), String::from_utf8(said)?))
    };
    let (is_verified, ends) = verified(&[&ledger, &accounts]).await?;
    ensure!(is_verified, "{ends}");
    for (service, ends_of) in [
        ("ledger", "SELECT * FROM chains WHERE chain = 0"),
        ("ledger", "SELECT * FROM chains WHERE chain = 3"),
        ("accounts", "SELECT 0 AS chain, * FROM history_end"),
    ] {
        let end = format!(
            "SELECT '{service}/chains ' || chain || ' ' || place || ' ' || encode(hash, 'hex')
             FROM ({ends_of})"
        );
        let pool = bank.pool(service).await?;
        let end: String = sqlx::query_scalar(sqlx::AssertSqlSafe(end)).fetch_one(&pool).await?;
        ensure!(ends.lines().any(|line| line == end), "{end} is none of\n{ends}");
    }
    let (is_verified, why) = verified(&[&ledger]).await?;
    ensure!(!is_verified && why.contains("no signature of a known key"), "{why}");
    let text = std::fs::read_to_string(&witness.file)?;
    std::fs::write(&witness.file, text.replacen("chains\\n20", "chains\\n21", 1))?;
    let (is_verified, why) = verified(&[&ledger, &accounts]).await?;
    ensure!(!is_verified && why.contains("line 1: wrong signature"), "{why}");
    witness.refuses("its signature is wrong").await
}

/// A record with another author.
const REWRITTEN: &str =
    r#"replace(record, '"author":{"principal":"', '"author":{"principal":"not-')"#;
/// The owner of the ledger's database: names another author of the last record of a chain, and
/// computes its hash and the chain's end anew.
const REWRITTEN_JOURNAL: &str = "
    BEGIN; ALTER TABLE journal DISABLE TRIGGER USER; ALTER TABLE chains DISABLE TRIGGER USER;
    UPDATE journal SET record = $rewritten,
        hash = sha256(coalesce((SELECT hash FROM journal earlier
                WHERE earlier.chain = journal.chain AND earlier.place = journal.place - 1),
            decode(repeat('00', 32), 'hex')) || digest
            || convert_to($rewritten, 'UTF8'))
        WHERE (chain, place) IN (SELECT chain, place FROM chains WHERE place > 0 LIMIT 1);
    UPDATE chains SET hash = journal.hash FROM journal
        WHERE (journal.chain, journal.place) = (chains.chain, chains.place);
    ALTER TABLE journal ENABLE TRIGGER USER; ALTER TABLE chains ENABLE TRIGGER USER; COMMIT";
/// The same in the history of accounts and grants.
const REWRITTEN_HISTORY: &str = "
    BEGIN; ALTER TABLE history DISABLE TRIGGER USER; ALTER TABLE history_end DISABLE TRIGGER USER;
    UPDATE history SET record = $rewritten,
        hash = sha256(coalesce((SELECT hash FROM history earlier
                WHERE earlier.place = history.place - 1), decode(repeat('00', 32), 'hex'))
            || convert_to($rewritten, 'UTF8'))
        WHERE place = (SELECT place FROM history_end);
    UPDATE history_end SET hash = history.hash FROM history
        WHERE history.place = history_end.place;
    ALTER TABLE history ENABLE TRIGGER USER; ALTER TABLE history_end ENABLE TRIGGER USER; COMMIT";

async fn a_rewritten_record_is_found_by_what_the_witness_has_kept(bank: Bank) -> Result<()> {
    let (_client, ledger, accounts) = signing_bank(&bank).await?;
    let auditor = TellerCli::of(&bank)?;
    for (service, key, rewritten) in
        [("ledger", &ledger, REWRITTEN_JOURNAL), ("accounts", &accounts, REWRITTEN_HISTORY)]
    {
        let witness = Outside::of(&bank, &[key]).await?;
        witness.hears(3).await?;
        let honest = witness.verify(&auditor, &[]).await?;
        ensure!(honest.code == 0, "{service}: {honest:?}");

        bank.execute(service, &rewritten.replace("$rewritten", REWRITTEN)).await?;
        let plain = auditor.run(&["audit", "verify"]).await?;
        ensure!(plain.code == 0, "{service}: every hash was computed anew: {plain:?}");
        let found = witness.verify(&auditor, &[]).await?;
        let difference = found.json()?;
        let is_found = difference["table"] == "anchor" && difference["column"] == "hash";
        ensure!(found.code == 4 && is_found, "{service}: {found:?}");

        witness.refuses("has another record at place").await?;
        let kept = witness.lines()?.len();
        witness.refuses("has another record at place").await?;
        ensure!(witness.lines()?.len() == kept, "a later run judges the file, and hears nothing");
    }
    Ok(())
}

/// The owner of the ledger's database: takes the last record of a chain off its end.
const CUT_JOURNAL: &str = "
    BEGIN; ALTER TABLE chains DISABLE TRIGGER USER;
    UPDATE chains SET place = place - 1,
        hash = coalesce((SELECT hash FROM journal WHERE journal.chain = chains.chain
                AND journal.place = chains.place - 1), decode(repeat('00', 32), 'hex'))
        WHERE place > 0;
    ALTER TABLE chains ENABLE TRIGGER USER; COMMIT";

/// Statements come each second here, closer to each other than clocks may differ.
async fn a_chain_that_is_cut_off_ends_the_witness(bank: Bank) -> Result<()> {
    let (_client, ledger, _) = signing_bank(&bank).await?;
    let witness = Outside::of(&bank, &[&ledger]).await?;
    witness.hears(3).await?;
    bank.execute("ledger", CUT_JOURNAL).await?;
    witness.refuses("became shorter: it had").await?;
    witness.refuses("became shorter: it had").await
}

async fn a_witness_goes_on_with_new_keys_and_ends_at_a_foreign_one(bank: Bank) -> Result<()> {
    let (_client, ledger, accounts) = signing_bank(&bank).await?;
    let witness = Outside::of(&bank, &[&ledger, &accounts]).await?;
    witness.hears(3).await?;
    ledger.renew()?;
    accounts.renew()?;
    witness.hears(6).await?;
    ensure!(witness.lines()?.len() == 9);

    let auditor = TellerCli::of(&bank)?;
    let verified = witness.verify(&auditor, &[]).await?;
    ensure!(verified.code == 0, "{verified:?}");
    let unchecked = auditor.run(&["audit", "verify", "--expect", witness.file()?]).await?;
    ensure!(unchecked.code == 2 && unchecked.err.contains("by --key"), "{unchecked:?}");
    let export = scratch_file("jsonl")?;
    let export = export.to_str().context("a path is text")?;
    auditor.json(&["audit", "export", export]).await?;
    let of_file = witness.verify(&auditor, &["--file", export]).await?;
    std::fs::remove_file(export)?;
    ensure!(of_file.code == 0 && of_file.err.contains("are not looked for"), "{of_file:?}");

    // Somebody who has broken into the service's host signs with a key of his own.
    let public = std::fs::read(ledger.public())?;
    ledger.renew()?;
    std::fs::write(ledger.public(), public)?;
    witness.refuses("no signature of a known key").await?;
    witness.refuses("no signature of a known key").await?;
    let forged = witness.verify(&auditor, &[]).await?;
    ensure!(forged.code == 0 && forged.err.contains("has 1 lines that are no"), "{forged:?}");
    ensure!(forged.err.contains("is not believed"), "{forged:?}");
    Ok(())
}

async fn a_key_that_cannot_be_used_is_told_and_a_service_without_one_signs_nothing(
    bank: Bank,
) -> Result<()> {
    let unsigned = bank.start("accounts").await?;
    unsigned.wait_log("evidence.key is not set: the ends of the chains are not signed").await?;
    ensure!(unsigned.readiness().await?.ready);

    let files = bank.sign_chains("ledger")?;
    let (key, public) = (std::fs::read_to_string(files.key())?, files.public());
    std::fs::copy(&public, files.key())?;
    let ledger = bank.prepare("ledger").await?;
    ledger.launch().await?;
    let why = "the ends of the chains are not signed: evidence.key cannot be used: it is no \
               Ed25519 private key as PEM (PKCS #8, BEGIN PRIVATE KEY)";
    wait_for("the health names the key", PATIENCE, async || {
        let parts = ledger.readiness().await?.parts;
        let found = parts.get("evidence").cloned().flatten();
        ensure!(found.as_deref() == Some(why), "{parts:?}");
        Ok(true)
    })
    .await?;
    ensure!(!ledger.log()?.contains(key.lines().nth(1).context("a key")?), "the key is shown");
    std::fs::write(files.key(), &key)?;
    ledger.wait_ready().await?;
    bank.events().wait_for("ledger.chains.signed.v1", 1).await?;
    ensure!(bank.events().of_kind("accounts.chains.signed.v1").await?.is_empty());

    std::fs::remove_file(files.key())?;
    let refused = bank.prepare("ledger").await?;
    refused.launch().await?;
    ensure!(refused.wait_exit().await?.code() == Some(2));
    let log = refused.log()?;
    ensure!(log.contains("evidence.key cannot be used: cannot read the secret in"), "{log}");
    Ok(())
}

async fn a_silent_service_is_told(bank: Bank) -> Result<()> {
    let key = bank.sign_chains("ledger")?;
    let witness = Outside::of(&bank, &[&key]).await?;
    let arguments = witness.arguments(&["--silence", "1", "--count", "1"])?;
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut started = witness.teller.start(&arguments)?;
    let told = started.stderr.take().context("standard error")?;
    let mut told = BufReader::new(told).lines();
    let heard = async {
        while let Some(line) = told.next_line().await? {
            if line.starts_with("warning: ledger has stated no ends of its chains for 1 s") {
                return Ok(());
            }
        }
        anyhow::bail!("the witness ended without a warning")
    };
    tokio::time::timeout(PATIENCE, heard).await??;
    bank.start("ledger").await?;
    let ended = wait_output(started).await?;
    ensure!(ended.code == 0 && ended.out.contains(" ledger 0:0 1:0 2:0 3:0"), "{ended:?}");
    Ok(())
}
