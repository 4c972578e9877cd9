//! The same load, spread over accounts in different ways. Promise: each way is measured in several
//! windows that alternate (there and back: A B C C B A), and its figure is the median, so that what
//! drifts meets all alike.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    fault::BenchError,
    load::{self, Load},
    percentiles::median,
    place::Place,
    plan::Plan,
    traffic::Shape,
};

/// Transfers a second, one a command, by shape.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Shapes {
    pub(crate) median: BTreeMap<Shape, f64>,
    pub(crate) windows: BTreeMap<Shape, Vec<f64>>,
}

pub(crate) async fn run(place: &Place, plan: &Plan) -> Result<Shapes, BenchError> {
    let mut windows: BTreeMap<Shape, Vec<f64>> = BTreeMap::new();
    for shape in there_and_back(&[Shape::Uniform, Shape::Hot, Shape::Zipf], plan.rounds) {
        let load = Load { shape, window: plan.round, ..Load::unbatched(plan) };
        let measured = load::run(place, load).await?;
        windows.entry(shape).or_default().push(measured.transfers_per_second);
    }
    let median = windows.iter().filter_map(|(shape, rates)| Some((*shape, median(rates.clone())?)));
    Ok(Shapes { median: median.collect(), windows })
}

/// All of these, so many times, every other time from the end.
pub(crate) fn there_and_back<T: Copy>(of: &[T], times: usize) -> Vec<T> {
    let once = |n: usize| -> Vec<T> {
        match n % 2 {
            0 => of.to_vec(),
            _ => of.iter().rev().copied().collect(),
        }
    };
    (0..times).flat_map(once).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_go_there_and_back() {
        assert_eq!(
            there_and_back(&['a', 'b', 'c'], 3),
            ['a', 'b', 'c', 'c', 'b', 'a', 'a', 'b', 'c']
        );
    }
}
