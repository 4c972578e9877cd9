//! The ledger's status and limits of accounts. Promise: each is what follows from the changes of
//! the accounts service up to the one that the ledger says it has followed, and the ledger is not
//! behind by more than ten minutes.
//!
//! The ledger follows changes of the status and changes of the limits each by themselves. It locks
//! an account that is closing by its own decision, so there two states are right.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use shared_events::{
    AccountId, Amount,
    access::MAIN_BRANCH,
    accounts::HistoryChange::{
        self, CloseRefused, Closed, Closing, Frozen, LimitsChanged, Opened, Recorded, Unfrozen,
    },
    ledger::{AccountRow, FollowedTerms},
};

use super::{AccountHistory, LedgerChange, Seen, shown};
use crate::difference::{Checked, Row, Table};

/// How far the ledger may be behind the accounts service: its queue is read within seconds.
const BEHIND_MAX: TimeDelta = TimeDelta::minutes(10);

/// The changes that the ledger follows as those of the status.
const OF_STATUS: [HistoryChange; 5] = [Opened, Frozen, Unfrozen, Closing, Closed];
/// The changes that it follows as those of the limits.
const OF_LIMITS: [HistoryChange; 2] = [Opened, LimitsChanged];

/// Checks rows of the ledger.
pub(super) fn check(
    known: &BTreeMap<AccountId, AccountHistory>,
    ledger: &[AccountRow],
    seen: Seen,
) -> Checked {
    ledger.iter().try_for_each(|found| {
        let row = Row::of(Table::Accounts).account(found.account_id);
        let Some(terms) = &found.terms else { return Err(row.differs("terms", "terms", "none")) };
        match (&found.code, known.get(&found.account_id)) {
            (Some(_), _) => internal(row, found, terms),
            (None, Some(history)) => customer(row, history, (found, terms), seen),
            (None, None) => Err(row.too_many()),
        }
    })
}

/// The bank's own accounts have no status but one, and no limits.
fn internal(row: Row, found: &AccountRow, terms: &FollowedTerms) -> Checked {
    row.has("status", "active", found.status.as_str())?;
    row.has("followed_status", 0, terms.followed_status)?;
    row.has("followed_limit", 0, terms.followed_limit)?;
    row.has("branch", shown(None::<String>), shown(terms.branch.as_ref()))?;
    limits(row, [None; 5], terms)
}

fn customer(
    row: Row,
    known: &AccountHistory,
    (found, terms): (&AccountRow, &FollowedTerms),
    seen: Seen,
) -> Checked {
    let (state, changes) = (&known.last.state, known.changes.as_slice());
    row.has("currency", state.currency.as_str(), found.currency.as_str())?;
    let branch = terms.branch.as_deref().unwrap_or(MAIN_BRANCH);
    row.has("branch", state.branch.as_str(), branch)?;
    let number = terms.followed_status;
    let of_status = followed(row, "followed_status", changes, (number, &OF_STATUS), seen)?;
    status(row, of_status, changes, (found, terms))?;
    let number = terms.followed_limit;
    let of_limits = followed(row, "followed_limit", changes, (number, &OF_LIMITS), seen)?;
    let Some(state) = &of_limits.state else { return Ok(()) };
    let expected = [
        Some(state.overdraft_limit.as_str()),
        state.transfer_limit.as_deref(),
        state.daily_limit.as_deref(),
        state.monthly_limit.as_deref(),
        state.minimum_balance.as_deref(),
    ];
    limits(row, expected, terms)
}

/// The change that the ledger says it has followed: one of these kinds, and none that is too old. A
/// number from before the history stands for the state with which the history begins.
fn followed<'a>(
    row: Row,
    column: &'static str,
    changes: &'a [LedgerChange],
    (number, kinds): (i64, &[HistoryChange]),
    seen: Seen,
) -> Checked<&'a LedgerChange> {
    let is_followed = |change: &&LedgerChange| match change.kind {
        Recorded => (1..=change.number).contains(&number),
        kind => change.number == number && kinds.contains(&kind),
    };
    let change = changes.iter().find(is_followed);
    let change = change.ok_or_else(|| row.differs(column, "the number of a change", number))?;
    let least = changes.iter().enumerate().filter(|(at, change)| {
        let later = changes.get(*at..).unwrap_or_default();
        kinds.contains(&change.kind) && must_be_followed(change, later, seen)
    });
    match least.map(|(_, change)| change.number).max() {
        Some(least) if number < least => {
            Err(row.differs(column, format!("{least} or later"), number))
        }
        Some(_) | None => Ok(change),
    }
}

/// Whether the ledger has followed a change by now: the change is some time ago, or it is a closing
/// that the ledger has answered.
fn must_be_followed(change: &LedgerChange, later: &[LedgerChange], seen: Seen) -> bool {
    let is_seen = |change: &LedgerChange| change.place <= seen.before;
    let is_answered = change.kind == Closing
        && later.iter().find(|change| is_answer(change)).is_some_and(is_seen);
    let age = seen.now.signed_duration_since(change.at);
    is_answered || is_seen(change) && age > BEHIND_MAX
}

const fn is_answer(change: &LedgerChange) -> bool {
    matches!(change.kind, Closed | CloseRefused)
}

/// The status after the followed change, and what a freeze refuses.
fn status(
    row: Row,
    followed: &LedgerChange,
    changes: &[LedgerChange],
    (found, terms): (&AccountRow, &FollowedTerms),
) -> Checked {
    let expected = expected_status(followed, changes);
    if !expected.contains(&found.status.as_str()) {
        return Err(row.differs("status", expected.join(" or "), &found.status));
    }
    if found.status == "frozen" {
        let blocks = followed.state.as_ref().and_then(|state| state.blocks.as_deref());
        row.has("blocked", blocks.unwrap_or("both"), terms.blocked.as_str())?;
    }
    Ok(())
}

/// The states that the ledger may be in after a change. It locks a closing account if nothing is
/// left on it, and a locked account stays locked until it is closed.
fn expected_status(followed: &LedgerChange, changes: &[LedgerChange]) -> &'static [&'static str] {
    let until = followed.number;
    let alone = of_change(followed);
    let is_closing = |change: &LedgerChange| change.number <= until && begins_to_close(change);
    let Some(closing) = changes.iter().rposition(is_closing) else { return alone };
    let later = changes.get(closing..).unwrap_or_default();
    match later.iter().find(|change| is_answer(change)) {
        Some(answer) if answer.kind == Closed && answer.number <= until => &["closed"],
        Some(answer) if answer.kind == Closed => &["locked"],
        Some(_) => alone,
        // The answer is on its way.
        None if alone == ["frozen"] => &["frozen", "locked"],
        None => &["active", "locked"],
    }
}

fn begins_to_close(change: &LedgerChange) -> bool {
    let state = change.state.as_ref().filter(|_| change.kind == Recorded);
    change.kind == Closing || state.is_some_and(|state| state.closing_version.is_some())
}

/// The status that the ledger takes from a change alone.
fn of_change(change: &LedgerChange) -> &'static [&'static str] {
    let recorded = change.state.as_ref().filter(|_| change.kind == Recorded);
    match (change.kind, recorded) {
        (Closed, _) => &["closed"],
        (Frozen, _) => &["frozen"],
        (_, Some(state)) if state.status == "closed" => &["closed"],
        // A pending or closing account may be frozen, too.
        (_, Some(state)) if state.blocks.is_some() || state.status == "frozen" => &["frozen"],
        _ => &["active"],
    }
}

fn limits(row: Row, expected: [Option<&str>; 5], terms: &FollowedTerms) -> Checked {
    let found = [
        ("overdraft_limit", &terms.overdraft_limit),
        ("transfer_limit", &terms.transfer_limit),
        ("daily_limit", &terms.daily_limit),
        ("monthly_limit", &terms.monthly_limit),
        ("minimum_balance", &terms.minimum_balance),
    ];
    for (expected, (column, found)) in expected.into_iter().zip(found) {
        let is_same = match (expected.map(str::parse::<Amount>), found.as_deref().map(str::parse)) {
            (None, None) => true,
            (Some(Ok(expected)), Some(Ok(found))) => expected == found,
            _ => false,
        };
        if !is_same {
            return Err(row.differs(column, shown(expected), shown(found.as_ref())));
        }
    }
    Ok(())
}
