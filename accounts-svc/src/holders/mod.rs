//! Who holds an account. Promise: what passes the rules can be stored, written on the bus and shown.

pub(crate) mod rules;
