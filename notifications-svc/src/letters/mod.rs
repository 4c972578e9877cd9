//! E-mails in the languages of the bank.

mod compose;
mod cs;
mod de;
mod en;
mod phrases;

pub(crate) use compose::{Letter, write};
