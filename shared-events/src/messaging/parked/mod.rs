//! The parked messages of a service, handled by the service itself. Promise: a message leaves its
//! parked queue only after its command is recorded with its principal; a repeated command gives the
//! same answer and moves nothing again; an author stays the author.
//!
//! ```text
//! scan the queue ─> choose ─> publish to bank.retry, confirmed ─> ONE transaction: record, event
//!      ▲                                                                   │ commit
//!      └── a message whose move is recorded is acknowledged <── acknowledge the moved messages
//! ```
//! A crash before the commit leaves all messages parked; a replayed one then has its effect, and is
//! replayed once more by the repeated command, which changes nothing. A crash after the commit
//! leaves recorded messages in the queue: no scan shows them, and the next one acknowledges them.
//! A scan that meets a recorded message nowhere records that the message is gone.
//!
//! The queue `<service>.operations` has a single active consumer, so one scan runs at a time.
//!
//! ```text
//! request   queries and commands, read by their types
//! queue     the scan of a queue, which leaves the other messages in their places
//! entry     (pure) a parked message: reason, author, fingerprint
//! choice    (pure) which messages a command means
//! edit      (pure) a body with other data
//! answers   (pure) answers and refusals
//! store     a transaction together with the messages that leave the queue with its commit
//! repo      the records: principal, request and answer of each command
//! ```

mod answers;
mod choice;
mod edit;
mod entry;
mod queue;
mod repo;
mod request;
mod store;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use lapin::message::Delivery;

pub(crate) use queue::ParkedQueue;
pub(crate) use request::ParkedRequest;
pub(crate) use store::{ParkedStore, ParkedTransaction};

use super::{
    delivery_broker::{DeliveryBroker, ServiceBroker},
    digest::Digests,
    handler::{Event, HandleError, Outcome, Received},
    republish::{OriginalMessage, RepublishTarget, republish},
    settlement::Settlement,
};
use crate::{
    amqp::{answer::BusError, publish::Outgoing},
    approvals,
    message::MessageSet,
    owned::Shape,
    page::{PAGE_BYTES_MAX, Page, bytes_of},
    parked::{
        DropParked, EditParked, GetParked, ListParked, MOVES_MAX, PARKED_PAGE_MAX, ParkedDropped,
        ParkedEdited, ParkedFound, ParkedListed, ParkedReplayed, RefusedParked, ReplayParked,
    },
    refusal::MessageRefused,
};
use answers::{conflict, event_of, not_found, told, too_many};
use choice::Choice;
use entry::ParkedEntry;

/// The items of a page, if the query names no number.
const PAGE_DEFAULT: u32 = 100;
/// The most bytes of bodies that one command moves, unless one message alone is larger.
const MOVED_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Handles the queries and commands about the parked messages of one service.
pub(crate) struct ParkedHandler {
    pub(crate) service: &'static str,
    pub(crate) settlement: Arc<Settlement<ServiceBroker>>,
}

/// A chosen message, and its place in the queue.
struct Chosen {
    entry: ParkedEntry,
    delivery: Delivery,
}

/// The chosen messages of a queue.
struct ChosenMessages {
    messages: Vec<Chosen>,
    more: bool,
    not_found: Vec<String>,
}

impl ParkedHandler {
    pub(crate) async fn handle(
        &self,
        tx: &mut ParkedTransaction,
        received: &Received<impl MessageSet>,
        request: &ParkedRequest,
    ) -> Result<Outcome, HandleError> {
        tx.scan.for_redelivered(received.redelivered);
        match request {
            ParkedRequest::List(query) => self.list(tx, query).await.map(told),
            ParkedRequest::Get(query) => self.get(tx, query).await.map(told),
            ParkedRequest::Replay(_) | ParkedRequest::Drop(_) | ParkedRequest::Edit(_) => {
                self.command(tx, received, request).await
            }
        }
    }

    /// A message of this shape and of this service's own type.
    fn event<T: Shape>(&self, content: &T) -> Event {
        Event::owned(self.service, content)
    }

    async fn list(
        &self,
        tx: &mut ParkedTransaction,
        query: &ListParked,
    ) -> Result<Event, HandleError> {
        let limit = query.limit.unwrap_or(PAGE_DEFAULT).clamp(1, PARKED_PAGE_MAX);
        let mut page = Page::new(usize::try_from(limit).unwrap_or(usize::MAX));
        let mut after = query.after.clone();
        self.scan(tx, |entry, delivery| {
            if after.is_some() {
                after = after.take().filter(|after| *after != entry.fingerprint);
                return Visit::Keep;
            }
            match page.takes(entry.shown(delivery)) {
                true => Visit::Keep,
                false => Visit::Stop,
            }
        })
        .await?;
        if let Some(after) = after {
            let gone = format!("{after} is not parked any more; list from the beginning");
            return Ok(Event::new(&MessageRefused::not_found(gone)));
        }
        let (messages, more) = page.finish();
        let last = messages.last().map(|message| message.fingerprint.clone());
        let next = last.filter(|_| more);
        Ok(self.event(&ParkedListed { messages, total: tx.scan.total(), next }))
    }

    async fn get(
        &self,
        tx: &mut ParkedTransaction,
        query: &GetParked,
    ) -> Result<Event, HandleError> {
        let mut found = None;
        self.scan(tx, |entry, delivery| {
            if !entry.is_called(&query.message) {
                return Visit::Keep;
            }
            let mut body = String::from_utf8_lossy(&delivery.data).into_owned();
            let whole = body.len();
            while bytes_of(&body) > PAGE_BYTES_MAX {
                body.truncate(body.floor_char_boundary(body.len() / 2));
            }
            let is_cut = body.len() < whole;
            found = Some(ParkedFound { message: entry.shown(delivery), body, is_cut });
            Visit::Stop
        })
        .await?;
        Ok(match found {
            Some(found) => self.event(&found),
            None => not_found(&query.message),
        })
    }

    /// Carries a command out once, and repeats its answer.
    async fn command(
        &self,
        tx: &mut ParkedTransaction,
        received: &Received<impl MessageSet>,
        request: &ParkedRequest,
    ) -> Result<Outcome, HandleError> {
        let digests = Digests::of(received);
        if let Some(stored) = repo::answer_in_tx(&mut tx.lease, received.id().uuid()).await? {
            // What a crash left in the queue goes now.
            self.scan(tx, |_, _| Visit::Keep).await?;
            return Ok(match digests.have(&stored.digest) {
                true => told(event_of(&stored.kind, stored.data)?),
                false => conflict(received),
            });
        }
        if let Some(refusal) = too_many(request) {
            return Ok(told(refusal));
        }
        let now = Utc::now();
        let answer = match request {
            ParkedRequest::Replay(command) => self.replay(tx, command, received, now).await?,
            ParkedRequest::Drop(command) => self.drop(tx, command, received, now).await?,
            ParkedRequest::Edit(command) => self.edit(tx, command, received, now).await?,
            ParkedRequest::List(_) | ParkedRequest::Get(_) => {
                unreachable!("a query is answered before")
            }
        };
        let record = repo::Record {
            command: received.id().uuid(),
            digest: digests.of_author,
            kind: &received.envelope.kind,
            principal: received.principal.as_str(),
            answer_kind: answer.kind,
            answer: answer.data.get(),
        };
        repo::record_in_tx(&mut tx.lease, &record, tx.taken.fingerprints()).await?;
        Ok(match tx.taken.is_empty() {
            true => told(answer),
            false => Outcome::Done { announce: vec![answer], told: vec![] },
        })
    }

    async fn replay(
        &self,
        tx: &mut ParkedTransaction,
        command: &ReplayParked,
        received: &Received<impl MessageSet>,
        at: DateTime<Utc>,
    ) -> Result<Event, HandleError> {
        let choice = Choice::new(&command.chosen, command.before).returnable(self.service);
        let chosen = self.choose(tx, choice).await?;
        let (mut refused, mut outgoing) = (Vec::new(), Vec::new());
        let mut messages = Vec::with_capacity(chosen.messages.len());
        for Chosen { entry, delivery } in chosen.messages {
            let named = entry.named();
            if let Err(reason) = entry.returnable(self.service) {
                refused.push(RefusedParked { message: named, reason: reason.into() });
                continue;
            }
            tx.taken.take(&entry, &delivery);
            outgoing.push(self.returned(entry.original(delivery.properties, delivery.data)));
            messages.push(named);
        }
        self.publish(&outgoing).await?;
        let principal = received.principal.to_string();
        let (not_found, more) = (chosen.not_found, chosen.more);
        Ok(self.event(&ParkedReplayed { principal, at, messages, refused, not_found, more }))
    }

    async fn drop(
        &self,
        tx: &mut ParkedTransaction,
        command: &DropParked,
        received: &Received<impl MessageSet>,
        at: DateTime<Utc>,
    ) -> Result<Event, HandleError> {
        let choice = Choice::new(&command.chosen, command.before);
        let chosen = self.choose(tx, choice).await?;
        let take = |Chosen { entry, delivery }: &Chosen| {
            tx.taken.take(entry, delivery);
            entry.named()
        };
        let messages = chosen.messages.iter().map(take).collect();
        let principal = received.principal.to_string();
        let (not_found, more) = (chosen.not_found, chosen.more);
        Ok(self.event(&ParkedDropped { principal, at, messages, not_found, more }))
    }

    async fn edit(
        &self,
        tx: &mut ParkedTransaction,
        command: &EditParked,
        received: &Received<impl MessageSet>,
        at: DateTime<Utc>,
    ) -> Result<Event, HandleError> {
        let chosen = self.choose(tx, Choice::first(&command.message)).await?;
        let Some(Chosen { entry, delivery }) = chosen.messages.into_iter().next() else {
            return Ok(not_found(&command.message));
        };
        if let Err(reason) = entry.returnable(self.service) {
            let why = format!("{} stays parked: {}", entry.fingerprint, reason.as_str());
            return Ok(Event::new(&MessageRefused::invalid("message", why)));
        }
        if is_about_approvals(&entry.kind) {
            let rule = "a word about an approval is its author's own and is not edited";
            return Ok(Event::new(&MessageRefused::invalid("message", rule)));
        }
        let body = match edit::with_data(&entry.content_type, &delivery.data, &command.data) {
            Ok(body) => body,
            Err(why) => return Ok(Event::new(&MessageRefused::invalid("message", why))),
        };
        let [digest_before, digest_after] = [&delivery.data, &body].map(|body| edit::digest(body));
        tx.taken.take(&entry, &delivery);
        let edited_by = Some(received.principal.to_string());
        let original = entry.original(delivery.properties, body);
        self.publish(&[self.returned(OriginalMessage { edited_by, ..original })]).await?;
        let (principal, message) = (received.principal.to_string(), entry.named());
        Ok(self.event(&ParkedEdited { principal, at, message, digest_before, digest_after }))
    }

    /// The message to publish to the queue that it came from.
    fn returned(&self, original: OriginalMessage) -> Outgoing {
        republish(original, RepublishTarget::Queue, self.settlement.broker.user())
    }

    async fn publish(&self, messages: &[Outgoing]) -> Result<(), HandleError> {
        self.settlement.broker.publish_confirmed(messages).await.map_err(away)
    }

    /// The messages that a command means, as many as one command may move.
    async fn choose(
        &self,
        tx: &mut ParkedTransaction,
        mut choice: Choice<'_>,
    ) -> Result<ChosenMessages, HandleError> {
        let (mut messages, mut more, mut bytes) = (Vec::new(), false, 0);
        self.scan_owned(tx, |entry, delivery| {
            if !choice.has(&entry) {
                return Visit::Keep;
            }
            bytes += delivery.data.len();
            let has_room = messages.len() < MOVES_MAX && bytes <= MOVED_BYTES_MAX;
            if !(has_room || messages.is_empty()) {
                more = true;
                return Visit::Stop;
            }
            choice.found(&entry);
            messages.push(Chosen { entry, delivery });
            match choice.is_complete() {
                true => Visit::Stop,
                false => Visit::Keep,
            }
        })
        .await?;
        Ok(ChosenMessages { messages, more, not_found: choice.missing() })
    }

    /// Shows the messages of the queue, oldest first. Those whose move is recorded leave it.
    async fn scan(
        &self,
        tx: &mut ParkedTransaction,
        mut visit: impl FnMut(&ParkedEntry, &Delivery) -> Visit + Send,
    ) -> Result<(), HandleError> {
        self.scan_owned(tx, |entry, delivery| visit(&entry, &delivery)).await
    }

    async fn scan_owned(
        &self,
        tx: &mut ParkedTransaction,
        mut visit: impl FnMut(ParkedEntry, Delivery) -> Visit + Send,
    ) -> Result<(), HandleError> {
        let mut moved = repo::moved_in_tx(&mut tx.lease).await?;
        while let Some(delivery) = tx.scan.next().await.map_err(away)? {
            let entry = ParkedEntry::of(&delivery, self.service);
            if moved.remove(&entry.fingerprint) {
                tx.taken.leftover(&delivery);
            } else if visit(entry, delivery) == Visit::Stop {
                return Ok(());
            }
        }
        if tx.scan.is_complete() && !moved.is_empty() {
            repo::gone_in_tx(&mut tx.lease, &Vec::from_iter(moved)).await?;
        }
        Ok(())
    }
}

/// Whether a message approves or declines a command.
fn is_about_approvals(kind: &str) -> bool {
    approvals::REQUESTS.iter().any(|requests| requests.contains(&kind))
}

/// What a visit of a message says about the rest of the scan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Visit {
    Keep,
    Stop,
}

/// The broker is away: the batch is attempted again.
fn away(error: BusError) -> HandleError {
    HandleError::Transient(error.into())
}
