//! The holder of an account: name, addresses, language. Promise: a holder that passes the rules can
//! be stored, written on the bus and shown.
//!
//! ```text
//! entity   the holder of one account
//! rules    the rule of each field
//! ```

mod entity;
mod rules;

pub(crate) use entity::Holder;
