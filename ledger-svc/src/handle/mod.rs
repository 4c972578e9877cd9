//! What the ledger does with messages, and by itself.

mod announce;
mod answer;
mod arrange;
mod asked;
mod bank_time;
mod desk;
mod due;
mod history;
mod interest;
mod months;
mod post;
mod proof;
mod unsettled;

pub(crate) use answer::Answers;
pub(crate) use arrange::Arrange;
pub(crate) use bank_time::BankTime;
pub(crate) use due::Due;
pub(crate) use months::Months;
pub(crate) use post::Post;
