//! The reasons for a rejection. Promise: a code never changes its meaning, and every reader of a
//! rejection knows which rules held: the checks run in the order of [`RejectReason::ALL`].

use crate::{accounts::AccountRefusal, bank_calendar::NotBookable, holds::HoldRefusal};

/// Defines the reasons once: as a type, as codes, and as the list in the order of the checks.
macro_rules! reason_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal,)+) => {
        /// The reason for a rejection: the first rule, in this order, that stands against the
        /// instruction.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum RejectReason {
            $($(#[$doc])* $variant,)+
        }

        impl RejectReason {
            /// Every reason, in the order of the checks.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The code in stored records, tables and logs.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// The reason with this code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $($code => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}

reason_codes! {
    /// No grant of the author permits a debit.
    NotPermitted = "not_permitted",
    /// The id is a UUID of version 8, which only the ledger itself may give.
    ReservedId = "reserved_id",
    /// The id was used before, with other content.
    IdempotencyConflict = "idempotency_conflict",
    /// An amount is zero or less.
    AmountNotPositive = "amount_not_positive",
    /// An amount has more digits after the point than its currency.
    TooManyDigits = "too_many_digits",
    /// An amount is more than the ledger moves at once.
    AmountTooLarge = "amount_too_large",
    /// No account can hold the currency.
    UnsupportedCurrency = "unsupported_currency",
    /// A text is too long, or is not one line of visible characters.
    InvalidText = "invalid_text",
    /// The booking date is in no valid year.
    InvalidBookingDate = "invalid_booking_date",
    /// The booking date lies in a closed period.
    PeriodClosed = "period_closed",
    /// The booking date is too far ahead.
    BookingDateTooLate = "booking_date_too_late",
    /// The value date is in no valid year.
    InvalidValueDate = "invalid_value_date",
    /// The hold would expire before now, or too far ahead.
    InvalidExpiry = "invalid_expiry",
    /// Fewer legs than a transfer needs.
    TooFewLegs = "too_few_legs",
    /// More legs than a transfer may have.
    TooManyLegs = "too_many_legs",
    /// The debits and credits of a currency are not equal.
    UnbalancedLegs = "unbalanced_legs",
    /// The rate is zero or less, or has too many digits.
    InvalidRate = "invalid_rate",
    /// The exchange sells and buys one currency.
    SameCurrency = "same_currency",
    /// Two legs are on one account.
    SameAccount = "same_account",
    /// There is no such hold.
    UnknownHold = "unknown_hold",
    /// The hold was captured.
    HoldCaptured = "hold_captured",
    /// The hold was released.
    HoldReleased = "hold_released",
    /// The hold's time is over.
    HoldExpired = "hold_expired",
    /// The capture is more than the hold has left.
    ExceedsHold = "exceeds_hold",
    /// No such transfer was posted.
    UnknownTransfer = "unknown_transfer",
    /// The transfer is a reversal, or has several legs and is reversed in part.
    NotReversible = "not_reversible",
    /// The reversal is more than the transfer has left.
    ExceedsOriginal = "exceeds_original",
    /// There is no such account.
    UnknownAccount = "unknown_account",
    /// The account is closed.
    AccountClosed = "account_closed",
    /// The account is frozen, for this direction or for both.
    AccountFrozen = "account_frozen",
    /// The account is about to be closed.
    AccountNotActive = "account_not_active",
    /// The account holds another currency.
    CurrencyMismatch = "currency_mismatch",
    /// The debtor may not move so much at once.
    TransferLimit = "transfer_limit",
    /// The debtor may not move so much on one day.
    DailyLimit = "daily_limit",
    /// The debtor may not move so much in one month.
    MonthlyLimit = "monthly_limit",
    /// The debtor's balance would fall below the least that must stay.
    MinimumBalance = "minimum_balance",
    /// The debtor's available amount is less.
    InsufficientFunds = "insufficient_funds",
    /// A balance, or a pending amount, would have too many digits.
    BalanceTooLarge = "balance_too_large",
    /// Another instruction of the group was rejected.
    GroupRejected = "group_rejected",
}

impl From<AccountRefusal> for RejectReason {
    fn from(refusal: AccountRefusal) -> Self {
        match refusal {
            AccountRefusal::Closed => Self::AccountClosed,
            AccountRefusal::Frozen => Self::AccountFrozen,
            AccountRefusal::Locked => Self::AccountNotActive,
            AccountRefusal::OtherCurrency => Self::CurrencyMismatch,
            AccountRefusal::TransferLimit => Self::TransferLimit,
            AccountRefusal::DailyLimit => Self::DailyLimit,
            AccountRefusal::MonthlyLimit => Self::MonthlyLimit,
            AccountRefusal::MinimumBalance => Self::MinimumBalance,
            AccountRefusal::InsufficientFunds => Self::InsufficientFunds,
            AccountRefusal::BalanceTooLarge => Self::BalanceTooLarge,
        }
    }
}

impl From<HoldRefusal> for RejectReason {
    fn from(refusal: HoldRefusal) -> Self {
        match refusal {
            HoldRefusal::Captured => Self::HoldCaptured,
            HoldRefusal::Released => Self::HoldReleased,
            HoldRefusal::Expired => Self::HoldExpired,
        }
    }
}

impl From<NotBookable> for RejectReason {
    fn from(refusal: NotBookable) -> Self {
        match refusal {
            NotBookable::PeriodClosed => Self::PeriodClosed,
            NotBookable::TooLate => Self::BookingDateTooLate,
        }
    }
}

/// The result of a check.
pub(crate) type Checked = Result<(), RejectReason>;

/// The first, in the order of the reasons, of several failed checks.
pub(super) fn first_of(checks: impl Iterator<Item = Checked>) -> Checked {
    checks.filter_map(Result::err).min().map_or(Ok(()), Err)
}
