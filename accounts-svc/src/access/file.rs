//! The grants that the file of principals gives: the file that also makes the broker's users.

use std::{fs, path::PathBuf};

use shared_events::topology::Principals;

use super::entity::GrantChange;

/// The file of principals, if the bank has one.
#[derive(Clone, Debug, Default)]
pub(crate) struct PrincipalsFile(Option<PathBuf>);

impl PrincipalsFile {
    pub(crate) const fn new(path: Option<PathBuf>) -> Self {
        Self(path)
    }

    /// The grants of the file, or why it cannot be used.
    pub(crate) fn read(&self) -> Result<Vec<GrantChange>, String> {
        let Some(path) = &self.0 else { return Ok(vec![]) };
        let shown = path.display();
        let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
        let principals = Principals::parse(&text).map_err(|error| format!("{shown}: {error}"))?;
        let change = |client: &shared_events::topology::ClientPrincipal| GrantChange {
            principal: client.name.clone(),
            grants: client.grants(),
        };
        Ok(principals.clients.iter().map(change).collect())
    }
}
