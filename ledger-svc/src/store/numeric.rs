//! Totals in columns of type `numeric`, in the binary form of PostgreSQL's protocol. Promise: a
//! total is stored and read with every digit, without a detour over text: the driver's decimals
//! have too few digits, and each batch writes six totals of every account that it moves.
//!
//! The form (`numeric_send` in PostgreSQL's sources): the number of digits to the base of 10,000,
//! the power of the first of them, the sign, the decimal digits to show after the point, the digits.

use shared_events::money::Total;
use sqlx::{
    Decode, Encode, Postgres, Type,
    encode::IsNull,
    error::BoxDynError,
    postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueFormat, PgValueRef},
};

const BASE: u64 = 10_000;
const POSITIVE: u16 = 0x0000;
const NEGATIVE: u16 = 0x4000;
/// A total has 14 decimal digits after the point, and four digits to the base hold 16.
const FRACTION_DIGITS: usize = 4;
const FRACTION_PADDING: u64 = 100;
/// A total has at most 23 decimal digits before the point.
const WHOLE_DIGITS: usize = 6;
const HEADER_BYTES: usize = 8;

/// A total as it stands in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Numeric(pub(crate) Total);

/// Bytes that are no total.
#[derive(Debug, thiserror::Error)]
#[error("a numeric that no total is stored as")]
struct NoTotal;

impl Type<Postgres> for Numeric {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("numeric")
    }
}

impl PgHasArrayType for Numeric {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("_numeric")
    }
}

impl Encode<'_, Postgres> for Numeric {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        write(self.0, buffer);
        Ok(IsNull::No)
    }
}

impl Decode<'_, Postgres> for Numeric {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        match value.format() {
            PgValueFormat::Binary => Ok(Self(read(value.as_bytes()?).ok_or(NoTotal)?)),
            PgValueFormat::Text => Ok(Self(value.as_str()?.parse()?)),
        }
    }
}

fn write(total: Total, bytes: &mut Vec<u8>) {
    let (negative, mut whole, fraction) = total.parts();
    // From the last digit to the first: four after the point, then those before.
    let mut digits = [0_u16; FRACTION_DIGITS + WHOLE_DIGITS];
    let (after, before) = digits.split_at_mut(FRACTION_DIGITS);
    let mut rest = fraction * FRACTION_PADDING;
    for digit in after {
        *digit = digit_of(rest % BASE);
        rest /= BASE;
    }
    for digit in before {
        // Nearly all fit 64 bits, in which a division costs a tenth.
        (*digit, whole) = match u64::try_from(whole) {
            Ok(0) => break,
            Ok(small) => (digit_of(small % BASE), u128::from(small / BASE)),
            Err(_) => {
                let base = u128::from(BASE);
                (u16::try_from(whole % base).unwrap_or_default(), whole / base)
            }
        };
    }
    let first = digits.iter().rposition(|digit| *digit != 0);
    let last = digits.iter().position(|digit| *digit != 0);
    let (Some(first), Some(last)) = (first, last) else {
        return bytes.extend([0; HEADER_BYTES]);
    };
    let shown = &digits[last..=first];
    let weight = i16::try_from(first).unwrap_or_default() - FRACTION_DIGITS as i16;
    let sign = if negative { NEGATIVE } else { POSITIVE };
    bytes.extend(u16::try_from(shown.len()).unwrap_or_default().to_be_bytes());
    bytes.extend(weight.to_be_bytes());
    bytes.extend(sign.to_be_bytes());
    bytes.extend(decimals(fraction).to_be_bytes());
    shown.iter().rev().for_each(|digit| bytes.extend(digit.to_be_bytes()));
}

fn digit_of(digit: u64) -> u16 {
    u16::try_from(digit).unwrap_or_default()
}

/// How many of the 14 decimal digits after the point are needed.
fn decimals(mut fraction: u64) -> u16 {
    if fraction == 0 {
        return 0;
    }
    let mut decimals = 14;
    while fraction.is_multiple_of(10) {
        (fraction, decimals) = (fraction / 10, decimals - 1);
    }
    decimals
}

fn read(bytes: &[u8]) -> Option<Total> {
    let (header, digits) = bytes.split_at_checked(HEADER_BYTES)?;
    let word = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
    let weight = i16::from_be_bytes([header[2], header[3]]);
    let negative = match word(4) {
        POSITIVE => false,
        NEGATIVE => true,
        _ => return None,
    };
    if digits.len() != usize::from(word(0)) * 2 {
        return None;
    }
    let (mut whole, mut fraction) = (0_u128, 0_u64);
    let mut power = i32::from(weight);
    for digit in digits.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])) {
        match power {
            0.. => whole = whole.checked_mul(u128::from(BASE))?.checked_add(u128::from(digit))?,
            -4..=-1 => {
                let place = u32::try_from(power + 4).ok()?;
                fraction += u64::from(digit) * BASE.pow(place);
            }
            _ if digit == 0 => {}
            _ => return None,
        }
        power -= 1;
    }
    // Zeros at the end are not stored.
    if power >= 0 {
        let zeros = u32::try_from(power + 1).ok()?;
        whole = whole.checked_mul(u128::from(BASE).checked_pow(zeros)?)?;
    }
    match fraction.is_multiple_of(FRACTION_PADDING) {
        true => Total::from_parts(negative, whole, fraction / FRACTION_PADDING),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn total(text: &str) -> Total {
        text.parse().expect(text)
    }

    fn words(total: Total) -> Vec<u16> {
        let mut bytes = Vec::new();
        write(total, &mut bytes);
        bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
    }

    #[test]
    fn totals_have_the_bytes_that_postgresql_sends() {
        let below_zero = |power: i16| u16::from_be_bytes(power.to_be_bytes());
        for (text, expected) in [
            ("0", vec![0, 0, POSITIVE, 0]),
            ("12.5", vec![2, 0, POSITIVE, 1, 12, 5_000]),
            ("-12.5", vec![2, 0, NEGATIVE, 1, 12, 5_000]),
            ("10000", vec![1, 1, POSITIVE, 0, 1]),
            ("100000000.01", vec![4, 2, POSITIVE, 2, 1, 0, 0, 100]),
            ("0.00000000000001", vec![1, below_zero(-4), POSITIVE, 14, 100]),
            (
                "99999999999999999999999.9",
                vec![7, 5, POSITIVE, 1, 999, 9999, 9999, 9999, 9999, 9999, 9000],
            ),
        ] {
            assert_eq!(words(total(text)), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_total_is_refused() {
        let bytes =
            |words: &[u16]| words.iter().flat_map(|it| it.to_be_bytes()).collect::<Vec<_>>();
        let fifteen_decimals = [1, u16::from_be_bytes((-4_i16).to_be_bytes()), 0, 15, 10];
        for words in [
            &[0, 0, 0xC000, 0][..],  // NaN
            &[1, 0, POSITIVE, 0],    // a digit is missing
            &[1, 6, POSITIVE, 0, 1], // 10^24
            &fifteen_decimals,
        ] {
            assert_eq!(read(&bytes(words)), None, "{words:?}");
        }
        assert_eq!(read(&[]), None);
    }

    proptest! {
        #[test]
        fn every_total_is_read_as_it_was_written(units in any::<i128>(), shift in 0_u32..128) {
            let units = units >> shift;
            let end = 10_u128.pow(14);
            let (whole, fraction) = (units.unsigned_abs() / end, units.unsigned_abs() % end);
            let fraction = u64::try_from(fraction).expect("14 digits");
            if let Some(total) = Total::from_parts(units < 0, whole, fraction) {
                let mut bytes = Vec::new();
                write(total, &mut bytes);
                prop_assert_eq!(read(&bytes), Some(total));
            }
        }
    }
}
