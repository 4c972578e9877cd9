//! The transports of the channels. Promise: a transport sends a delivery once for each attempt,
//! bounded in time, and turns the receiver's answer into the result of the attempt.
//!
//! ```text
//! email     letters by SMTP
//! webhook   signed requests by HTTP
//! ```

pub(crate) mod email;
pub(crate) mod webhook;
