//! Carries out changes of grants. Promise: changes come one after another, also those of several
//! instances; the grants that hold are stored for this service with each change.

use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use shared_events::messaging::{Tx, store_access_in_tx};

use super::{
    entity::{ChangedBy, CurrentGrants, GrantChange, GrantChanged},
    repo,
    rules::{GrantRefusal, check},
};
use crate::history::{Cause, Change, ChangedGrants, append_in_tx};

/// The grants as they are now.
pub(crate) async fn current_in_tx(tx: &mut Tx<'_>) -> sqlx::Result<CurrentGrants> {
    repo::current_in_tx(tx).await
}

/// Makes the permitted ones of these changes. Returns what became of each, all grants after them,
/// and the instant before which they were not these.
pub(crate) async fn change_in_tx<'a>(
    tx: &mut Tx<'_>,
    changes: impl Iterator<Item = (&'a GrantChange, ChangedBy<'a>)> + Send,
) -> sqlx::Result<(Vec<Result<GrantChanged, GrantRefusal>>, CurrentGrants, DateTime<Utc>)> {
    repo::lock_in_tx(tx).await?;
    let at = Utc::now();
    let mut current = repo::current_in_tx(tx).await?;
    let (mut results, mut made, before) = (Vec::new(), Vec::new(), current.version);
    for (change, by) in changes {
        // Another instance may have entered the principal of the file, and an operator may have
        // taken its grants away since.
        if by.is_none() && current.of.contains_key(&change.principal) {
            continue;
        }
        results.push(match check(&current, change) {
            Ok(()) => {
                let changed = current.apply(change);
                let grants = changed.stored();
                repo::insert_in_tx(tx, &changed, &grants, by).await?;
                made.push((change, changed.version, grants, by));
                Ok(changed)
            }
            Err(refusal) => Err(refusal),
        });
    }
    if current.version != before {
        confirm_in_tx(tx, &current, at).await?;
    }
    record_in_tx(tx, &made).await?;
    Ok((results, current, at))
}

/// A change that was made, with its number and the grants as they are stored.
type Made<'a> = (&'a GrantChange, i64, Box<RawValue>, ChangedBy<'a>);

/// Appends the changes to the history, whose end is locked after everything else.
async fn record_in_tx(tx: &mut Tx<'_>, made: &[Made<'_>]) -> sqlx::Result<()> {
    let file = Cause::own();
    let mut records = Vec::with_capacity(made.len());
    for (change, number, grants, by) in made {
        let principal = change.principal.as_str();
        let recorded = ChangedGrants { principal, number: *number, grants };
        records.push((by.unwrap_or(&file), Change::Grants(recorded)));
    }
    append_in_tx(tx, &records).await
}

/// Stores the grants as those that hold now, for this service itself.
pub(super) async fn confirm_in_tx(
    tx: &mut Tx<'_>,
    current: &CurrentGrants,
    at: DateTime<Utc>,
) -> sqlx::Result<()> {
    store_access_in_tx(tx, (current.version, at), current.principals()).await
}
