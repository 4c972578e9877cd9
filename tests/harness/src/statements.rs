//! Statements in ISO 20022. Promise: every camt.053 in a fact is validated against the schema by
//! the check of the unit tests.

use anyhow::{Result, anyhow};

/// One check for both: two could come to different answers.
#[path = "../../../teller/camt053/src/xsd.rs"]
mod xsd;

/// Fails where `printed` is an XML document that the schema of camt.053 refuses. The command line
/// writes no other XML.
pub async fn check_statement(printed: &str) -> Result<()> {
    if !printed.starts_with("<?xml") {
        return Ok(());
    }
    let document = printed.to_owned();
    tokio::task::spawn_blocking(move || xsd::check(&[document]))
        .await?
        .map_err(|wrong| anyhow!("not a camt.053: {wrong}"))
}
