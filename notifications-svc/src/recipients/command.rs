//! Sets preferences. Promise: of two commands for one account the later one wins, even where it was
//! carried out first because the other had to wait for the account; an erased holder gets none.

use chrono::{DateTime, Utc};
use shared_events::messaging::Tx;

use super::{Preferences, PreferencesRequest, repo};

/// The outcome of a command that sets preferences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PreferencesOutcome {
    /// The preferences that hold now.
    Current(Preferences),
    /// The account is not known here, or not yet.
    UnknownAccount,
    /// The holder's data were erased: there is nobody who could have preferences or a key.
    Erased,
}

/// Sets the preferences that a holder asked for at this time. `has_waited`: the command came before
/// and had to wait.
pub(crate) async fn set_preferences_in_tx(
    tx: &mut Tx<'_>,
    request: PreferencesRequest,
    asked_at: DateTime<Utc>,
    has_waited: bool,
) -> sqlx::Result<PreferencesOutcome> {
    if has_waited {
        let newer = repo::newer_preferences_in_tx(tx, request.account_id, asked_at).await?;
        if let Some(newer) = newer {
            return Ok(PreferencesOutcome::Current(newer));
        }
    }
    if repo::set_preferences_in_tx(tx, &request, asked_at).await? {
        return Ok(PreferencesOutcome::Current(request.preferences));
    }
    match repo::is_erased_in_tx(tx, request.account_id).await? {
        true => Ok(PreferencesOutcome::Erased),
        false => Ok(PreferencesOutcome::UnknownAccount),
    }
}
