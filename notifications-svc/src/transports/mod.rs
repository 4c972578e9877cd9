//! The transports of the channels. Promise: a transport sends a delivery once for each attempt, bounded
//! in time, and says what the receiver's answer means for the next attempt.
//!
//! ```text
//! email     letters by SMTP
//! webhook   signed requests by HTTP
//! ```

pub(crate) mod email;
pub(crate) mod webhook;
