//! What people call an account.

use std::fmt;

use shared_events::{AccountId, Iban, accounts::AccountKey, ledger::AccountCode};

use super::{InvalidInput, external_reference};

const REFERENCE: &str = "ref:";
const CODE: &str = "code:";
/// No country's IBAN is shorter: what looks like one and is this long is meant as one.
const IBAN_CHARS_MIN: usize = 15;

/// What a person calls one side of a transfer.
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
            Self::Account(AccountKey::ExternalReference(it)) => write!(f, "{REFERENCE}{it}"),
            Self::Code(code) => write!(f, "{CODE}{code}"),
        }
    }
}

/// An account's name: its id, its IBAN, or else its external reference. `ref:...` is always an
/// external reference.
pub fn account(field: &str, text: &str) -> Result<AccountKey, InvalidInput> {
    let wrong = |rule: String| InvalidInput::new(field, rule);
    if let Some(reference) = text.strip_prefix(REFERENCE) {
        let checked = external_reference(reference).map_err(|it| wrong(it.rule))?;
        return Ok(AccountKey::ExternalReference(checked));
    }
    if let Ok(id) = text.parse::<AccountId>() {
        return Ok(AccountKey::AccountId(id));
    }
    match Iban::try_new(text) {
        Ok(iban) => Ok(AccountKey::Iban(iban)),
        Err(error) if looks_like_iban(text) => Err(wrong(error.to_string())),
        Err(_) => {
            let checked = external_reference(text).map_err(|it| wrong(it.rule))?;
            Ok(AccountKey::ExternalReference(checked))
        }
    }
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

/// Two letters, two digits and much more: a mistyped IBAN must not become a reference.
fn looks_like_iban(text: &str) -> bool {
    let text: Vec<u8> = text.bytes().filter(|byte| *byte != b' ').collect();
    text.len() >= IBAN_CHARS_MIN
        && text[..2].iter().all(u8::is_ascii_alphabetic)
        && text[2..4].iter().all(u8::is_ascii_digit)
        && text.iter().all(u8::is_ascii_alphanumeric)
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
