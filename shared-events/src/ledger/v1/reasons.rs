//! Why money did not move. Promise: a code never changes its meaning.

use crate::code::codes;

codes! {
    /// Why a transfer was rejected. The checks run in the order of this list; the first that
    /// fails is the reason.
    pub enum RejectReason {
        /// The transfer's id is a UUID of version 8: such ids are for what the ledger does by
        /// itself.
        ReservedId = "reserved_id",
        /// The transfer's id was used before, with other content.
        IdempotencyConflict = "idempotency_conflict",
        /// Zero or less; of an exchange, also what the creditor would get.
        AmountNotPositive = "amount_not_positive",
        /// More digits after the point than ISO 4217 gives the currency.
        TooManyDigits = "too_many_digits",
        /// More than 1,000,000,000,000,000 units, or of a currency with more than two digits after
        /// the point more than 18 digits with those; of an exchange, also what the creditor would
        /// get, or what it comes to exactly would have more than 28 digits.
        AmountTooLarge = "amount_too_large",
        /// Nobody can hold the currency: it has no minor unit, is for testing, or was withdrawn.
        /// What an account has of it can leave, to one of the bank's own or by an exchange.
        UnsupportedCurrency = "unsupported_currency",
        /// The reference or the end-to-end id is longer than it may be, or is not one line of
        /// visible characters: it has control characters, marks of direction, or others that show
        /// nothing.
        InvalidText = "invalid_text",
        /// The booking date is before 1900 or after 2199.
        InvalidBookingDate = "invalid_booking_date",
        /// The booking date lies in a period that is closed.
        PeriodClosed = "period_closed",
        /// The booking date is later than the bank allows.
        BookingDateTooLate = "booking_date_too_late",
        /// The value date is before 1900 or after 2199.
        InvalidValueDate = "invalid_value_date",
        /// A hold that would end before now, or more than 400 days ahead.
        InvalidExpiry = "invalid_expiry",
        /// Fewer than 2 legs.
        TooFewLegs = "too_few_legs",
        /// More than 100 legs.
        TooManyLegs = "too_many_legs",
        /// The legs' debits and credits of some currency are not equal.
        UnbalancedLegs = "unbalanced_legs",
        /// The rate of exchange is zero or less, or has more than 10 digits after the point.
        InvalidRate = "invalid_rate",
        /// What is sold and what is bought are of one currency.
        SameCurrency = "same_currency",
        /// Debtor and creditor are one account, or two legs are on one.
        SameAccount = "same_account",
        /// The ledger knows no such hold; what was rejected never was one.
        UnknownHold = "unknown_hold",
        /// The hold was captured, and nothing of it is left.
        HoldCaptured = "hold_captured",
        /// The hold was released.
        HoldReleased = "hold_released",
        /// The hold's time is over.
        HoldExpired = "hold_expired",
        /// More than what is left of the hold.
        ExceedsHold = "exceeds_hold",
        /// The ledger posted no such transfer.
        UnknownTransfer = "unknown_transfer",
        /// The transfer is a reversal itself, or has more than two legs and is to be reversed in
        /// part.
        NotReversible = "not_reversible",
        /// More than what has not been reversed yet of the transfer.
        ExceedsOriginal = "exceeds_original",
        /// The ledger knows no such account, or the bank has no account with this code.
        UnknownAccount = "unknown_account",
        /// The account is closed.
        AccountClosed = "account_closed",
        /// The account is frozen: for all, or for this direction.
        AccountFrozen = "account_frozen",
        /// The account is about to be closed.
        AccountNotActive = "account_not_active",
        /// The account holds another currency.
        CurrencyMismatch = "currency_mismatch",
        /// More than the debtor may spend at once.
        TransferLimit = "transfer_limit",
        /// More than the debtor may still spend on this day.
        DailyLimit = "daily_limit",
        /// More than the debtor may still spend in this month.
        MonthlyLimit = "monthly_limit",
        /// The debtor's balance would fall below the least that must stay on the account.
        MinimumBalance = "minimum_balance",
        /// The debtor's available balance is less than the amount.
        InsufficientFunds = "insufficient_funds",
        /// What would be on an account, or expected on it or set aside, has more digits than can be
        /// told: 18 with those of the currency on a customer's, 28 on the bank's own.
        BalanceTooLarge = "balance_too_large",
        /// Another instruction of its group was rejected.
        GroupRejected = "group_rejected",
    }
}
