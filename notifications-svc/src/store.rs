//! The names of before the move; gone with the next commit.

pub(crate) use crate::{
    deliveries::repo::{attempts, claims, deliveries},
    notifications::repo as notifications,
    recipients::{repo as recipients, topic as words},
    retention::repo as old,
};
