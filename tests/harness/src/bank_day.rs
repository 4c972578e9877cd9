//! The booking day of a bank in a fact. Promise: the bank's day always differs from UTC's, and
//! lasts for at least an hour after a fact begins. Code that confuses the two days fails at any
//! hour, and not in the last one before midnight alone.

use anyhow::Result;
use chrono::{Days, NaiveDate, Timelike, Utc};

use crate::Bank;

/// A time zone, without summer time, in which it is another day than UTC's: fourteen hours ahead,
/// or twelve behind.
#[must_use]
pub fn time_zone() -> &'static str {
    if Utc::now().hour() < 11 { "Etc/GMT+12" } else { "Pacific/Kiritimati" }
}

/// The time zone setting with which every ledger starts.
pub(crate) fn setting() -> (String, String, String) {
    ("ledger".to_owned(), "BANKWIRE_BANK__TIME_ZONE".to_owned(), time_zone().to_owned())
}

/// This day, as the bank sees it.
pub async fn today(bank: &Bank) -> Result<NaiveDate> {
    let today = format!("(now() AT TIME ZONE '{}')::date", time_zone());
    let since = format!("SELECT ({today} - date '1970-01-01')::bigint");
    let days = bank.number("ledger", &since).await?;
    Ok(NaiveDate::default() + Days::new(u64::try_from(days)?))
}
