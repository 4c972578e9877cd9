//! What a language needs to have words for, and how it writes money.

use shared_events::{Money, ledger::RejectReason};

/// What is said on one occasion. `{amount}` stands for the money.
pub(super) struct Topical {
    pub(super) subject: &'static str,
    pub(super) sentence: &'static str,
}

/// One language.
pub(super) struct Words {
    pub(super) decimal_mark: char,
    pub(super) group_mark: char,
    /// As `chrono` writes dates.
    pub(super) date_format: &'static str,
    /// `{name}` stands for the holder's.
    pub(super) greeting: &'static str,
    pub(super) farewell: &'static str,
    pub(super) footer: &'static str,

    pub(super) paid_out: Topical,
    pub(super) paid_in: Topical,
    pub(super) rejected: Topical,
    /// A reversal, into the account.
    pub(super) paid_back: Topical,
    /// A reversal, out of the account.
    pub(super) taken_back: Topical,
    pub(super) held: Topical,
    pub(super) released: Topical,
    pub(super) expired: Topical,
    pub(super) frozen: Topical,
    /// Nothing leaves the account.
    pub(super) frozen_out: Topical,
    /// Nothing comes in.
    pub(super) frozen_in: Topical,
    pub(super) unfrozen: Topical,
    pub(super) closed: Topical,

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

    /// The other side, where it is not the bank itself.
    pub(super) somebody: &'static str,
    pub(super) cash: &'static str,
    pub(super) cards: &'static str,
    pub(super) fees: &'static str,
    pub(super) interest: &'static str,
    pub(super) penalty_interest: &'static str,
    pub(super) interest_received: &'static str,
    pub(super) exchange: &'static str,
    pub(super) rounding: &'static str,
    /// `{bank}` stands for its code.
    pub(super) other_bank: &'static str,

    pub(super) reason_of: fn(RejectReason) -> &'static str,
}

impl Words {
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
