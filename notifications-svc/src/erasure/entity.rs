//! Holders whose data are to be erased.

use std::collections::BTreeMap;

use shared_events::AccountId;

/// A holder whose data are to be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ErasedHolder {
    pub(crate) account_id: AccountId,
    /// The version of the account by which the holder was erased.
    pub(crate) version: i64,
}

/// Each holder once, by the newest version, in the order of account ids.
pub(super) fn each_once(erased: impl IntoIterator<Item = ErasedHolder>) -> Vec<ErasedHolder> {
    let mut newest: BTreeMap<AccountId, i64> = BTreeMap::new();
    for ErasedHolder { account_id, version } in erased {
        let known = newest.entry(account_id).or_insert(version);
        *known = version.max(*known);
    }
    newest.into_iter().map(|(account_id, version)| ErasedHolder { account_id, version }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::account;

    #[test]
    fn a_holder_is_erased_once_by_the_newest_version() {
        let erased = |holders: &[(u128, i64)]| -> Vec<ErasedHolder> {
            let of = |(number, version): &(u128, i64)| ErasedHolder {
                account_id: account(*number),
                version: *version,
            };
            holders.iter().map(of).collect()
        };
        for (given, then) in [
            (&[][..], &[][..]),
            (&[(1, 4)], &[(1, 4)]),
            (&[(2, 7), (1, 4)], &[(1, 4), (2, 7)]),
            (&[(1, 4), (2, 7), (1, 5)], &[(1, 5), (2, 7)]),
            (&[(1, 5), (1, 4)], &[(1, 5)]),
        ] {
            assert_eq!(each_once(erased(given)), erased(then), "{given:?}");
        }
    }
}
