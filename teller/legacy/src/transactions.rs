//! Transactions: trans.asc. Two tables give the codes of a row their meaning: the internal account
//! on the other side, and the direction of the money.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::{
    Amount,
    ledger::{AccountCode, Direction},
};
use teller_client::input::{self, InvalidInput};

use super::{
    customers::{number, unique, unknown_code},
    lines::{BadRow, Line, split},
};

pub(super) const TRANS_FILE: &str = "trans.asc";
const COLUMNS: [&str; 10] = [
    "trans_id",
    "account_id",
    "date",
    "type",
    "operation",
    "amount",
    "balance",
    "k_symbol",
    "bank",
    "account",
];
/// The one currency of the export.
pub(super) const CURRENCY: &str = "CZK";

/// A booked transaction of the legacy bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyRow {
    /// Its line in trans.asc.
    pub line: usize,
    /// Its number there.
    pub trans_id: u64,
    /// The number of the account.
    pub account: u64,
    /// The day it was booked on.
    pub date: NaiveDate,
    /// The side of the customer's account.
    pub direction: Direction,
    /// The bank's own account on the other side.
    pub against: AccountCode,
    /// How much, more than zero.
    pub amount: Decimal,
    /// The balance that the bank printed after it.
    pub printed: Decimal,
    /// The remittance information, in the legacy bank's words.
    pub reference: String,
}

impl LegacyRow {
    /// How the row changes the account's balance.
    #[must_use]
    pub fn change(&self) -> Decimal {
        match self.direction {
            Direction::Credit => self.amount,
            Direction::Debit => -self.amount,
        }
    }
}

/// Reads trans.asc. Also returns how many rows it has, with the bad ones.
pub(super) fn rows(
    file: &[u8],
    accounts: &HashSet<u64>,
    bad: &mut Vec<BadRow>,
) -> Result<(Vec<LegacyRow>, usize), InvalidInput> {
    let table = split(TRANS_FILE, file, &COLUMNS)?;
    bad.extend(table.bad);
    let (mut rows, mut seen) = (Vec::with_capacity(table.lines.len()), HashMap::new());
    for line in table.lines {
        let row = parse(&line, accounts).and_then(|row| {
            unique("trans_id", row.trans_id, row.line, &mut seen)?;
            Ok(row)
        });
        match row {
            Ok(row) => rows.push(row),
            Err(why) => bad.push(BadRow::new(TRANS_FILE, line.number, why)),
        }
    }
    Ok((rows, table.total))
}

fn parse(line: &Line, accounts: &HashSet<u64>) -> Result<LegacyRow, InvalidInput> {
    let [trans_id, account, day, kind, operation, amount, balance, symbol, bank, other] =
        line.fields.as_slice()
    else {
        return Err(InvalidInput::new("line", "does not have the columns of the file"));
    };
    let (operation, symbol) = (operation.trim(), symbol.trim());
    let trans_id = number("trans_id", trans_id)?;
    let account = number("account_id", account)?;
    if !accounts.contains(&account) {
        let rule = format!("there is no account {account} that can be opened");
        return Err(InvalidInput::new("account_id", rule));
    }
    let (against, usual) = other_side(operation, symbol, bank)?;
    let direction = direction_of(kind)?;
    if direction != usual {
        let rule = format!("{kind} does not go with operation {operation:?} {symbol:?}");
        return Err(InvalidInput::new("type", rule));
    }
    let money = input::money(amount, CURRENCY)?;
    let printed: Amount =
        balance.parse().map_err(|_| InvalidInput::new("balance", "not a decimal number"))?;
    Ok(LegacyRow {
        line: line.number,
        trans_id,
        account,
        date: date(day)?,
        direction,
        against,
        amount: money.amount.decimal(),
        printed: printed.decimal(),
        reference: input::reference(&words(operation, symbol, bank, other))?,
    })
}

fn direction_of(kind: &str) -> Result<Direction, InvalidInput> {
    match kind {
        "PRIJEM" => Ok(Direction::Credit),
        "VYDAJ" | "VYBER" => Ok(Direction::Debit),
        other => Err(unknown_code("type", other)),
    }
}

/// The internal account behind an operation, and the direction of the money. The symbol alone names
/// the bank's charges and interest, with any operation.
fn other_side(
    operation: &str,
    symbol: &str,
    bank: &str,
) -> Result<(AccountCode, Direction), InvalidInput> {
    let own = |code: &str| AccountCode(code.to_owned());
    match (operation, symbol) {
        ("", "UROK") => return Ok((own("interest_paid"), Direction::Credit)),
        ("" | "VYBER", "SANKC. UROK") => return Ok((own("penalty_interest"), Direction::Debit)),
        ("" | "VYBER", "SLUZBY") => return Ok((own("fees"), Direction::Debit)),
        (_, "UROK" | "SANKC. UROK" | "SLUZBY") => {
            let rule = format!("{symbol:?} does not go with operation {operation:?}");
            return Err(InvalidInput::new("k_symbol", rule));
        }
        (_, "" | "SIPO" | "DUCHOD" | "POJISTNE" | "UVER") => {}
        (_, unknown) => return Err(unknown_code("k_symbol", unknown)),
    }
    match operation {
        "VKLAD" => Ok((own("cash"), Direction::Credit)),
        "VYBER" => Ok((own("cash"), Direction::Debit)),
        "VYBER KARTOU" => Ok((own("cards"), Direction::Debit)),
        "PREVOD Z UCTU" => Ok((settlement(bank)?, Direction::Credit)),
        "PREVOD NA UCET" => Ok((settlement(bank)?, Direction::Debit)),
        unknown => Err(unknown_code("operation", unknown)),
    }
}

pub(super) fn settlement(bank: &str) -> Result<AccountCode, InvalidInput> {
    let code = AccountCode::settlement(bank);
    match code.is_known() {
        true => Ok(code),
        false => {
            let rule = format!("not the code of a bank (1 to 11 of A-Z and 0-9): {bank:?}");
            Err(InvalidInput::new("bank", rule))
        }
    }
}

/// A day as YYMMDD, of the last century.
pub(super) fn date(text: &str) -> Result<NaiveDate, InvalidInput> {
    let wrong = || InvalidInput::new("date", format!("not a day as YYMMDD: {text:?}"));
    if text.len() != 6 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    NaiveDate::parse_from_str(&format!("19{text}"), "%Y%m%d").map_err(|_| wrong())
}

/// The bank's own words for a row: `SIPO, PREVOD NA UCET, YZ 87144583`.
pub(super) fn words(operation: &str, symbol: &str, bank: &str, account: &str) -> String {
    let account = if account == "0" { "" } else { account };
    let counterparty = format!("{bank} {account}");
    let words = [symbol, operation, counterparty.trim()];
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(kind: &str, operation: &str, symbol: &str, bank: &str) -> String {
        let fields = ["1", "7", "930101", kind, operation, "1.00", "1.00", symbol, bank, "0"];
        let fields = fields.map(str::to_owned).to_vec();
        match parse(&Line { number: 2, fields }, &HashSet::from([7])) {
            Ok(row) => format!("{:?} {}", row.direction, row.against),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn every_kind_of_row_stands_against_its_own_account_of_the_bank() {
        for (kind, operation, symbol, bank, expected) in [
            ("PRIJEM", "VKLAD", "", "", "Credit cash"),
            ("VYDAJ", "VYBER", "", "", "Debit cash"),
            ("VYBER", "VYBER", "", "", "Debit cash"),
            ("VYDAJ", "VYBER", " ", "", "Debit cash"),
            ("VYDAJ", "VYBER", "SIPO", "", "Debit cash"),
            ("VYDAJ", "VYBER KARTOU", "", "", "Debit cards"),
            ("PRIJEM", "PREVOD Z UCTU", "DUCHOD", "ST", "Credit settlement:ST"),
            ("VYDAJ", "PREVOD NA UCET", "UVER", "QR", "Debit settlement:QR"),
            ("PRIJEM", "", "UROK", "", "Credit interest_paid"),
            ("VYDAJ", "VYBER", "SANKC. UROK", "", "Debit penalty_interest"),
            ("VYDAJ", "VYBER", "SLUZBY", "", "Debit fees"),
        ] {
            assert_eq!(side(kind, operation, symbol, bank), expected);
        }
    }

    #[test]
    fn codes_that_make_no_sense_are_named() {
        for (kind, operation, symbol, bank, expected) in [
            ("PRIJEM", "VYBER", "", "", r#"type: PRIJEM does not go with operation "VYBER" """#),
            ("DAR", "VKLAD", "", "", r#"type: unknown code "DAR""#),
            ("PRIJEM", "SEK", "", "", r#"operation: unknown code "SEK""#),
            ("PRIJEM", "", "", "", r#"operation: unknown code """#),
            ("PRIJEM", "VKLAD", "DAR", "", r#"k_symbol: unknown code "DAR""#),
            (
                "PRIJEM",
                "VKLAD",
                "UROK",
                "",
                r#"k_symbol: "UROK" does not go with operation "VKLAD""#,
            ),
            (
                "VYDAJ",
                "PREVOD NA UCET",
                "",
                "",
                r#"bank: not the code of a bank (1 to 11 of A-Z and 0-9): """#,
            ),
        ] {
            assert_eq!(side(kind, operation, symbol, bank), expected);
        }
    }

    #[test]
    fn days_are_of_the_last_century() {
        assert_eq!(date("930131"), Ok(NaiveDate::from_ymd_opt(1993, 1, 31).expect("a day")));
        for wrong in ["930231", "93013", "93013x", "", "+30131"] {
            assert!(date(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_reference_is_the_banks_own_words() {
        let text = words("PREVOD NA UCET", "SIPO", "YZ", "87144583");
        assert_eq!(text, "SIPO, PREVOD NA UCET, YZ 87144583");
        assert_eq!(words("VYBER", "", "", "0"), "VYBER");
        assert_eq!(words("", "UROK", "", ""), "UROK");
    }
}
