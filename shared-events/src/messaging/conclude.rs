//! The end of a batch's transaction: outcomes become results, outbox rows and updates.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use tracing::debug;

use super::{
    access::AccessBoard,
    announcer::Announcer,
    approvals::{ApprovalUpdates, WaitingCommands},
    disposition::{ProcessingResult, ReplyEvents},
    handler::{Event, Outcome, Received, Standing},
    inbox::{InboxClaim, InboxUpdates},
    outbox::{Cause, OutboxRow},
    reply::Reply,
};
use crate::{
    envelope::{CONTENT_TYPE, CONTENT_TYPE_BATCH, read_envelopes},
    ids::MessageId,
    message::MessageSet,
    refusal::MessageRefused,
    topology::is_personal,
};

/// What a transaction stores beside its events.
#[derive(Debug, Default)]
pub(crate) struct BatchUpdates {
    pub(crate) inbox: InboxUpdates,
    pub(crate) approvals: ApprovalUpdates,
}

/// A result for each message, and the rows to store.
pub(super) struct Concluded<'b> {
    pub(super) results: Vec<ProcessingResult>,
    pub(super) events: Vec<OutboxRow>,
    pub(super) updates: BatchUpdates,
    now: DateTime<Utc>,
    announcer: &'b Announcer,
    bank: (&'b AccessBoard, &'b str),
}

impl<'b> Concluded<'b> {
    pub(super) fn new(
        messages: usize,
        announcer: &'b Announcer,
        bank: (&'b AccessBoard, &'b str),
        waiting: HashMap<String, WaitingCommands>,
    ) -> Self {
        let approvals = ApprovalUpdates { waiting, ..ApprovalUpdates::default() };
        Self {
            results: Vec::with_capacity(messages),
            events: Vec::new(),
            updates: BatchUpdates { inbox: InboxUpdates::default(), approvals },
            now: Utc::now(),
            announcer,
            bank,
        }
    }

    /// Concludes a message. `claim` is its own claim on the inbox.
    pub(super) fn conclude<M: MessageSet>(
        &mut self,
        message: &Received<M>,
        claim: Option<&InboxClaim>,
        outcome: Outcome,
    ) {
        let result = match outcome {
            // The answer about its approval changes with the approval.
            Outcome::Done { announce, told } if message.is_standing() => {
                self.updates.inbox.set_aside(claim);
                self.done(message, None, (announce, told))
            }
            Outcome::Done { announce, told } => {
                self.updates.approvals.handled(message);
                self.done(message, claim, (announce, told))
            }
            Outcome::NeedsApproval(needs) => {
                match self.updates.approvals.set_aside(message, needs, self.bank, self.now) {
                    Ok(asks) => {
                        self.updates.inbox.set_aside(claim);
                        self.done(message, None, (vec![asks], vec![]))
                    }
                    Err(outcome) => {
                        self.updates.inbox.forget(claim);
                        return self.conclude(message, None, outcome);
                    }
                }
            }
            Outcome::Later { why } => {
                self.keep_or_forget(message, claim);
                ProcessingResult::NotReady { why }
            }
            Outcome::Hopeless { why } => {
                self.keep_or_forget(message, claim);
                ProcessingResult::Failed { refusal: MessageRefused::unreadable(&why), why }
            }
        };
        self.results.push(result);
    }

    /// Lets a message that had no effect be new; an approved one keeps its id.
    fn keep_or_forget<M>(&mut self, message: &Received<M>, claim: Option<&InboxClaim>) {
        match &message.standing {
            Standing::None => self.updates.inbox.forget(claim),
            Standing::Approved(_) | Standing::Answered(_) | Standing::OtherContent => {
                self.updates.inbox.set_aside(claim);
            }
        }
    }

    /// Sends the reply to a message again, which was processed before.
    pub(super) fn repeat(&mut self, message: MessageId, reply: Option<&[u8]>) {
        debug!(message.id = %message, "processed before; the reply is sent again");
        let reply = reply.and_then(stored_reply);
        self.results.push(ProcessingResult::Completed { reply });
    }

    fn done<M>(
        &mut self,
        message: &Received<M>,
        claim: Option<&InboxClaim>,
        (announce, told): (Vec<Event>, Vec<Event>),
    ) -> ProcessingResult {
        let reply = self.announce(&Cause::of(&message.envelope), announce, told);
        if let (Some(claim), Some(reply)) = (claim, &reply) {
            self.updates.inbox.answered(&claim.keys, &Reply::of(&reply.0).body);
        }
        ProcessingResult::Completed { reply }
    }

    /// Adds events to the outbox. Returns the reply: these events, and those announced earlier. The
    /// inbox keeps replies, so none has personal data.
    fn announce(
        &mut self,
        cause: &Cause,
        new: Vec<Event>,
        earlier: Vec<Event>,
    ) -> Option<ReplyEvents> {
        let mut events = Vec::with_capacity(new.len() + earlier.len());
        for event in new {
            let key = event.partition_key.clone();
            let is_told = !is_personal(event.kind);
            let Some(envelope) = self.announcer.announce(cause, self.now, event) else { continue };
            self.events.push(OutboxRow::new(&envelope, key));
            if is_told {
                events.push(envelope);
            }
        }
        let source = &self.announcer.source;
        events.extend(earlier.into_iter().map(|event| cause.wrap(source, self.now, event)));
        ReplyEvents::of(events)
    }
}

/// A reply as the inbox stores it.
fn stored_reply(json: &[u8]) -> Option<ReplyEvents> {
    let is_batch = json.first() == Some(&b'[');
    let content_type = if is_batch { CONTENT_TYPE_BATCH } else { CONTENT_TYPE };
    ReplyEvents::of(read_envelopes(content_type, json).ok()?)
}

/// The outcome of a message whose id is older than the inbox reaches.
pub(super) fn expired() -> Outcome {
    let why = "the message's id is so old that an earlier effect may be forgotten; send the \
               message under a new id if none is known"
        .to_owned();
    Outcome::Hopeless { why }
}
