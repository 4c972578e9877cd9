//! Names of accounts: id, IBAN, external reference, code.

use std::fmt;

use shared_events::{AccountId, Iban, accounts::AccountKey, ledger::AccountCode};

use super::{InvalidInput, external_reference, space::without_spaces};

const REFERENCE: &str = "ref:";
const CODE: &str = "code:";
/// The shortest IBAN of any country. A shorter text that resembles an IBAN is an external
/// reference.
const IBAN_CHARS_MIN: usize = 15;

/// The name of a debtor or creditor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartyName {
    /// A customer's account.
    Account(AccountKey),
    /// One of the bank's own accounts.
    Code(AccountCode),
}

impl fmt::Display for PartyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(AccountKey::AccountId(id)) => id.fmt(f),
            Self::Account(AccountKey::Iban(iban)) => iban.fmt(f),
            Self::Account(AccountKey::ExternalReference(reference)) => {
                write!(f, "{REFERENCE}{reference}")
            }
            Self::Code(code) => write!(f, "{CODE}{code}"),
        }
    }
}

/// An account's name: its id, its IBAN, or else its external reference. `ref:...` is always an
/// external reference.
pub fn account(field: &str, text: &str) -> Result<AccountKey, InvalidInput> {
    let wrong = |rule: String| InvalidInput::new(field, rule);
    if let Some(reference) = text.strip_prefix(REFERENCE) {
        let checked = external_reference(reference).map_err(|error| wrong(error.rule))?;
        return Ok(AccountKey::ExternalReference(checked));
    }
    if let Ok(id) = text.parse::<AccountId>() {
        return Ok(AccountKey::AccountId(id));
    }
    if let Some(meant) = meant_as_iban(text) {
        let iban = Iban::try_new(&meant).map_err(|_| wrong(why_not(&meant)))?;
        return Ok(AccountKey::Iban(iban));
    }
    let checked = external_reference(text).map_err(|error| wrong(error.rule))?;
    Ok(AccountKey::ExternalReference(checked))
}

/// One side of a transfer: an account's name, or `code:...` for one of the bank's own.
pub fn party(field: &str, text: &str) -> Result<PartyName, InvalidInput> {
    let Some(code) = text.strip_prefix(CODE) else {
        return account(field, text).map(PartyName::Account);
    };
    let code = AccountCode(code.to_owned());
    if !code.is_known() {
        let plain = AccountCode::PLAIN.join(", ");
        let rule = format!("the bank's own accounts are {plain} and settlement:<BANK>");
        return Err(InvalidInput::new(field, rule));
    }
    Ok(PartyName::Code(code))
}

/// Separators besides spaces that people write between the groups of an IBAN.
const HYPHENS: [char; 6] = ['-', '\u{2010}', '\u{2011}', '\u{2012}', '\u{2013}', '\u{2212}'];

/// The IBAN that a text is meant as, right or wrong, without all that people put into one: spaces
/// of every kind, hyphens between groups, "IBAN" in front, small letters. Two letters, two digits
/// and much more are meant so: a mistyped IBAN must not become a reference.
fn meant_as_iban(text: &str) -> Option<String> {
    let spaceless = without_spaces(text).to_uppercase();
    let bare = spaceless.strip_prefix("IBAN").unwrap_or(&spaceless);
    let bare = bare.trim_start_matches(':');
    let groups: Vec<&str> = bare.split(HYPHENS).collect();
    let (last, before) = groups.split_last()?;
    // Other names with hyphens are references.
    let in_groups = before.iter().all(|group| group.len() == 4) && last.len() <= 4;
    let joined = groups.concat();
    let letters = joined.as_bytes();
    let is_meant = letters.len() >= IBAN_CHARS_MIN
        && letters[..2].iter().all(u8::is_ascii_uppercase)
        && letters[2..4].iter().all(u8::is_ascii_digit)
        && letters.iter().all(u8::is_ascii_alphanumeric)
        && (before.is_empty() || in_groups || Iban::try_new(&joined).is_ok());
    is_meant.then_some(joined)
}

/// The rule that a wrong IBAN breaks.
fn why_not(iban: &str) -> String {
    let (country, bban) = (&iban[..2], &iban[4..]);
    let in_digits = |c| match c {
        'O' => '0',
        'I' => '1',
        other => other,
    };
    // With the check digits that belong to it, everything else is right or wrong by itself.
    match Iban::try_from_bban(country, bban) {
        Ok(_) => "not an IBAN: its check digits are wrong, so some character of it is".to_owned(),
        Err(error) => {
            let of_digits: String = bban.chars().map(in_digits).collect();
            match Iban::try_from_bban(country, &of_digits) {
                Ok(_) => "not an IBAN: it has a letter O or I where a digit belongs".to_owned(),
                Err(_) => error.to_string(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match party("debtor", text) {
            Ok(name) => name.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_name_is_an_id_an_iban_a_code_or_a_reference() {
        for (text, what) in [
            ("01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8057"),
            ("CZ65 0800 0000 1920 0014 5399", "CZ6508000000192000145399"),
            ("code:cash", "code:cash"),
            ("code:settlement:AB", "code:settlement:AB"),
            ("ref:576", "ref:576"),
            ("576", "ref:576"),
            ("ref:CZ6608000000192000145399", "ref:CZ6608000000192000145399"),
        ] {
            assert_eq!(read(text), what);
        }
    }

    #[test]
    fn an_iban_is_read_however_people_write_it() {
        for text in [
            "cz6308800000001000000208",
            "CZ63 0880 0000 0010 0000 0208",
            "CZ63\u{a0}0880\u{a0}0000\u{a0}0010\u{a0}0000\u{a0}0208",
            "CZ63\u{2009}0880\u{2009}0000\u{2009}0010\u{2009}0000\u{2009}0208",
            "IBAN CZ63 0880 0000 0010 0000 0208",
            "iban: CZ63 0880 0000 0010 0000 0208",
            "CZ63-0880-0000-0010-0000-0208",
            "CZ63\u{2011}0880\u{2011}0000\u{2011}0010\u{2011}0000\u{2011}0208",
            "CZ-6308800000001000000208",
            "\u{200e}CZ6308800000001000000208",
            "\u{feff}CZ6308800000001000000208\u{200b}",
        ] {
            assert_eq!(read(text), "CZ6308800000001000000208", "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_iban_is_said() {
        for (text, rule) in [
            (
                "CZ63 0880 0000 0010 0000 0209",
                "debtor: not an IBAN: its check digits are wrong, so some character of it is",
            ),
            (
                "CZ630880000000100000020O",
                "debtor: not an IBAN: it has a letter O or I where a digit belongs",
            ),
            ("CZ6308800000001000000", "debtor: not an IBAN: the IBAN doesn't have a correct BBAN"),
        ] {
            assert_eq!(read(text), rule);
        }
        // A text that resembles an IBAN only a little is a reference.
        for reference in
            ["AB12-CUSTOMER-000123", "IBAN", "iban-holder", "ab-12", "Č".repeat(20).as_str()]
        {
            assert_eq!(read(reference), format!("ref:{reference}"));
        }
    }

    #[test]
    fn a_wrong_name_is_named_with_its_rule() {
        let rule = "debtor: the bank's own accounts are cash, cards, fees, interest_paid, \
                    interest_received, penalty_interest, fx_position, fx_rounding and \
                    settlement:<BANK>";
        assert_eq!(read("code:gold"), rule);
        assert!(read("CZ6608000000192000145399").starts_with("debtor: not an IBAN"));
        assert_eq!(read(""), "debtor: must have 1 to 64 characters");
        assert_eq!(read("ref:"), "debtor: must have 1 to 64 characters");
    }
}
