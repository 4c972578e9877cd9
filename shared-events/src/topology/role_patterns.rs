//! The broker's permissions of roles, as patterns.

use std::collections::BTreeSet;

use super::{AUDIT, PERSONAL, any_version, exchange_of_event, is_personal};
use crate::{access::Role, catalogue, message::Kind};

/// The routing keys that clients with these roles may publish to `bank.commands`.
pub(super) fn sendable(roles: &[&Role]) -> String {
    any_of(roles.iter().flat_map(|role| role.sends()), "v[0-9]+")
}

/// The binding keys on an exchange of events of clients with these roles.
pub(super) fn readable(roles: &[&Role], exchange: &str) -> String {
    if roles.iter().any(|role| role.reads_all()) {
        return ".*".to_owned();
    }
    let read = events_of(roles).filter(|kind| exchange_of_event(kind) == exchange);
    // A binding for any version is allowed, too.
    any_of(read, r"(v[0-9]+|\*)")
}

/// The events that clients with these roles may read.
fn events_of(roles: &[&Role]) -> impl Iterator<Item = &'static str> {
    let events = catalogue::PUBLISHED.iter().filter(|entry| entry.kind == Kind::Event);
    let kinds = events.map(|entry| entry.kind_name);
    kinds.filter(|kind| roles.iter().any(|role| role.reads_all() || role.may_read(kind)))
}

/// The exchange of events with personal data, for clients with a role that may read one of them.
pub(super) fn personal(roles: &[&Role]) -> Option<&'static str> {
    events_of(roles).any(is_personal).then_some(PERSONAL)
}

/// The resources that clients with these roles may read, apart from exchanges and own queues.
pub(super) fn streams(roles: &[&Role]) -> &'static [&'static str] {
    if roles.iter().any(|role| role.reads_all()) { &[AUDIT] } else { &[] }
}

/// A pattern of these types in the given versions, each type once and in order.
fn any_of(types: impl Iterator<Item = &'static str>, version: &str) -> String {
    let stems: BTreeSet<String> =
        types.map(|kind| any_version(kind).trim_end_matches(".*").replace('.', "\\.")).collect();
    match stems.is_empty() {
        true => "^$".to_owned(),
        false => {
            let stems: Vec<String> = stems.into_iter().collect();
            format!("^({})\\.{version}$", stems.join("|"))
        }
    }
}
