//! Files of payments (rows) and of instructions (JSON). Promise: the same file sent again with the
//! same id has no second effect; where a row or an instruction was changed after it was carried
//! out, nothing is sent, and each difference is named.
//!
//! ```text
//! encoding          bytes to text, in the encodings of many programs
//! records           text to records of fields
//! table             rows under named columns
//! cells             amounts and dates as spreadsheets write them
//! payments          a file of payments, from rows to outcomes; posted payments are not repeated
//! instruction_list  a JSON file of instructions; their ids follow from their content
//! changed           changes since an earlier sending, recognised and named field by field
//! debits            the debits of an account
//! results           the outcomes of a file's rows
//! ```
//!
//! ```no_run
//! # async fn salaries(bank: teller_client::Teller) -> Result<(), Box<dyn std::error::Error>> {
//! use shared_events::MessageId;
//! use teller_client::in_order::BATCH_TRANSFERS;
//! use teller_files::payments::{self, FileId};
//!
//! let file = payments::parse(&std::fs::read("salaries.csv")?, None)?;
//! // Keep the id: the same file sent again under it pays nobody twice.
//! let id = FileId::New(MessageId::new());
//! let paid = payments::pay(&bank, id, file, BATCH_TRANSFERS, |_, _| {}).await?;
//! assert_eq!(paid.posted + paid.rejected + paid.bad_rows.len(), paid.rows);
//! # Ok(())
//! # }
//! ```
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]
#![deny(missing_docs)]

mod cells;
mod changed;
mod debits;
mod encoding;
pub mod instruction_list;
pub mod payments;
pub mod records;
mod results;
mod table;

use std::path::Path;

use teller_client::input::InvalidInput;

pub use cells::{cell_currency, cell_date, cell_money};
pub use encoding::{Fallback, Text, decode};
pub use results::{Rejection, Results};
pub use table::{Cells, Columns, Row, Table, table};

/// The content of a file.
///
/// # Errors
/// If it cannot be read.
pub fn file(path: &Path) -> Result<Vec<u8>, InvalidInput> {
    std::fs::read(path).map_err(|error| {
        let name = path.display();
        InvalidInput::new("file", format!("{name} cannot be read: {error}"))
    })
}
