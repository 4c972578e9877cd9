//! Digests of messages: what the inbox compares. Promise: the same content of the same author has
//! the same digest, in every notation.

use super::handler::Received;
use crate::{message::MessageSet, topology::SERVICES};

/// BLAKE3 of the canonical bytes and the author: an id belongs to who has used it first.
pub(crate) fn digest_of_author<M: MessageSet>(message: &Received<M>) -> Vec<u8> {
    // The author of an event is the owner of its type.
    if SERVICES.contains(&message.principal.as_str()) {
        return digest(message);
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(&message.message().canonical());
    // No canonical text has a NUL.
    hasher.update(&[0]).update(message.principal.as_str().as_bytes());
    hasher.finalize().as_bytes().to_vec()
}

/// BLAKE3 of the canonical bytes: the same content has the same digest.
pub(crate) fn digest<M: MessageSet>(message: &Received<M>) -> Vec<u8> {
    blake3::hash(&message.message().canonical()).as_bytes().to_vec()
}
