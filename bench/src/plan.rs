//! The parts of a measurement, and their durations.

use std::time::Duration;

use clap::ValueEnum;

use crate::traffic::Shape;

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
    /// (vacuum, pages to be written) would be measured with them; figures that are compared are
    /// measured close together, since a shared machine is not the same for long.
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
    /// Of the floor.
    pub(crate) floor: Duration,
    /// Of each of the windows that alternate.
    pub(crate) round: Duration,
    /// How often they alternate.
    pub(crate) rounds: usize,
    /// Of the bank with a past.
    pub(crate) large_accounts: u32,
    pub(crate) large_entries: u64,
}
