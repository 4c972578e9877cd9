//! What a holder wants to be told. Promise: what is stored keeps the rules of the contract.

use shared_events::{
    AccountId,
    notifications::{PreferencesChanged, SetPreferences, Topic},
};

use crate::domain::key::{InvalidKey, SigningKey};

/// Preferences that keep the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preferences {
    pub(crate) account_id: AccountId,
    pub(crate) email: bool,
    pub(crate) webhook: bool,
    /// Each once, in the order of the contract.
    pub(crate) topics: Vec<Topic>,
    /// None: as it is.
    pub(crate) webhook_key: Option<SigningKey>,
}

impl Preferences {
    /// Checks what is asked for. The one rule that can be broken is the key's.
    pub(crate) fn try_new(asked: &SetPreferences) -> Result<Self, InvalidKey> {
        let key = asked.webhook_secret.as_deref().map(SigningKey::try_new);
        Ok(Self {
            account_id: asked.account_id,
            email: asked.email,
            webhook: asked.webhook,
            topics: Topic::ALL.into_iter().filter(|it| asked.topics.contains(it)).collect(),
            webhook_key: key.transpose()?,
        })
    }

    /// What is announced of them. Not the key.
    pub(crate) fn changed(self) -> PreferencesChanged {
        PreferencesChanged {
            account_id: self.account_id,
            email: self.email,
            webhook: self.webhook,
            topics: self.topics,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::account;

    fn asked(topics: &[Topic], secret: Option<&str>) -> SetPreferences {
        SetPreferences {
            account_id: account(1),
            email: true,
            webhook: false,
            topics: topics.to_vec(),
            webhook_secret: secret.map(str::to_owned),
        }
    }

    #[test]
    fn topics_are_kept_once_and_in_order() {
        use Topic::{AccountClosed, TransferPosted};
        let asked = asked(&[AccountClosed, TransferPosted, AccountClosed], None);
        let preferences = Preferences::try_new(&asked).expect("no rule is broken");
        assert_eq!(preferences.changed().topics, [TransferPosted, AccountClosed]);
    }

    #[test]
    fn a_secret_that_is_none_is_refused() {
        let rule = |secret| Preferences::try_new(&asked(&[], Some(secret))).err();
        assert_eq!(rule("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), None);
        assert_eq!(rule("secret"), Some(InvalidKey));
        assert_eq!(rule(""), Some(InvalidKey));
    }
}
