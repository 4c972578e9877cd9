//! The author of instructions.

use std::sync::Arc;

use shared_events::{CommandId, access::Rights, evidence::Authorship};

/// The name under which the ledger's own instructions are recorded.
const LEDGER: &str = "ledger";

/// The command that carries instructions, its author, and the author's rights.
#[derive(Clone, Debug)]
pub struct Author {
    /// The command; of the ledger's own work, an id that it made.
    pub command: CommandId,
    /// What the author's grants permit.
    pub rights: Rights,
    /// The author of the command, as records name it.
    pub by: Arc<Authorship>,
}

impl Author {
    /// The author of a client's command.
    #[must_use]
    pub fn new(command: CommandId, rights: Rights, by: Authorship) -> Self {
        Self { command, rights, by: Arc::new(by) }
    }

    /// The ledger itself.
    #[must_use]
    pub fn ledger(command: CommandId) -> Self {
        Self::new(command, Rights::everything(), Authorship::of(LEDGER))
    }
}
