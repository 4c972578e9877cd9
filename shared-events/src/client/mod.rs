//! A client of the bus. Promise: a command is sent until its outcome is known or its deadline has
//! passed, under one id, so that the command takes effect once.
//!
//! ```text
//! request        sends commands and queries, waits for replies
//! incoming       replies and watched events, given to their waiting callers
//! parked_queue   parked messages: list, replay, drop
//! ```

mod incoming;
mod parked_queue;
mod request;

pub use incoming::Watch;
pub use parked_queue::{Chosen, ParkedMessage, ParkedQueue};
pub use request::{AskError, Client, Delivered, RequestError, SendOptions};
