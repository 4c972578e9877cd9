//! The addresses and keys of one holder at the moment of sending.

use super::SigningKey;

/// The holder as of today. An address that the holder does not want used is left out.
#[derive(Clone, Debug)]
pub(crate) struct RecipientContact {
    pub(crate) iban: Option<String>,
    pub(crate) name: String,
    /// ISO 639-1.
    pub(crate) language: String,
    pub(crate) email: Option<String>,
    pub(crate) webhook: Option<String>,
    pub(crate) keys: SigningKeys,
}

/// The keys that webhooks to one holder are signed with.
#[derive(Clone, Debug, Default)]
pub(crate) struct SigningKeys {
    /// `None`: the bank's key signs.
    pub(crate) own: Option<SigningKey>,
    /// The key before, while the receiver learns the new one.
    pub(crate) previous: Option<PreviousKey>,
}

/// A key that was replaced less than a day ago.
#[derive(Clone, Debug)]
pub(crate) enum PreviousKey {
    Own(SigningKey),
    BankKey,
}
