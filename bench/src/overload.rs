//! More than the bank can take. Promise: commands are offered at three times the bank's own rate,
//! at any backlog; all of them are posted in the end, or there is no figure; the services' memory
//! shows that the rest waits in the broker.

use std::{collections::BTreeMap, time::Duration};

use serde::Serialize;

use crate::{
    fault::BenchError,
    load::{self, Load, Offer, Throughput},
    place::Place,
    plan::Plan,
};

/// How many times as much as the bank can take.
const TIMES: f64 = 3.0;

/// One transfer a command.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Overload {
    /// The sustainable rate, transfers a second.
    pub(crate) sustainable: f64,
    /// The rate of arrival: less than three times as much where the broker holds its publishers
    /// back.
    pub(crate) came: f64,
    /// The rate of posting in the meantime.
    pub(crate) posted: f64,
    /// How long after the last command the last notification was there.
    pub(crate) drain_seconds: f64,
    /// The most that each process has had before, in MiB.
    pub(crate) memory_mib_before: BTreeMap<String, f64>,
    /// The most that it has had then.
    pub(crate) memory_mib: BTreeMap<String, f64>,
}

/// Offers too much, and measures. `sustainable`: what is posted otherwise; measured if not known.
pub(crate) async fn run(
    place: &Place,
    plan: &Plan,
    sustainable: Option<f64>,
) -> Result<Overload, BenchError> {
    let sustainable = match sustainable {
        Some(known) => known,
        None => load::run(place, Load::unbatched(plan)).await?.transfers_per_second,
    };
    let memory_mib_before = place.containers.peak_memory_mib()?;
    let offer = Offer::PerSecond(per_second(sustainable * TIMES));
    let load = Load { offer, warm_up: Duration::ZERO, ..Load::unbatched(plan) };
    let Throughput { transfers_per_second, transfers, seconds, drain_seconds, .. } =
        load::run(place, load).await?;
    Ok(Overload {
        sustainable,
        came: load::ratio(i64::try_from(transfers).unwrap_or(i64::MAX), 1) / seconds,
        posted: transfers_per_second,
        drain_seconds,
        memory_mib_before,
        memory_mib: place.containers.peak_memory_mib()?,
    })
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast of a float saturates, and no bank posts so much"
)]
const fn per_second(rate: f64) -> u32 {
    rate as u32
}

/// The most that any service has had.
pub(crate) fn of_services(memory_mib: &BTreeMap<String, f64>) -> Option<f64> {
    let services = memory_mib.iter().filter(|(name, _)| name.ends_with("-svc"));
    services.map(|(_, mib)| *mib).reduce(f64::max)
}
