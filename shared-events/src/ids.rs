//! Identifiers. Promise: an id of one kind cannot be used in place of another, and an ill-formed id
//! is refused at the border, with its name.

use std::{borrow::Cow, fmt, str::FromStr};

use iban::IbanLike;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use uuid::{Uuid, Variant};

/// A text that is not an identifier of the expected kind.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{rule}")]
pub struct InvalidId {
    rule: String,
}

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
            JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// Makes a unique id, ordered by time (UUIDv7, RFC 9562). Reads the clock: for clients
            /// and the edges of a service, never for a domain.
            #[must_use]
            #[allow(clippy::new_without_default, reason = "a default id would hide the clock")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// The UUID itself, for a database column.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text).map(Self).map_err(|error| InvalidId {
                    rule: format!("not a UUID: {error}"),
                })
            }
        }
    )*};
}

uuid_id! {
    /// A message on the bus: a command, a query or an event. The `id` of CloudEvents.
    MessageId;
    /// A request of a client, with all messages that result through all services.
    CorrelationId;
    /// An account of a customer or of the bank itself.
    AccountId;
    /// A transfer of money. The client makes the id before sending; the id makes the transfer
    /// idempotent.
    TransferId;
    /// A balance monitor.
    MonitorId;
    /// A standing order.
    OrderId;
    /// A notification of a holder.
    NotificationId;
    /// A delivery of a notification on one channel.
    DeliveryId;
    /// An entry of an access log.
    AccessEntryId;
}

/// The namespace of account ids that follow from an external reference (UUIDv5, RFC 9562, 5.5).
const REFERENCED_ACCOUNTS: Uuid = Uuid::from_u128(0x8d0c_6b1e_1993_5a7c_9a55_b1f0_5e0c_1994);

impl AccountId {
    /// The id of the account with this external reference. The id is always the same: a second
    /// import names the same accounts.
    #[must_use]
    pub fn of_reference(external_reference: &str) -> Self {
        let name = format!("account:{external_reference}");
        Self(Uuid::new_v5(&REFERENCED_ACCOUNTS, name.as_bytes()))
    }

    /// Whether a client may open an account under this id: an id of version 4 or 7, or the id of
    /// version 5 that follows from the account's own external reference. Ids of internal accounts
    /// are of version 5, too, and follow from codes and currencies that everybody knows. Future
    /// codes cannot be listed, so an id of version 5 needs its external reference as a proof of
    /// origin.
    #[must_use]
    pub fn is_for_client(self, external_reference: Option<&str>) -> bool {
        let version = match self.0.get_variant() {
            Variant::RFC4122 => self.0.get_version_num(),
            _ => return false,
        };
        let is_referenced = || external_reference.map(Self::of_reference) == Some(self);
        matches!(version, 4 | 7) || (version == 5 && is_referenced())
    }
}

/// The id of a command: the id of its message.
pub type CommandId = MessageId;

impl MessageId {
    /// The id of the message of type `kind` with this data that this message causes. The id is
    /// always the same: a second computation of the same outcome gives the same event, which its
    /// readers recognise as a duplicate.
    ///
    /// The result keeps the UUIDv7 layout (RFC 9562, 5.7): the cause's time, then hashed bits.
    #[must_use]
    pub fn caused(self, kind: &str, data: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.0.as_bytes()).update(kind.as_bytes()).update(data);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        bytes[..6].copy_from_slice(&self.0.as_bytes()[..6]);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        Self(Uuid::from_bytes(bytes))
    }
}

/// An International Bank Account Number (ISO 13616) with valid check digits and structure.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Iban(String);

impl Iban {
    /// Reads an IBAN, with or without spaces. Fails on a wrong country, length, structure or
    /// check digits.
    pub fn try_new(text: &str) -> Result<Self, InvalidId> {
        match text.parse::<iban::Iban>() {
            Ok(iban) => Ok(Self(iban.electronic_str().to_owned())),
            Err(error) => Err(InvalidId { rule: format!("not an IBAN: {error}") }),
        }
    }

    /// Makes an IBAN from a country code and the national account number (BBAN), with computed
    /// check digits (ISO 7064, MOD 97-10). Fails if the number does not have the country's
    /// structure.
    pub fn try_from_bban(country: &str, bban: &str) -> Result<Self, InvalidId> {
        let remainder = format!("{bban}{country}00").bytes().try_fold(0_u32, |sum, byte| {
            let value = char::from(byte).to_digit(36)?;
            Some(if value < 10 { sum * 10 + value } else { sum * 100 + value } % 97)
        });
        match remainder {
            Some(remainder) => Self::try_new(&format!("{country}{:02}{bban}", 98 - remainder)),
            None => Err(InvalidId { rule: "not an IBAN: letters and digits only".to_owned() }),
        }
    }

    /// The IBAN without spaces.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Iban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Iban {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::try_new(text)
    }
}

impl TryFrom<String> for Iban {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        Self::try_new(&text)
    }
}

impl From<Iban> for String {
    fn from(iban: Iban) -> Self {
        iban.0
    }
}

impl JsonSchema for Iban {
    fn schema_name() -> Cow<'static, str> {
        "Iban".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "International Bank Account Number (ISO 13616), without spaces.",
            "type": "string",
            "pattern": "^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caused_id_is_always_the_same_and_a_uuid_v7() {
        let cause = MessageId::new();
        let event = cause.caused("a.v1", b"{}");
        assert_eq!(event, cause.caused("a.v1", b"{}"));
        assert_ne!(event, cause.caused("b.v1", b"{}"));
        assert_ne!(event, cause.caused("a.v1", b"[]"));
        assert_eq!(event.0.get_version_num(), 7);
        assert_eq!(event.0.get_timestamp(), cause.0.get_timestamp());
    }

    #[test]
    fn clients_open_accounts_under_ids_that_the_bank_can_never_need() {
        let text = |id: &str| AccountId(Uuid::parse_str(id).expect(id));
        let referenced = AccountId::of_reference("1801");
        // The first is published: old imports made the same.
        assert_eq!(referenced.to_string(), "befaf703-a1b5-5cf9-93f4-d0f1278c08d1");
        for (id, reference, then) in [
            (AccountId::new(), None, true),
            (text("2f0b5a3e-8c1d-4e6f-9a7b-0c1d2e3f4a5b"), None, true),
            (referenced, Some("1801"), true),
            (referenced, Some("1802"), false),
            (referenced, None, false),
            // `cash` in EUR.
            (text("f89a1162-79e2-5488-976b-ecdca6f9381d"), Some("cash EUR"), false),
            (text("2f0b5a3e-8c1d-1e6f-9a7b-0c1d2e3f4a5b"), None, false),
            (text("2f0b5a3e-8c1d-6e6f-9a7b-0c1d2e3f4a5b"), None, false),
            (text("2f0b5a3e-8c1d-8e6f-9a7b-0c1d2e3f4a5b"), None, false),
            // Another variant, in which the place of the version says nothing.
            (text("2f0b5a3e-8c1d-4e6f-ca7b-0c1d2e3f4a5b"), None, false),
            (AccountId(Uuid::nil()), None, false),
            (AccountId(Uuid::max()), None, false),
        ] {
            assert_eq!(id.is_for_client(reference), then, "{id} {reference:?}");
        }
    }

    #[test]
    fn check_digits_are_those_of_the_standard() {
        // The example of the Czech National Bank's IBAN registry entry.
        let iban = Iban::try_from_bban("CZ", "08000000192000145399").map(String::from);
        assert_eq!(iban.as_deref(), Ok("CZ6508000000192000145399"));
    }

    #[test]
    fn a_wrong_check_digit_is_refused() {
        assert!(Iban::try_new("CZ6608000000192000145399").is_err());
        assert!(Iban::try_new("CZ65 0800 0000 1920 0014 5399").is_ok());
    }
}
