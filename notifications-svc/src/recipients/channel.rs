//! The channels of notifications, and the channels that reach a holder.

use std::collections::HashMap;

use shared_events::AccountId;

use super::{Topic, UnknownName};

/// A channel that carries notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Channel {
    Email,
    Webhook,
}

impl Channel {
    pub(crate) const ALL: [Self; 2] = [Self::Email, Self::Webhook];

    /// The name in the database and in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }

    /// The channel with this name.
    pub(crate) fn from_name(name: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|channel| channel.as_str() == name);
        found.ok_or_else(|| UnknownName::new("channel", name))
    }
}

/// The channels that reach a holder, and the topics that they want.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContactChannels {
    /// The holder has an e-mail address and wants e-mail.
    pub(crate) email: bool,
    /// The holder has a webhook that works, and wants it called.
    pub(crate) webhook: bool,
    pub(crate) topics: Vec<Topic>,
}

impl ContactChannels {
    /// The channels of a notification about this topic.
    pub(crate) fn for_topic(&self, topic: Topic) -> Vec<Channel> {
        if !self.topics.contains(&topic) {
            return vec![];
        }
        let channels = [(Channel::Email, self.email), (Channel::Webhook, self.webhook)];
        channels.into_iter().filter(|(_, is_open)| *is_open).map(|(channel, _)| channel).collect()
    }
}

/// The holders of a batch that are known here.
pub(crate) type ContactChannelsByAccount = HashMap<AccountId, ContactChannels>;
