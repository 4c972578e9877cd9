//! All principals of a bank with their grants, as a service holds them in memory.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{grant::Grants, rights::Rights};
use crate::{accounts::AccessCurrent, approvals::NeededApproval};

/// The most names that a refusal lists.
const NAMED_MAX: usize = 3;

/// The principals of a bank.
#[derive(Debug, Default)]
pub struct AccessDirectory {
    version: i64,
    /// The instant at which these were the grants; `None` where nothing was heard yet.
    at: Option<DateTime<Utc>>,
    principals: HashMap<Box<str>, Grants>,
}

impl AccessDirectory {
    /// The directory of an announcement.
    #[must_use]
    pub fn of(current: &AccessCurrent) -> Self {
        let principals = current.principals.iter();
        let grants = principals.map(|of| (of.principal.as_str().into(), Grants::of(&of.grants)));
        Self { version: current.version, at: Some(current.at), principals: grants.collect() }
    }

    /// The number of the last change.
    #[must_use]
    pub const fn version(&self) -> i64 {
        self.version
    }

    /// The instant at which these were the grants.
    #[must_use]
    pub const fn at(&self) -> Option<DateTime<Utc>> {
        self.at
    }

    /// What a principal may do with a message of this type.
    #[must_use]
    pub fn rights(&self, principal: &str, kind: &str) -> Rights {
        let rights = self.principals.get(principal).and_then(|grants| Rights::of(grants, kind));
        rights.unwrap_or_else(|| Rights::nothing(self.missing(principal, kind)))
    }

    /// All grants of a principal.
    #[must_use]
    pub fn grants(&self, principal: &str) -> Grants {
        self.principals.get(principal).cloned().unwrap_or_default()
    }

    /// Which right is missing, and who has it.
    fn missing(&self, principal: &str, kind: &str) -> String {
        let who = self.who_may(|_, grants| grants.permit_type(kind));
        format!("{principal} may not send {kind}; {who}")
    }

    /// Who can give all of these approvals to a command of `author`: "carla and dora may".
    #[must_use]
    pub fn approvers(&self, author: &str, needs: &[NeededApproval]) -> String {
        self.who_may(|name, grants| {
            name != author && needs.iter().all(|needed| grants.approve(needed))
        })
    }

    /// The principals that may, in words.
    fn who_may(&self, may: impl Fn(&str, &Grants) -> bool) -> String {
        let able = self.principals.iter().filter(|(name, grants)| may(name, grants));
        let mut names: Vec<&str> = able.map(|(name, _)| &**name).collect();
        names.sort_unstable();
        let more = names.len().saturating_sub(NAMED_MAX);
        names.truncate(NAMED_MAX);
        match (names.as_slice(), more) {
            ([], _) => "nobody may".to_owned(),
            (names, 0) => format!("{} may", names.join(", ")),
            (names, more) => format!("{} and {more} more may", names.join(", ")),
        }
    }
}
