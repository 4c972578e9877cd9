//! A scan of a parked queue, which leaves the other messages in their places. Promise: each message
//! that the queue held at the beginning comes once, oldest first; memory holds one page of
//! messages; a scan begins after the messages of the one before are back; every step has a bound.
//!
//! A quorum queue puts returned messages behind those that were returned before. So a scan takes
//! the whole queue and returns it in order, even if its user stops early. It closes a channel for
//! each page, because the queue takes the messages of a closed channel back in their order, and
//! those of a `nack` of several in any order. The broker takes them back some time after it has
//! answered the closing, so the scan waits until the queue counts them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use lapin::{
    Acker, Consumer,
    message::Delivery,
    options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions},
    types::FieldTable,
};
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    task::JoinError,
    time::{sleep, timeout},
};
use tracing::warn;

use super::super::broker_channel::{ChannelGuard, count_messages};
use crate::{
    amqp::{
        answer::{BusError, in_time},
        connection::{Link, host_name},
    },
    envelope::chain,
    topology::parked_queue,
};

/// How many messages a scan reaches. Of a longer queue the first ones are handled first.
const SCANNED_MAX: u32 = 20_000;
/// The messages of a page, which are in memory together.
const PAGE: u16 = 100;
/// A queue that delivers nothing for so long has no more messages for this scan.
const QUIET: Duration = Duration::from_secs(2);
/// The bound of the wait until the queue counts the messages of a closed channel.
const RETURN_TIMEOUT: Duration = Duration::from_secs(2);
const RETURN_CHECK_INTERVAL: Duration = Duration::from_millis(5);
/// The broker merges acknowledgements of a channel that has more than 32 under way, and forgets
/// them if the channel is closed before it has sent them on.
const ACKNOWLEDGED_AT_ONCE: usize = 16;
/// The broker takes the messages of a dead process back later than it redelivers the process's
/// request, because two queues notice the death independently.
const AFTER_REDELIVERY: Duration = Duration::from_millis(500);

/// The parked queue of a service.
pub(crate) struct ParkedQueue {
    link: Arc<Link>,
    queue: String,
    /// Held by a scan, until its messages are back.
    scanning: Arc<Mutex<()>>,
}

/// A scan. Dropped without an end, it returns all its messages.
pub(crate) struct QueueScan {
    queue: Arc<ParkedQueue>,
    is_redelivered: bool,
    open: Option<OpenScan>,
}

/// The open channels of a scan.
struct OpenScan {
    queue: String,
    /// The channel that counts the messages of the queue.
    counting: ChannelGuard,
    /// The consumers of the pages, in order, each with the channel that holds its messages.
    pages: Vec<(ChannelGuard, Consumer)>,
    /// The number of messages in the queue at the beginning.
    total: u32,
    /// The number of messages that came.
    seen: u32,
    is_complete: bool,
    _scanning: OwnedMutexGuard<()>,
}

impl ParkedQueue {
    /// The queue of `service`. `link` also consumes the requests: when the process dies, the broker
    /// notices the death of both at once.
    pub(crate) fn new(link: Arc<Link>, service: &str) -> Self {
        Self { link, queue: parked_queue(service), scanning: Arc::default() }
    }

    async fn open(&self) -> Result<OpenScan, BusError> {
        let scanning = Arc::clone(&self.scanning);
        let waiting = async { Ok(scanning.lock_owned().await) };
        let scanning = in_time("waiting for the end of another scan", waiting).await?;
        let mut scan = OpenScan {
            queue: self.queue.clone(),
            counting: ChannelGuard::new(self.link.channel().await?),
            pages: vec![],
            total: 0,
            seen: 0,
            is_complete: false,
            _scanning: scanning,
        };
        scan.total = scan.count().await?;
        Ok(scan)
    }
}

impl QueueScan {
    /// A scan that has fetched nothing yet.
    pub(crate) const fn new(queue: Arc<ParkedQueue>) -> Self {
        Self { queue, is_redelivered: false, open: None }
    }

    /// Notes that the request came before, perhaps to a process that died.
    pub(crate) const fn for_redelivered(&mut self, is_redelivered: bool) {
        self.is_redelivered = is_redelivered;
    }

    /// The next message, until all have come.
    pub(crate) async fn next(&mut self) -> Result<Option<Delivery>, BusError> {
        let scan = match &mut self.open {
            Some(scan) => scan,
            open @ None => {
                if self.is_redelivered {
                    sleep(AFTER_REDELIVERY).await;
                }
                open.insert(self.queue.open().await?)
            }
        };
        scan.next(&self.queue.link).await
    }

    /// The number of messages in the queue at the beginning.
    pub(crate) fn total(&self) -> u64 {
        self.open.as_ref().map_or(0, |scan| scan.total.into())
    }

    /// Whether every message of the queue has come.
    pub(crate) fn is_complete(&self) -> bool {
        self.open.as_ref().is_some_and(|scan| scan.is_complete)
    }

    /// Acknowledges these messages, and returns the others to their places. A caller that stops
    /// waiting leaves the work to its task.
    pub(crate) async fn end(mut self, taken: Vec<Acker>) -> Result<(), BusError> {
        let Some(scan) = self.open.take() else { return Ok(()) };
        let ending = scan.end(Arc::clone(&self.queue), taken);
        match tokio::spawn(ending).await.map_err(JoinError::try_into_panic) {
            Ok(ended) => ended,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // The process ends, and its connections with it.
            Err(Err(_)) => Ok(()),
        }
    }
}

impl Drop for QueueScan {
    fn drop(&mut self) {
        let Some(scan) = self.open.take() else { return };
        // Without a runtime the process ends, and its connections with it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let ending = scan.end(Arc::clone(&self.queue), vec![]);
        runtime.spawn(async move {
            if let Err(error) = ending.await {
                warn!(error = %chain(&error), "parked messages return with their connection");
            }
        });
    }
}

impl OpenScan {
    async fn next(&mut self, link: &Link) -> Result<Option<Delivery>, BusError> {
        if self.seen == self.total.min(SCANNED_MAX) {
            self.is_complete = self.seen == self.total;
            return Ok(None);
        }
        if self.seen.is_multiple_of(PAGE.into()) {
            self.open_page(link).await?;
        }
        let ended = || BusError::ConsumerEnded { queue: self.queue.clone() };
        let (_, consumer) = self.pages.last_mut().ok_or_else(ended)?;
        match timeout(QUIET, consumer.next()).await {
            Ok(delivery) => {
                self.seen += 1;
                Ok(Some(delivery.ok_or_else(ended)??))
            }
            Err(_) => Ok(None),
        }
    }

    async fn open_page(&mut self, link: &Link) -> Result<(), BusError> {
        let channel = ChannelGuard::new(link.consuming_channel(PAGE).await?);
        let tag = format!("{}/scan-{}@{}", self.queue, self.pages.len() + 1, host_name());
        let subscribing = channel.basic_consume(
            self.queue.as_str().into(),
            tag.as_str().into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let consumer = in_time("subscribing", async { Ok(subscribing.await?) }).await?;
        self.pages.push((channel, consumer));
        Ok(())
    }

    async fn end(mut self, queue: Arc<ParkedQueue>, taken: Vec<Acker>) -> Result<(), BusError> {
        while self.next(&queue.link).await?.is_some() {}
        // A page with room would receive the messages that another page returns.
        for (channel, consumer) in &self.pages {
            let cancelling = channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
            in_time("unsubscribing", async { Ok(cancelling.await?) }).await?;
        }
        for some in taken.chunks(ACKNOWLEDGED_AT_ONCE) {
            for message in some {
                let acknowledging = message.ack(BasicAckOptions::default());
                in_time("acknowledging", async { Ok(acknowledging.await?) }).await?;
            }
            self.count().await?;
        }
        let gone = u32::try_from(taken.len()).unwrap_or(u32::MAX);
        let pages = std::mem::take(&mut self.pages);
        let (mut open, mut is_waiting) = (u32::try_from(pages.len()).unwrap_or(u32::MAX), true);
        for (channel, _) in pages {
            let closing = async { Ok(channel.close(200, "scanned".into()).await?) };
            in_time("returning parked messages", closing).await?;
            open -= 1;
            let held = open.saturating_mul(PAGE.into());
            let back = self.total.saturating_sub(held).saturating_sub(gone);
            is_waiting = is_waiting && self.wait_for(back).await?;
        }
        Ok(())
    }

    /// Waits until the queue counts at least so many messages; says whether it does.
    async fn wait_for(&self, count: u32) -> Result<bool, BusError> {
        let began = Instant::now();
        while self.count().await? < count {
            if began.elapsed() > RETURN_TIMEOUT {
                return Ok(false);
            }
            sleep(RETURN_CHECK_INTERVAL).await;
        }
        Ok(true)
    }

    async fn count(&self) -> Result<u32, BusError> {
        count_messages(&self.counting, &self.queue).await
    }
}
