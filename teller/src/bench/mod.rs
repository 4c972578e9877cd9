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
//! report       ratios, JSON, table
//! ```

mod bus;
mod command;
mod commit;
mod containers;
mod fault;
mod fill;
mod load;
mod machine;
mod percentiles;
mod pgbench;
mod place;
mod publisher;
mod report;
mod store;
mod table;
mod traffic;
mod usage;

use std::time::Duration;

use clap::ValueEnum;

pub(crate) use self::{fault::BenchError, place::Place, report::Report, traffic::Shape};
use self::{load::Load, machine::Machine};

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Part {
    /// pgbench on the ledger's database server
    Pgbench,
    /// Messages a second through the broker alone
    Bus,
    /// The way of a single message, and a single commit
    Hops,
    /// One transfer a command
    Unbatched,
    /// 100 transfers a command
    #[value(name = "batched-100")]
    Batched100,
    /// 1,000 transfers a command
    #[value(name = "batched-1000")]
    Batched1000,
}

impl Part {
    /// All, in the order in which they are measured.
    pub(crate) const ALL: [Self; 6] = [
        Self::Pgbench,
        Self::Bus,
        Self::Hops,
        Self::Unbatched,
        Self::Batched100,
        Self::Batched1000,
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
        Part::Unbatched | Part::Batched100 | Part::Batched1000 => {
            let (name, transfers_per_command) = match part {
                Part::Batched100 => ("batched_100", 100),
                Part::Batched1000 => ("batched_1000", 1_000),
                _ => ("unbatched", 1),
            };
            let load = Load {
                shape: plan.shape,
                accounts: plan.accounts,
                transfers_per_command,
                warm_up: plan.warm_up,
                window: plan.window,
            };
            report.throughput.insert(name, load::run(place, load).await?);
        }
    }
    Ok(())
}
