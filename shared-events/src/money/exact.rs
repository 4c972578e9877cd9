//! Exact arithmetic. Promise: a result has every digit, or is `None`: no digit is ever rounded
//! away.
//!
//! `+`, `-` and `*` of `rust_decimal` round silently once the 96 bits of the mantissa are full, and
//! panic on too large numbers. So money is never added, subtracted or multiplied with these
//! operators: the lint `clippy::arithmetic_side_effects` refuses them in all services.

use rust_decimal::Decimal;

/// The maximal number of digits of an exact number. 96 bits hold any number of this many digits,
/// and so do 30 characters with a sign and a point, the form of an amount in the contract.
pub const DIGITS_MAX: u32 = 28;

/// The first mantissa with more digits.
const MANTISSA_END: u128 = 10_u128.pow(DIGITS_MAX);
/// The maximal number of digits after the point: one digit stands before the point, even if zero.
const SCALE_MAX: u32 = DIGITS_MAX - 1;

/// Whether a number has at most [`DIGITS_MAX`] digits without trailing zeros.
#[must_use]
pub fn is_exact(number: Decimal) -> bool {
    is_within_digits(number) || is_within_digits(number.normalize())
}

/// Whether a number has at most [`DIGITS_MAX`] digits with trailing zeros.
#[must_use]
pub fn is_within_digits(number: Decimal) -> bool {
    fits(number.mantissa(), number.scale())
}

const fn fits(mantissa: i128, scale: u32) -> bool {
    mantissa.unsigned_abs() < MANTISSA_END && scale <= SCALE_MAX
}

/// The sum. `None` if more than [`DIGITS_MAX`] digits are needed.
#[must_use]
pub fn exact_add(one: Decimal, other: Decimal) -> Option<Decimal> {
    let (one, other, scale) = aligned(one, other)
        // Zeros at the end may stand in the way.
        .or_else(|| aligned(one.normalize(), other.normalize()))?;
    exact_number(one.checked_add(other)?, scale)
}

/// The difference. `None` if more than [`DIGITS_MAX`] digits are needed.
#[must_use]
pub fn exact_sub(one: Decimal, other: Decimal) -> Option<Decimal> {
    exact_add(one, -other)
}

/// The product. `None` if more than [`DIGITS_MAX`] digits are needed.
#[must_use]
pub fn exact_mul(one: Decimal, other: Decimal) -> Option<Decimal> {
    let (one, other) = (one.normalize(), other.normalize());
    let mut scale = one.scale().checked_add(other.scale())?;
    let (mut one, mut other) = (one.mantissa(), other.mantissa());
    // Two times five is a zero at the end, which takes no place.
    while scale > 0 && one % 5 == 0 && other % 2 == 0 && one != 0 && other != 0 {
        (one, other, scale) = (one / 5, other / 2, scale - 1);
    }
    while scale > 0 && one % 2 == 0 && other % 5 == 0 && one != 0 && other != 0 {
        (one, other, scale) = (one / 2, other / 5, scale - 1);
    }
    exact_number(one.checked_mul(other)?, scale)
}

/// Two mantissas with the same scale.
fn aligned(one: Decimal, other: Decimal) -> Option<(i128, i128, u32)> {
    let scale = one.scale().max(other.scale());
    let at_scale = |number: Decimal| {
        let power = 10_i128.checked_pow(scale.checked_sub(number.scale())?)?;
        number.mantissa().checked_mul(power)
    };
    Some((at_scale(one)?, at_scale(other)?, scale))
}

/// The number with this mantissa and scale, without the trailing zeros that do not fit. `None` if
/// more than [`DIGITS_MAX`] digits are needed.
#[must_use]
pub fn exact_number(mut mantissa: i128, mut scale: u32) -> Option<Decimal> {
    while !fits(mantissa, scale) && scale > 0 && mantissa % 10 == 0 {
        (mantissa, scale) = (mantissa / 10, scale - 1);
    }
    match fits(mantissa, scale) {
        true => Decimal::try_from_i128_with_scale(mantissa, scale).ok(),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Decimal {
        Decimal::from_str_exact(text).expect(text)
    }

    #[test]
    fn a_sum_that_would_lose_a_digit_is_none() {
        let largest = "9999999999999999.999999999999";
        for (one, other, sum) in [
            ("1.10", "2.2", Some("3.30")),
            (largest, "0.000000000001", Some("10000000000000000")),
            (largest, "0.0000000000001", None),
            (largest, largest, None),
            ("5000000000000000000000000000", "5000000000000000000000000000", None),
            ("1000000000000000000000000000", "0.0000000000", Some("1000000000000000000000000000")),
            ("1000000000000000000000000000", "0.1", None),
            ("-1.5", "1.5", Some("0")),
        ] {
            let (one, other) = (number(one), number(other));
            assert_eq!(exact_add(one, other), sum.map(number), "{one} + {other}");
            assert_eq!(exact_add(other, one), sum.map(number), "{other} + {one}");
            assert_eq!(exact_sub(one, -other), sum.map(number), "{one} - -{other}");
        }
    }

    #[test]
    fn a_product_that_would_lose_a_digit_is_none() {
        for (one, other, product) in [
            ("999999999999999.99", "0.9876543211", Some("987654321099999.990123456789")),
            ("99999999999999.9999", "0.9876543211", Some("98765432109999.99990123456789")),
            ("999999999999999.9999", "0.9876543211", None),
            ("0.00000000000001", "0.0000000000001", Some("0.000000000000000000000000001")),
            ("0.00000000000001", "0.00000000000001", None),
            // 2^40 times 5^40 has 41 digits, of which 40 are zeros behind the point.
            ("0.1099511627776", "9.094947017729282379150390625", Some("1")),
            ("0", "1.5", Some("0")),
        ] {
            let (one, other) = (number(one), number(other));
            let found = exact_mul(one, other);
            assert_eq!(found, product.map(number), "{one} * {other}");
            assert_eq!(found, exact_mul(other, one), "{other} * {one}");
        }
    }
}
