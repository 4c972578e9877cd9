//! Who holds an account and how to reach them. Promise: what is known is the newest version that
//! was heard of, in whatever order events arrive.

use std::collections::{BTreeMap, btree_map::Entry};

use shared_events::{AccountId, Iban, accounts::Holder, notifications::NotifiableEvent};

/// A holder as of one version of their account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) account_id: AccountId,
    /// Known from the opening only.
    pub(crate) iban: Option<Iban>,
    pub(crate) holder: Holder,
    pub(crate) version: i64,
}

impl Profile {
    /// What an event says about a holder, if anything.
    fn of(event: &NotifiableEvent) -> Option<Self> {
        match event {
            NotifiableEvent::Opened(it) => Some(Self {
                account_id: it.account_id,
                iban: Some(it.iban.clone()),
                holder: it.holder.clone(),
                version: it.version,
            }),
            NotifiableEvent::HolderUpdated(it) => Some(Self {
                account_id: it.account_id,
                iban: None,
                holder: it.holder.clone(),
                version: it.version,
            }),
            NotifiableEvent::Frozen(_)
            | NotifiableEvent::Unfrozen(_)
            | NotifiableEvent::Closed(_)
            | NotifiableEvent::Posted(_)
            | NotifiableEvent::Rejected(_)
            | NotifiableEvent::Legs(_)
            | NotifiableEvent::Held(_)
            | NotifiableEvent::Released(_) => None,
        }
    }

    /// The newer of two profiles of one account, with the IBAN of whichever has it.
    fn merge(&mut self, other: Self) {
        let iban = self.iban.take().or_else(|| other.iban.clone());
        if other.version > self.version {
            *self = other;
        }
        self.iban = iban;
    }
}

/// The newest profile of each account that events speak of, by account.
pub(crate) fn newest<'e>(events: impl IntoIterator<Item = &'e NotifiableEvent>) -> Vec<Profile> {
    let mut newest: BTreeMap<AccountId, Profile> = BTreeMap::new();
    for profile in events.into_iter().filter_map(Profile::of) {
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
    use crate::samples::{account, holder, holder_updated, opened};

    #[test]
    fn the_newest_holder_wins_in_any_order_and_the_iban_stays() {
        let events = [
            opened(account(1), holder("Ada")),
            holder_updated(account(1), holder("Ada Byron"), 2),
            holder_updated(account(1), holder("Ada King"), 3),
        ];
        for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [2, 0, 1]] {
            let known = newest(order.iter().map(|place: &usize| &events[*place]));
            assert_eq!(known.len(), 1);
            assert_eq!((known[0].holder.name.as_str(), known[0].version), ("Ada King", 3));
            assert!(known[0].iban.is_some(), "{order:?}");
        }
    }

    #[test]
    fn each_account_has_one_profile() {
        let events = [opened(account(2), holder("B")), opened(account(1), holder("A"))];
        let names: Vec<String> =
            newest(&events).into_iter().map(|profile| profile.holder.name).collect();
        assert_eq!(names, ["A", "B"]);
    }
}
