//! What an e-mail says. Promise: the same facts make the same letter; it is plain text, names no
//! other customer, and shows of the holder's IBAN the two ends.

use shared_events::{
    Amount, Money,
    accounts::Blocks,
    ledger::{AccountCode, Direction, ReleaseCause},
    text::visible,
};

use super::{
    cs, de, en,
    phrases::{Topical, Words},
};
use crate::domain::{
    Recipient,
    told::{Freeze, GivenBack, Movement, Rejection, SetAside, Told},
};

/// An e-mail, written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) subject: String,
    pub(crate) body: String,
}

/// Writes to a recipient, in their language where it is one of ours, else in English.
pub(crate) fn write(told: &Told, recipient: &Recipient) -> Letter {
    let words = words_of(&recipient.language);
    let (topical, amount, facts) = match told {
        Told::TransferPosted(it) => posted(words, it),
        Told::TransferRejected(it) => rejected(words, it),
        Told::TransferHeld(it) => held(words, it),
        Told::HoldReleased(it) => given_back(words, it),
        Told::AccountFrozen(it) => (frozen(words, *it), String::new(), vec![]),
        Told::AccountUnfrozen => (&words.unfrozen, String::new(), vec![]),
        Told::AccountClosed => (&words.closed, String::new(), vec![]),
    };
    let account = recipient.iban.as_deref().and_then(both_ends);
    let account = account.map(|ends| fact(words.account, &ends));
    let facts: String = account.into_iter().chain(facts).collect();
    let gap = if facts.is_empty() { "" } else { "\n" };
    let greeting = words.greeting.replace("{name}", &visible(&recipient.name));
    let sentence = topical.sentence.replace("{amount}", &amount);
    let Words { farewell, footer, .. } = words;
    Letter {
        subject: topical.subject.replace("{amount}", &amount),
        body: format!("{greeting}\n\n{sentence}\n\n{facts}{gap}{farewell}\n\n-- \n{footer}\n"),
    }
}

fn words_of(language: &str) -> &'static Words {
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    match primary.to_ascii_lowercase().as_str() {
        "cs" => &cs::WORDS,
        "de" => &de::WORDS,
        _ => &en::WORDS,
    }
}

fn posted<'w>(words: &'w Words, it: &Movement) -> (&'w Topical, String, Vec<String>) {
    let (topical, other_side) = match (it.direction, it.reverses) {
        (Direction::Debit, None) => (&words.paid_out, words.creditor),
        (Direction::Credit, None) => (&words.paid_in, words.debtor),
        (Direction::Debit, Some(_)) => (&words.taken_back, words.creditor),
        (Direction::Credit, Some(_)) => (&words.paid_back, words.debtor),
    };
    let amount = words.money(it.money);
    let mut facts = vec![
        fact(words.amount, &amount),
        fact(other_side, &party(words, it.counterparty.as_ref())),
    ];
    facts.extend(it.rate.map(|rate| fact(words.rate, &words.number(&rate.to_string()))));
    facts.extend(references(words, it.reference.as_deref(), it.end_to_end_id.as_deref()));
    facts.push(fact(words.booked_on, &it.booking_date.format(words.date_format).to_string()));
    facts.push(balance(words, it.money, it.balance));
    (topical, amount, facts)
}

fn held<'w>(words: &'w Words, it: &SetAside) -> (&'w Topical, String, Vec<String>) {
    let amount = words.money(it.money);
    let mut facts = vec![
        fact(words.amount, &amount),
        fact(words.creditor, &party(words, it.counterparty.as_ref())),
    ];
    facts.extend(references(words, it.reference.as_deref(), it.end_to_end_id.as_deref()));
    let day = it.expires_at.format(words.date_format);
    facts.push(fact(words.held_until, &format!("{day} {} UTC", it.expires_at.format("%H:%M"))));
    facts.extend(available(words, it.money, it.available));
    (&words.held, amount, facts)
}

fn given_back<'w>(words: &'w Words, it: &GivenBack) -> (&'w Topical, String, Vec<String>) {
    let amount = words.money(it.money);
    let mut facts = vec![
        fact(words.amount, &amount),
        fact(words.creditor, &party(words, it.counterparty.as_ref())),
    ];
    facts.extend(available(words, it.money, it.available));
    let topical = match it.cause {
        ReleaseCause::Released | ReleaseCause::Captured => &words.released,
        ReleaseCause::Expired => &words.expired,
    };
    (topical, amount, facts)
}

fn frozen(words: &Words, it: Freeze) -> &Topical {
    match it.blocks {
        Blocks::Both => &words.frozen,
        Blocks::Debits => &words.frozen_out,
        Blocks::Credits => &words.frozen_in,
    }
}

/// What the debtor has written, as far as it was written.
fn references(words: &Words, reference: Option<&str>, end_to_end_id: Option<&str>) -> Vec<String> {
    let reference = reference.map(|text| fact(words.reference, &visible(text)));
    let id = end_to_end_id.map(|id| fact(words.end_to_end_id, &visible(id)));
    reference.into_iter().chain(id).collect()
}

fn available(words: &Words, money: Money, left: Option<Amount>) -> Option<String> {
    left.map(|left| fact(words.available, &words.money(Money { amount: left, ..money })))
}

fn rejected<'w>(words: &'w Words, it: &Rejection) -> (&'w Topical, String, Vec<String>) {
    let amount = words.money(it.money);
    let mut facts = vec![
        fact(words.amount, &amount),
        fact(words.creditor, &party(words, it.counterparty.as_ref())),
        fact(words.reason, (words.reason_of)(it.reason)),
    ];
    facts.extend(it.balance.map(|left| balance(words, it.money, left)));
    (&words.rejected, amount, facts)
}

fn fact(label: &str, value: &str) -> String {
    format!("{label}: {value}\n")
}

/// The balance, which is in the currency of the account and so of what was posted on it.
fn balance(words: &Words, money: Money, balance: Amount) -> String {
    fact(words.balance, &words.money(Money { amount: balance, ..money }))
}

fn party(words: &Words, code: Option<&AccountCode>) -> String {
    let Some(code) = code else { return words.somebody.to_owned() };
    match code.0.as_str() {
        "cash" => words.cash.to_owned(),
        "cards" => words.cards.to_owned(),
        "fees" => words.fees.to_owned(),
        "interest_paid" => words.interest.to_owned(),
        "interest_received" => words.interest_received.to_owned(),
        "fx_position" => words.exchange.to_owned(),
        "fx_rounding" => words.rounding.to_owned(),
        "penalty_interest" => words.penalty_interest.to_owned(),
        other => match other.strip_prefix("settlement:") {
            Some(bank) => words.other_bank.replace("{bank}", &visible(bank)),
            None => visible(other).into_owned(),
        },
    }
}

/// Enough of an IBAN for its holder, and too little for anybody else.
fn both_ends(iban: &str) -> Option<String> {
    let tail = iban.len().checked_sub(4)?;
    Some(format!("{} … {}", iban.get(..4)?, iban.get(tail..)?))
}

#[cfg(test)]
mod tests;
