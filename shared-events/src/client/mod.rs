//! What a client of the bus needs. Promise: a command is sent until its outcome is known or its
//! deadline has passed, under one id, so that it takes effect once.
//!
//! ```text
//! request        sends commands and queries, waits for replies
//! incoming       replies and watched events, handed to whoever waits for them
//! parked_queue   parked messages: list, replay, drop
//! ```

mod incoming;
mod parked_queue;
mod request;

pub use incoming::Watch;
pub use parked_queue::{Chosen, ParkedMessage, ParkedQueue};
pub use request::{AskError, Client, Delivered, RequestError, SendOptions};
