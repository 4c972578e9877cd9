//! The lifecycle of an account: opening, freezing, limits, closing, as the accounts service announces
//! them.
//!
//! ```text
//! entity    the change of an account, and the result of applying it
//! rules     applying a change; locking an account that is to be closed
//! ```

mod entity;
mod rules;

pub use entity::{AccountChange, Applied, CloseRefusal};
pub use rules::apply;
