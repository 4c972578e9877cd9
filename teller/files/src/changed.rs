//! Changes since an earlier sending of a file of payments or a list of instructions. Promise: an
//! instruction that replaces an executed one is recognised after any change but one of the debtor's
//! account, and each field that differs is named.

use std::collections::HashMap;

use chrono::{DateTime, Days, NaiveDate, Utc};
use shared_events::{
    Amount, MessageId, Money,
    ledger::{Action, Direction, Exchange, Instruction, Leg, Party},
};
use teller_client::{code_of, input::InvalidInput};

/// The number of changed rows, and of fields of each, that an error names.
const NAMED_MAX: usize = 10;

/// How long before the day of its file a payment may have been booked.
const BOOKED_BEFORE_DAYS_MAX: u64 = 366;

/// The instant at which an id was made, if the id has one. Messages under the id were sent later.
pub(crate) fn made_at(id: MessageId) -> Option<DateTime<Utc>> {
    let (seconds, _) = id.0.get_timestamp()?.to_unix();
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}

/// The first possible booking date under this id, if the id has an instant. `named` are days that
/// the file names.
pub(crate) fn booked_from(
    id: MessageId,
    named: impl Iterator<Item = NaiveDate>,
    today: NaiveDate,
) -> Option<NaiveDate> {
    let made = made_at(id)?.date_naive();
    let first = named.fold(made.min(today), NaiveDate::min);
    first.checked_sub_days(Days::new(BOOKED_BEFORE_DAYS_MAX))
}

/// An action's debtors, creditors and amounts: the parts that are compared for every kind.
struct Movement {
    /// The accounts that pay, with the currency; or the hold or transfer whose money it is.
    from: Vec<String>,
    to: Vec<String>,
    amounts: Vec<String>,
}

impl Movement {
    fn of(action: &Action) -> Self {
        let between = |debtor: &Party, creditor: &Party, money: Money| Self {
            from: vec![format!("{debtor} {}", money.currency)],
            to: vec![creditor.to_string()],
            amounts: vec![money.to_string()],
        };
        let about = |id: String, amount: Option<String>| Self {
            from: vec![id.clone()],
            to: vec![id],
            amounts: amount.into_iter().collect(),
        };
        match action {
            Action::Transfer(payment) => between(&payment.debtor, &payment.creditor, payment.money),
            Action::Hold(hold) => between(&hold.debtor, &hold.creditor, hold.money),
            Action::Exchange(exchange) => {
                between(&exchange.debtor, &exchange.creditor, exchange.sell)
            }
            Action::Capture(capture) => about(
                capture.hold_id.to_string(),
                capture.amount.map(|capture| capture.to_string()),
            ),
            Action::Release(release) => about(release.hold_id.to_string(), None),
            Action::Reverse(reverse) => about(
                reverse.original_id.to_string(),
                reverse.amount.map(|reverse| reverse.to_string()),
            ),
            Action::Legs(all) => {
                let on = |side| all.legs.iter().filter(move |leg| leg.direction == side);
                let paying = |leg: &Leg| format!("{} {}", leg.account, leg.money.currency);
                Self {
                    from: on(Direction::Debit).map(paying).collect(),
                    to: on(Direction::Credit).map(|leg| leg.account.to_string()).collect(),
                    amounts: on(Direction::Debit).map(|leg| leg.money.to_string()).collect(),
                }
            }
        }
    }
}

/// Whether an instruction may be an executed one with a change: the money is of the same account.
/// Where both have the debtor's own id, this id decides; else they are alike if they
/// pay the same account, or the same amount for the same reason.
pub(crate) fn is_like(done: &Instruction, now: &Instruction) -> bool {
    let (was, is) = (Movement::of(&done.action), Movement::of(&now.action));
    let meet = |one: &[String], other: &[String]| one.iter().any(|name| other.contains(name));
    let creditor = meet(&was.to, &is.to);
    let reason = was.amounts == is.amounts && done.reference == now.reference;
    let is_alike = match (&done.end_to_end_id, &now.end_to_end_id) {
        (Some(one), Some(other)) => one == other || (creditor && reason),
        (None, _) | (_, None) => creditor || (reason && now.reference.is_some()),
    };
    meet(&was.from, &is.from) && is_alike
}

/// Each field that differs, in words.
pub(crate) fn differences(done: &Instruction, now: &Instruction) -> String {
    let was: HashMap<String, String> = fields(done).into_iter().collect();
    let changes = fields(now).into_iter().filter_map(|(field, is)| {
        let was = was.get(&field).filter(|was| **was != is)?;
        Some(format!("{field} was {was}, is {is}"))
    });
    let changes: Vec<String> = changes.collect();
    match changes.is_empty() {
        true => "repeats an executed one".to_owned(),
        false => listed(changes, ", "),
    }
}

/// The first of these, and how many more there are.
fn listed(mut changes: Vec<String>, between: &str) -> String {
    let more = match changes.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!("{between}and {more} more"),
    };
    changes.truncate(NAMED_MAX);
    format!("{}{more}", changes.join(between))
}

/// Refuses a file as a whole, where any of these `things` of it were changed.
pub(crate) fn refuse_changed(things: &str, changes: Vec<String>) -> Result<(), InvalidInput> {
    if changes.is_empty() {
        return Ok(());
    }
    let rule = format!(
        "nothing was sent, because {things} under this id have been changed since: {}. What is to \
         be done besides needs a file and an id of its own",
        listed(changes, "; ")
    );
    Err(InvalidInput::new("file", rule))
}

/// All that an instruction says, field by field, as a person reads it.
fn fields(of: &Instruction) -> Vec<(String, String)> {
    let text = |text: &Option<String>| format!("{:?}", text.as_deref().unwrap_or_default());
    let day =
        |day: Option<NaiveDate>| day.map_or_else(|| "not given".to_owned(), |day| day.to_string());
    let mut fields = action_fields(&of.action);
    fields.extend([
        ("reference".to_owned(), text(&of.reference)),
        ("end_to_end_id".to_owned(), text(&of.end_to_end_id)),
        ("booking_date".to_owned(), day(of.booking_date)),
        ("value_date".to_owned(), day(of.value_date)),
    ]);
    fields
}

fn action_fields(action: &Action) -> Vec<(String, String)> {
    let part = |amount: Option<Amount>| {
        amount.map_or_else(|| "all of it".to_owned(), |amount| amount.to_string())
    };
    let (kind, fields) = match action {
        Action::Transfer(payment) => {
            let up_to = ("up_to", payment.up_to.to_string());
            (
                "transfer",
                vec![creditor(&payment.creditor), ("amount", payment.money.to_string()), up_to],
            )
        }
        Action::Hold(hold) => {
            let (amount, up_to) =
                (("amount", hold.money.to_string()), ("up_to", hold.up_to.to_string()));
            let expires_at = ("expires_at", hold.expires_at.to_rfc3339());
            ("hold", vec![creditor(&hold.creditor), amount, up_to, expires_at])
        }
        Action::Capture(capture) => (
            "capture",
            vec![("amount", part(capture.amount)), ("keep_rest", capture.keep_rest.to_string())],
        ),
        Action::Release(_) => ("release", vec![]),
        Action::Reverse(reverse) => ("reverse", vec![("amount", part(reverse.amount))]),
        Action::Legs(all) => return legs_fields(&all.legs),
        Action::Exchange(exchange) => ("exchange", exchange_fields(exchange)),
    };
    let kind = [("action", kind.to_owned())];
    kind.into_iter().chain(fields).map(|(field, text)| (field.to_owned(), text)).collect()
}

fn creditor(party: &Party) -> (&'static str, String) {
    ("creditor", party.to_string())
}

fn exchange_fields(exchange: &Exchange) -> Vec<(&'static str, String)> {
    vec![
        creditor(&exchange.creditor),
        ("amount", exchange.sell.to_string()),
        ("buy", exchange.buy.to_string()),
        ("rate", exchange.rate.to_string()),
        ("rounding", code_of(exchange.rounding)),
    ]
}

fn legs_fields(legs: &[Leg]) -> Vec<(String, String)> {
    let leg = |(place, leg): (usize, &Leg)| {
        let text = format!("{} {} {}", code_of(leg.direction), leg.account, leg.money);
        (format!("legs[{place}]"), text)
    };
    let (kind, count) = (("action", "legs".to_owned()), ("legs", legs.len().to_string()));
    let counted = [kind, count].map(|(field, text)| (field.to_owned(), text));
    counted.into_iter().chain(legs.iter().enumerate().map(leg)).collect()
}

#[cfg(test)]
mod tests;
