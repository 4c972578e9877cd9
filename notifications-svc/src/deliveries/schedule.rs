//! The delays before the attempts of a delivery. Promise: attempts are bounded in number and in
//! time; jitter keeps deliveries that failed together from coming back together.

use std::time::Duration;

use serde::Deserialize;

/// The schedule of Svix: at once, and again for more than a day, so that a receiver may be down for
/// a night and a holiday morning.
const DEFAULT_SECONDS: [f64; 8] = [0.0, 5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0];
/// The share of a delay that jitter adds or takes away at most.
const JITTER_SHARE: f64 = 0.2;
/// More attempts are of no use: a receiver that is down for so long is down for good.
const ATTEMPTS_MAX: usize = 20;
/// A notification that is older is history.
const DELAY_SECONDS_MAX: f64 = 30.0 * 86_400.0;

/// The delay before each attempt, the first included. `0,5,300` or `[0, 5, 300]`, in seconds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "ScheduleNotation")]
pub(crate) struct Schedule(Vec<f64>);

/// The two notations of a schedule: a list in a file, text in the environment.
#[derive(Deserialize)]
#[serde(untagged)]
enum ScheduleNotation {
    List(Vec<f64>),
    Text(String),
}

/// A list of delays that is no schedule.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a schedule is 1 to {ATTEMPTS_MAX} delays of 0 to {DELAY_SECONDS_MAX} s, such as 0,5,300")]
pub(crate) struct InvalidSchedule;

impl Default for Schedule {
    fn default() -> Self {
        Self(DEFAULT_SECONDS.to_vec())
    }
}

impl TryFrom<ScheduleNotation> for Schedule {
    type Error = InvalidSchedule;

    fn try_from(notation: ScheduleNotation) -> Result<Self, InvalidSchedule> {
        let seconds = match notation {
            ScheduleNotation::List(seconds) => seconds,
            ScheduleNotation::Text(text) => {
                let read: Result<_, _> =
                    text.split(',').map(|delay| delay.trim().parse()).collect();
                read.map_err(|_| InvalidSchedule)?
            }
        };
        let in_bounds = seconds.iter().all(|delay| (0.0..=DELAY_SECONDS_MAX).contains(delay));
        match in_bounds && (1..=ATTEMPTS_MAX).contains(&seconds.len()) {
            true => Ok(Self(seconds)),
            false => Err(InvalidSchedule),
        }
    }
}

impl Schedule {
    /// The delay before the attempt with this number, from 1. `chance` is -1 to 1. `None`: there
    /// are no more attempts.
    pub(crate) fn delay_before(&self, number: i32, chance: f64) -> Option<Duration> {
        let place = usize::try_from(number.checked_sub(1)?).ok()?;
        let seconds = self.0.get(place)?;
        Some(Duration::from_secs_f64(seconds * (1.0 + JITTER_SHARE * chance.clamp(-1.0, 1.0))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Schedule, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn the_default_tries_eight_times_within_a_day_and_a_half() {
        let schedule = Schedule::default();
        let delays: Vec<u64> = (1..)
            .map_while(|n| schedule.delay_before(n, 0.0))
            .map(|delay| delay.as_secs())
            .collect();
        assert_eq!(delays, [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400]);
        assert!(delays.iter().sum::<u64>() < 36 * 3_600);
    }

    #[test]
    fn jitter_moves_a_delay_by_a_fifth_at_most() {
        let schedule = Schedule::default();
        for (chance, seconds) in [(-1.0, 240), (0.0, 300), (1.0, 360), (7.0, 360)] {
            assert_eq!(schedule.delay_before(3, chance), Some(Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn there_is_no_attempt_before_the_first_or_after_the_last() {
        let schedule = read("[1, 2]").expect("two delays");
        assert_eq!(schedule.delay_before(0, 0.0), None);
        assert_eq!(schedule.delay_before(3, 0.0), None);
        assert_eq!(schedule.delay_before(i32::MIN, 0.0), None);
    }

    #[test]
    fn a_schedule_is_a_list_or_text() {
        assert_eq!(read(r#""0, 0.5,300""#), read("[0, 0.5, 300]"));
        assert_eq!(read(r#""0""#), read("[0]"));
        for wrong in ["[]", "[-1]", r#""""#, r#""0,x""#, r#""nan""#, "[1e9]"] {
            let error = read(wrong).expect_err(wrong);
            assert!(error.contains("a schedule is 1 to 20 delays"), "{wrong}: {error}");
        }
    }
}
