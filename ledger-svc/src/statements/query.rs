//! Answers questions about the past: balances as of then, statements, searches.

use std::ops::RangeInclusive;

use chrono::{Datelike, NaiveDate};
use shared_events::{
    ledger::{
        AsOf, BalanceAtFound, END_TO_END_ID_CHARS_MAX, ENTRIES_PAGE_MAX, EntriesFound, FindEntries,
        FindPayments, GetBalanceAt, GetStatement, PAYMENTS_PAGE_MAX, Party, PaymentName,
        PaymentsFound, REFERENCE_CHARS_MAX, StatementFound,
    },
    messaging::{Answer, Tx},
    refusal::MessageRefused,
};

use crate::legacy::handle::answer::{Answered, PAGE_DEFAULT, account};
use crate::legacy::store::history;

/// The years that can be asked for: those that money can be booked in.
const YEARS: RangeInclusive<i32> = 1900..=2199;

/// Takes what is there, or answers why it is not.
macro_rules! ok {
    ($result:expr) => {
        match $result {
            Ok(it) => it,
            Err(refusal) => return Ok(Err(refusal)),
        }
    };
}

pub(crate) async fn balance_at(tx: &mut Tx<'_>, query: &GetBalanceAt) -> Answered {
    let account = ok!(account(tx, &query.account, query.currency).await?);
    let id = account.id;
    let balance = match query.as_of {
        AsOf::Instant(at) => {
            ok!(of_our_time("as_of.instant", at.date_naive()));
            history::balance_at(tx, id, at).await?
        }
        AsOf::ValueDate(day) => {
            ok!(of_our_time("as_of.value_date", day));
            history::balance_by_value_date(tx, id, day).await?
        }
        AsOf::BookingDate(day) => {
            ok!(of_our_time("as_of.booking_date", day));
            history::balance_by_booking_date(tx, id, day).await?
        }
    };
    Ok(Ok(Answer::found(&BalanceAtFound {
        account_id: id,
        code: account.code,
        currency: account.currency,
        as_of: query.as_of,
        balance,
        version: account.version,
    })))
}

pub(crate) async fn statement(tx: &mut Tx<'_>, query: &GetStatement) -> Answered {
    let limit = ok!(page(query.limit, ENTRIES_PAGE_MAX));
    if query.totals && query.from.zip(query.to).is_some_and(|(from, to)| from > to) {
        return Ok(Err(MessageRefused::invalid("to", "not before `from`")));
    }
    let account = ok!(account(tx, &query.account, query.currency).await?);
    let span = history::span(tx, account.id, query).await?;
    let period = match query.totals {
        true => Some(history::period(tx, &span).await?),
        false => None,
    };
    let (entries, more) = history::entries(tx, &span, query.after.unwrap_or(0), limit).await?;
    let next = entries.last().filter(|_| more).map(|last| last.version);
    let (account_id, currency) = (account.id, account.currency);
    Ok(Ok(Answer::found(&StatementFound { account_id, currency, entries, next, period })))
}

pub(crate) async fn entries(tx: &mut Tx<'_>, query: &FindEntries) -> Answered {
    let limit = ok!(page(query.limit, ENTRIES_PAGE_MAX));
    ok!(text("reference", query.reference.as_ref(), REFERENCE_CHARS_MAX));
    ok!(text("end_to_end_id", query.end_to_end_id.as_ref(), END_TO_END_ID_CHARS_MAX));
    if let Some(Party::Code(code)) = &query.counterparty
        && !code.is_known()
    {
        let rule = "not a code of the bank's own accounts";
        return Ok(Err(MessageRefused::invalid("counterparty.code", rule)));
    }
    if query.amount_min.zip(query.amount_max).is_some_and(|(min, max)| min > max) {
        return Ok(Err(MessageRefused::invalid("amount_max", "not less than `amount_min`")));
    }
    if query.from.zip(query.to).is_some_and(|(from, to)| from > to) {
        return Ok(Err(MessageRefused::invalid("to", "not before `from`")));
    }
    let account = ok!(account(tx, &query.account, query.currency).await?);
    let looked_at = history::looked_at(tx, account.id, query.after.unwrap_or(0)).await?;
    let (entries, more) = history::fitting(tx, account.id, query, limit).await?;
    let next = match more {
        true => entries.last().map(|last| last.version),
        false => looked_at,
    };
    let (account_id, currency) = (account.id, account.currency);
    Ok(Ok(Answer::found(&EntriesFound { account_id, currency, entries, next })))
}

pub(crate) async fn payments(tx: &mut Tx<'_>, query: &FindPayments) -> Answered {
    let limit = ok!(page(query.limit, PAYMENTS_PAGE_MAX));
    match &query.name {
        PaymentName::Reference(it) => {
            ok!(text("name.reference", Some(it), REFERENCE_CHARS_MAX));
        }
        PaymentName::EndToEndId(it) => {
            ok!(text("name.end_to_end_id", Some(it), END_TO_END_ID_CHARS_MAX));
        }
    }
    let (payments, more) = history::payments(tx, &query.name, query.after, limit).await?;
    let next = payments.last().filter(|_| more).map(|last| last.instruction.transfer_id);
    Ok(Ok(Answer::found(&PaymentsFound { payments, next })))
}

/// How many to return.
fn page(limit: Option<u32>, most: u32) -> Result<u32, MessageRefused> {
    let limit = limit.unwrap_or(PAGE_DEFAULT);
    match (1..=most).contains(&limit) {
        true => Ok(limit),
        false => Err(MessageRefused::invalid("limit", format!("1 to {most}"))),
    }
}

fn of_our_time(field: &str, day: NaiveDate) -> Result<(), MessageRefused> {
    match YEARS.contains(&day.year()) {
        true => Ok(()),
        false => {
            let (first, last) = (YEARS.start(), YEARS.end());
            Err(MessageRefused::invalid(field, format!("in the years {first} to {last}")))
        }
    }
}

/// No database takes all text; and empty text is within every reference.
fn text(field: &str, text: Option<&String>, chars_max: usize) -> Result<(), MessageRefused> {
    let Some(text) = text else { return Ok(()) };
    let fits = (1..=chars_max).contains(&text.chars().count());
    match fits && !text.chars().any(char::is_control) {
        true => Ok(()),
        false => {
            let rule = format!("1 to {chars_max} characters, no control characters");
            Err(MessageRefused::invalid(field, rule))
        }
    }
}
