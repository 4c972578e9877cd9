//! A folder with an export, as it is.

use std::{collections::HashSet, path::Path};

use teller_client::input::InvalidInput;

use super::{
    customers::{self, ACCOUNT_FILE, CLIENT_FILE, DISP_FILE, LegacyAccount},
    lines::BadRow,
    transactions::{self, LegacyRow, TRANS_FILE},
};

/// The files that matter, as bytes.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// account.asc
    pub account: Vec<u8>,
    /// client.asc
    pub client: Vec<u8>,
    /// disp.asc
    pub disp: Vec<u8>,
    /// trans.asc
    pub trans: Vec<u8>,
}

/// A legacy bank's books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// The accounts that can be opened, in the order of the file.
    pub accounts: Vec<LegacyAccount>,
    /// The transactions that can be posted, in the order of the file.
    pub rows: Vec<LegacyRow>,
    /// How many rows trans.asc has, with the bad ones.
    pub rows_total: usize,
    /// The omitted rows, with their rules.
    pub bad_rows: Vec<BadRow>,
}

/// Reads an export. Fails where a file is missing or is another; bad rows are listed.
pub fn read(folder: &Path) -> Result<Export, InvalidInput> {
    parse(&Files {
        account: file(folder, ACCOUNT_FILE)?,
        client: file(folder, CLIENT_FILE)?,
        disp: file(folder, DISP_FILE)?,
        trans: file(folder, TRANS_FILE)?,
    })
}

/// A file of an export.
pub(super) fn file(folder: &Path, name: &str) -> Result<Vec<u8>, InvalidInput> {
    std::fs::read(folder.join(name))
        .map_err(|error| InvalidInput::new(name, format!("cannot be read: {error}")))
}

/// The same from bytes.
pub fn parse(files: &Files) -> Result<Export, InvalidInput> {
    let mut bad_rows = Vec::new();
    let accounts = customers::accounts(&files.account, &files.client, &files.disp, &mut bad_rows)?;
    let numbers: HashSet<u64> = accounts.iter().map(|account| account.number).collect();
    let (rows, rows_total) = transactions::rows(&files.trans, &numbers, &mut bad_rows)?;
    bad_rows.sort_by_key(|bad| (bad.file, bad.line));
    Ok(Export { accounts, rows, rows_total, bad_rows })
}
