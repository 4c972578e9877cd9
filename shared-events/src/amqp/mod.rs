//! The broker, as clients and services both use it. Promise: a lost connection is replaced; a
//! silent peer is noticed; a message counts as published when the broker has confirmed it.
//!
//! ```text
//! connection_parameters   the broker's address and the login
//! socket                  TCP and TLS below a connection; notices a peer that fell silent
//! frame_repair            repairs frames that the driver's parser would close the connection for
//! answer                  the bound of a wait for the broker, and the errors
//! connection              one supervised connection for each role
//! publish                 confirmed publishing
//! health                  the health of a process, part by part
//! ```

pub(crate) mod answer;
pub(crate) mod connection;
mod connection_parameters;
pub(crate) mod frame_repair;
pub(crate) mod health;
pub(crate) mod publish;
mod socket;
mod tls;

pub use answer::BusError;
pub use connection_parameters::{ConnectionParameters, NoPassword};
pub use health::Health;
