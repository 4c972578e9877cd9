//! Measures part after part. Promise: a part that fails ends the run, and there is no report.

use crate::{
    bus, commit,
    fault::BenchError,
    fill, large,
    latency::{self, Pace},
    load::{self, Load},
    machine::Machine,
    overload, pgbench,
    place::Place,
    plan::{Part, Plan},
    report::Report,
    shapes,
};

/// Measures these parts, one after another. `announce` hears what is next.
pub(crate) async fn run(
    place: &Place,
    plan: &Plan,
    parts: &[Part],
    announce: impl Fn(Part),
) -> Result<Report, BenchError> {
    let mut report = Report { quick: plan.quick, ..Report::default() };
    report.machine = Machine::look(place).await?;
    fill::accounts(place, plan.accounts).await?;
    for part in parts {
        announce(*part);
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
        Part::Latency100 => latency_at(place, plan, 100, "at_100", report).await?,
        Part::Latency1000 => latency_at(place, plan, 1_000, "at_1000", report).await?,
        Part::Shapes => report.shapes = Some(shapes::run(place, plan).await?),
        Part::Overload => {
            let unbatched = report
                .throughput
                .get("unbatched")
                .map(|throughput| throughput.transfers_per_second);
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

async fn latency_at(
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
