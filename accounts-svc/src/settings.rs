//! The service's configuration. Promise: a bank whose IBANs this service cannot make stops the
//! start, and the message names the key.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, de};

use crate::account_numbers::Bank;

/// The service's own part of the configuration.
#[derive(Debug, Deserialize)]
pub struct Settings {
    #[serde(default = "default_bank", deserialize_with = "bank")]
    pub(crate) bank: Bank,
    /// The file of principals, whose clients get their first grants from it.
    #[serde(default)]
    pub(crate) principals: Option<PathBuf>,
    #[serde(default)]
    pub(crate) erasure: Erasure,
}

/// `erasure.days_after_closing`; in the environment `BANKWIRE_ERASURE__DAYS_AFTER_CLOSING`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Erasure {
    /// The days for which the bank keeps the data of a closed account. What notifications and
    /// answers in the inbox have of it is gone by then.
    pub(crate) days_after_closing: u16,
}

impl Default for Erasure {
    /// Longer than notifications are kept by default.
    fn default() -> Self {
        Self { days_after_closing: 100 }
    }
}

/// `bank.country` and `bank.code`; in the environment `BANKWIRE_BANK__COUNTRY` and so on.
#[derive(Debug, Deserialize)]
#[serde(default)]
struct BankSettings {
    country: String,
    code: String,
}

impl Default for BankSettings {
    fn default() -> Self {
        Self { country: "CZ".to_owned(), code: "0880".to_owned() }
    }
}

fn default_bank() -> Bank {
    let BankSettings { country, code } = BankSettings::default();
    Bank::try_new(&country, &code).expect("the default is a Czech bank code")
}

fn bank<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bank, D::Error> {
    let BankSettings { country, code } = BankSettings::deserialize(deserializer)?;
    Bank::try_new(&country, &code).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(given: &str, then: &str) {
        let settings = serde_json::from_str::<Settings>(given);
        let shown =
            settings.map_or_else(|error| error.to_string(), |settings| settings.bank.to_string());
        assert!(shown.starts_with(then), "{given}: {shown}");
    }

    #[test]
    fn a_bank_is_checked_where_it_is_configured() {
        check("{}", "CZ 0880");
        check(r#"{"bank":{"code":"0100"}}"#, "CZ 0100");
        check(r#"{"bank":{"country":"SK","code":"0200"}}"#, "SK 0200");
        check(r#"{"bank":{"country":"DE","code":"10010010"}}"#, "DE 10010010");
        check(r#"{"bank":{"country":"XX"}}"#, r#"bank.country is "XX", not one that is supported"#);
        check(
            r#"{"bank":{"code":"880"}}"#,
            r#"bank.code is "880", not the 4 digits that a bank code of CZ has"#,
        );
    }
}
