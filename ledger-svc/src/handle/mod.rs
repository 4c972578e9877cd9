//! What the ledger does with messages.

mod announce;
mod answer;
mod post;

pub(crate) use answer::Answers;
pub(crate) use post::Post;
