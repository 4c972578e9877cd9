//! The grants of all principals, and a change of one.

use std::collections::BTreeMap;

use serde_json::value::{RawValue, to_raw_value};
use shared_events::access::{Grant, PrincipalGrants};

use crate::history::Cause;

/// The grants of all principals after some change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CurrentGrants {
    /// The number of the last change.
    pub(crate) version: i64,
    /// Principals that lost all grants have an empty list.
    pub(crate) of: BTreeMap<String, Vec<Grant>>,
}

/// Who has asked for a change: a principal by a command. `None`: the file of principals.
pub(crate) type ChangedBy<'a> = Option<&'a Cause>;

/// The grants that a principal is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrantChange {
    pub(crate) principal: String,
    pub(crate) grants: Vec<Grant>,
}

/// A change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GrantChanged {
    pub(crate) principal: String,
    pub(crate) before: Vec<Grant>,
    pub(crate) grants: Vec<Grant>,
    pub(crate) version: i64,
}

impl CurrentGrants {
    /// The principals that have a grant, in the order of their names.
    pub(crate) fn principals(&self) -> Vec<PrincipalGrants> {
        let granted = self.of.iter().filter(|(_, grants)| !grants.is_empty());
        let copy = |(principal, grants): (&String, &Vec<Grant>)| PrincipalGrants {
            principal: principal.clone(),
            grants: grants.clone(),
        };
        granted.map(copy).collect()
    }

    /// Makes a change.
    pub(super) fn apply(&mut self, change: &GrantChange) -> GrantChanged {
        self.version = self.version.saturating_add(1);
        let GrantChange { principal, grants } = change.clone();
        let before = self.of.insert(principal.clone(), grants.clone()).unwrap_or_default();
        GrantChanged { principal, before, grants, version: self.version }
    }
}

impl GrantChanged {
    /// The grants after the change as JSON, as they are stored and recorded.
    pub(super) fn stored(&self) -> Box<RawValue> {
        to_raw_value(&self.grants).expect("grants write plain JSON")
    }
}
