//! The approvals of a batch. Promise: a message that waits for an approval, or that nobody has
//! approved, never reaches its handler; the standing answer about it is repeated.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::record::{ApprovalRecord, SetAsideContent};
use crate::{
    approvals::{ApprovalState, CoveredDebit, NEEDS_MAX, NeededApproval},
    ids::CommandId,
    message::MessageSet,
    messaging::{
        access::AccessBoard,
        digest::Digests,
        handler::{Event, Idempotency, Outcome, Received, Standing},
        inbox::InboxState,
        outbox::Cause,
    },
    refusal::MessageRefused,
};

/// The most commands and bytes of a principal that wait at a time.
const WAITING_MAX: WaitingCommands = WaitingCommands { commands: 1_000, bytes: 64 * 1024 * 1024 };

/// Commands of a principal that wait for an approval.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WaitingCommands {
    pub(crate) commands: i64,
    pub(crate) bytes: i64,
}

/// The part of approvals in the end of a transaction.
#[derive(Debug, Default)]
pub(crate) struct ApprovalUpdates {
    pub(crate) set_aside: Vec<ApprovalRecord>,
    pub(crate) handled: Vec<Uuid>,
    /// By principal, with the commands of this transaction.
    pub(crate) waiting: HashMap<String, WaitingCommands>,
}

/// The ids of the messages that may have been set aside: the inbox says so, or they come back, or
/// the grants of their authors may ask for an approval.
pub(crate) fn perhaps_set_aside<M>(messages: &[Received<M>], states: &[InboxState]) -> Vec<Uuid> {
    let asked = messages.iter().zip(states).filter(|(message, state)| {
        **state == InboxState::SetAside || message.returned || message.delivered.is_some()
    });
    asked.map(|(message, _)| message.id().uuid()).collect()
}

/// The messages with what these records say about them, and with the rights that an approval gives.
pub(crate) fn with_approvals<M: MessageSet>(
    messages: &[Received<M>],
    records: Vec<ApprovalRecord>,
    idempotency: Idempotency,
    bank: (&AccessBoard, &str),
) -> Vec<Received<M>> {
    let records = records.into_iter().map(|record| (record.command, record));
    let records: HashMap<CommandId, ApprovalRecord> = records.collect();
    let mut messages = messages.to_vec();
    for message in &mut messages {
        if let Some(record) = records.get(&message.id()) {
            message.standing = standing(message, record, idempotency, bank);
        }
        if let Standing::Approved(approver) = &message.standing {
            let grants = bank.0.directory().grants(approver.as_str());
            message.rights = message.rights.approved_by(grants);
        }
    }
    messages
}

/// What a record says about its message.
fn standing<M: MessageSet>(
    message: &Received<M>,
    record: &ApprovalRecord,
    idempotency: Idempotency,
    (access, service): (&AccessBoard, &str),
) -> Standing {
    if !Digests::of(message).have(&record.digest) {
        return Standing::OtherContent;
    }
    // An inbox that has forgotten a handled command must not let it happen again; a handler with a
    // key of its own knows the command.
    let is_repeated = record.state == ApprovalState::Handled && idempotency == Idempotency::Inbox;
    match (record.state, &record.decided_by) {
        (ApprovalState::Approved | ApprovalState::Handled, Some(approver)) if !is_repeated => {
            Standing::Approved(approver.as_str().into())
        }
        _ => {
            let told = vec![asked(record, (access, service))];
            Standing::Answered(Outcome::Done { announce: vec![], told })
        }
    }
}

/// The event of a record's state, with the principals that may approve the command.
fn asked(record: &ApprovalRecord, (access, service): (&AccessBoard, &str)) -> Event {
    let approvers = access.directory().approvers(&record.principal, &record.needs);
    record.event(service, &approvers)
}

impl ApprovalUpdates {
    /// Sets a message aside, which needs these approvals. Returns the event that asks for one, or
    /// the outcome of a message that is not set aside.
    pub(crate) fn set_aside<M: MessageSet>(
        &mut self,
        message: &Received<M>,
        needs: Vec<NeededApproval>,
        bank: (&AccessBoard, &str),
        now: DateTime<Utc>,
    ) -> Result<Event, Outcome> {
        let digests = Digests::of(message);
        // Only a handler with a key of its own gets an id twice in a batch.
        if let Some(same) = self.set_aside.iter().find(|record| record.command == message.id()) {
            return Err(match digests.have(&same.digest) {
                true => Outcome::Done { announce: vec![], told: vec![asked(same, bank)] },
                false => {
                    let rule = "this command id was used before, with other content";
                    Outcome::refused(&MessageRefused::invalid("id", rule))
                }
            });
        }
        let needs = joined(needs);
        if needs.len() > NEEDS_MAX {
            let rule = format!(
                "needs approvals of more than {NEEDS_MAX} kinds: of each branch and currency one; \
                 send a command for each"
            );
            return Err(Outcome::refused(&MessageRefused::invalid("data", rule)));
        }
        let Some(delivered) = &message.delivered else {
            return Err(Outcome::Hopeless { why: "it cannot be set aside".to_owned() });
        };
        let (content_type, body) = delivered.content();
        let principal = message.principal.to_string();
        let waiting = self.waiting.entry(principal.clone()).or_default();
        waiting.commands += 1;
        waiting.bytes += i64::try_from(body.len()).unwrap_or(i64::MAX);
        if waiting.commands > WAITING_MAX.commands || waiting.bytes > WAITING_MAX.bytes {
            let why = format!(
                "too many commands of {principal} wait for an approval: have some approved, or \
                 withdraw some"
            );
            return Err(Outcome::refused(&MessageRefused::not_permitted(why)));
        }
        let cause = Cause::of(&message.envelope);
        let record = ApprovalRecord {
            command: message.id(),
            digest: digests.of_author,
            kind: message.envelope.kind.clone(),
            principal,
            actor: cause.actor,
            edited_by: message.edited_by.as_ref().map(ToString::to_string),
            correlation: cause.correlation,
            needs,
            requested_at: now,
            deadline: now + bank.0.approval_within(),
            state: ApprovalState::Waiting,
            decided_by: None,
            decided_at: None,
            reason: None,
            content: SetAsideContent {
                queue: delivered.queue().to_owned(),
                content_type: content_type.to_owned(),
                body: Some(body.to_vec()),
            },
        };
        let event = asked(&record, bank);
        self.set_aside.push(record);
        Ok(event)
    }

    /// Notes that an approved message was handled.
    pub(crate) fn handled<M>(&mut self, message: &Received<M>) {
        if message.approved_by().is_some() {
            self.handled.push(message.id().uuid());
        }
    }
}

/// The same needs, each once: of several amounts the largest, which covers the others.
fn joined(needs: Vec<NeededApproval>) -> Vec<NeededApproval> {
    let mut joined: Vec<NeededApproval> = vec![];
    for needed in needs {
        let same = joined.iter_mut().find(|known| is_alike(known, &needed));
        match (same, &needed.debit) {
            (None, _) => joined.push(needed),
            (Some(known), CoveredDebit::UpTo(money)) => {
                if let CoveredDebit::UpTo(before) = &mut known.debit
                    && before.amount < money.amount
                {
                    *before = *money;
                }
            }
            (Some(_), CoveredDebit::None {} | CoveredDebit::Any {}) => {}
        }
    }
    joined
}

/// Whether two needs differ in their amounts at most.
fn is_alike(one: &NeededApproval, other: &NeededApproval) -> bool {
    let is_same_debit = match (&one.debit, &other.debit) {
        (CoveredDebit::UpTo(one), CoveredDebit::UpTo(other)) => one.currency == other.currency,
        (one, other) => one == other,
    };
    is_same_debit && (&one.roles, &one.branch) == (&other.roles, &other.branch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::RoleCode;

    fn needed(branch: &str, amount: Option<&str>) -> NeededApproval {
        let money = |amount: &str| {
            let money = serde_json::json!({ "amount": amount, "currency": "EUR" });
            serde_json::from_value(money).expect("an amount of money")
        };
        let debit =
            amount.map_or(CoveredDebit::None {}, |amount| CoveredDebit::UpTo(money(amount)));
        let roles = vec![RoleCode::Clerk.into()];
        NeededApproval { roles, branch: Some(branch.to_owned()), debit }
    }

    #[test]
    fn of_several_amounts_the_largest_needs_the_approval() {
        let needs = [
            needed("web", Some("5")),
            needed("web", None),
            needed("web", Some("7")),
            needed("north", Some("6")),
            needed("web", Some("6")),
            needed("web", None),
        ];
        let expected = [needed("web", Some("7")), needed("web", None), needed("north", Some("6"))];
        assert_eq!(joined(needs.to_vec()), expected);
    }
}
