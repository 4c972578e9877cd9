//! The history in the database: deaths of the service, attempts to change the history, and a
//! database that is older.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Message};
use shared_events::{
    MessageId,
    accounts::{Blocks, FreezeAccount, OpenAccount, SetAccess, UnfreezeAccount},
};

use super::{chain::proved, id_of, line, of_account};
use crate::bank_client::{BankClient, amount};

pub(super) async fn a_service_killed_in_the_middle_leaves_no_gap(bank: Bank) -> Result<()> {
    const ROUNDS: usize = 4;
    const COMMANDS: usize = 30;
    let services = bank.start_all(&["ledger", "accounts", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    let mut ids = Vec::new();
    for round in 0..ROUNDS {
        let change = |number: usize| {
            let account_id = if number.is_multiple_of(2) { ada } else { bob };
            let (reason, blocks) = (format!("round {round}, number {number}"), Blocks::Both);
            Message::of(MessageId::new(), FreezeAccount { account_id, reason, blocks })
        };
        let changes: Vec<Message> = (0..COMMANDS).map(change).collect();
        ids.extend(changes.iter().map(id_of).collect::<Result<Vec<_>>>()?);
        bank.publish_all(&changes).await?;
        let dying = &services[1 + round % 2];
        dying.kill().await?;
        dying.start().await?;
    }
    for id in &ids {
        bank.events().outcome(*id).await?;
    }
    let records = proved(&bank).await?;
    for (account, name) in [(ada, "ada"), (bob, "bob")] {
        let changes = of_account(&records, account).len();
        ensure!(changes == 2 + ROUNDS * COMMANDS / 2, "{name}: {changes} records");
    }
    Ok(())
}

pub(super) async fn the_database_refuses_to_change_the_history_and_forgets_texts(
    bank: Bank,
) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let ada = client.account("ada").await?;
    let bank = &client.bank;
    proved(bank).await?;
    for statement in [
        "UPDATE history SET record = 'x'",
        "UPDATE history SET place = place + 1000",
        "UPDATE history SET hash = sha256('x')",
        "UPDATE history SET number = number + 1",
        "UPDATE history SET texts = '{}' WHERE account_id IS NOT NULL",
        "UPDATE history SET salt = NULL WHERE account_id IS NOT NULL",
        "UPDATE history SET texts = NULL WHERE account_id IS NOT NULL",
        "UPDATE history SET texts = NULL, salt = NULL, principal = 'eve', account_id = NULL",
        "DELETE FROM history",
        "TRUNCATE history",
    ] {
        let refused = bank.execute("accounts", statement).await;
        let why = refused.err().map(|error| format!("{error:#}")).unwrap_or_default();
        ensure!(why.contains("is append-only"), "{statement}: {why:?}");
    }
    let all = proved(bank).await?;
    let forget = format!("UPDATE history SET texts = NULL, salt = NULL WHERE account_id = '{ada}'");
    bank.execute("accounts", &forget).await?;
    let forgotten = proved(bank).await?;
    ensure!(forgotten.len() == all.len());
    for (row, _) in of_account(&forgotten, ada) {
        ensure!(row.texts.is_none() && row.salt.is_none(), "{row:?}");
    }
    Ok(())
}

pub(super) async fn a_database_of_before_the_history_begins_with_what_it_has(
    bank: Bank,
) -> Result<()> {
    let services = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let terms = |opening: &mut OpenAccount| {
        opening.holder.name = "Jana \"Jo\" Nováková".to_owned();
        opening.holder.webhook = Some("https://example.com/a\\b".to_owned());
        opening.external_reference = Some("18\"4/7".to_owned());
        opening.overdraft_limit = amount(500);
    };
    let ada = client.account_with("ada", terms).await?;
    let bob = client.account("bob").await?;
    let (reason, blocks) = ("court order".to_owned(), Blocks::Credits);
    client.request(FreezeAccount { account_id: bob, reason, blocks }).await?;
    client.request(SetAccess { principal: "jan".to_owned(), grants: vec![] }).await?;
    services[1].stop().await?;
    let rewind = "DROP TABLE history, history_end; DROP FUNCTION refuse;
        DELETE FROM _sqlx_migrations WHERE version = 6;
        UPDATE access_changes SET grants = jsonb_pretty(grants::jsonb) WHERE version = 1";
    bank.execute("accounts", rewind).await?;
    bank.migrate("accounts").await?;
    services[1].start().await?;
    let records = proved(&bank).await?;
    for (account, version) in [(ada, 2), (bob, 3)] {
        let of_account = of_account(&records, account);
        let [(row, record)] = of_account[..] else { anyhow::bail!("{of_account:?}") };
        ensure!(record.author.principal == "accounts" && row.salt.is_some(), "{row:?}");
        let recorded = record.account.as_ref().context("an account")?;
        ensure!(recorded.change.as_str() == "recorded" && recorded.number == version);
    }
    let (_, last) = records.last().context("a record")?;
    let grants = last.grants.as_ref().context("grants come after the accounts")?;
    ensure!(grants.principal == "jan" && last.author.principal == "teller", "{last:?}");
    ensure!(last.command_id.is_some(), "{last:?}");
    client.request(UnfreezeAccount { account_id: bob }).await?;
    let after = proved(&bank).await?;
    let lines: Result<Vec<String>> =
        of_account(&after, bob).iter().map(|record| line(record)).collect();
    ensure!(lines? == ["3 recorded accounts", "4 unfrozen teller"]);
    Ok(())
}
