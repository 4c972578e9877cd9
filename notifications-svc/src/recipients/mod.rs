//! Recipients: the holders of accounts, the channels that reach them and the topics that they want.
//! Promise: the newest version of a holder wins, in any order of events, and the newest preferences
//! win, even where a command had to wait.
//!
//! ```text
//! profile      the holder of an account as one event describes them
//! channel      e-mail and webhook; the channels that reach a holder
//! topic        the topics of notifications
//! contact      the addresses and keys of one holder at the moment of sending
//! signing_key  the key that a holder's webhook is signed with
//! preferences  the wishes of a holder
//! command      sets preferences
//! repo         the table of recipients
//! ```

mod channel;
pub(crate) mod command;
mod contact;
mod preferences;
mod profile;
pub(crate) mod repo;
mod signing_key;
mod topic;
mod unknown_name;

pub(crate) use channel::{Channel, ContactChannels, ContactChannelsByAccount};
pub(crate) use contact::{PreviousKey, RecipientContact, SigningKeys};
pub(crate) use preferences::{Preferences, PreferencesRequest, PreferencesView};
pub(crate) use profile::{RecipientProfile, newest};
pub(crate) use signing_key::{BankKeyError, InvalidKey, SigningKey};
pub(crate) use topic::Topic;
pub(crate) use unknown_name::UnknownName;
