//! English.

use shared_events::ledger::RejectReason;

use super::phrases::{Topical, Words};

pub(crate) const WORDS: Words = Words {
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
    paid_back: Topical {
        subject: "{amount} was paid back to you",
        sentence: "{amount} came back to your account: a payment from it was \
                   reversed.",
    },
    taken_back: Topical {
        subject: "{amount} was taken back",
        sentence: "{amount} went back from your account: a payment into it was \
                   reversed.",
    },
    held: Topical {
        subject: "{amount} is on hold",
        sentence: "{amount} was set aside on your account. It is still yours, but it \
                   cannot be spent until it is paid or given back.",
    },
    released: Topical {
        subject: "{amount} is no longer on hold",
        sentence: "{amount} that was set aside on your account was given back. It was \
                   not paid, and you can spend it again.",
    },
    expired: Topical {
        subject: "{amount} is no longer on hold",
        sentence: "The time for which {amount} was set aside on your account is over. \
                   It was not paid, and you can spend it again.",
    },
    frozen: Topical {
        subject: "Your account is frozen",
        sentence: "Your account was frozen. Until further notice no money can be paid into it \
                   or from it.",
    },
    frozen_out: Topical {
        subject: "Your account is frozen for payments from it",
        sentence: "Your account was frozen for payments from it. Until further notice \
                   no money can leave it; money can still be paid into it.",
    },
    frozen_in: Topical {
        subject: "Your account is frozen for payments into it",
        sentence: "Your account was frozen for payments into it. Until further notice \
                   no money can be paid into it; money can still leave it.",
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
    available: "Available",
    held_until: "Held until",
    rate: "Rate",
    reason: "Reason",

    somebody: "another account",
    cash: "cash",
    cards: "card payment",
    fees: "the bank, fees",
    interest: "the bank, interest",
    penalty_interest: "the bank, penalty interest",
    interest_received: "the bank, interest on debt",
    exchange: "the bank, foreign exchange",
    rounding: "the bank, rounding",
    other_bank: "an account at another bank ({bank})",

    reason_of,
};

const fn reason_of(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::ReservedId => "the payment's id is the bank's own",
        RejectReason::IdempotencyConflict => "the payment's id was used before",
        RejectReason::AmountNotPositive => "the amount is not more than zero",
        RejectReason::TooManyDigits => "the amount has more digits than its currency",
        RejectReason::AmountTooLarge => "the amount is too large",
        RejectReason::UnsupportedCurrency => "the currency is not supported",
        RejectReason::InvalidText => "the reference is too long or has control characters",
        RejectReason::InvalidBookingDate => "the booking date is not valid",
        RejectReason::PeriodClosed => "the period of the booking date is closed",
        RejectReason::BookingDateTooLate => "the booking date is too late",
        RejectReason::InvalidValueDate => "the value date is not valid",
        RejectReason::InvalidExpiry => "the hold would end in the past or too late",
        RejectReason::TooFewLegs
        | RejectReason::TooManyLegs
        | RejectReason::UnbalancedLegs
        | RejectReason::InvalidRate
        | RejectReason::SameCurrency => "the payment is not well formed",
        RejectReason::UnknownHold
        | RejectReason::HoldCaptured
        | RejectReason::HoldReleased
        | RejectReason::HoldExpired
        | RejectReason::ExceedsHold => "the money is not on hold any more",
        RejectReason::UnknownTransfer
        | RejectReason::NotReversible
        | RejectReason::ExceedsOriginal => "the payment cannot be reversed, or not by so much",
        RejectReason::SameAccount => "it would go to the same account",
        RejectReason::UnknownAccount => "there is no such account",
        RejectReason::AccountClosed => "one of the accounts is closed",
        RejectReason::AccountFrozen => "one of the accounts is frozen",
        RejectReason::AccountNotActive => "one of the accounts is not active",
        RejectReason::CurrencyMismatch => "one of the accounts holds another currency",
        RejectReason::TransferLimit => "the amount is above the limit for one payment",
        RejectReason::DailyLimit => "the limit for the day is used up",
        RejectReason::MonthlyLimit => "the limit for the month is used up",
        RejectReason::MinimumBalance => "too little would stay on the account",
        RejectReason::InsufficientFunds => "there is not enough money on the account",
        RejectReason::BalanceTooLarge => "more would be on an account than the bank can keep there",
        RejectReason::GroupRejected => {
            "it belongs to other payments, and one of these was rejected"
        }
    }
}
