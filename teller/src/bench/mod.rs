//! Measures the bank. Promise: every figure is of the real path (broker, databases and services as
//! they run), beside what broker and database do alone, in the same run; a figure whose transfers
//! did not all arrive is none.
//!
//! ```text
//! place        where the bank is; containers: the engine's view of it
//! machine      what it all runs on
//! pgbench      \
//! bus           > the floor: what the parts do alone
//! commit       /
//! traffic      who pays whom; command: ready to send; publisher: without waiting
//! load         as much as the bank can take: transfers a second, and what they use (usage)
//! latency      how long a transfer takes while the bank is not busy
//! shapes       hot account, Zipf, uniform
//! overload     three times as much as the bank can take
//! large        with a past (history) and without
//! report       ratios, JSON; table; plot
//! ```

mod bus;
mod command;
mod commit;
mod containers;
mod fault;
mod fill;
mod history;
mod large;
mod latency;
mod load;
mod machine;
mod overload;
mod percentiles;
mod pgbench;
mod place;
mod plot;
mod publisher;
mod report;
mod settle;
mod shapes;
mod store;
mod table;
mod traffic;
mod usage;

use std::time::Duration;

use clap::ValueEnum;

pub(crate) use self::{fault::BenchError, place::Place, report::Report, traffic::Shape};
use self::{latency::Pace, load::Load, machine::Machine};

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Part {
    /// pgbench on the ledger's database server
    Pgbench,
    /// Messages a second through the broker alone
    Bus,
    /// The way of a single message, and a single commit
    Hops,
    /// A bank with a past, and the same without
    Large,
    /// One transfer a command
    Unbatched,
    /// 100 transfers a command
    #[value(name = "batched-100")]
    Batched100,
    /// 1,000 transfers a command
    #[value(name = "batched-1000")]
    Batched1000,
    /// 100 transfers a second
    #[value(name = "latency-100")]
    Latency100,
    /// 1,000 transfers a second
    #[value(name = "latency-1000")]
    Latency1000,
    /// Hot account, Zipf, uniform
    Shapes,
    /// Three times as much as the bank can take
    Overload,
}

impl Part {
    /// All, in the order in which they are measured. Steady rates come before floods, whose traces
    /// (vacuum, pages to be written) would be measured with them; what is compared is measured
    /// close together, since a shared machine is not the same for long.
    pub(crate) const ALL: [Self; 11] = [
        Self::Hops,
        Self::Latency100,
        Self::Latency1000,
        Self::Pgbench,
        Self::Bus,
        Self::Unbatched,
        Self::Batched100,
        Self::Batched1000,
        Self::Shapes,
        Self::Large,
        Self::Overload,
    ];
}

/// How much is measured, and for how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) quick: bool,
    pub(crate) accounts: u32,
    pub(crate) shape: Shape,
    pub(crate) warm_up: Duration,
    /// Of throughput and latency.
    pub(crate) window: Duration,
    /// Of what the parts do alone.
    pub(crate) floor: Duration,
    /// Of each of the windows that alternate.
    pub(crate) round: Duration,
    /// How often they alternate.
    pub(crate) rounds: usize,
    /// Of the bank with a past.
    pub(crate) large_accounts: u32,
    pub(crate) large_entries: u64,
}

/// Measures these parts, one after another. `tell` hears what is next.
pub(crate) async fn run(
    place: &Place,
    plan: &Plan,
    parts: &[Part],
    tell: impl Fn(Part),
) -> Result<Report, BenchError> {
    let mut report = Report { quick: plan.quick, ..Report::default() };
    report.machine = Machine::look(place).await?;
    fill::accounts(place, plan.accounts).await?;
    for part in parts {
        tell(*part);
        measure(place, plan, *part, &mut report).await?;
    }
    report.look_after(place).await?;
    report.compare();
    Ok(report)
}

async fn measure(
    place: &Place,
    plan: &Plan,
    part: Part,
    report: &mut Report,
) -> Result<(), BenchError> {
    let floor = &mut report.floor;
    match part {
        Part::Pgbench => floor.pgbench = Some(pgbench::run(&place.containers, plan.floor).await?),
        Part::Bus => floor.bus_limit = Some(bus::limit(place, plan.floor).await?),
        Part::Hops => {
            floor.hop = Some(bus::hop(place, plan.floor).await?);
            floor.commit = Some(commit::run(place, plan.floor).await?);
        }
        Part::Large => report.large = Some(large::run(place, plan).await?),
        Part::Unbatched => throughput(place, plan, 1, "unbatched", report).await?,
        Part::Batched100 => throughput(place, plan, 100, "batched_100", report).await?,
        Part::Batched1000 => throughput(place, plan, 1_000, "batched_1000", report).await?,
        Part::Latency100 => latency(place, plan, 100, "at_100", report).await?,
        Part::Latency1000 => latency(place, plan, 1_000, "at_1000", report).await?,
        Part::Shapes => report.shapes = Some(shapes::run(place, plan).await?),
        Part::Overload => {
            let unbatched = report.throughput.get("unbatched").map(|it| it.transfers_per_second);
            report.overload = Some(overload::run(place, plan, unbatched).await?);
        }
    }
    Ok(())
}

async fn throughput(
    place: &Place,
    plan: &Plan,
    transfers_per_command: usize,
    name: &'static str,
    report: &mut Report,
) -> Result<(), BenchError> {
    let load = Load { transfers_per_command, ..Load::unbatched(plan) };
    report.throughput.insert(name, load::run(place, load).await?);
    Ok(())
}

async fn latency(
    place: &Place,
    plan: &Plan,
    per_second: u32,
    name: &'static str,
    report: &mut Report,
) -> Result<(), BenchError> {
    let Plan { accounts, warm_up, window, .. } = *plan;
    let pace = Pace { per_second, accounts, warm_up, window };
    report.latency.insert(name, latency::run(place, pace, report.machine.fsync_ms).await?);
    Ok(())
}
