//! The history as an auditor reads and proves it: hashes, places, commitments, and the rows that
//! follow from the last records.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use harness::Bank;
use shared_events::{
    accounts::{
        AccountBooksFound, AccountBooksPart, AccountBooksRows, ChainedChange, GetAccountBooks,
        GetHistory, HistoryRecord, RecordedAccount, RecordedGrants,
    },
    evidence::Hash256,
};
use teller_client::Teller;

/// A record, and the row that it stands in.
pub(super) type Proved = (ChainedChange, HistoryRecord);

/// The whole history, of which every byte was proved, and every row beside it.
pub(super) async fn proved(bank: &Bank) -> Result<Vec<Proved>> {
    let auditor = Teller::new(bank.client("auditor")?);
    let (mut records, mut hash) = (Vec::<Proved>::new(), Hash256::default());
    let head = loop {
        let after = records.last().map(|(row, _)| row.place);
        let query = GetHistory { account_id: None, after, limit: Some(7) };
        let page = auditor.ask(query).await?;
        if page.records.is_empty() {
            break (page.head_place, page.head_hash);
        }
        for row in page.records {
            let place = i64::try_from(records.len())? + 1;
            ensure!(row.place == place, "a gap before {}", row.place);
            hash = hash.of_next_text(&row.record);
            ensure!(row.hash == hash, "the hash at {place}");
            let record = read(&row).with_context(|| format!("{row:?}"))?;
            records.push((row, record));
        }
    };
    ensure!(head == (i64::try_from(records.len())?, hash), "the end is {head:?}");
    rows_follow(&auditor, &records, head).await?;
    Ok(records)
}

/// The record of a row, which names what the row names, and commits to its texts.
fn read(row: &ChainedChange) -> Result<HistoryRecord> {
    let record: HistoryRecord = serde_json::from_str(&row.record)?;
    ensure!(record.version == 1);
    match (&record.account, &record.grants) {
        (Some(account), None) => {
            ensure!(row.account_id == Some(account.account_id) && row.principal.is_none());
            ensure!(row.number == account.number);
            ensure!(row.texts.is_some() == row.salt.is_some());
            if let (Some(texts), Some(salt)) = (&row.texts, row.salt) {
                ensure!(texts.commitment(salt) == account.texts, "other texts");
            }
        }
        (None, Some(grants)) => {
            ensure!(row.principal.as_ref() == Some(&grants.principal) && row.account_id.is_none());
            ensure!(row.number == grants.number && row.texts.is_none() && row.salt.is_none());
        }
        _ => anyhow::bail!("an account or grants"),
    }
    Ok(record)
}

/// Every row is what its last record says, and every record's row is there.
async fn rows_follow(auditor: &Teller, records: &[Proved], head: (i64, Hash256)) -> Result<()> {
    let mut accounts: BTreeMap<_, (&RecordedAccount, &ChainedChange)> = BTreeMap::new();
    let mut grants: BTreeMap<&str, &RecordedGrants> = BTreeMap::new();
    for (row, record) in records {
        if let Some(account) = &record.account {
            let before = accounts.insert(account.account_id, (account, row));
            let number = before.map_or(account.number, |(before, _)| before.number + 1);
            ensure!(account.number == number, "a version was left out: {row:?}");
        }
        if let Some(changed) = &record.grants {
            grants.insert(&changed.principal, changed);
        }
    }
    let of_accounts = pages(auditor, AccountBooksPart::Accounts, head).await?;
    let of_grants = pages(auditor, AccountBooksPart::Grants, head).await?;
    for rows in of_accounts.into_iter().chain(of_grants) {
        match rows {
            AccountBooksRows::Accounts(rows) => {
                for row in rows {
                    let last = accounts.remove(&row.account_id);
                    let (last, chained) = last.context("an account without a record")?;
                    ensure!((row.version, &row.state) == (last.number, &last.state), "{row:?}");
                    if let Some(texts) = &chained.texts {
                        let holder = &row.holder;
                        let stored = (Some(&holder.name), &holder.email, &holder.webhook);
                        ensure!(stored == (texts.name.as_ref(), &texts.email, &texts.webhook));
                        ensure!(Some(&holder.language) == texts.language.as_ref());
                    }
                }
            }
            AccountBooksRows::Grants(rows) => {
                for row in rows {
                    let last = grants.remove(row.principal.as_str());
                    let last = last.with_context(|| format!("no record: {row:?}"))?;
                    ensure!((row.number, &*row.grants) == (last.number, last.grants.get()));
                }
            }
        }
    }
    ensure!(accounts.is_empty() && grants.is_empty(), "records without rows");
    Ok(())
}

async fn pages(
    auditor: &Teller,
    part: AccountBooksPart,
    head: (i64, Hash256),
) -> Result<Vec<AccountBooksRows>> {
    let (mut pages, mut from) = (vec![], None);
    loop {
        let query = GetAccountBooks { part, from, limit: Some(3) };
        let AccountBooksFound { end, rows, next } = auditor.ask(query).await?;
        ensure!((end.place, end.hash) == head, "the end of another instant: {end:?}");
        pages.push(rows);
        match next {
            Some(next) => from = Some(next),
            None => return Ok(pages),
        }
    }
}
