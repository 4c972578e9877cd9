//! The authors of instructions and changes.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The author of what a record says.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Authorship {
    /// The principal: the user of the broker that has sent the command, as the broker has validated
    /// it. Of a service's own work, the service.
    pub principal: String,
    /// The person on whose behalf the principal has acted, in the principal's own words: nobody has
    /// validated it. One line of visible characters, at most 255 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The operator that has edited the command while it was parked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_by: Option<String>,
    /// The principal that has approved the command, where the author's grant asks for that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
}

impl fmt::Display for Authorship {
    /// `branch (jana.novak), edited by repair, approved by head-office`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.principal)?;
        if let Some(actor) = &self.actor {
            write!(f, " ({actor})")?;
        }
        if let Some(operator) = &self.edited_by {
            write!(f, ", edited by {operator}")?;
        }
        match &self.approved_by {
            Some(approver) => write!(f, ", approved by {approver}"),
            None => Ok(()),
        }
    }
}

impl Authorship {
    /// The work of this principal, for nobody else, and with nobody's approval.
    #[must_use]
    pub fn of(principal: impl Into<String>) -> Self {
        Self { principal: principal.into(), actor: None, edited_by: None, approved_by: None }
    }
}
