//! Reasons of rejections. Promise: a code never changes its meaning.

use crate::code::codes;

codes! {
    /// The reason why a transfer was rejected. The ledger checks in the order of this list; the
    /// first failed check is the reason.
    pub enum RejectReason {
        /// No grant of the principal permits a debit of the instruction: the account is of another
        /// branch, is one of the bank's own, or the amount is above the ceiling.
        NotPermitted = "not_permitted",
        /// The id of the transfer is a UUID of version 8, which is reserved for the ledger.
        ReservedId = "reserved_id",
        /// An earlier transfer had the same id and other content.
        IdempotencyConflict = "idempotency_conflict",
        /// The amount is zero or less; in an exchange, the bought amount, too.
        AmountNotPositive = "amount_not_positive",
        /// The amount has more digits after the point than ISO 4217 gives the currency.
        TooManyDigits = "too_many_digits",
        /// The amount is more than 1,000,000,000,000,000 units, or has more than 18 digits in a
        /// currency with more than two digits after the point. In an exchange this holds for the
        /// bought amount, too, whose exact value has at most 28 digits.
        AmountTooLarge = "amount_too_large",
        /// No account can be opened in the currency: the currency has no minor unit, is for
        /// testing, or was withdrawn. An existing balance can leave to one of the bank's own
        /// accounts or by an exchange.
        UnsupportedCurrency = "unsupported_currency",
        /// The reference or the end-to-end id is too long, or is not one line of visible
        /// characters: control characters, marks of direction and invisible characters are not
        /// allowed.
        InvalidText = "invalid_text",
        /// The booking date is before 1900 or after 2199.
        InvalidBookingDate = "invalid_booking_date",
        /// The booking date lies in a closed period.
        PeriodClosed = "period_closed",
        /// The booking date is later than the bank allows.
        BookingDateTooLate = "booking_date_too_late",
        /// The value date is before 1900 or after 2199.
        InvalidValueDate = "invalid_value_date",
        /// The expiry of the hold is in the past, or more than 400 days ahead.
        InvalidExpiry = "invalid_expiry",
        /// The transfer has fewer than 2 legs.
        TooFewLegs = "too_few_legs",
        /// The transfer has more than 100 legs.
        TooManyLegs = "too_many_legs",
        /// The debits and credits of the legs differ in some currency.
        UnbalancedLegs = "unbalanced_legs",
        /// The exchange rate is zero or less, or has more than 10 digits after the point.
        InvalidRate = "invalid_rate",
        /// The sold currency and the bought currency are the same.
        SameCurrency = "same_currency",
        /// Debtor and creditor are the same account, or two legs name the same account.
        SameAccount = "same_account",
        /// The ledger has no such hold; the rejected instruction never placed one.
        UnknownHold = "unknown_hold",
        /// The hold was captured, and nothing remains.
        HoldCaptured = "hold_captured",
        /// The hold was released.
        HoldReleased = "hold_released",
        /// The hold has expired.
        HoldExpired = "hold_expired",
        /// The amount is more than the remaining amount of the hold.
        ExceedsHold = "exceeds_hold",
        /// The ledger has posted no such transfer.
        UnknownTransfer = "unknown_transfer",
        /// The transfer is a reversal itself, or has more than two legs and only a part is to be
        /// reversed.
        NotReversible = "not_reversible",
        /// The amount is more than the amount of the transfer that is not yet reversed.
        ExceedsOriginal = "exceeds_original",
        /// The ledger has no such account, or the bank has no account with this code.
        UnknownAccount = "unknown_account",
        /// The account is closed.
        AccountClosed = "account_closed",
        /// The account is frozen, for both directions or for this one.
        AccountFrozen = "account_frozen",
        /// The account is closing.
        AccountNotActive = "account_not_active",
        /// The currency of the account is another one.
        CurrencyMismatch = "currency_mismatch",
        /// The amount is more than the debtor's limit of one transfer.
        TransferLimit = "transfer_limit",
        /// The amount is more than the rest of the debtor's daily limit.
        DailyLimit = "daily_limit",
        /// The amount is more than the rest of the debtor's monthly limit.
        MonthlyLimit = "monthly_limit",
        /// The debtor's balance would fall below the minimum balance.
        MinimumBalance = "minimum_balance",
        /// The debtor's available balance is less than the amount.
        InsufficientFunds = "insufficient_funds",
        /// A balance or a pending amount of an account would have too many digits: more than 18
        /// with the digits of the currency on a customer's account, more than 28 on one of the
        /// bank's own.
        BalanceTooLarge = "balance_too_large",
        /// Another instruction of the group was rejected.
        GroupRejected = "group_rejected",
    }
}
