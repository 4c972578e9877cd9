//! What the ledger does with messages, and by itself.

mod announce;
mod answer;
mod asked;
mod desk;
mod due;
mod history;
mod post;

pub(crate) use answer::Answers;
pub(crate) use due::Due;
pub(crate) use post::Post;
