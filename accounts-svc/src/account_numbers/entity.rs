//! The bank and its IBANs. Promise: a serial number gives one IBAN, always the same one, right by
//! the rules of ISO 13616 and of the bank's country.

use std::fmt;

use shared_events::Iban;

/// The number that an account number is made from: 1 to 99,999,999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SerialNumber(u32);

impl SerialNumber {
    /// The largest; eight digits leave two of an account number's ten for its check digits.
    const MAX: u32 = 99_999_999;

    /// `None` where the number is out of range.
    pub(crate) fn try_new(number: i64) -> Option<Self> {
        let number = u32::try_from(number).ok()?;
        (1..=Self::MAX).contains(&number).then_some(Self(number))
    }
}

/// The countries whose account numbers can be made here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Country {
    /// Bank code (4), prefix (6), account number (10) with check digits.
    Czechia,
    /// As in Czechia: the two payment systems have a common origin.
    Slovakia,
    /// Bank code (8), account number (10). Each bank chooses its check digits; this bank has none
    /// (method 09 of the Bundesbank).
    Germany,
}

impl Country {
    fn of(code: &str) -> Option<Self> {
        match code {
            "CZ" => Some(Self::Czechia),
            "SK" => Some(Self::Slovakia),
            "DE" => Some(Self::Germany),
            _ => None,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Czechia => "CZ",
            Self::Slovakia => "SK",
            Self::Germany => "DE",
        }
    }

    const fn bank_code_digits(self) -> usize {
        match self {
            Self::Czechia | Self::Slovakia => 4,
            Self::Germany => 8,
        }
    }
}

/// A country or a bank code that cannot be configured. The message names the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UnsupportedBank {
    #[error("bank.country is {found:?}, not one that is supported (CZ, SK, DE)")]
    Country { found: String },
    #[error("bank.code is {found:?}, not the {digits} digits that a bank code of {country} has")]
    Code { found: String, country: &'static str, digits: usize },
}

/// The bank: its country and national bank code, which stand in every IBAN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bank {
    country: Country,
    code: String,
}

impl Bank {
    /// The bank with this ISO 3166 country code and national bank code.
    pub(crate) fn try_new(country: &str, code: &str) -> Result<Self, UnsupportedBank> {
        let known = Country::of(country);
        let country =
            known.ok_or_else(|| UnsupportedBank::Country { found: country.to_owned() })?;
        let digits = country.bank_code_digits();
        if code.len() != digits || !code.bytes().all(|b| b.is_ascii_digit()) {
            let (found, country) = (code.to_owned(), country.code());
            return Err(UnsupportedBank::Code { found, country, digits });
        }
        Ok(Self { country, code: code.to_owned() })
    }

    /// The IBAN of the account with this serial number.
    pub(crate) fn iban(&self, serial: SerialNumber) -> Iban {
        let code = &self.code;
        let bban = match self.country {
            Country::Czechia | Country::Slovakia => {
                format!("{code}000000{}", with_check_digits(serial))
            }
            Country::Germany => format!("{code}{:010}", serial.0),
        };
        Iban::try_from_bban(self.country.code(), &bban)
            .expect("bank code and serial number have the digits that the country's BBAN has")
    }
}

impl fmt::Display for Bank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.country.code(), self.code)
    }
}

/// The weight of each of the ten digits. The weighted sum must be divisible by 11: Decree 169/2011
/// Coll. of the Czech National Bank, on the rules for forming account numbers.
const WEIGHTS: [u32; 10] = [6, 3, 7, 9, 10, 5, 8, 4, 2, 1];

/// The serial number, then two check digits. The last digit alone (weight 1) can add 0 to 9; where
/// 10 is missing, a 1 before the last digit (weight 2) leaves 8.
fn with_check_digits(serial: SerialNumber) -> String {
    let digits = format!("{:08}", serial.0);
    let sum = weighted_sum(&digits);
    match (11 - sum % 11) % 11 {
        10 => format!("{digits}18"),
        missing => format!("{digits}0{missing}"),
    }
}

fn weighted_sum(digits: &str) -> u32 {
    digits.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn iban(country: &str, code: &str, serial: i64) -> String {
        let bank = Bank::try_new(country, code).expect("a bank");
        bank.iban(SerialNumber::try_new(serial).expect("a serial number")).to_string()
    }

    #[test]
    fn each_country_has_its_structure() {
        assert_eq!(iban("CZ", "0880", 10_000_001), "CZ4208800000001000000101");
        assert_eq!(iban("SK", "0200", 10_000_001), "SK6502000000001000000101");
        assert_eq!(iban("DE", "10010010", 10_000_001), "DE21100100100010000001");
    }

    #[test]
    fn the_rule_is_that_of_the_decree() {
        // 19-2000145399/0800, the example in the IBAN registry's entry for Czechia.
        assert_eq!(weighted_sum("2000145399") % 11, 0);
        assert_ne!(weighted_sum("2000145398") % 11, 0);
    }

    #[test]
    fn serial_numbers_have_at_most_eight_digits() {
        for number in [i64::MIN, -1, 0, 100_000_000, i64::MAX] {
            assert_eq!(SerialNumber::try_new(number), None, "{number}");
        }
    }

    proptest! {
        #[test]
        fn every_iban_is_valid_and_no_two_are_the_same(
            serial in 1..=i64::from(SerialNumber::MAX), other in 1..=i64::from(SerialNumber::MAX),
        ) {
            for (country, code) in [("CZ", "0880"), ("SK", "9999"), ("DE", "10010010")] {
                let made = iban(country, code, serial);
                prop_assert!(Iban::try_new(&made).is_ok(), "{made}");
                prop_assert_eq!(serial == other, made == iban(country, code, other));
                if country != "DE" {
                    let number = &made[14..];
                    prop_assert_eq!(weighted_sum(number) % 11, 0);
                    prop_assert!(number.bytes().filter(|b| *b != b'0').count() >= 2);
                }
            }
        }
    }
}
