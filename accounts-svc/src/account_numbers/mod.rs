//! Account numbers and IBANs of the bank. Promise: no number is given twice.

mod entity;

pub(crate) use entity::{Bank, Serial};
