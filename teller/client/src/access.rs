//! Commands and queries about principals and their grants.

use shared_events::{
    MessageId,
    accounts::{AccessChanged, AccessListed, ListAccess, SetAccess},
};

use crate::{error::TellerError, teller::Teller};

impl Teller {
    /// Gives a principal exactly these grants.
    pub async fn set_access(
        &self,
        id: MessageId,
        command: SetAccess,
    ) -> Result<AccessChanged, TellerError> {
        self.send(id, command).await
    }

    /// All principals with their grants.
    pub async fn access(&self) -> Result<AccessListed, TellerError> {
        self.ask(ListAccess {}).await
    }
}
