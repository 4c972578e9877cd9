//! Closed periods, late booking dates, and a clock that goes back. Promise: after the reply to a
//! closing no entry is booked in the period, also under concurrent postings.

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, Days, NaiveDate, Utc};
use harness::{Bank, Fact, Message, PATIENCE, facts, today, wait_for};
use shared_events::{
    AccountId, Message as _, MessageId, TransferId,
    accounts::{SetLimits, SpendingLimits},
    ledger::{
        Action, AsOf, ClosePeriod, GetBalance, GetBalanceAt, Instruction, LedgerCommandRejected,
        PeriodClosed, PreviewInstructions, Reverse, SubmitTransfers, Transfer,
    },
};

use super::{
    bank_client::{BankClient, amount, cash, customer, transfer},
    cli_runner::TellerCli,
    interest::advance_clock,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        nothing_is_booked_in_a_closed_period_and_teller_closes_it,
        a_closing_is_not_overtaken_by_those_who_post_meanwhile,
        a_clock_that_goes_back_breaks_neither_history_nor_limits,
    ]
}

fn booked(account: AccountId, units: &str, on: NaiveDate) -> Result<Transfer> {
    Ok(Transfer { booking_date: Some(on), ..transfer(cash(), customer(account), units)? })
}

async fn nothing_is_booked_in_a_closed_period_and_teller_closes_it(bank: Bank) -> Result<()> {
    bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let teller = TellerCli::of(&bank)?;
    let ada = client.account("ada").await?;
    let today = today(&bank).await?;
    let (closed, open) = (today - Days::new(8), today - Days::new(7));
    let shown = teller.json(&["period", "show"]).await?;
    ensure!(shown["closed_through"].is_null(), "{shown}");
    ensure!(shown["latest"] == (today + Days::new(31)).to_string(), "{shown}");
    let early = booked(ada, "7", closed)?;
    ensure!(client.submit(early.clone()).await? == "posted");

    let done = teller.json(&["period", "close", &closed.to_string()]).await?;
    ensure!(done["through"] == closed.to_string(), "{done}");
    ensure!(client.submit(booked(ada, "1", closed)?).await? == "period_closed");
    ensure!(client.submit(booked(ada, "1", "1993-06-01".parse()?)?).await? == "period_closed");
    ensure!(client.submit(booked(ada, "1", open)?).await? == "posted");
    ensure!(client.submit(booked(ada, "1", today + Days::new(31))?).await? == "posted");
    let late = booked(ada, "1", today + Days::new(32))?;
    ensure!(client.submit(late).await? == "booking_date_too_late");
    ensure!(client.submit(early.clone()).await? == "posted", "the transfer was decided before");
    // A dry run says the same.
    let instructions = vec![Instruction::from(booked(ada, "1", closed)?)];
    let would = client.query(PreviewInstructions { instructions }).await?;
    let actual = serde_json::to_value(&would.instructions[0].outcome)?;
    ensure!(actual["rejected"]["reason"] == "period_closed", "{actual}");
    // A reversal and an instruction without a date are booked today.
    let reverse = Action::Reverse(Reverse { original_id: early.transfer_id, amount: None });
    let back = Instruction { action: reverse, ..Instruction::from(transfer(cash(), cash(), "1")?) };
    let back = Instruction { transfer_id: TransferId::new(), ..back };
    let id = back.transfer_id;
    let instructions = vec![back];
    client.request(shared_events::ledger::SubmitInstructions { instructions }).await?;
    ensure!(client.instruction(id).await?.record.booking_date == today);

    let run = async |day: NaiveDate| teller.run(&["period", "close", &day.to_string()]).await;
    for (day, code) in [(closed - Days::new(1), "period_not_forward"), (today, "period_not_over")] {
        let output = run(day).await?;
        ensure!(output.code == 1 && output.err.contains(code), "{output:?}");
    }
    ensure!(run(closed).await?.code == 0, "the same again is the same");
    let shown = teller.json(&["period", "show"]).await?;
    ensure!(shown["closed_through"] == closed.to_string(), "{shown}");
    ensure!(shown["closed_at"].is_string(), "{shown}");
    let id = MessageId::new();
    client.request_as(id, ClosePeriod { through: open }).await?;
    let other = client.request_as(id, ClosePeriod { through: today - Days::new(1) }).await?;
    let other: LedgerCommandRejected = other.first().context("the command has a reply")?.read()?;
    ensure!(other.reason.as_str() == "idempotency_conflict", "{other:?}");
    let received = bank.events().of_kind(PeriodClosed::TYPE).await?;
    ensure!(received.len() == 3, "{received:?}");
    Ok(())
}

/// The race: a batch that has read the open period commits after the closing was answered. Without
/// the locks on all chains it does.
async fn a_closing_is_not_overtaken_by_those_who_post_meanwhile(bank: Bank) -> Result<()> {
    bank.start_all(&["ledger", "ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let mut accounts = vec![];
    for name in ["ada", "bob", "eve", "ida"] {
        accounts.push(client.account(name).await?);
    }
    let yesterday = today(&bank).await? - Days::new(1);
    let mut commands = vec![];
    for n in 0..400 {
        let one = booked(accounts[n % accounts.len()], "1", yesterday)?;
        let transfers = vec![Transfer { debtor: customer(accounts[(n + 1) % 4]), ..one.clone() }];
        let transfers = if n < 8 { vec![one] } else { transfers };
        commands.push(Message::of(MessageId::new(), SubmitTransfers { transfers }));
    }
    let (first, rest) = commands.split_at(100);
    bank.publish_all(first).await?;
    let closing = client.request(ClosePeriod { through: yesterday });
    let (posting, closed) = tokio::join!(bank.publish_all(rest), closing);
    posting?;
    let closed: PeriodClosed = closed?.first().context("the command has a reply")?.read()?;
    ensure!(closed.through == yesterday);
    wait_for("all are decided", PATIENCE, async || {
        Ok(bank.number("ledger", "SELECT count(*) FROM journal").await? == 400)
    })
    .await?;
    let late = "SELECT count(*) FROM entries WHERE booking_date <= (SELECT max(through)
        FROM periods_closed) AND posted_at >= (SELECT max(closed_at) FROM periods_closed)";
    ensure!(bank.number("ledger", late).await? == 0, "booked after the period was closed");
    ensure!(client.submit(booked(accounts[0], "1", yesterday)?).await? == "period_closed");
    Ok(())
}

/// The database moves to a server whose clock is two days behind.
async fn a_clock_that_goes_back_breaks_neither_history_nor_limits(bank: Bank) -> Result<()> {
    let started = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let ada = client.account("ada").await?;
    let spending = SpendingLimits { daily: Some(amount(10)), ..SpendingLimits::default() };
    let overdraft_limit = amount(50);
    client
        .request(SetLimits { spending: Some(spending), account_id: ada, overdraft_limit })
        .await?;
    wait_for("the ledger knows the limits", PATIENCE, async || {
        let query = GetBalance { account: customer(ada), currency: None };
        Ok(client.query(query).await?.overdraft_limit == Some(overdraft_limit))
    })
    .await?;
    started[0].stop().await?;
    advance_clock(&bank, 2).await?;
    started[0].start().await?;
    client.deposit(ada, "100").await?;
    ensure!(client.submit(transfer(customer(ada), cash(), "10")?).await? == "posted");
    let instant = "SELECT extract(epoch FROM max(posted_at))::bigint FROM entries";
    let then = bank.number("ledger", instant).await?;

    started[0].stop().await?;
    advance_clock(&bank, 0).await?;
    started[0].start().await?;
    client.deposit(ada, "7").await?;
    let spent = client.submit(transfer(customer(ada), cash(), "1")?).await?;
    ensure!(spent == "daily_limit", "another day: {spent}");
    let back = "SELECT count(*) FROM (SELECT posted_at < lag(posted_at) OVER
        (PARTITION BY account_id ORDER BY version) AS back FROM entries) AS entry WHERE back";
    ensure!(bank.number("ledger", back).await? == 0, "instants of entries go back");
    // Up to the last instant all is there, and a second before it nothing of the later day.
    for (seconds, expected) in [(1, 97), (-3_600, 0)] {
        let at: DateTime<Utc> =
            DateTime::from_timestamp(then + seconds, 0).context("an instant")?;
        let query =
            GetBalanceAt { account: customer(ada), currency: None, as_of: AsOf::Instant(at) };
        let found = client.query(query).await?.balance;
        ensure!(found == amount(expected), "{found} at {at}");
    }
    started[0].wait_metric("ledger_clock_behind_seconds", 100_000.0).await?;
    Ok(())
}
