//! Principals and their grants: who may do what in all services. Promise: every change is one row
//! that is never changed, one record of the history and one event, committed together; some
//! principal can always change grants; a principal of the bank's file gets its grants once, and
//! keeps those that it has.
//!
//! ```text
//! entity   the grants of all principals, and a change of one
//! rules    decides about a change
//! command  carries out changes in one transaction
//! file     the grants that the file of principals gives
//! job      enters new principals of the file, and confirms all grants twice a minute
//! repo     the table of changes
//! ```

mod command;
mod entity;
mod file;
mod job;
mod repo;
mod rules;

pub(crate) use command::{change_in_tx, current_in_tx};
pub(crate) use entity::{CurrentGrants, GrantChange, GrantChanged};
pub(crate) use file::PrincipalsFile;
pub(crate) use job::AccessJob;
pub(crate) use rules::GrantRefusal;
