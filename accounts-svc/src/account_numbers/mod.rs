//! Account numbers and IBANs of the bank. Promise: every account gets a number that no account had
//! before, and an IBAN that is right by the rules of ISO 13616 and of the bank's country.
//!
//! ```text
//! entity   the bank, serial numbers, and the IBAN that follows from both
//! repo     draws serial numbers
//! ```

mod entity;
pub(crate) mod repo;

pub(crate) use entity::{Bank, SerialNumber};
