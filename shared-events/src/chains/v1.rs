//! Version 1 of the event about the ends of chains. Promise: its shape is written once; the
//! services with chains have types of their own with this shape: `accounts.chains.signed.v1` and
//! `ledger.chains.signed.v1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::owned::shapes;

/// `<service>.chains.signed.v1`: where the hash chains of the service ended at an instant, signed
/// by the service. Announced each minute, so that somebody outside the bank's databases can keep
/// it: a chain that is rewritten later no longer fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChainsSigned {
    /// A signed note (<https://c2sp.org/signed-note>) by an Ed25519 key. Key name and first line of
    /// the text are `<service>/chains`, the second line is the instant, and each line below is a
    /// chain, the place of its last record, and the hash there (64 hexadecimal digits), between
    /// spaces. The accounts service has one chain, 0: the history of accounts and grants. The
    /// ledger has the chains of its journal.
    #[schemars(length(max = 10_000))]
    pub note: String,
}

shapes! {
    "chains":
    Event "signed.v1" ChainsSigned;
}
