//! The ids of the ledger's own instructions. Promise: such an id follows from its subject, so the
//! instruction is done once, also if two instances give it; and no client may give one.

use shared_events::{AccountId, TransferId};
use uuid::{Builder, Uuid, Variant};

/// The id of an instruction of the ledger's own: a UUID of version 8, whose content is the maker's
/// choice (RFC 9562, 5.8); here it follows from a subject and a name, as in version 5. Nobody else
/// may give such an id ([`is_own_id`]).
#[must_use]
pub fn own_id(subject: Uuid, name: &str) -> Uuid {
    let derived = Uuid::new_v5(&subject, name.as_bytes());
    Builder::from_custom_bytes(derived.into_bytes()).into_uuid()
}

/// Whether only the ledger itself may give this id.
#[must_use]
pub fn is_own_id(id: TransferId) -> bool {
    id.uuid().get_variant() == Variant::RFC4122 && id.uuid().get_version_num() == 8
}

/// The id of the instruction by which the ledger ends a hold that expires.
#[must_use]
pub fn expiry_id(hold: TransferId) -> TransferId {
    TransferId(own_id(hold.uuid(), "expiry"))
}

/// The id of the transfer by which the ledger pays out an account that is closed.
#[must_use]
pub fn payout_id(account: AccountId, version: i64) -> TransferId {
    TransferId(own_id(account.uuid(), &format!("payout:{version}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ledgers_own_ids_are_known_as_such_and_nobody_elses_are() {
        let hold = TransferId(Uuid::from_u128(1));
        assert_eq!(expiry_id(hold).to_string(), "574d2d16-5e00-8fa2-9934-135a70599b2c");
        for own in [expiry_id(hold), payout_id(AccountId(hold.uuid()), 3)] {
            assert!(is_own_id(own), "{own}");
        }
        let of_clients = [Uuid::new_v5(&hold.uuid(), b"expiry"), Uuid::now_v7(), Uuid::max()];
        for other in of_clients {
            assert!(!is_own_id(TransferId(other)), "{other}");
        }
    }
}
