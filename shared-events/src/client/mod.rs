//! A client of the bus. Promise: a command is sent until its outcome is known or its deadline has
//! passed, under one id, so that the command takes effect once.
//!
//! ```text
//! request        sends commands and queries, waits for replies
//! own_queue      the client's queues, and their bindings
//! incoming       replies and watched events, given to their waiting callers
//! ```

mod incoming;
mod own_queue;
mod request;

pub use incoming::Watch;
pub use request::{AskError, Client, Delivered, RequestError, SendOptions};
