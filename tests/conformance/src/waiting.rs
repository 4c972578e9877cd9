//! Messages that cannot be handled yet.

use anyhow::{Result, ensure};
use harness::{Bank, PATIENCE, wait_value};
use lapin::types::AMQPValue;
use shared_events::topology::{ATTEMPT_HEADER, RETRY_TIERS};

use super::{
    subject::Subject,
    tally::{begin, nothing_parked, wait_number},
};

pub(crate) async fn an_early_message_is_retried_until_it_can_be_handled<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (_instance, subject) = begin::<S>(&bank).await?;
    let early = subject.early();
    bank.publish(&early.message).await?;
    let waiting = wait_value("the message waits", PATIENCE, async || {
        Ok(Some(bank.waiting(S::SERVICE).await?).filter(|waiting| !waiting.is_empty()))
    })
    .await?;
    let (queue, depth) = &waiting[0];
    let right = queue.starts_with(S::EVENTS) && queue.ends_with(".retry.5s") && *depth == 1;
    ensure!(right && waiting.len() == 1, "{waiting:?}");
    let before = bank.number(S::SERVICE, &early.done).await?;
    ensure!(before == 0, "handled too early");
    bank.publish(&early.awaited).await?;
    wait_number(&bank, S::SERVICE, &early.done, 1).await?;
    nothing_parked::<S>(&bank).await
}

pub(crate) async fn a_message_that_has_waited_often_enough_is_parked<S: Subject>(
    bank: Bank,
) -> Result<()> {
    let (_instance, subject) = begin::<S>(&bank).await?;
    let early = subject.early().message;
    let attempts = u32::try_from(RETRY_TIERS.len())?;
    let tried = early.clone().with_header(ATTEMPT_HEADER, AMQPValue::LongUInt(attempts));
    let queue = match S::EVENTS.strip_suffix('.') {
        Some(partitions) => format!("{partitions}.0"),
        None => S::EVENTS.to_owned(),
    };
    bank.publish(&tried.retried_by(S::SERVICE, &queue)).await?;
    let parked = bank.wait_parked(S::SERVICE, 1).await?;
    ensure!(parked.len() == 1 && parked[0].id == early.id().to_string(), "{parked:?}");
    ensure!(parked[0].reason == "retries_exhausted", "{parked:?}");
    ensure!(parked[0].detail.contains("account"), "{parked:?}");
    ensure!(parked[0].queue.starts_with(S::EVENTS), "{parked:?}");
    ensure!(parked[0].body == early.body, "another body");
    let waiting = bank.waiting(S::SERVICE).await?;
    ensure!(waiting.is_empty(), "{waiting:?}");
    Ok(())
}
