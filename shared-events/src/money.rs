//! Money. Promise: an amount is a decimal from end to end, never a float; "1.1" and "1.10" are the
//! same amount and the same JSON; no number loses a digit.
//!
//! The bounds, for a proof that all sums fit:
//! - A transferred amount is at most [`Currency::amount_max`]: 10^15 units, and 18 digits with all
//!   digits of its currency, as in ISO 20022. The exact result of an exchange, and every figure of
//!   an account (balance, available, pending) has at most [`exact::DIGITS_MAX`] digits.
//! - A customer's balance and pending amounts stay below [`Currency::balance_end`].
//! - Sums of all postings, and sums over accounts, are a [`Total`].

pub mod exact;
mod total;

use std::{borrow::Cow, fmt, str::FromStr};

use rust_decimal::Decimal;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use total::Total;

/// The largest amount of one transfer or limit, in units of the currency. A currency with many
/// digits has a smaller one: [`Currency::amount_max`].
pub const AMOUNT_MAX: Decimal = Decimal::from_parts(0xA4C6_8000, 0x0003_8D7E, 0, false, 0);

/// The maximal number of digits of money, as in ISO 20022 (`totalDigits` of an amount).
pub const MONEY_DIGITS_MAX: u32 = 18;

/// The maximal number of characters of a written amount: 28 digits, sign and point.
const AMOUNT_CHARS_MAX: usize = 30;

/// The maximal number of characters of an amount that is read: an old version of the ledger has
/// written balances of 29 digits (a mantissa of 96 bits) into journals, which nobody can change.
const READ_CHARS_MAX: usize = 31;

/// The broken rule of an amount or a currency.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidMoney {
    /// The text is not a plain decimal number.
    #[error("not a decimal number such as 12.50")]
    NotDecimal,
    /// The number has more digits than any amount of money.
    #[error("a number of more than 28 digits")]
    TooLong,
    /// ISO 4217 does not list the currency.
    #[error("not an ISO 4217 currency code such as EUR")]
    UnknownCurrency,
}

/// A decimal number of units of a currency. In JSON a string: `"12.50"`.
///
/// Any decimal is read. Whether an amount is positive and fits the digits of its currency is a
/// business rule, with a reason code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub Decimal);

impl Amount {
    /// Zero.
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
        if !is_plain_decimal(text) {
            return Err(InvalidMoney::NotDecimal);
        }
        if text.len() > READ_CHARS_MAX {
            return Err(InvalidMoney::TooLong);
        }
        Decimal::from_str_exact(text).map(Self).map_err(|_| InvalidMoney::TooLong)
    }
}

/// Whether a text is digits with at most one point between them, and an optional sign.
fn is_plain_decimal(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let is_number =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    is_number(whole) && is_number(part)
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
            "description": "A decimal number of units, as a string: `12.50`. Never a float. At \
                most 28 digits.",
            "type": "string",
            "pattern": r"^-?[0-9]+(\.[0-9]+)?$",
            "maxLength": AMOUNT_CHARS_MAX,
            "not": { "pattern": r"([0-9]\.?){29}" }
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

    /// The number of digits after the point, by ISO 4217: 2 for EUR, 0 for JPY.
    #[must_use]
    pub fn digits(self) -> u32 {
        self.0.exponent().map_or(0, u32::from)
    }

    /// The bound of a customer's balance, exclusive: with the digits of the currency, a balance has
    /// 18 digits.
    #[must_use]
    pub fn balance_end(self) -> Decimal {
        let whole = MONEY_DIGITS_MAX.saturating_sub(self.digits());
        Decimal::from(10_i64.pow(whole.min(MONEY_DIGITS_MAX)))
    }

    /// The largest amount of a transfer or a limit in this currency.
    #[must_use]
    pub fn amount_max(self) -> Decimal {
        let last = Decimal::new(1, self.digits());
        exact::exact_sub(self.balance_end(), last).map_or(AMOUNT_MAX, |most| most.min(AMOUNT_MAX))
    }
}

/// The reason why no account can hold a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotHoldable {
    /// ISO 4217 gives the currency no minor unit, or the currency is a unit of account of
    /// institutions.
    #[error("{0} is no money that an account can hold")]
    NoMoney(Currency),
    /// Another currency has replaced this one.
    #[error("{0} is withdrawn; its successor is {1}")]
    Withdrawn(Currency, Currency),
}

impl Currency {
    /// Whether an account can hold the currency. No account holds precious metals, drawing rights,
    /// units of account, the codes for testing and for no currency, or withdrawn currencies. Funds
    /// codes (`CLF`, `CHW`) have a minor unit, and banks keep accounts in them.
    ///
    /// Old messages and books contain other currencies, too; every currency is still read.
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
    /// The amount, in units of the currency.
    #[schemars(with = "Amount")]
    pub amount: Amount,
    /// The currency.
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

    /// Whether a transfer of this amount is possible, in either direction.
    #[must_use]
    pub fn is_within_bounds(self) -> bool {
        self.amount.0.abs() <= self.currency.amount_max()
    }

    /// The amount with exactly the digits of the currency; unchanged if the amount has more.
    fn canonical(self) -> Decimal {
        let amount = self.amount.0.normalize();
        let mut padded = amount;
        if self.fits_currency() {
            padded.rescale(self.currency.digits());
        }
        // Zeros behind the point for which there is no place are left out: digits never are.
        if exact::is_within_digits(padded) { padded } else { amount }
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
    fn the_largest_amounts_have_18_digits_with_those_of_their_currency() {
        assert_eq!(AMOUNT_MAX.to_string(), "1000000000000000");
        for (currency, most, end) in [
            ("EUR", "1000000000000000", "10000000000000000"),
            ("JPY", "1000000000000000", "1000000000000000000"),
            ("KWD", "999999999999999.999", "1000000000000000"),
            ("CLF", "99999999999999.9999", "100000000000000"),
        ] {
            let currency: Currency = currency.parse().expect("a currency");
            assert_eq!(currency.amount_max().to_string(), most);
            assert_eq!(currency.balance_end().to_string(), end);
        }
    }

    #[test]
    fn what_an_old_version_wrote_is_read_to_the_last_digit() {
        for text in ["10864197532099999.891358024679", "-79228162514264337593543950335"] {
            let amount: Amount = text.parse().expect(text);
            assert_eq!(amount.to_string(), text);
        }
        for text in ["79228162514264337593543950336", "99999999999999999.999999999999"] {
            assert_eq!(text.parse::<Amount>(), Err(InvalidMoney::TooLong), "{text}");
        }
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
