//! What clients and services both need of the broker. Promise: a lost connection is replaced; a
//! silent peer is noticed; a message counts as published when the broker has confirmed it.
//!
//! ```text
//! connection_parameters   where the broker is, and as whom a program logs in
//! socket                  TCP and TLS below a connection; notices a peer that fell silent
//! frame_repair            repairs frames that the driver's parser would close the connection for
//! connection              one supervised connection for each role
//! publish                 confirmed publishing
//! health                  what works and what does not, part by part
//! ```

pub(crate) mod connection;
mod connection_parameters;
pub(crate) mod frame_repair;
pub(crate) mod health;
pub(crate) mod publish;
mod socket;

pub use connection::BusError;
pub use connection_parameters::ConnectionParameters;
pub use health::Health;
