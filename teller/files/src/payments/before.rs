//! Payments that were posted under a file's id before. Promise: a posted row keeps its payment,
//! also a payment that an earlier version of this program sent under another id; where a posted row
//! was changed, nothing is sent, and each difference is named.
//!
//! The ledger is asked for the debits of the file's debtors, so that no file on this machine needs
//! to remember them: an entry has all the fields from which an id follows.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::Utc;
use futures_util::{StreamExt, TryStreamExt, stream};
use shared_events::{
    Currency, MessageId, Money, TransferId,
    ledger::{Instruction, Party, StatementEntry, Transfer},
};
use teller_client::{AT_ONCE, Teller, TellerError};

use super::ids::{content, id_by_line, transfer_id};

use crate::{
    changed::{booked_from, differences, is_like, refuse_changed},
    debits::debits,
};

/// Earlier versions made ids from lines: of files up to this length their payments are found.
const LINES_MAX: usize = 200_000;
/// Of equal payments some may have been rejected, so that a later one was posted.
const REJECTED_EQUALS_MAX: usize = 16;

/// A payment that was posted under the file's id.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Posted {
    /// As it was posted, with the day that it is booked on.
    transfer: Transfer,
    /// The payment of its row; unknown where the id was made from the line.
    asked: Option<Transfer>,
}

/// A row that says something else than the payment that was posted for it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Changed {
    line: usize,
    /// The id of the payment that the row asks for now.
    transfer_id: TransferId,
    /// Each field that differs, in words.
    differences: String,
}

/// Gives rows that were paid the ids of their payments. Refused where a row was changed since
/// it was paid.
pub(super) async fn keep_what_was_paid(
    bank: &Teller,
    id: MessageId,
    transfers: &mut [(Transfer, usize)],
) -> Result<(), TellerError> {
    let posted = posted_under(bank, id, transfers).await?;
    let mut changes = Vec::new();
    for changed in settle(&posted, transfers) {
        // One that was rejected has its outcome, and pays nothing.
        if bank.decided_before(changed.transfer_id).await?.is_none() {
            changes.push(format!("line {}: {}", changed.line, changed.differences));
        }
    }
    Ok(refuse_changed("rows that were paid", changes)?)
}

/// The payments that were posted under this id, by the debtors' entries.
async fn posted_under(
    bank: &Teller,
    id: MessageId,
    transfers: &[(Transfer, usize)],
) -> Result<Vec<Posted>, TellerError> {
    let named = transfers.iter().filter_map(|(transfer, _)| transfer.booking_date);
    let from = booked_from(id, named, Utc::now().date_naive());
    let mut debtors: BTreeMap<(String, Currency), Party> = BTreeMap::new();
    for (transfer, _) in transfers {
        let key = (transfer.debtor.to_string(), transfer.money.currency);
        debtors.insert(key, transfer.debtor.clone());
    }
    let found: Vec<Vec<Transfer>> = stream::iter(debtors)
        .map(async |((_, currency), debtor)| {
            let entries = debits(bank, debtor.clone(), currency, from).await?.into_iter();
            Ok::<Vec<_>, TellerError>(
                entries.map(|entry| as_transfer(&debtor, currency, entry)).collect(),
            )
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(of_file(id, found.concat(), transfers))
}

fn as_transfer(debtor: &Party, currency: Currency, entry: StatementEntry) -> Transfer {
    Transfer {
        transfer_id: entry.transfer_id,
        debtor: debtor.clone(),
        creditor: entry.counterparty,
        money: Money { amount: entry.amount, currency },
        reference: entry.reference,
        end_to_end_id: entry.end_to_end_id,
        booking_date: Some(entry.booking_date),
    }
}

/// The payments whose ids follow from the file's id: from their content, or from a line.
fn of_file(id: MessageId, found: Vec<Transfer>, rows: &[(Transfer, usize)]) -> Vec<Posted> {
    // Ids that are made from others are of version 5.
    let mut found = found;
    found.retain(|transfer| transfer.transfer_id.0.get_version_num() == 5);
    let mut equals: HashMap<String, usize> = HashMap::new();
    let in_file = rows.iter().map(|(row, _)| content(row));
    let posted =
        found.iter().flat_map(|transfer| [content(transfer), content(&dateless(transfer))]);
    for content in in_file.chain(posted) {
        *equals.entry(content).or_default() += 1;
    }
    let mut by_content: HashMap<TransferId, &str> = HashMap::new();
    for (content, equals) in &equals {
        let ids = (1..=equals + REJECTED_EQUALS_MAX).map(|nth| transfer_id(id, content, nth));
        by_content.extend(ids.map(|id| (id, content.as_str())));
    }
    let is_other = |transfer: &Transfer| !by_content.contains_key(&transfer.transfer_id);
    let by_line: HashSet<TransferId> = match found.iter().any(is_other) {
        true => (1..=LINES_MAX).map(|line| id_by_line(id, line)).collect(),
        false => HashSet::new(),
    };
    let posted = found.into_iter().filter_map(|transfer| {
        let asked =
            by_content.get(&transfer.transfer_id).map(|asked| match *asked == content(&transfer) {
                true => transfer.clone(),
                false => dateless(&transfer),
            });
        let is_of_file = asked.is_some() || by_line.contains(&transfer.transfer_id);
        is_of_file.then_some(Posted { transfer, asked })
    });
    posted.collect()
}

/// The same as a row without a booking date says it.
fn dateless(transfer: &Transfer) -> Transfer {
    Transfer { booking_date: None, ..transfer.clone() }
}

/// Gives rows that were paid under another id the ids of their payments. Returns the rows that look
/// like a payment that no row asks for any more.
fn settle(posted: &[Posted], rows: &mut [(Transfer, usize)]) -> Vec<Changed> {
    let by_id: HashSet<TransferId> = posted.iter().map(|paid| paid.transfer.transfer_id).collect();
    let mut unpaid: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, (row, _)) in rows.iter().enumerate().rev() {
        if !by_id.contains(&row.transfer_id) {
            unpaid.entry(content(row)).or_default().push(place);
        }
    }
    let asked_for: HashSet<TransferId> = rows.iter().map(|(row, _)| row.transfer_id).collect();
    let mut without_row = Vec::new();
    for Posted { transfer, asked } in posted {
        if asked_for.contains(&transfer.transfer_id) {
            continue;
        }
        let contents = [content(transfer), content(&dateless(transfer))];
        let row = contents.iter().find_map(|content| unpaid.get_mut(content)?.pop());
        match (row, asked) {
            (Some(place), Some(asked)) => rows[place].0 = asked.clone(),
            (Some(place), None) => rows[place].0.transfer_id = transfer.transfer_id,
            (None, _) => without_row.push(Instruction::from(transfer.clone())),
        }
    }
    let mut changed: Vec<Changed> = unpaid
        .into_values()
        .flatten()
        .filter_map(|place| {
            let (row, line) = &rows[place];
            let now = Instruction::from(row.clone());
            let mut was = without_row.iter().find(|posted| is_like(posted, &now))?.clone();
            // A row without a booking date accepts every booking date.
            was.booking_date = row.booking_date.and(was.booking_date);
            let differences = differences(&was, &now);
            Some(Changed { line: *line, transfer_id: row.transfer_id, differences })
        })
        .collect();
    changed.sort_by_key(|changed| changed.line);
    changed
}

#[cfg(test)]
mod tests;
