//! Composes the letter of a notification.

use std::borrow::Cow;

use shared_events::{
    Amount, Money,
    ledger::{AccountCode, Direction},
};

use super::{
    cs, de, en,
    letter::Letter,
    phrases::{OccasionText, Phrases},
};
use crate::{
    recipients::RecipientContact,
    triggers::{
        Blocks, EndedHold, Freeze, Movement, NotificationPayload, PlacedHold, Rejection,
        ReleaseCause,
    },
};

/// The occasion, the amount of money, and the lines of facts.
type LetterParts<'p> = (&'p OccasionText, String, Vec<String>);

/// Composes a letter in the recipient's language, or in English where the bank has no texts for it.
pub(crate) fn compose(payload: &NotificationPayload<'_>, recipient: &RecipientContact) -> Letter {
    let phrases = phrases_of(&recipient.language);
    let (occasion, amount, facts) = match payload {
        NotificationPayload::TransferPosted(movement) => posted(phrases, movement),
        NotificationPayload::TransferRejected(rejection) => rejected(phrases, rejection),
        NotificationPayload::TransferHeld(hold) => held(phrases, hold),
        NotificationPayload::HoldReleased(hold) => released(phrases, hold),
        NotificationPayload::AccountFrozen(freeze) => {
            (frozen(phrases, *freeze), String::new(), vec![])
        }
        NotificationPayload::AccountUnfrozen => (&phrases.unfrozen, String::new(), vec![]),
        NotificationPayload::AccountClosed => (&phrases.closed, String::new(), vec![]),
    };
    let account = recipient.iban.as_deref().and_then(both_ends);
    let account = account.map(|ends| fact(phrases.account, &ends));
    let facts: Vec<String> = account.into_iter().chain(facts).collect();
    let mut letter = Letter::about(&occasion.subject.replace("{amount}", &amount))
        .line(&phrases.greeting.replace("{name}", &recipient.name))
        .line("")
        .line(&occasion.sentence.replace("{amount}", &amount))
        .line("");
    for fact in &facts {
        letter = letter.line(fact);
    }
    if !facts.is_empty() {
        letter = letter.line("");
    }
    letter.line(phrases.farewell).line("").line("-- ").line(phrases.footer)
}

fn phrases_of(language: &str) -> &'static Phrases {
    let primary = language.split(['-', '_']).next().unwrap_or_default();
    match primary.to_ascii_lowercase().as_str() {
        "cs" => &cs::PHRASES,
        "de" => &de::PHRASES,
        _ => &en::PHRASES,
    }
}

fn posted<'p>(phrases: &'p Phrases, movement: &Movement<'_>) -> LetterParts<'p> {
    let (occasion, other_side) = match (movement.direction, movement.reverses) {
        (Direction::Debit, None) => (&phrases.paid_out, phrases.creditor),
        (Direction::Credit, None) => (&phrases.paid_in, phrases.debtor),
        (Direction::Debit, Some(_)) => (&phrases.taken_back, phrases.creditor),
        (Direction::Credit, Some(_)) => (&phrases.paid_back, phrases.debtor),
    };
    let amount = phrases.money(movement.money);
    let mut facts = vec![
        fact(phrases.amount, &amount),
        fact(other_side, &party(phrases, movement.counterparty.as_deref())),
    ];
    facts.extend(movement.rate.map(|rate| fact(phrases.rate, &phrases.number(&rate.to_string()))));
    facts.extend(references(
        phrases,
        movement.reference.as_deref(),
        movement.end_to_end_id.as_deref(),
    ));
    facts.push(fact(
        phrases.booked_on,
        &movement.booking_date.format(phrases.date_format).to_string(),
    ));
    facts.push(balance(phrases, movement.money, movement.balance));
    (occasion, amount, facts)
}

fn held<'p>(phrases: &'p Phrases, hold: &PlacedHold<'_>) -> LetterParts<'p> {
    let amount = phrases.money(hold.money);
    let mut facts = vec![
        fact(phrases.amount, &amount),
        fact(phrases.creditor, &party(phrases, hold.counterparty.as_deref())),
    ];
    facts.extend(references(phrases, hold.reference.as_deref(), hold.end_to_end_id.as_deref()));
    let day = hold.expires_at.format(phrases.date_format);
    facts.push(fact(phrases.held_until, &format!("{day} {} UTC", hold.expires_at.format("%H:%M"))));
    facts.extend(available(phrases, hold.money, hold.available));
    (&phrases.held, amount, facts)
}

fn released<'p>(phrases: &'p Phrases, hold: &EndedHold<'_>) -> LetterParts<'p> {
    let amount = phrases.money(hold.money);
    let mut facts = vec![
        fact(phrases.amount, &amount),
        fact(phrases.creditor, &party(phrases, hold.counterparty.as_deref())),
    ];
    facts.extend(available(phrases, hold.money, hold.available));
    let occasion = match hold.cause {
        ReleaseCause::Released | ReleaseCause::Captured | ReleaseCause::Other(_) => {
            &phrases.released
        }
        ReleaseCause::Expired => &phrases.expired,
    };
    (occasion, amount, facts)
}

fn frozen(phrases: &Phrases, freeze: Freeze) -> &OccasionText {
    match freeze.blocks {
        Blocks::Both => &phrases.frozen,
        Blocks::Debits => &phrases.frozen_out,
        Blocks::Credits => &phrases.frozen_in,
    }
}

/// The texts of the debtor, where there are any.
fn references(
    phrases: &Phrases,
    reference: Option<&str>,
    end_to_end_id: Option<&str>,
) -> Vec<String> {
    let reference = reference.map(|text| fact(phrases.reference, text));
    let id = end_to_end_id.map(|id| fact(phrases.end_to_end_id, id));
    reference.into_iter().chain(id).collect()
}

fn available(phrases: &Phrases, money: Money, left: Option<Amount>) -> Option<String> {
    left.map(|left| fact(phrases.available, &phrases.money(Money { amount: left, ..money })))
}

fn rejected<'p>(phrases: &'p Phrases, rejection: &Rejection<'_>) -> LetterParts<'p> {
    let amount = phrases.money(rejection.money);
    let mut facts = vec![
        fact(phrases.amount, &amount),
        fact(phrases.creditor, &party(phrases, rejection.counterparty.as_deref())),
        fact(phrases.reason, &reason(phrases, &rejection.reason)),
    ];
    facts.extend(rejection.balance.map(|left| balance(phrases, rejection.money, left)));
    (&phrases.rejected, amount, facts)
}

/// The text for a reason code. A code that this version does not know stands in the letter as it
/// arrived, behind a general text.
fn reason(phrases: &Phrases, code: &str) -> Cow<'static, str> {
    match (phrases.reason_of)(code) {
        Some(text) => text.into(),
        None => format!("{} ({})", phrases.other_reason, code).into(),
    }
}

/// Whether every language has a text for this reason code.
#[cfg(test)]
pub(crate) fn has_text_for_reason(code: &str) -> bool {
    let languages = [&en::PHRASES, &cs::PHRASES, &de::PHRASES];
    languages.iter().all(|phrases| (phrases.reason_of)(code).is_some_and(|text| text.len() > 5))
}

fn fact(label: &str, value: &str) -> String {
    format!("{label}: {value}")
}

/// The balance, which has the currency of the account, as the posted money has.
fn balance(phrases: &Phrases, money: Money, balance: Amount) -> String {
    fact(phrases.balance, &phrases.money(Money { amount: balance, ..money }))
}

fn party(phrases: &Phrases, code: Option<&AccountCode>) -> String {
    let Some(code) = code else { return phrases.somebody.to_owned() };
    match code.0.as_str() {
        "cash" => phrases.cash.to_owned(),
        "cards" => phrases.cards.to_owned(),
        "fees" => phrases.fees.to_owned(),
        "interest_paid" => phrases.interest.to_owned(),
        "interest_received" => phrases.interest_received.to_owned(),
        "fx_position" => phrases.exchange.to_owned(),
        "fx_rounding" => phrases.rounding.to_owned(),
        "penalty_interest" => phrases.penalty_interest.to_owned(),
        other => match other.strip_prefix("settlement:") {
            Some(bank) => phrases.other_bank.replace("{bank}", bank),
            None => other.to_owned(),
        },
    }
}

/// Enough of an IBAN for its holder, and too little for other readers.
fn both_ends(iban: &str) -> Option<String> {
    let tail = iban.len().checked_sub(4)?;
    Some(format!("{} … {}", iban.get(..4)?, iban.get(tail..)?))
}

#[cfg(test)]
mod tests;
