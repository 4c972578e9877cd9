//! Why money did not move. Promise: a code never changes its meaning.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Defines the reason codes once: as a type, as names, and as the list that tests walk through.
macro_rules! reason_codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)+) => {
        /// Why a transfer was rejected. The checks run in the order of this list; the first that
        /// fails is the reason.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
            JsonSchema,
        )]
        pub enum RejectReason {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)+
        }

        impl RejectReason {
            /// Every reason there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code on the wire and in databases.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The reason that has this code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

reason_codes! {
    /// The transfer's id was used before, with other content.
    IdempotencyConflict = "idempotency_conflict",
    /// Zero or less.
    AmountNotPositive = "amount_not_positive",
    /// More digits after the point than ISO 4217 gives the currency.
    TooManyDigits = "too_many_digits",
    /// More than 1,000,000,000,000,000 units.
    AmountTooLarge = "amount_too_large",
    /// The reference or the end-to-end id is longer than it may be, or has control characters.
    InvalidText = "invalid_text",
    /// The booking date is before 1900 or after 2199.
    InvalidBookingDate = "invalid_booking_date",
    /// Debtor and creditor are one account.
    SameAccount = "same_account",
    /// The ledger knows no such account, or the bank has no account with this code.
    UnknownAccount = "unknown_account",
    /// The account is closed.
    AccountClosed = "account_closed",
    /// The account is frozen.
    AccountFrozen = "account_frozen",
    /// The account is about to be closed.
    AccountNotActive = "account_not_active",
    /// The account holds another currency.
    CurrencyMismatch = "currency_mismatch",
    /// The debtor's available balance is less than the amount.
    InsufficientFunds = "insufficient_funds",
}
