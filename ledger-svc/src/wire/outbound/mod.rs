//! Outcomes become events and replies, by exhaustive matches.

pub(super) mod arrangements;
pub(super) mod events;
pub(super) mod outcomes;
pub(super) mod replies;
