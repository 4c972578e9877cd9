//! Grants of principals as requests, and their changes as events.

use chrono::{DateTime, Utc};
use shared_events::{
    accounts::{
        AccessChanged, AccessCurrent, AccessListed, AccessReason, AccessRejected, SetAccess,
    },
    messaging::{Event, Outcome, Received},
};
use tracing::info;

use crate::access::{CurrentGrants, GrantChange, GrantChanged, GrantRefusal};

shared_events::message_set! {
    /// The commands on `accounts.grants`.
    pub(crate) enum AccessCommand {
        Set(SetAccess),
    }
}

/// The change that a command asks for.
pub(super) fn request(AccessCommand::Set(set): &AccessCommand) -> GrantChange {
    GrantChange { principal: set.principal.clone(), grants: set.grants.clone() }
}

/// Each change is announced together with the grants after the batch, which the services follow.
pub(super) fn accepted(
    received: &Received<AccessCommand>,
    changed: GrantChanged,
    current: &CurrentGrants,
    now: DateTime<Utc>,
) -> Outcome {
    let by = received.principal.as_str();
    info!(principal = changed.principal, by, version = changed.version, "changed grants");
    let events =
        vec![Event::new(&change_event(changed, Some(by))), Event::new(&announced(current, now))];
    Outcome::Done { announce: events, told: vec![] }
}

pub(super) fn refused(received: &Received<AccessCommand>, refusal: &GrantRefusal) -> Outcome {
    let (reason, field) = match refusal {
        GrantRefusal::Invalid(fault) => (AccessReason::InvalidField, Some(fault.field.clone())),
        GrantRefusal::LastOperator => (AccessReason::LastOperator, None),
    };
    rejected(received, reason, field, refusal.to_string())
}

pub(super) fn rejected(
    received: &Received<AccessCommand>,
    reason: AccessReason,
    field: Option<String>,
    message: String,
) -> Outcome {
    let GrantChange { principal, .. } = request(received.message());
    info!(principal, by = %received.principal, reason = reason.as_str(), "refused other grants");
    let (command_id, reason) = (received.id(), reason.into());
    Outcome::announce(&AccessRejected { command_id, principal, reason, field, message })
}

/// The events of the job: changes that the file of principals has led to, and all grants.
pub(crate) fn access_events(
    changed: &[GrantChanged],
    current: &CurrentGrants,
    now: DateTime<Utc>,
) -> Vec<Event> {
    let changes = changed.iter().map(|changed| Event::new(&change_event(changed.clone(), None)));
    changes.chain([Event::new(&announced(current, now))]).collect()
}

/// The answer to a query.
pub(super) fn listed(current: &CurrentGrants) -> AccessListed {
    AccessListed { principals: current.principals(), version: current.version }
}

fn change_event(changed: GrantChanged, by: Option<&str>) -> AccessChanged {
    let GrantChanged { principal, before, grants, version } = changed;
    AccessChanged { principal, before, grants, changed_by: by.map(str::to_owned), version }
}

fn announced(current: &CurrentGrants, at: DateTime<Utc>) -> AccessCurrent {
    let principals = current.principals();
    AccessCurrent { version: current.version, at, principals }
}

#[cfg(test)]
mod tests {
    use shared_events::{message::MessageSet, topology::ACCOUNTS_ACCESS};

    use super::*;

    #[test]
    fn the_set_has_the_types_that_its_queue_carries() {
        assert_eq!(AccessCommand::TYPES, ACCOUNTS_ACCESS.types);
    }
}
