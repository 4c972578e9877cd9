//! Holds. Promise: held money can be spent on no other payment, is captured at most once, and is
//! released on time, also if the ledger was down at that time.

use anyhow::{Context, Result, ensure};
use chrono::TimeDelta;
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use rust_decimal::Decimal;
use serde_json::Value;
use shared_events::{
    AccountId, Amount, Message as _, MessageId,
    ledger::{GetBalance, HoldsReleased, RejectReason, ReleaseCause, SubmitInstructions},
};

use super::{
    bank_client::{BankClient, amount, cash, customer, own},
    instructions::{A_DAY, capture, capture_some, hold, pay, release},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_hold_is_captured_in_full_in_part_and_in_parts_and_never_again,
        a_hold_ends_by_itself_on_time_also_while_the_ledger_is_down,
    ]
}

async fn a_hold_is_captured_in_full_in_part_and_in_parts_and_never_again(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice =
        client.account_with("alice", |command| command.overdraft_limit = amount(10)).await?;
    client.deposit(alice, "100").await?;
    let place = |euros| hold(customer(alice), own("cards"), euros, A_DAY);

    let full = place("50")?;
    let id = full.transfer_id;
    let mut actual = vec![];
    for instruction in [full, capture(id, None), capture(id, Some(amount(1))), release(id)] {
        actual.push(client.outcome_of(instruction).await?);
    }
    let part = place("40")?;
    let id = part.transfer_id;
    for instruction in [part, capture(id, Some(amount(15))), capture(id, Some(amount(1)))] {
        actual.push(client.outcome_of(instruction).await?);
    }
    let parts = place("30")?;
    let id = parts.transfer_id;
    let some = |units| capture_some(id, amount(units));
    for instruction in [parts, some(10), some(5), capture(id, Some(amount(16))), some(15), some(1)]
    {
        actual.push(client.outcome_of(instruction).await?);
    }
    let (back, no) = (place("15")?, place("16")?);
    let (id, never) = (back.transfer_id, no.transfer_id);
    let spend = pay(customer(alice), cash(), "0.01", false)?;
    let more = [release(id), capture(id, None), release(id), no, capture(never, None)];
    for instruction in [back, spend].into_iter().chain(more) {
        actual.push(client.outcome_of(instruction).await?);
    }
    let expected = [
        "held 50.00 EUR: alice 100 (60); cards 0",
        "posted -50 alice 50 (60); +50 cards 50; 0 still held, 0 given back",
        "hold_captured",
        "hold_captured",
        "held 40.00 EUR: alice 50 (20); cards 50",
        "posted -15 alice 35 (45); +15 cards 65; 0 still held, 25 given back",
        "hold_captured",
        "held 30.00 EUR: alice 35 (15); cards 65",
        "posted -10 alice 25 (15); +10 cards 75; 20 still held, 0 given back",
        "posted -5 alice 20 (15); +5 cards 80; 15 still held, 0 given back",
        "exceeds_hold",
        "posted -15 alice 5 (15); +15 cards 95; 0 still held, 0 given back",
        "hold_captured",
        "held 15.00 EUR: alice 5 (0); cards 95",
        "insufficient_funds",
        "given back 15.00 EUR: alice 5 (15); cards 95",
        "hold_released",
        "hold_released",
        "insufficient_funds",
        "unknown_hold",
    ];
    ensure!(actual == expected, "{actual:#?}");
    available_is_what_is_there(&client, alice, 10).await
}

/// Follows an account through all events: available = balance + overdraft - what is held, each
/// time; and in the end nothing is.
async fn available_is_what_is_there(
    client: &BankClient,
    account: AccountId,
    overdraft: i64,
) -> Result<()> {
    let mut held = Decimal::ZERO;
    let mut seen = 0;
    for event in client.bank.events().events().await? {
        let (kind, data) = (event.event.kind.as_str(), &event.event.data);
        let of = |list: &str| data[list].as_array().cloned().unwrap_or_default();
        for entry in of("transfers").iter().chain(&of("holds")) {
            let item = if entry["released"].is_object() { &entry["released"] } else { entry };
            let debtor = &item["debtor"];
            let amount = decimal(&item["money"]["amount"])?;
            match kind {
                "ledger.transfers.held.v1" => held += amount,
                // A capture posts a part and releases the rest in one step, announced in two
                // events.
                "ledger.transfers.posted.v1" if item["hold"].is_object() => {
                    held -= amount + decimal(&item["hold"]["released"])?;
                }
                "ledger.holds.released.v1" if item["cause"] != "captured" => held -= amount,
                _ => {}
            }
            if debtor["account_id"] == account.to_string() && debtor["available"].is_string() {
                let available = decimal(&debtor["balance"])? + Decimal::from(overdraft) - held;
                ensure!(decimal(&debtor["available"])? == available, "{held} held, but {debtor}");
                seen += 1;
            }
        }
    }
    let query = GetBalance { account: customer(account), currency: None };
    let found = client.query(query).await?;
    ensure!(seen >= 10 && held.is_zero() && found.pending_debits == Amount::ZERO, "{found:?}");
    Ok(())
}

fn decimal(amount: &Value) -> Result<Decimal> {
    Ok(amount.as_str().context("an amount is text")?.parse()?)
}

async fn a_hold_ends_by_itself_on_time_also_while_the_ledger_is_down(bank: Bank) -> Result<()> {
    let mut services = bank.start_all(&["accounts", "ledger"]).await?;
    let ledger = services.pop().context("the instance was started")?;
    let mut client = BankClient::new(bank.clone())?;
    let alice = client.account("alice").await?;
    client.deposit(alice, "10").await?;
    let place = |milliseconds| {
        hold(customer(alice), own("cards"), "4", TimeDelta::milliseconds(milliseconds))
    };
    let soon = place(2_000)?;
    let id = soon.transfer_id;
    ensure!(client.outcome_of(soon).await? == "held 4.00 EUR: alice 10 (6); cards 0");
    ended(&client, 1).await?;
    ensure!(client.outcome_of(capture(id, None)).await? == "hold_expired");
    ensure!(client.outcome_of(release(id)).await? == "hold_expired");

    let later = place(3_000)?;
    let id = later.transfer_id;
    ensure!(client.outcome_of(later).await? == "held 4.00 EUR: alice 10 (6); cards 0");
    ledger.stop().await?;
    let over =
        "SELECT count(*) FROM holds WHERE status = 'open' AND expires_at <= clock_timestamp()";
    wait_for("its time is over", PATIENCE, async || Ok(bank.number("ledger", over).await? == 1))
        .await?;
    // The capture is in the queue of the ledger before the ledger looks for expired holds.
    let capture = capture(id, None);
    let transfer_id = capture.transfer_id;
    let command = MessageId::new();
    let message = SubmitInstructions { instructions: vec![capture] };
    bank.publish(&Message::of(command, message)).await?;
    ledger.start().await?;
    bank.events().outcome(command).await?;
    let outcome = client.instruction(transfer_id).await?.record.outcome;
    let reason = RejectReason::HoldExpired.as_str();
    ensure!(serde_json::to_string(&outcome)?.contains(reason), "{outcome:?}");
    ended(&client, 2).await?;
    let query = GetBalance { account: customer(alice), currency: None };
    let found = client.query(query).await?;
    ensure!((found.balance, found.available) == (amount(10), Some(amount(10))), "{found:?}");
    Ok(())
}

/// So many holds have ended by themselves: not before their time by the database's clock, each with
/// all its money, under an id that nobody else may give.
async fn ended(client: &BankClient, count: usize) -> Result<()> {
    let received = client.bank.events().wait_for(HoldsReleased::TYPE, count).await?;
    ensure!(received.len() == count, "{received:#?}");
    let last: HoldsReleased =
        serde_json::from_value(received.last().context("one at least")?.event.data.clone())?;
    let [hold] = last.holds.as_slice() else { anyhow::bail!("one hold: {last:?}") };
    ensure!(last.command_id.is_none() && hold.released.cause == ReleaseCause::Expired, "{hold:?}");
    ensure!(hold.released.debtor.available == Some(amount(10)), "{hold:?}");
    ensure!(hold.transfer_id.uuid().get_version_num() == 8, "{hold:?}");
    let placed = client.instruction(hold.released.hold_id).await?;
    let expires_at = placed.hold.context("the instruction is a hold")?.expires_at;
    let decided_at = client.instruction(hold.transfer_id).await?.record.decided_at;
    ensure!(decided_at >= expires_at, "{decided_at} is before {expires_at}");
    Ok(())
}
