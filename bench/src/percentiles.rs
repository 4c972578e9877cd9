//! Percentiles of single samples. Promise: each is a measured value (nearest rank), never one
//! between two.

use serde::Serialize;

/// Latencies in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) samples: usize,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

impl Percentiles {
    /// Of these samples; `None` where there are none.
    pub(crate) fn of(mut millis: Vec<f64>) -> Option<Self> {
        millis.sort_by(f64::total_cmp);
        let max_ms = *millis.last()?;
        Some(Self {
            samples: millis.len(),
            p50_ms: rank(&millis, 500),
            p99_ms: rank(&millis, 990),
            p999_ms: rank(&millis, 999),
            max_ms,
        })
    }
}

/// The smallest value that at least so many of a thousand are not above.
fn rank(sorted: &[f64], per_mille: usize) -> f64 {
    let rank = (sorted.len() * per_mille).div_ceil(1_000);
    sorted[rank.saturating_sub(1)]
}

/// The middle one; of an even number the mean of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_measured_values() {
        let millis = (1..=1_000).rev().map(f64::from).collect();
        let found = Percentiles::of(millis).expect("there are samples");
        assert_eq!((found.samples, found.p50_ms, found.p99_ms), (1_000, 500.0, 990.0));
        assert_eq!((found.p999_ms, found.max_ms), (999.0, 1_000.0));
    }

    #[test]
    fn a_single_sample_is_every_percentile() {
        let found = Percentiles::of(vec![7.0]).expect("there is one");
        assert_eq!((found.p50_ms, found.p99_ms, found.p999_ms, found.max_ms), (7.0, 7.0, 7.0, 7.0));
        assert_eq!(Percentiles::of(vec![]), None);
    }

    #[test]
    fn one_of_a_hundred_is_above_p99_and_no_more() {
        let mut millis = vec![1.0; 99];
        millis.push(50.0);
        let found = Percentiles::of(millis).expect("there are samples");
        assert_eq!((found.p99_ms, found.p999_ms), (1.0, 50.0));
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(vec![]), None);
    }
}
