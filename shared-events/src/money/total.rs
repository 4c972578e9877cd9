//! Sums of amounts. Promise: a sum has every digit of every added amount; a sum that would be too
//! large is `None`.
//!
//! An account's turnover grows for ever, and the bank's positions have up to 14 digits after the
//! point: four of a currency and ten of a rate. In 28 digits there would be place for ten exchanges
//! of the largest amount. A total has 37 digits, fourteen of them after the point: enough for as
//! many of the largest amounts as a ledger posts in years.

use std::{borrow::Cow, fmt, str::FromStr};

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Amount, InvalidMoney, exact::is_exact, is_plain_decimal};

/// The number of digits of a total after the point.
const TOTAL_SCALE: u32 = 14;
/// The maximal number of digits of a total. The sum of three of the largest totals fits 128 bits.
const DIGITS_MAX: u32 = 37;
/// The maximal number of characters of a written total: digits, sign and point.
const CHARS_MAX: usize = 39;

const UNITS_END: i128 = 10_i128.pow(DIGITS_MAX);
/// The first number with more digits than the digits after the point.
const FRACTION_END: u64 = 10_u64.pow(TOTAL_SCALE);

/// The bound below which any total is an amount, with or without trailing zeros.
const AMOUNT_UNITS_END: u128 = 10_u128.pow(super::exact::DIGITS_MAX);

/// A sum of amounts, in the same units. In JSON a string, as an amount is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Total(i128);

impl Total {
    /// Zero.
    pub const ZERO: Self = Self(0);
    /// The largest total. No real sum reaches this value, which therefore stands for a sum without
    /// bounds.
    pub const MAX: Self = Self(UNITS_END - 1);
    /// The least total.
    pub const MIN: Self = Self(1 - UNITS_END);

    /// The total of one number. `None` if the number has more than 14 digits after the point, or is
    /// larger than any total.
    #[must_use]
    pub fn of(number: Decimal) -> Option<Self> {
        let number = if number.scale() > TOTAL_SCALE { number.normalize() } else { number };
        let power = 10_i128.checked_pow(TOTAL_SCALE.checked_sub(number.scale())?)?;
        Self::of_units(number.mantissa().checked_mul(power)?)
    }

    /// The largest total that is not more than a number. A total is at most the number if and only
    /// if the total is at most this value, so this value is the same limit in every comparison.
    #[must_use]
    pub fn at_most(number: Decimal) -> Self {
        let floor = number.round_dp_with_strategy(
            TOTAL_SCALE,
            rust_decimal::RoundingStrategy::ToNegativeInfinity,
        );
        let end = if number.is_sign_negative() { Self::MIN } else { Self::MAX };
        Self::of(floor).unwrap_or(end)
    }

    /// The sign, the whole units, and the 14 digits after the point as a number.
    #[must_use]
    pub fn parts(self) -> (bool, u128, u64) {
        let units = self.0.unsigned_abs();
        // Most fit 64 bits, in which a division costs a tenth.
        let (whole, fraction) = match u64::try_from(units) {
            Ok(small) => (u128::from(small / FRACTION_END), small % FRACTION_END),
            Err(_) => {
                let whole = units / u128::from(FRACTION_END);
                let fraction = units - whole * u128::from(FRACTION_END);
                (whole, u64::try_from(fraction).unwrap_or_default())
            }
        };
        (self.0 < 0, whole, fraction)
    }

    /// The total of these [`parts`](Self::parts). `None` if there is no such total.
    #[must_use]
    pub fn from_parts(negative: bool, whole: u128, fraction: u64) -> Option<Self> {
        if fraction >= FRACTION_END {
            return None;
        }
        let units = whole.checked_mul(u128::from(FRACTION_END))?.checked_add(fraction.into())?;
        let units = i128::try_from(units).ok()?;
        Self::of_units(if negative { -units } else { units })
    }

    fn of_units(units: i128) -> Option<Self> {
        (units.unsigned_abs() < UNITS_END.unsigned_abs()).then_some(Self(units))
    }

    /// The sum. `None` if larger than any total.
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        Self::of_units(self.0.checked_add(other.0)?)
    }

    /// The difference. `None` if larger than any total.
    #[must_use]
    pub fn minus(self, other: Self) -> Option<Self> {
        self.plus(other.negated())
    }

    /// The sum, which stops at the largest and the least total.
    #[must_use]
    pub fn plus_at_most(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0).clamp(Self::MIN.0, Self::MAX.0))
    }

    /// The difference, which stops at the largest and the least total.
    #[must_use]
    pub fn minus_at_most(self, other: Self) -> Self {
        self.plus_at_most(other.negated())
    }

    /// The sum of all totals. `None` if larger than any total.
    pub fn sum(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        all.into_iter().try_fold(Self::ZERO, Self::plus)
    }

    /// The total with its sign changed.
    #[must_use]
    pub const fn negated(self) -> Self {
        // No total is the least number of 128 bits.
        Self(self.0.wrapping_neg())
    }

    /// The absolute value.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.wrapping_abs())
    }

    /// The part after this many digits behind the point, with its sign.
    #[must_use]
    pub const fn beyond(self, digits: u32) -> Self {
        Self(self.0 % 10_i128.pow(TOTAL_SCALE.saturating_sub(digits)))
    }

    /// Whether the total is zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The same as a number. `None` if the total has more digits than 96 bits hold.
    #[must_use]
    pub fn decimal(self) -> Option<Decimal> {
        let (negative, whole, mut fraction) = self.parts();
        let mut scale = if fraction == 0 { 0 } else { TOTAL_SCALE };
        // Most have two digits after the point; of the others the zeros are halved.
        for zeros in [TOTAL_SCALE - 2, 8, 4, 2, 1] {
            let power = 10_u64.pow(zeros);
            if scale >= zeros && fraction.is_multiple_of(power) {
                (fraction, scale) = (fraction / power, scale - zeros);
            }
        }
        let units = i128::try_from(whole).ok()?.checked_mul(10_i128.pow(scale))?;
        let units = units.checked_add(fraction.into())?;
        Decimal::try_from_i128_with_scale(if negative { -units } else { units }, scale).ok()
    }

    /// Whether the total has no more digits than an amount may have.
    #[must_use]
    pub fn is_amount(self) -> bool {
        self.0.unsigned_abs() < AMOUNT_UNITS_END || self.amount().is_some()
    }

    /// The same as an amount. `None` if the total has more digits than an amount may have.
    #[must_use]
    pub fn amount(self) -> Option<Amount> {
        self.decimal().filter(|number| is_exact(*number)).map(Amount)
    }
}

impl fmt::Display for Total {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (_, whole, part) = self.parts();
        let part = format!("{part:014}");
        let part = part.trim_end_matches('0');
        let text = if part.is_empty() { whole.to_string() } else { format!("{whole}.{part}") };
        f.pad_integral(self.0 >= 0, "", &text)
    }
}

impl FromStr for Total {
    type Err = InvalidMoney;

    fn from_str(text: &str) -> Result<Self, InvalidMoney> {
        if !is_plain_decimal(text) {
            return Err(InvalidMoney::NotDecimal);
        }
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let (part, beyond) = part.split_at_checked(14).unwrap_or((part, ""));
        let digits = format!("{whole}{part:0<14}");
        let units = digits.parse().ok().filter(|_| beyond.bytes().all(|digit| digit == b'0'));
        units.and_then(Self::of_units).ok_or(InvalidMoney::TooLong)
    }
}

impl Serialize for Total {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Total {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Total {
    fn schema_name() -> Cow<'static, str> {
        "Total".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A sum of amounts, as a string: `12.50`. At most 23 digits before the \
                point and 14 after it.",
            "type": "string",
            "pattern": r"^-?[0-9]{1,23}(\.[0-9]{1,14})?$",
            "maxLength": CHARS_MAX
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_total_is_written_as_it_is_read() {
        for text in [
            "0",
            "-0.5",
            "12.34",
            "10864197532099999.891358024679",
            "-99999999999999999999999.99999999999999",
            "99999999999999999999999.99999999999999",
        ] {
            let total: Total = text.parse().expect(text);
            assert_eq!(total.to_string(), text);
            let json = serde_json::to_string(&total).expect("a total is JSON");
            assert_eq!(serde_json::from_str::<Total>(&json).ok(), Some(total));
        }
        for (text, same) in [("1.10", "1.1"), ("007", "7"), ("-0", "0"), ("1.000000000000000", "1")]
        {
            assert_eq!(text.parse::<Total>().expect(text).to_string(), same);
        }
        for text in ["", "-", "1.", ".1", "1e3", "+1", "1 ", "NaN", "1.2.3"] {
            assert_eq!(text.parse::<Total>(), Err(InvalidMoney::NotDecimal), "{text:?}");
        }
        for text in ["100000000000000000000000", "0.000000000000001"] {
            assert_eq!(text.parse::<Total>(), Err(InvalidMoney::TooLong), "{text:?}");
        }
    }

    #[test]
    fn a_total_too_large_is_none_and_one_that_stops_is_known() {
        let one: Total = "0.00000000000001".parse().expect("a total");
        assert_eq!(Total::MAX.plus(one), None);
        assert_eq!(Total::MIN.minus(one), None);
        assert_eq!(Total::MAX.plus_at_most(one), Total::MAX);
        assert_eq!(Total::MIN.minus_at_most(one), Total::MIN);
        assert_eq!(Total::MAX.amount(), None);
        assert_eq!(Total::sum([Total::MAX, Total::MIN, one]), Some(one));
        assert_eq!(Total::sum([Total::MAX, one, Total::MIN]), None);
    }

    #[test]
    fn a_total_is_the_sum_of_its_parts() {
        for (text, parts) in [
            ("0", (false, 0, 0)),
            ("-12.5", (true, 12, 50_000_000_000_000)),
            ("99999999999999999999999.9", (false, 10_u128.pow(23) - 1, 90_000_000_000_000)),
        ] {
            let total: Total = text.parse().expect(text);
            assert_eq!(total.parts(), parts, "{text}");
            assert_eq!(Total::from_parts(parts.0, parts.1, parts.2), Some(total), "{text}");
        }
        assert_eq!(Total::from_parts(false, 1, FRACTION_END), None);
        assert_eq!(Total::from_parts(false, 10_u128.pow(23), 0), None);
        assert_eq!(Total::from_parts(false, u128::MAX, 0), None);
    }

    #[test]
    fn what_has_few_enough_digits_is_an_amount() {
        for (text, is_amount) in [
            ("0.00000000000001", true),
            ("99999999999999.99999999999999", true),
            ("100000000000000.00000000000001", false),
            ("99999999999999999999999", true),
            ("-99999999999999999999999.9", true),
            ("99999999999999999999999.999999", false),
        ] {
            let total: Total = text.parse().expect(text);
            assert_eq!(total.is_amount(), is_amount, "{text}");
            assert_eq!(
                total.amount().map(|amount| amount.to_string()).as_deref() == Some(text),
                is_amount
            );
        }
    }

    #[test]
    fn a_limit_of_more_digits_is_the_same_limit() {
        let number = |text| Decimal::from_str_exact(text).expect("a decimal");
        for (limit, total) in [
            ("5", "5"),
            ("0.000000000000019", "0.00000000000001"),
            ("-0.000000000000011", "-0.00000000000002"),
        ] {
            assert_eq!(Total::at_most(number(limit)).to_string(), total);
        }
        assert_eq!(Total::at_most(Decimal::MAX), Total::MAX);
        assert_eq!(Total::at_most(Decimal::MIN), Total::MIN);
    }
}
