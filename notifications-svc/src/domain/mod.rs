//! The rules of telling: values in, values out. No clock, no ids made, no I/O.
//!
//! ```text
//! profile       who holds an account       event ──> newest holder
//! news          what an event means to holders ──> told (the facts)
//! plan          which news go where        news + reaches ──> tell, or wait
//! preferences   what a holder wants        command ──> rules kept, or not
//! recovery      which failed deliveries are sent again
//! parcel        a delivery that is due ──> letter (e-mail) or hook + key (webhook), address
//! traffic       what is due ──> who may be written to now
//! smtp          a mail server's reply ──> whose fault it is
//! answer        what came of an attempt ──> next, by the schedule
//! page          how much of a list goes into one answer
//! ```

mod address;
mod answer;
mod hook;
mod key;
mod letter;
mod news;
mod page;
mod parcel;
mod plan;
mod preferences;
mod profile;
mod recovery;
mod schedule;
mod smtp;
mod told;
mod traffic;

#[cfg(test)]
mod samples;

pub(crate) use address::is_public;
pub(crate) use answer::{Answer, Next, Verdict, next, retry_after};
pub(crate) use hook::body as webhook_body;
pub(crate) use key::{SigningKey, signatures};
pub(crate) use letter::{Letter, write as write_letter};
pub(crate) use news::{News, news};
pub(crate) use page::page;
pub(crate) use parcel::{KeyBefore, Keys, Parcel, Recipient};
pub(crate) use plan::{Plan, Reach, Reaches, Telling, plan};
pub(crate) use preferences::Preferences;
pub(crate) use profile::{Profile, newest};
pub(crate) use recovery::{Recovery, first_id_of};
pub(crate) use schedule::Schedule;
pub(crate) use smtp::Step;
pub(crate) use told::Told;
pub(crate) use traffic::{Candidate, Closed, Limits, Traffic};
