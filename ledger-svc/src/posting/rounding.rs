//! Rounding to the digits of a currency.

use rust_decimal::{Decimal, RoundingStrategy};
use shared_events::Currency;

/// The rule of a rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rounding {
    /// To the nearest; ties to the even digit (IEEE 754 roundTiesToEven).
    #[default]
    HalfEven,
    /// To the nearest; ties away from zero.
    HalfUp,
    /// Towards zero.
    Down,
}

impl Rounding {
    /// An amount with the digits of its currency.
    #[must_use]
    pub fn round(self, exact: Decimal, currency: Currency) -> Decimal {
        let strategy = match self {
            Self::HalfEven => RoundingStrategy::MidpointNearestEven,
            Self::HalfUp => RoundingStrategy::MidpointAwayFromZero,
            Self::Down => RoundingStrategy::ToZero,
        };
        exact.round_dp_with_strategy(currency.digits(), strategy)
    }
}
