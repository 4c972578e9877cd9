//! What happens at the same moment. Promise: each fact says which race it is, stalls the one who
//! must lose it, and fails where the guard is missing.

use anyhow::{Context, Result, ensure};
use integration_tests::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use shared_events::{
    MessageId,
    ledger::{InstructionOutcome, SubmitInstructions},
};
use sqlx::AssertSqlSafe;

use super::{
    asked::{A_DAY, capture, hold, pay, reverse},
    desk::{Desk, cash, customer, own},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![what_is_committed_while_one_waits_for_its_locks_is_seen_with_its_accounts]
}

/// More than there are partitions: some go to one that is free.
const KEYS: usize = 16;

/// The race: a batch reads which accounts its capture and its reversal touch, and finds neither the
/// hold nor the original; then it waits for the lock of another account. Meanwhile a batch of
/// another partition commits both. When the first goes on it sees them, and must see their accounts.
async fn what_is_committed_while_one_waits_for_its_locks_is_seen_with_its_accounts(
    bank: Bank,
) -> Result<()> {
    let mut desk = Desk::open(bank.clone()).await?;
    bank.start("ledger").await?;
    let zoe = desk.account("zoe").await?;
    let alice = desk.account("alice").await?;
    let bob = desk.account("bob").await?;
    desk.deposit(zoe, "1").await?;
    desk.deposit(alice, "10").await?;

    let pool = bank.pool("ledger").await?;
    let mut stalled = pool.begin().await?;
    let lock = format!("SELECT 1 FROM accounts WHERE id = '{zoe}' FOR UPDATE");
    sqlx::query(AssertSqlSafe(lock)).execute(&mut *stalled).await?;

    let held = hold(customer(alice), own("cards"), "4", A_DAY)?;
    let paid = pay(customer(alice), customer(bob), "5", false)?;
    let late = [
        pay(customer(zoe), cash(), "1", false)?,
        capture(held.transfer_id, None),
        reverse(paid.transfer_id, None),
    ];
    let command = MessageId::new();
    let waits = Message::of(command, SubmitInstructions { instructions: late.to_vec() });
    bank.publish(&waits).await?;
    wait_for("the first waits for a lock", PATIENCE, async || {
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        Ok(bank.number("ledger", waiting).await? > 0)
    })
    .await?;
    let instructions = vec![held, paid];
    let keyed = |n: usize| {
        let command = SubmitInstructions { instructions: instructions.clone() };
        Message::of(MessageId::new(), command).with_partition_key(Some(&format!("key-{n}")))
    };
    bank.publish_all(&(0..KEYS).map(keyed).collect::<Vec<_>>()).await?;
    wait_for("another commits what the first names", PATIENCE, async || {
        Ok(bank.number("ledger", "SELECT count(*) FROM holds").await? == 1)
    })
    .await?;
    ensure!(bank.events().caused_by(command).await?.is_empty(), "the first did not wait");
    stalled.rollback().await?;

    bank.events().outcome(command).await.context("the first goes on")?;
    for instruction in late {
        let outcome = desk.found(instruction.transfer_id).await?.record.outcome;
        ensure!(matches!(outcome, InstructionOutcome::Posted(_)), "{outcome:?}");
    }
    Ok(())
}
