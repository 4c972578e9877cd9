//! The wishes of a holder. Promise: stored preferences keep the rules of the contract.

use chrono::{DateTime, Utc};
use shared_events::AccountId;

use super::{SigningKey, Topic, signing_key::InvalidKey};

/// The channels and topics that a holder wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preferences {
    pub(crate) email: bool,
    pub(crate) webhook: bool,
    /// Each topic once, in the order of the contract.
    pub(crate) topics: Vec<Topic>,
}

/// New preferences for the holder of an account, with checked fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreferencesRequest {
    pub(crate) account_id: AccountId,
    pub(crate) preferences: Preferences,
    /// `None`: the key stays.
    pub(crate) webhook_key: Option<SigningKey>,
}

impl PreferencesRequest {
    /// Sorts the topics and checks the key: no other rule can be broken.
    pub(crate) fn try_new(
        account_id: AccountId,
        mut preferences: Preferences,
        webhook_secret: Option<&str>,
    ) -> Result<Self, InvalidKey> {
        let webhook_key = webhook_secret.map(SigningKey::try_new).transpose()?;
        let is_wanted = |topic: &Topic| preferences.topics.contains(topic);
        preferences.topics = Topic::ALL.into_iter().filter(is_wanted).collect();
        Ok(Self { account_id, preferences, webhook_key })
    }
}

/// The preferences of a holder with the state of their webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreferencesView {
    pub(crate) preferences: Preferences,
    /// The webhook answered 410 Gone.
    pub(crate) is_webhook_gone: bool,
    /// A key of the holder's own signs.
    pub(crate) has_own_key: bool,
    /// Until then the key before signs, too.
    pub(crate) both_keys_until: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::account;

    fn request(topics: &[Topic], secret: Option<&str>) -> Result<PreferencesRequest, InvalidKey> {
        let preferences = Preferences { email: true, webhook: false, topics: topics.to_vec() };
        PreferencesRequest::try_new(account(1), preferences, secret)
    }

    #[test]
    fn topics_are_kept_once_and_in_order() {
        use Topic::{AccountClosed, TransferPosted};
        let request = request(&[AccountClosed, TransferPosted, AccountClosed], None);
        let topics = request.expect("no rule is broken").preferences.topics;
        assert_eq!(topics, [TransferPosted, AccountClosed]);
    }

    #[test]
    fn a_secret_that_is_no_key_is_refused() {
        let rule = |secret| request(&[], Some(secret)).err();
        assert_eq!(rule("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), None);
        assert_eq!(rule("secret"), Some(InvalidKey));
        assert_eq!(rule(""), Some(InvalidKey));
    }
}
