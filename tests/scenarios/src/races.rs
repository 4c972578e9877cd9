//! Races. Promise: each fact names its race, stalls the side that must lose, and fails without the
//! guard.

use anyhow::{Context, Result, bail, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use shared_events::{
    AccountId, Message as _, MessageId,
    ledger::{
        InstructionOutcome, LedgerAccountOpened, SubmitInstructions, SubmitTransfers,
        TransfersPosted,
    },
};
use sqlx::{AssertSqlSafe, Postgres};

use super::{
    bank_client::{BankClient, cash, customer, opening, own, transfer},
    instructions::{A_DAY, capture, hold, pay, reverse},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_batch_that_waited_for_a_lock_sees_what_was_committed_with_its_accounts,
        an_account_that_is_opened_and_paid_into_in_one_batch_keeps_what_was_paid,
        no_event_overtakes_those_of_a_commit_that_takes_long,
    ]
}

/// More than there are partitions: some go to one that is free.
const KEYS: usize = 16;

/// The race: a batch reads which accounts its capture and its reversal touch, and finds neither
/// the hold nor the original; then it waits for the lock of another account. Meanwhile a batch of
/// another partition commits both. When the first goes on it sees them, and must see their
/// accounts.
async fn a_batch_that_waited_for_a_lock_sees_what_was_committed_with_its_accounts(
    bank: Bank,
) -> Result<()> {
    let mut client = BankClient::with_services(bank.clone()).await?;
    bank.start("ledger").await?;
    let zoe = client.account("zoe").await?;
    let alice = client.account("alice").await?;
    let bob = client.account("bob").await?;
    client.deposit(zoe, "1").await?;
    client.deposit(alice, "10").await?;

    let stalled = lock(&bank, zoe).await?;
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
    until_one_waits(&bank).await?;
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
        let outcome = client.instruction(instruction.transfer_id).await?.record.outcome;
        ensure!(matches!(outcome, InstructionOutcome::Posted(_)), "{outcome:?}");
    }
    Ok(())
}

/// The race: a batch waits for a lock, and meanwhile an account is opened and paid into; the
/// next batch has both. The payment is stored although the row of the account is new.
async fn an_account_that_is_opened_and_paid_into_in_one_batch_keeps_what_was_paid(
    bank: Bank,
) -> Result<()> {
    let mut client = BankClient::with_services(bank.clone()).await?;
    let zoe = client.account("zoe").await?;
    let deposit = |account: AccountId| -> Result<Message> {
        let transfers = vec![transfer(cash(), customer(account), "5")?];
        let command = Message::of(MessageId::new(), SubmitTransfers { transfers });
        Ok(command.with_partition_key(Some(&account.to_string())))
    };
    let stalled = lock(&bank, zoe).await?;
    bank.publish(&deposit(zoe)?).await?;
    until_one_waits(&bank).await?;

    let open = opening("alice")?;
    let alice = open.account_id;
    client.request(open).await?;
    wait_for("the broker has the opening", PATIENCE, async || {
        Ok(bank.outbox("accounts").await? == 0)
    })
    .await?;
    bank.publish(&deposit(alice)?).await?;
    stalled.rollback().await?;

    client.wait_event(LedgerAccountOpened::TYPE, alice).await?;
    bank.events().wait_for(TransfersPosted::TYPE, 2).await?;
    let paid = bank.events().of_kind(TransfersPosted::TYPE).await?;
    let opened = bank.events().of_kind(LedgerAccountOpened::TYPE).await?;
    let opened = opened.last().context("alice's was the last")?.event.time;
    ensure!(paid.iter().any(|event| event.event.time == opened), "the events are of two batches");
    ensure!(client.deposit(alice, "5").await? == "posted");
    let kept = format!("SELECT posted_credits::bigint FROM accounts WHERE id = '{alice}'");
    let kept = bank.number("ledger", &kept).await?;
    ensure!(kept == 10, "{kept} of 10 were kept");
    Ok(())
}

/// The race: a commit takes longer than the service waits for its answer, and the server goes on
/// with it. The events of a later commit, of the same account, wait behind its events.
async fn no_event_overtakes_those_of_a_commit_that_takes_long(bank: Bank) -> Result<()> {
    let mut client = BankClient::new(bank.clone())?;
    let started = bank.start_all(&["ledger", "accounts"]).await?;
    let [ledger, _accounts] = &started[..] else { bail!("two services") };
    let zoe = client.account("zoe").await?;
    let deposit = || -> Result<(MessageId, Message)> {
        let (id, transfers) = (MessageId::new(), vec![transfer(cash(), customer(zoe), "5")?]);
        Ok((id, Message::of(id, SubmitTransfers { transfers })))
    };
    let (slow, slow_deposit) = deposit()?;
    let stalled = stall_commits_of(&bank, slow).await?;
    bank.publish(&slow_deposit).await?;
    // The commit, and the second attempt, which waits for the rows of the first.
    until_so_many_wait(&bank, 2).await?;
    ledger.wait_log("events wait for the end of their commit").await?;
    stalled.rollback().await?;

    let (quick, quick_deposit) = deposit()?;
    bank.publish(&quick_deposit).await?;
    bank.events().outcome(quick).await?;
    let first = bank.events().caused_by(slow).await?;
    ensure!(!first.is_empty(), "a later event was there before the first");
    Ok(())
}

/// Lets a commit that stores an event of this correlation wait until the transaction that comes out
/// ends.
async fn stall_commits_of(
    bank: &Bank,
    correlation: MessageId,
) -> Result<sqlx::Transaction<'static, Postgres>> {
    let trigger = format!(
        "CREATE FUNCTION bus.stall() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
             BEGIN
                 PERFORM set_config('client_connection_check_interval', '0', false);
                 LOCK TABLE bus.stalls IN SHARE MODE;
                 RETURN NULL;
             END $$;
         CREATE TABLE bus.stalls ();
         CREATE CONSTRAINT TRIGGER stall AFTER INSERT ON bus.outbox DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW WHEN (NEW.correlation_id = '{correlation}') EXECUTE FUNCTION bus.stall()"
    );
    bank.execute("ledger", &trigger).await?;
    let mut stalled = bank.pool("ledger").await?.begin().await?;
    sqlx::query("LOCK TABLE bus.stalls").execute(&mut *stalled).await?;
    Ok(stalled)
}

/// Holds the lock of an account until the transaction that comes out ends.
async fn lock(bank: &Bank, account: AccountId) -> Result<sqlx::Transaction<'static, Postgres>> {
    let mut stalled = bank.pool("ledger").await?.begin().await?;
    let lock = format!("SELECT 1 FROM accounts WHERE id = '{account}' FOR UPDATE");
    sqlx::query(AssertSqlSafe(lock)).execute(&mut *stalled).await?;
    Ok(stalled)
}

async fn until_one_waits(bank: &Bank) -> Result<()> {
    until_so_many_wait(bank, 1).await
}

async fn until_so_many_wait(bank: &Bank, sessions: i64) -> Result<()> {
    wait_for("sessions wait for a lock", PATIENCE, async || {
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        Ok(bank.number("ledger", waiting).await? >= sessions)
    })
    .await
}
