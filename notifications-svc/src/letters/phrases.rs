//! What a language needs to have words for, and how it writes money.

use shared_events::{Money, ledger::RejectReason};

/// What is said on one occasion. `{amount}` stands for the money.
pub(crate) struct Topical {
    pub(crate) subject: &'static str,
    pub(crate) sentence: &'static str,
}

/// One language.
pub(crate) struct Words {
    pub(crate) decimal_mark: char,
    pub(crate) group_mark: char,
    /// As `chrono` writes dates.
    pub(crate) date_format: &'static str,
    /// `{name}` stands for the holder's.
    pub(crate) greeting: &'static str,
    pub(crate) farewell: &'static str,
    pub(crate) footer: &'static str,

    pub(crate) paid_out: Topical,
    pub(crate) paid_in: Topical,
    pub(crate) rejected: Topical,
    /// A reversal, into the account.
    pub(crate) paid_back: Topical,
    /// A reversal, out of the account.
    pub(crate) taken_back: Topical,
    pub(crate) held: Topical,
    pub(crate) released: Topical,
    pub(crate) expired: Topical,
    pub(crate) frozen: Topical,
    /// Nothing leaves the account.
    pub(crate) frozen_out: Topical,
    /// Nothing comes in.
    pub(crate) frozen_in: Topical,
    pub(crate) unfrozen: Topical,
    pub(crate) closed: Topical,

    pub(crate) account: &'static str,
    pub(crate) amount: &'static str,
    pub(crate) debtor: &'static str,
    pub(crate) creditor: &'static str,
    pub(crate) reference: &'static str,
    pub(crate) end_to_end_id: &'static str,
    pub(crate) booked_on: &'static str,
    pub(crate) balance: &'static str,
    pub(crate) available: &'static str,
    pub(crate) held_until: &'static str,
    pub(crate) rate: &'static str,
    pub(crate) reason: &'static str,

    /// The other side, where it is not the bank itself.
    pub(crate) somebody: &'static str,
    pub(crate) cash: &'static str,
    pub(crate) cards: &'static str,
    pub(crate) fees: &'static str,
    pub(crate) interest: &'static str,
    pub(crate) penalty_interest: &'static str,
    pub(crate) interest_received: &'static str,
    pub(crate) exchange: &'static str,
    pub(crate) rounding: &'static str,
    /// `{bank}` stands for its code.
    pub(crate) other_bank: &'static str,

    pub(crate) reason_of: fn(RejectReason) -> &'static str,
}

impl Words {
    /// An amount with the digits of its currency, as the language writes numbers.
    pub(crate) fn money(&self, money: Money) -> String {
        let plain = money.to_string();
        let (number, currency) = plain.split_once(' ').unwrap_or((&plain, ""));
        format!("{} {currency}", self.number(number))
    }

    /// A number, as the language writes it.
    pub(crate) fn number(&self, number: &str) -> String {
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
