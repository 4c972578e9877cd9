//! Money. Promise: an amount is a decimal from end to end, never a float; "1.1" and "1.10" are the
//! same amount and read the same on the wire.

use std::{borrow::Cow, fmt, str::FromStr};

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The largest amount of one transfer or limit, in units of the currency. Sums of a billion such
/// amounts still fit 96 bits with four digits after the point.
pub const AMOUNT_MAX: Decimal = Decimal::from_parts(0xA4C6_8000, 0x0003_8D7E, 0, false, 0);

/// The most characters an amount may have on the wire: 28 digits, sign and point.
const AMOUNT_CHARS_MAX: usize = 30;

/// What is wrong with an amount or a currency, named by the rule that it breaks.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidMoney {
    /// Not a plain decimal number.
    #[error("not a decimal number such as 12.50")]
    NotDecimal,
    /// Not a currency that ISO 4217 lists.
    #[error("not an ISO 4217 currency code such as EUR")]
    UnknownCurrency,
}

/// A decimal number of units of a currency. On the wire a string: `"12.50"`.
///
/// It may be any decimal: whether it is positive, and has no more digits than its currency, is a
/// question of business, answered with a reason code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub Decimal);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// The number itself.
    #[must_use]
    pub const fn decimal(self) -> Decimal {
        self.0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.normalize().fmt(f)
    }
}

impl FromStr for Amount {
    type Err = InvalidMoney;

    fn from_str(text: &str) -> Result<Self, InvalidMoney> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.ends_with(|c: char| c.is_ascii_digit());
        if !plain || text.len() > AMOUNT_CHARS_MAX {
            return Err(InvalidMoney::NotDecimal);
        }
        Decimal::from_str_exact(text).map(Self).map_err(|_| InvalidMoney::NotDecimal)
    }
}

impl From<Decimal> for Amount {
    fn from(number: Decimal) -> Self {
        Self(number)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Amount {
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A decimal number of units, as a string: `12.50`. Never a float.",
            "type": "string",
            "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
            "maxLength": AMOUNT_CHARS_MAX
        })
    }
}

/// A currency of ISO 4217.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

impl Currency {
    /// The three letters, such as `EUR`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// How many digits ISO 4217 gives the currency after the point: 2 for EUR, 0 for JPY.
    #[must_use]
    pub fn digits(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }
}

/// Why nobody can hold a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHoldable {
    /// ISO 4217 gives it no minor unit, or it is a unit of account of institutions.
    #[error("{0} is no money that an account can hold")]
    NoMoney(Currency),
    /// Another has taken its place.
    #[error("{0} is withdrawn; its successor is {1}")]
    Withdrawn(Currency, Currency),
}

impl Currency {
    /// Whether an account can hold it. Precious metals, drawing rights, units of account and the
    /// codes for testing and for no currency are no money; nor is what was withdrawn. Funds codes
    /// (`CLF`, `CHW`) have a minor unit, and banks keep accounts in them.
    ///
    /// A currency that nobody can hold is still read: messages and books of before have it.
    pub fn holdable(self) -> Result<Self, NotHoldable> {
        if self.0.is_special() || self.0.exponent().is_none() {
            return Err(NotHoldable::NoMoney(self));
        }
        match self.0.is_superseded() {
            // The data calls it superseded by VED; ISO 4217 lists both, and people use this one.
            Some(_) if self.code() == "VES" => Ok(self),
            Some(successor) => Err(NotHoldable::Withdrawn(self, Self(successor))),
            None => Ok(self),
        }
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.code().cmp(other.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = InvalidMoney;

    fn from_str(text: &str) -> Result<Self, InvalidMoney> {
        let found = iso_currency::Currency::from_code(text);
        found.map(Self).ok_or(InvalidMoney::UnknownCurrency)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The code of a currency in ISO 4217: `EUR`.",
            "type": "string",
            "pattern": "^[A-Z]{3}$"
        })
    }
}

/// An amount of a currency: `{"amount":"12.50","currency":"EUR"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
pub struct Money {
    /// How much, in units of the currency.
    #[schemars(with = "Amount")]
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
}

impl Money {
    /// `amount` units of `currency`.
    #[must_use]
    pub const fn new(amount: Decimal, currency: Currency) -> Self {
        Self { amount: Amount(amount), currency }
    }

    /// Whether the amount has no more digits after the point than ISO 4217 gives its currency.
    #[must_use]
    pub fn fits_currency(self) -> bool {
        self.amount.0.normalize().scale() <= self.currency.digits()
    }

    /// The amount with exactly the currency's digits; unchanged where it has more.
    fn canonical(self) -> Decimal {
        let mut amount = self.amount.0.normalize();
        if self.fits_currency() {
            amount.rescale(self.currency.digits());
        }
        amount
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.canonical(), self.currency)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire {
            #[serde(with = "rust_decimal::serde::str")]
            amount: Decimal,
            currency: Currency,
        }
        Wire { amount: self.canonical(), currency: self.currency }.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<Money, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn amounts_are_strings_with_the_digits_of_their_currency() {
        for (given, wire) in [
            (r#"{"amount":"12.5","currency":"EUR"}"#, r#"{"amount":"12.50","currency":"EUR"}"#),
            (r#"{"amount":"12.500","currency":"EUR"}"#, r#"{"amount":"12.50","currency":"EUR"}"#),
            (r#"{"amount":"7","currency":"JPY"}"#, r#"{"amount":"7","currency":"JPY"}"#),
            (r#"{"amount":"0.001","currency":"EUR"}"#, r#"{"amount":"0.001","currency":"EUR"}"#),
            (r#"{"amount":"-1.2","currency":"KWD"}"#, r#"{"amount":"-1.200","currency":"KWD"}"#),
        ] {
            let money = read(given).expect(given);
            assert_eq!(serde_json::to_string(&money).expect("Money is JSON"), wire);
        }
    }

    #[test]
    fn floats_and_rubbish_are_refused_with_the_rule() {
        for (given, rule) in [
            (r#"{"amount":12.5,"currency":"EUR"}"#, "expected a string"),
            (r#"{"amount":"1e5","currency":"EUR"}"#, "not a decimal number"),
            (r#"{"amount":"","currency":"EUR"}"#, "not a decimal number"),
            (r#"{"amount":"1.","currency":"EUR"}"#, "not a decimal number"),
            (r#"{"amount":"1..2","currency":"EUR"}"#, "not a decimal number"),
            (r#"{"amount":"1","currency":"eur"}"#, "not an ISO 4217 currency"),
            (r#"{"amount":"1","currency":"QQQ"}"#, "not an ISO 4217 currency"),
        ] {
            let error = read(given).expect_err(given);
            assert!(error.contains(rule), "{given}: {error}");
        }
    }

    #[test]
    fn the_largest_amount_is_a_million_billions() {
        assert_eq!(AMOUNT_MAX.to_string(), "1000000000000000");
    }

    #[test]
    fn every_code_of_iso_4217_can_be_held_or_says_why_not() {
        let letters = || (b'A'..=b'Z').map(char::from);
        let codes = letters().flat_map(|a| {
            letters().flat_map(move |b| letters().map(move |c| String::from_iter([a, b, c])))
        });
        let listed: Vec<Currency> = codes.filter_map(|code| code.parse().ok()).collect();
        assert_eq!(listed.len(), 183);
        let refused = listed.iter().filter_map(|currency| currency.holdable().err());
        let (mut withdrawn, mut no_money) = (vec![], vec![]);
        for reason in refused {
            match reason {
                NotHoldable::NoMoney(currency) => no_money.push(currency.code()),
                NotHoldable::Withdrawn(currency, successor) => {
                    withdrawn.push(format!("{currency}>{successor}"));
                }
            }
        }
        assert_eq!(withdrawn.join(" "), "BGN>EUR CUC>CUP HRK>EUR SLL>SLE ZWL>ZWG");
        let expected = "XAD XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX";
        assert_eq!(no_money.join(" "), expected);
        let digits = |code: &str| code.parse::<Currency>().map(Currency::digits);
        for (code, then) in [("EUR", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("VES", 2)] {
            assert_eq!(digits(code), Ok(then));
        }
    }
}
