//! The texts of one language, and its notation of money.

use shared_events::Money;

/// The subject and the first sentence of a letter. `{amount}` stands for the money.
pub(super) struct OccasionText {
    pub(super) subject: &'static str,
    pub(super) sentence: &'static str,
}

/// The texts of one language.
pub(super) struct Phrases {
    pub(super) decimal_mark: char,
    pub(super) group_mark: char,
    /// The format of dates, as `chrono` reads it.
    pub(super) date_format: &'static str,
    /// `{name}` stands for the holder's name.
    pub(super) greeting: &'static str,
    pub(super) farewell: &'static str,
    pub(super) footer: &'static str,

    pub(super) paid_out: OccasionText,
    pub(super) paid_in: OccasionText,
    pub(super) rejected: OccasionText,
    /// A reversal, into the account.
    pub(super) paid_back: OccasionText,
    /// A reversal, out of the account.
    pub(super) taken_back: OccasionText,
    pub(super) held: OccasionText,
    pub(super) released: OccasionText,
    pub(super) expired: OccasionText,
    pub(super) frozen: OccasionText,
    /// Nothing leaves the account.
    pub(super) frozen_out: OccasionText,
    /// Nothing comes in.
    pub(super) frozen_in: OccasionText,
    pub(super) unfrozen: OccasionText,
    pub(super) closed: OccasionText,

    pub(super) account: &'static str,
    pub(super) amount: &'static str,
    pub(super) debtor: &'static str,
    pub(super) creditor: &'static str,
    pub(super) reference: &'static str,
    pub(super) end_to_end_id: &'static str,
    pub(super) booked_on: &'static str,
    pub(super) balance: &'static str,
    pub(super) available: &'static str,
    pub(super) held_until: &'static str,
    pub(super) rate: &'static str,
    pub(super) reason: &'static str,

    /// The other side, where it is an account of a customer.
    pub(super) somebody: &'static str,
    pub(super) cash: &'static str,
    pub(super) cards: &'static str,
    pub(super) fees: &'static str,
    pub(super) interest: &'static str,
    pub(super) penalty_interest: &'static str,
    pub(super) interest_received: &'static str,
    pub(super) exchange: &'static str,
    pub(super) rounding: &'static str,
    /// `{bank}` stands for the bank's code.
    pub(super) other_bank: &'static str,

    /// The text for a reason code. `None`: the language has no text for this code.
    pub(super) reason_of: fn(&str) -> Option<&'static str>,
    /// The text for all other reason codes.
    pub(super) other_reason: &'static str,
}

impl Phrases {
    /// An amount with the digits of its currency, as the language writes numbers.
    pub(super) fn money(&self, money: Money) -> String {
        let plain = money.to_string();
        let (number, currency) = plain.split_once(' ').unwrap_or((&plain, ""));
        format!("{} {currency}", self.number(number))
    }

    /// A number, as the language writes it.
    pub(super) fn number(&self, number: &str) -> String {
        let (sign, digits) = match number.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", number),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (digits, None),
        };
        let mut text = sign.to_owned();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                text.push(self.group_mark);
            }
            text.push(digit);
        }
        if let Some(fraction) = fraction {
            text.push(self.decimal_mark);
            text.push_str(fraction);
        }
        text
    }
}
