//! Digests of messages: what the inbox compares. Promise: the same content of the same author has
//! the same digest, in every notation.

use super::handler::Received;
use crate::{message::MessageSet, topology::SERVICES};

/// The digests of a message.
#[derive(Clone, Debug)]
pub(crate) struct Digests {
    /// Of the canonical bytes and the author: an id belongs to who has used it first.
    pub(crate) of_author: Vec<u8>,
    /// Of the canonical bytes alone, which earlier versions have stored.
    pub(crate) of_content: Vec<u8>,
}

impl Digests {
    /// BLAKE3 of one writing of the canonical bytes.
    pub(crate) fn of<M: MessageSet>(message: &Received<M>) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&message.message().canonical());
        let of_content = hasher.finalize().as_bytes().to_vec();
        // The author of an event is the owner of its type.
        if SERVICES.contains(&message.principal.as_str()) {
            return Self { of_author: of_content.clone(), of_content };
        }
        // No canonical text has a NUL.
        hasher.update(&[0]).update(message.principal.as_str().as_bytes());
        Self { of_author: hasher.finalize().as_bytes().to_vec(), of_content }
    }

    /// Whether the stored digest is that of this message.
    pub(crate) fn have(&self, stored: &[u8]) -> bool {
        stored == self.of_author || stored == self.of_content
    }
}
