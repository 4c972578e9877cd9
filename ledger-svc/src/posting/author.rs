//! The author of instructions.

use shared_events::{CommandId, access::Rights};

/// The command that carries instructions, and what its author may do.
#[derive(Clone, Debug)]
pub struct Author {
    /// The command; of the ledger's own work, an id that it made.
    pub command: CommandId,
    /// What the author's grants permit.
    pub rights: Rights,
}

impl Author {
    /// The author of a client's command.
    #[must_use]
    pub const fn new(command: CommandId, rights: Rights) -> Self {
        Self { command, rights }
    }

    /// The ledger itself.
    #[must_use]
    pub const fn ledger(command: CommandId) -> Self {
        Self::new(command, Rights::everything())
    }
}
