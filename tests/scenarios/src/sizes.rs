//! Answers above the largest message size. Promise: a list comes in pages that fit a message, the
//! outcome of a command is announced in full, and no answer delays another.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, facts};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use shared_events::{
    MessageId, Query,
    client::{Client, RequestError, SendOptions},
    envelope::MESSAGE_BYTES_MAX,
    ledger::{
        AccountCode, FindPayments, GetBalance, GetTrialBalance, Party, PaymentName,
        PreviewInstructions, SubmitInstructions,
    },
    refusal::RefusalCode,
};

use super::cli_runner::TellerCli;

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        large_transfers_are_announced_and_found_and_delay_no_answer,
        an_answer_that_cannot_be_paged_is_refused_and_others_go_on,
    ]
}

/// Transfers of a hundred legs each, from cash to the settlement accounts of 99 banks: of each
/// transfer the same, or others.
fn splits(count: usize, currency: &str, others_from: Option<usize>) -> Value {
    let leg = |code: String, direction: &str, amount: &str| {
        let money = json!({ "amount": amount, "currency": currency });
        json!({ "account": { "code": code }, "direction": direction, "money": money })
    };
    let split = |number: usize| {
        let first = others_from.map_or(0, |first| first + 99 * number);
        let credit = |n: usize| leg(format!("settlement:B{}", first + n), "credit", "1");
        let debit = leg("cash".to_owned(), "debit", "99");
        let legs: Vec<Value> = std::iter::once(debit).chain((0..99).map(credit)).collect();
        let id = MessageId::new().to_string();
        json!({
            "transfer_id": id,
            "action": { "legs": { "legs": legs } },
            "reference": format!("{} salary", "x".repeat(100)),
        })
    };
    json!({ "instructions": (0..count).map(split).collect::<Vec<_>>() })
}

fn command(splits: &Value) -> Result<SubmitInstructions> {
    Ok(serde_json::from_value(splits.clone())?)
}

async fn large_transfers_are_announced_and_found_and_delay_no_answer(bank: Bank) -> Result<()> {
    bank.start_all(&["accounts", "ledger"]).await?;
    let teller = TellerCli::of(&bank)?;
    let reference = format!("{} salary", "x".repeat(100));
    let folder = std::env::temp_dir().join(format!("sizes-{}", MessageId::new()));
    std::fs::create_dir_all(&folder)?;
    // 2 MB of outcomes each: the reply has room for half of them.
    for number in 0..3 {
        let file = folder.join(format!("{number}.json"));
        std::fs::write(&file, splits(50, "EUR", None).to_string())?;
        let actual = teller.json(&["instruct", &file.display().to_string()]).await?;
        let actual = actual["instructions"].as_array().context("a list")?;
        let posted = actual
            .iter()
            .filter(|instruction| instruction["outcome"]["posted"]["legs"][99].is_object());
        ensure!(posted.count() == 50, "{actual:?}");
    }
    std::fs::remove_dir_all(&folder)?;
    // Somebody else asks on the same channel of replies all the while.
    let client = bank.client("neighbour")?;
    let neighbour = async {
        let cash = Party::Code(AccountCode("cash".to_owned()));
        for _ in 0..200 {
            let currency = Some("EUR".parse()?);
            client.ask(GetBalance { account: cash.clone(), currency }).await?;
        }
        anyhow::Ok(())
    };
    let search = ["search", "--reference", &reference];
    let (found, asked) = tokio::join!(teller.json(&search), neighbour);
    asked?;
    let payments = found?["payments"].as_array().map_or(0, Vec::len);
    ensure!(payments == 150, "{payments} payments");
    let name = PaymentName::Reference(reference);
    let page = size(&client, FindPayments { name, after: None, limit: Some(250) }).await?;
    ensure!((500_000..=MESSAGE_BYTES_MAX).contains(&page), "a page of {page} bytes");
    Ok(())
}

/// About how many bytes an answer has.
async fn size<Q: Query>(client: &Client, query: Q) -> Result<usize> {
    let options = SendOptions::default();
    let reply = client.request(MessageId::new(), query, &options).await?;
    Ok(reply.iter().map(|event| event.data.get().len() + 500).sum())
}

async fn an_answer_that_cannot_be_paged_is_refused_and_others_go_on(bank: Bank) -> Result<()> {
    bank.start("ledger").await?;
    let client = bank.client("auditor")?;
    let options = SendOptions::default();
    // 5,940 accounts in each currency. A slow machine opens a thousand within the client's bound.
    for (currency, first) in
        ["CZK", "EUR"].into_iter().flat_map(|currency| (0..6).map(move |part| (currency, part)))
    {
        let command = command(&splits(10, currency, Some(first * 1_000)))?;
        client.request(MessageId::new(), command, &options).await?;
    }
    let whole = client.request(MessageId::new(), GetTrialBalance::default(), &options).await;
    ensure!(is_too_large(whole), "an answer above the bound is refused");
    let instructions = command(&splits(60, "EUR", None))?.instructions;
    let preview = PreviewInstructions { instructions };
    let preview = client.request(MessageId::new(), preview, &options).await;
    ensure!(is_too_large(preview), "an answer above the bound is refused");
    let first = client.ask(GetTrialBalance { in_pages: true, after: None }).await?;
    ensure!(first.next == Some("CZK".parse()?), "{:?}", first.next);
    let second = client.ask(GetTrialBalance { in_pages: true, after: first.next }).await?;
    ensure!(second.next.is_none(), "{:?}", second.next);
    for page in [&first.lines, &second.lines] {
        let sum: Option<Decimal> = page.iter().map(|line| line.balance.decimal()).sum();
        ensure!(page.len() > 5_000 && sum == Some(Decimal::ZERO), "{} lines, {sum:?}", page.len());
    }
    Ok(())
}

fn is_too_large<T>(answer: Result<T, RequestError>) -> bool {
    let Err(RequestError::Refused(refusal)) = answer else { return false };
    refusal.code == RefusalCode::ReplyTooLarge
}
