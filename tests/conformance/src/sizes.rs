//! Messages as large as they may be. Memory is bounded in bytes.

use anyhow::{Result, ensure};
use harness::{Bank, Message, PATIENCE, wait_for};
use shared_events::envelope::MESSAGE_BYTES_MAX;

use super::{
    subject::{Ledger, Subject},
    tally::{Copies, begin, commands, each_is_done_once, nothing_parked, wait_outbox_empty},
};

const MESSAGES: usize = 240;
/// The memory bound of the process. All messages together are larger.
const MEMORY_MIB_MAX: u64 = 200;

pub(crate) async fn large_messages_are_taken_a_few_at_a_time(bank: Bank) -> Result<()> {
    let (instance, subject) = begin::<Ledger>(&bank).await?;
    wait_outbox_empty::<Ledger>(&bank).await?;
    let pool = bank.pool(Ledger::SERVICE).await?;
    let mut obstacle = pool.begin().await?;
    sqlx::query("LOCK TABLE bus.outbox IN SHARE MODE").execute(&mut *obstacle).await?;
    let sent: Vec<Message> =
        commands(subject, MESSAGES).into_iter().enumerate().map(padded).collect();
    for some in sent.chunks(20) {
        bank.publish_all(some).await?;
    }
    wait_for("the service has taken its prefetch", PATIENCE, async || {
        Ok(instance.log()?.contains("the prefetch becomes smaller"))
    })
    .await?;
    obstacle.rollback().await?;
    each_is_done_once(&bank, subject, &sent, Copies::Some).await?;
    let peak = instance.memory_peak_mib().await?;
    ensure!(peak < MEMORY_MIB_MAX, "{peak} MiB of memory");
    nothing_parked::<Ledger>(&bank).await
}

/// As large as a message may be, for one partition or another.
fn padded((number, message): (usize, Message)) -> Message {
    let filler = vec![b' '; MESSAGE_BYTES_MAX - message.body.len()];
    let body = [message.body.as_slice(), &filler].concat();
    message.with_body(body).with_partition_key(Some(&format!("key-{number}")))
}
