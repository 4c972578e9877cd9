//! English.

use shared_events::ledger::RejectReason;

use super::words::{Topical, Words};

pub(super) const WORDS: Words = Words {
    decimal_mark: '.',
    group_mark: ',',
    date_format: "%-d %B %Y",
    greeting: "Dear {name},",
    farewell: "Your bank",
    footer: "This e-mail was written by a machine. Nobody reads answers to it.",

    paid_out: Topical {
        subject: "{amount} left your account",
        sentence: "{amount} was paid from your account.",
    },
    paid_in: Topical {
        subject: "{amount} came in on your account",
        sentence: "{amount} was paid into your account.",
    },
    rejected: Topical {
        subject: "A payment of {amount} was not made",
        sentence: "The payment of {amount} from your account was rejected. No money has moved.",
    },
    frozen: Topical {
        subject: "Your account is frozen",
        sentence: "Your account was frozen. Until further notice no money can be paid into it \
                   or from it.",
    },
    unfrozen: Topical {
        subject: "Your account can be used again",
        sentence: "Your account is no longer frozen. You can use it as before.",
    },
    closed: Topical { subject: "Your account is closed", sentence: "Your account was closed." },

    account: "Account",
    amount: "Amount",
    debtor: "From",
    creditor: "To",
    reference: "Reference",
    end_to_end_id: "End-to-end id",
    booked_on: "Booked on",
    balance: "Balance",
    reason: "Reason",

    somebody: "another account",
    cash: "cash",
    cards: "card payment",
    fees: "the bank, fees",
    interest: "the bank, interest",
    penalty_interest: "the bank, penalty interest",
    other_bank: "an account at another bank ({bank})",

    reason_of,
};

const fn reason_of(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::IdempotencyConflict => "the payment's id was used before",
        RejectReason::AmountNotPositive => "the amount is not more than zero",
        RejectReason::TooManyDigits => "the amount has more digits than its currency",
        RejectReason::AmountTooLarge => "the amount is too large",
        RejectReason::InvalidText => "the reference is too long or has control characters",
        RejectReason::InvalidBookingDate => "the booking date is not valid",
        RejectReason::SameAccount => "it would go to the same account",
        RejectReason::UnknownAccount => "there is no such account",
        RejectReason::AccountClosed => "one of the accounts is closed",
        RejectReason::AccountFrozen => "one of the accounts is frozen",
        RejectReason::AccountNotActive => "one of the accounts is not active",
        RejectReason::CurrencyMismatch => "one of the accounts holds another currency",
        RejectReason::InsufficientFunds => "there is not enough money on the account",
    }
}
