//! Accounts and their owners: account.asc, client.asc, disp.asc.

use std::collections::{HashMap, HashSet};

use teller_client::input::InvalidInput;

use super::lines::{BadRow, Line, split};

pub(super) const ACCOUNT_FILE: &str = "account.asc";
pub(super) const CLIENT_FILE: &str = "client.asc";
pub(super) const DISP_FILE: &str = "disp.asc";

const ACCOUNT_COLUMNS: [&str; 4] = ["account_id", "district_id", "frequency", "date"];
const CLIENT_COLUMNS: [&str; 3] = ["client_id", "birth_number", "district_id"];
const DISP_COLUMNS: [&str; 4] = ["disp_id", "client_id", "account_id", "type"];

/// An account of the legacy bank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyAccount {
    /// Its line in account.asc.
    pub line: usize,
    /// Its number there.
    pub number: u64,
    /// The product that it becomes, by how often the bank sent statements.
    pub product: &'static str,
    /// The number of the client who owns it.
    pub owner: u64,
}

/// Reads the three files. Accounts without a known owner are bad rows.
pub(super) fn accounts(
    account: &[u8],
    client: &[u8],
    disp: &[u8],
    bad: &mut Vec<BadRow>,
) -> Result<Vec<LegacyAccount>, InvalidInput> {
    let clients = clients(client, bad)?;
    let owners = owners(disp, &clients, bad)?;
    let table = split(ACCOUNT_FILE, account, &ACCOUNT_COLUMNS)?;
    bad.extend(table.bad);
    let mut accounts = Vec::new();
    let mut seen = HashMap::new();
    for line in table.lines {
        let account = parse_account(&line, &owners).and_then(|account| {
            unique("account_id", account.number, line.number, &mut seen)?;
            Ok(account)
        });
        match account {
            Ok(account) => accounts.push(account),
            Err(why) => bad.push(BadRow::new(ACCOUNT_FILE, line.number, why)),
        }
    }
    Ok(accounts)
}

fn parse_account(line: &Line, owners: &HashMap<u64, u64>) -> Result<LegacyAccount, InvalidInput> {
    let number = number("account_id", &line.fields[0])?;
    let product = match line.fields[2].as_str() {
        "POPLATEK MESICNE" => "statement-monthly",
        "POPLATEK TYDNE" => "statement-weekly",
        "POPLATEK PO OBRATU" => "statement-after-transaction",
        other => return Err(unknown_code("frequency", other)),
    };
    super::transactions::date(&line.fields[3])?;
    let owner = *owners.get(&number).ok_or_else(|| {
        InvalidInput::new("account_id", format!("{DISP_FILE} names no OWNER of account {number}"))
    })?;
    Ok(LegacyAccount { line: line.number, number, product, owner })
}

fn clients(file: &[u8], bad: &mut Vec<BadRow>) -> Result<HashSet<u64>, InvalidInput> {
    let table = split(CLIENT_FILE, file, &CLIENT_COLUMNS)?;
    bad.extend(table.bad);
    let mut clients = HashSet::new();
    for line in table.lines {
        match number("client_id", &line.fields[0]) {
            Ok(client) => {
                clients.insert(client);
            }
            Err(why) => bad.push(BadRow::new(CLIENT_FILE, line.number, why)),
        }
    }
    Ok(clients)
}

/// The owner of each account.
fn owners(
    file: &[u8],
    clients: &HashSet<u64>,
    bad: &mut Vec<BadRow>,
) -> Result<HashMap<u64, u64>, InvalidInput> {
    let table = split(DISP_FILE, file, &DISP_COLUMNS)?;
    bad.extend(table.bad);
    let (mut owners, mut seen) = (HashMap::new(), HashMap::new());
    for line in table.lines {
        let owner = parse_owner(&line, clients).and_then(|owner| {
            if let Some((account, _)) = owner {
                unique("account_id", account, line.number, &mut seen)?;
            }
            Ok(owner)
        });
        match owner {
            Ok(owner) => owners.extend(owner),
            Err(why) => bad.push(BadRow::new(DISP_FILE, line.number, why)),
        }
    }
    Ok(owners)
}

/// An account and the client who owns it; nothing where the row gives a lesser right.
fn parse_owner(line: &Line, clients: &HashSet<u64>) -> Result<Option<(u64, u64)>, InvalidInput> {
    let client = number("client_id", &line.fields[1])?;
    let account = number("account_id", &line.fields[2])?;
    if !clients.contains(&client) {
        let rule = format!("{CLIENT_FILE} has no client {client}");
        return Err(InvalidInput::new("client_id", rule));
    }
    match line.fields[3].as_str() {
        "OWNER" => Ok(Some((account, client))),
        "DISPONENT" => Ok(None),
        other => Err(unknown_code("type", other)),
    }
}

/// A number of the legacy bank.
pub(super) fn number(field: &str, text: &str) -> Result<u64, InvalidInput> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(number) if digits => Ok(number),
        Ok(_) | Err(_) => Err(InvalidInput::new(field, format!("not a number: {text:?}"))),
    }
}

/// The second row with a number is a bad one.
pub(super) fn unique(
    field: &str,
    number: u64,
    line: usize,
    seen: &mut HashMap<u64, usize>,
) -> Result<(), InvalidInput> {
    match seen.get(&number) {
        Some(first) => {
            let rule = format!("{number} stands on line {first} already");
            Err(InvalidInput::new(field, rule))
        }
        None => {
            seen.insert(number, line);
            Ok(())
        }
    }
}

pub(super) fn unknown_code(field: &str, code: &str) -> InvalidInput {
    InvalidInput::new(field, format!("unknown code {code:?}"))
}
