//! English.

use super::phrases::{OccasionText, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    decimal_mark: '.',
    group_mark: ',',
    date_format: "%-d %B %Y",
    greeting: "Dear {name},",
    farewell: "Your bank",
    footer: "This e-mail was written by a machine. Nobody reads answers to it.",

    paid_out: OccasionText {
        subject: "{amount} left your account",
        sentence: "{amount} was paid from your account.",
    },
    paid_in: OccasionText {
        subject: "{amount} came in on your account",
        sentence: "{amount} was paid into your account.",
    },
    rejected: OccasionText {
        subject: "A payment of {amount} was not made",
        sentence: "The payment of {amount} from your account was rejected. No money has moved.",
    },
    paid_back: OccasionText {
        subject: "{amount} was paid back to you",
        sentence: "{amount} came back to your account: a payment from it was \
                   reversed.",
    },
    taken_back: OccasionText {
        subject: "{amount} was taken back",
        sentence: "{amount} went back from your account: a payment into it was \
                   reversed.",
    },
    held: OccasionText {
        subject: "{amount} is on hold",
        sentence: "{amount} was set aside on your account. It is still yours, but it \
                   cannot be spent until it is paid or given back.",
    },
    released: OccasionText {
        subject: "{amount} is no longer on hold",
        sentence: "{amount} that was set aside on your account was given back. It was \
                   not paid, and you can spend it again.",
    },
    expired: OccasionText {
        subject: "{amount} is no longer on hold",
        sentence: "The time for which {amount} was set aside on your account is over. \
                   It was not paid, and you can spend it again.",
    },
    frozen: OccasionText {
        subject: "Your account is frozen",
        sentence: "Your account was frozen. Until further notice no money can be paid into it \
                   or from it.",
    },
    frozen_out: OccasionText {
        subject: "Your account is frozen for payments from it",
        sentence: "Your account was frozen for payments from it. Until further notice \
                   no money can leave it; money can still be paid into it.",
    },
    frozen_in: OccasionText {
        subject: "Your account is frozen for payments into it",
        sentence: "Your account was frozen for payments into it. Until further notice \
                   no money can be paid into it; money can still leave it.",
    },
    unfrozen: OccasionText {
        subject: "Your account can be used again",
        sentence: "Your account is no longer frozen. You can use it as before.",
    },
    closed: OccasionText {
        subject: "Your account is closed",
        sentence: "Your account was closed.",
    },

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
    other_reason: "another reason",
};

fn reason_of(code: &str) -> Option<&'static str> {
    let text =
        match code {
            "reserved_id" => "the payment's id is the bank's own",
            "idempotency_conflict" => "the payment's id was used before",
            "not_permitted" => "its sender may not move this money",
            "amount_not_positive" => "the amount is not more than zero",
            "too_many_digits" => "the amount has more digits than its currency",
            "amount_too_large" => "the amount is too large",
            "unsupported_currency" => "the currency is not supported",
            "invalid_text" => "the reference is too long or has control characters",
            "invalid_booking_date" => "the booking date is not valid",
            "period_closed" => "the period of the booking date is closed",
            "booking_date_too_late" => "the booking date is too late",
            "invalid_value_date" => "the value date is not valid",
            "invalid_expiry" => "the hold would end in the past or too late",
            "too_few_legs" | "too_many_legs" | "unbalanced_legs" | "invalid_rate"
            | "same_currency" => "the payment is not well formed",
            "unknown_hold" | "hold_captured" | "hold_released" | "hold_expired"
            | "exceeds_hold" => "the money is not on hold any more",
            "unknown_transfer" | "not_reversible" | "exceeds_original" => {
                "the payment cannot be reversed, or not by so much"
            }
            "same_account" => "it would go to the same account",
            "unknown_account" => "there is no such account",
            "account_closed" => "one of the accounts is closed",
            "account_frozen" => "one of the accounts is frozen",
            "account_not_active" => "one of the accounts is not active",
            "currency_mismatch" => "one of the accounts holds another currency",
            "transfer_limit" => "the amount is above the limit for one payment",
            "daily_limit" => "the limit for the day is used up",
            "monthly_limit" => "the limit for the month is used up",
            "minimum_balance" => "too little would stay on the account",
            "insufficient_funds" => "there is not enough money on the account",
            "balance_too_large" => "more would be on an account than the bank can keep there",
            "group_rejected" => "it belongs to other payments, and one of these was rejected",
            _ => return None,
        };
    Some(text)
}
