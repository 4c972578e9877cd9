//! The holder of an account as one event describes them. Promise: the newest version wins, in
//! any order of events.

use std::collections::{BTreeMap, btree_map::Entry};

use shared_events::{AccountId, Iban};

/// A holder as of one version of their account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecipientProfile {
    pub(crate) account_id: AccountId,
    /// Only the opening names the IBAN.
    pub(crate) iban: Option<Iban>,
    /// The branch that keeps the account; `None` is the main one. Only the opening names it.
    pub(crate) branch: Option<String>,
    pub(crate) name: String,
    pub(crate) email: Option<String>,
    pub(crate) webhook: Option<String>,
    /// ISO 639-1.
    pub(crate) language: String,
    /// The version of the account.
    pub(crate) version: i64,
}

impl RecipientProfile {
    /// Keeps the newer of two profiles of one account, with the IBAN and the branch of either.
    fn merge(&mut self, other: Self) {
        let iban = self.iban.take().or_else(|| other.iban.clone());
        let branch = self.branch.take().or_else(|| other.branch.clone());
        if other.version > self.version {
            *self = other;
        }
        self.iban = iban;
        self.branch = branch;
    }
}

/// The newest of these profiles for each account, in the order of account ids.
pub(crate) fn newest(
    profiles: impl IntoIterator<Item = RecipientProfile>,
) -> Vec<RecipientProfile> {
    let mut newest: BTreeMap<AccountId, RecipientProfile> = BTreeMap::new();
    for profile in profiles {
        match newest.entry(profile.account_id) {
            Entry::Vacant(free) => {
                free.insert(profile);
            }
            Entry::Occupied(mut known) => known.get_mut().merge(profile),
        }
    }
    newest.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{account, iban};

    fn profile(number: u128, name: &str, version: i64) -> RecipientProfile {
        RecipientProfile {
            account_id: account(number),
            branch: None,
            iban: (version == 1).then(iban),
            name: name.to_owned(),
            email: None,
            webhook: None,
            language: "en".to_owned(),
            version,
        }
    }

    #[test]
    fn the_newest_holder_wins_in_any_order_and_the_iban_stays() {
        let profiles =
            [profile(1, "Ada", 1), profile(1, "Ada Byron", 2), profile(1, "Ada King", 3)];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
            let known = newest(order.iter().map(|place: &usize| profiles[*place].clone()));
            assert_eq!(known.len(), 1);
            assert_eq!((known[0].name.as_str(), known[0].version), ("Ada King", 3));
            assert!(known[0].iban.is_some(), "{order:?}");
        }
    }

    #[test]
    fn each_account_has_one_profile() {
        let known = newest([profile(2, "B", 1), profile(1, "A", 1)]);
        let names: Vec<String> = known.into_iter().map(|profile| profile.name).collect();
        assert_eq!(names, ["A", "B"]);
    }
}
