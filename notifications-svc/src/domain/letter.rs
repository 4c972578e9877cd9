//! What an e-mail says. Promise: the same facts make the same letter; it is plain text, names no
//! other customer, and shows of the holder's IBAN the two ends.

mod cs;
mod de;
mod en;
mod words;

use shared_events::{
    Amount, Money,
    ledger::{AccountCode, Direction},
};

use super::{
    parcel::Recipient,
    told::{Movement, Rejection, Told},
};
use words::{Topical, Words};

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
        Told::AccountFrozen => (&words.frozen, String::new(), vec![]),
        Told::AccountUnfrozen => (&words.unfrozen, String::new(), vec![]),
        Told::AccountClosed => (&words.closed, String::new(), vec![]),
    };
    let account = recipient.iban.as_deref().and_then(both_ends);
    let account = account.map(|ends| fact(words.account, &ends));
    let facts: String = account.into_iter().chain(facts).collect();
    let gap = if facts.is_empty() { "" } else { "\n" };
    let greeting = words.greeting.replace("{name}", &one_line(&recipient.name));
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
    let (topical, other_side) = match it.direction {
        Direction::Debit => (&words.paid_out, words.creditor),
        Direction::Credit => (&words.paid_in, words.debtor),
    };
    let amount = words.money(it.money);
    let mut facts = vec![
        fact(words.amount, &amount),
        fact(other_side, &party(words, it.counterparty.as_ref())),
    ];
    facts.extend(it.reference.as_deref().map(|text| fact(words.reference, &one_line(text))));
    facts.extend(it.end_to_end_id.as_deref().map(|id| fact(words.end_to_end_id, &one_line(id))));
    facts.push(fact(words.booked_on, &it.booking_date.format(words.date_format).to_string()));
    facts.push(balance(words, it.money, it.balance));
    (topical, amount, facts)
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
            Some(bank) => words.other_bank.replace("{bank}", bank),
            None => other.to_owned(),
        },
    }
}

/// Enough of an IBAN for its holder, and too little for anybody else.
fn both_ends(iban: &str) -> Option<String> {
    let tail = iban.len().checked_sub(4)?;
    Some(format!("{} … {}", iban.get(..4)?, iban.get(tail..)?))
}

/// A line of text stays one: whoever pays cannot write the rest of the letter.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
