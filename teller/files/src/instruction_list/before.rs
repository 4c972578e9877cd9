//! Instructions that were executed under a list's id before. Promise: an instruction that an
//! earlier version sent keeps its id; where an executed instruction is missing from the list, and a
//! new one replaces it, nothing is sent, and each difference is named.
//!
//! The ledger's journal names the command that first carried an instruction, and a list is one
//! command under the list's id. Postings are found among the entries of the accounts that the new
//! instructions would debit, reserved money among the holds. Releases need no search: a hold ends
//! once.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Days, NaiveDate, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use shared_events::{
    Currency, MessageId, TransferId,
    ledger::{
        Action, BOOKS_PAGE_MAX, BooksPart, BooksRows, Direction, INSTRUCTIONS_MAX, Instruction,
        InstructionOutcome, JournalRecord, Party,
    },
};
use teller_client::{AT_ONCE, Debtors, Teller, TellerError, account_on, debtors};
use uuid::Uuid;

use super::{Listed, content};

use crate::{
    changed::{booked_from, differences, is_like, made_at, refuse_changed},
    debits::debits,
};

/// How wrong the clock may have been by which a list's id was made.
const CLOCK_WRONG_DAYS_MAX: u64 = 7;

/// Gives instructions that an earlier version sent under this id, by their places, the ids that
/// they had. Refused where an instruction was changed since it was executed.
pub async fn keep_what_was_instructed(
    bank: &Teller,
    id: MessageId,
    list: &mut [Listed],
) -> Result<(), TellerError> {
    let mut gone = settle(sent_by_place(bank, id).await?, list);
    let new = not_decided(bank, list).await?;
    if new.is_empty() {
        return Ok(());
    }
    gone.extend(carried_out_under(bank, id, list, &new).await?);
    Ok(refuse_changed("instructions that were carried out", changed(&gone, list, &new))?)
}

/// Instructions that an earlier version sent under this id. Where that list named many ids of its
/// own in a row, the instructions after this gap count as executed, and the list is refused.
async fn sent_by_place(bank: &Teller, id: MessageId) -> Result<Vec<JournalRecord>, TellerError> {
    let places: Vec<usize> = (0..INSTRUCTIONS_MAX).collect();
    let mut sent = Vec::new();
    for places in places.chunks(AT_ONCE) {
        let ids = places.iter().map(|place| id_by_place(id, *place));
        let found = all_decided_before(bank, ids).await?;
        if found.is_empty() {
            break;
        }
        sent.extend(found);
    }
    Ok(sent)
}

/// The places of the instructions that the ledger has not decided on.
async fn not_decided(bank: &Teller, list: &[Listed]) -> Result<Vec<usize>, TellerError> {
    let places: Vec<Option<usize>> = stream::iter(list.iter().enumerate())
        .map(async |(place, listed)| {
            let known = bank.decided_before(listed.instruction.transfer_id).await?;
            Ok::<_, TellerError>(known.is_none().then_some(place))
        })
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(places.into_iter().flatten().collect())
}

/// Executed instructions under this id that the list does not have, on the accounts of the new
/// ones.
async fn carried_out_under(
    bank: &Teller,
    id: MessageId,
    list: &[Listed],
    new: &[usize],
) -> Result<Vec<JournalRecord>, TellerError> {
    let since = sent_since(id, Utc::now());
    let listed: HashSet<TransferId> =
        list.iter().map(|listed| listed.instruction.transfer_id).collect();
    let new: Vec<&Instruction> = new.iter().map(|place| &list[*place].instruction).collect();
    let named = list.iter().filter_map(|listed| listed.instruction.booking_date);
    let from = booked_from(id, named, Utc::now().date_naive());
    let mut found = held_since(bank, from, &new).await?;
    for (party, currency) in payers(bank, &new).await? {
        let entries = debits(bank, party, currency, from).await?.into_iter();
        let entries = entries.filter(|entry| since.is_none_or(|since| entry.posted_at >= since));
        found.extend(entries.map(|entry| entry.transfer_id));
    }
    found.retain(|id| may_be_made(*id) && !listed.contains(id));
    let mut known = all_decided_before(bank, found.into_iter()).await?;
    known.retain(|record| record.command_id == id);
    Ok(known)
}

/// Holds that were placed on this day or later, where a new instruction takes money that they may
/// reserve.
async fn held_since(
    bank: &Teller,
    since: Option<NaiveDate>,
    new: &[&Instruction],
) -> Result<HashSet<TransferId>, TellerError> {
    let mut held = HashSet::new();
    let names_its_debtors =
        |instruction: &&Instruction| matches!(debtors(&instruction.action), Debtors::Named(_));
    if !new.iter().any(names_its_debtors) {
        return Ok(held);
    }
    let mut from = None;
    loop {
        let page = bank.books_page(BooksPart::Holds, from, BOOKS_PAGE_MAX).await?;
        let BooksRows::Holds(rows) = page.rows else { return Ok(held) };
        let placed = |day: &str| day.parse::<NaiveDate>().ok();
        let rows = rows.into_iter().filter(|row| placed(&row.placed_on) >= since);
        held.extend(rows.map(|row| row.hold_id));
        from = page.next;
        if from.is_none() {
            return Ok(held);
        }
    }
}

/// The accounts that the new instructions would take money from, each once.
async fn payers(
    bank: &Teller,
    new: &[&Instruction],
) -> Result<impl Iterator<Item = (Party, Currency)> + use<>, TellerError> {
    let mut payers = BTreeMap::new();
    for instruction in new {
        for (party, currency) in payers_of(bank, &instruction.action).await? {
            payers.insert((party.to_string(), currency), party);
        }
    }
    Ok(payers.into_iter().map(|((_, currency), party)| (party, currency)))
}

async fn payers_of(bank: &Teller, action: &Action) -> Result<Vec<(Party, Currency)>, TellerError> {
    if let Action::Release(_) = action {
        return Ok(vec![]);
    }
    match debtors(action) {
        Debtors::Named(all) => {
            Ok(all.into_iter().map(|(party, currency)| (party.clone(), currency)).collect())
        }
        Debtors::OfDecided(id, side) => {
            let record = bank.decided_before(id).await?;
            Ok(record.iter().filter_map(|record| account_of(record, side)).collect())
        }
    }
}

/// The records of these instructions, as far as the ledger decided on them.
async fn all_decided_before(
    bank: &Teller,
    ids: impl Iterator<Item = TransferId>,
) -> Result<Vec<JournalRecord>, TellerError> {
    let known: Vec<Option<JournalRecord>> = stream::iter(ids)
        .map(async |id| bank.decided_before(id).await)
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    Ok(known.into_iter().flatten().collect())
}

/// The id that earlier versions gave to the instruction at this place.
pub(super) fn id_by_place(id: MessageId, place: usize) -> TransferId {
    TransferId(Uuid::new_v5(&id.0, format!("instruction:{place}").as_bytes()))
}

/// Ids that are made from a list's id are of version 5.
fn may_be_made(id: TransferId) -> bool {
    id.uuid().get_version_num() == 5
}

/// The first instant at which a message can have been sent under this id, if the id has a time.
fn sent_since(id: MessageId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    made_at(id)?.min(now).checked_sub_days(Days::new(CLOCK_WRONG_DAYS_MAX))
}

fn account_of(record: &JournalRecord, side: Direction) -> Option<(Party, Currency)> {
    let account = account_on(record, side)?;
    let by_id = Party::AccountId(account.account_id);
    let money = match &record.outcome {
        InstructionOutcome::Posted(posted) => {
            posted.legs.iter().find(|leg| leg.direction == side)?.money
        }
        InstructionOutcome::Held(held) => held.money,
        InstructionOutcome::Released(_) | InstructionOutcome::Rejected(_) => return None,
    };
    Some((account.code.clone().map_or(by_id, Party::Code), money.currency))
}

/// Gives instructions that were sent by their places the ids that they had. Returns what was sent
/// and is not in the list.
fn settle(sent: Vec<JournalRecord>, list: &mut [Listed]) -> Vec<JournalRecord> {
    let mut listed: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, row) in list.iter().enumerate().rev().filter(|(_, row)| !row.names_its_id) {
        listed.entry(content(&row.instruction)).or_default().push(place);
    }
    let mut gone = Vec::new();
    for record in sent {
        match listed.get_mut(&content(&record.instruction)).and_then(Vec::pop) {
            Some(there) => list[there].instruction.transfer_id = record.instruction.transfer_id,
            None => gone.push(record),
        }
    }
    gone
}

/// The new instructions that replace a posting or a hold, with their differences.
fn changed(gone: &[JournalRecord], list: &[Listed], new: &[usize]) -> Vec<String> {
    let is_done = |record: &&JournalRecord| match &record.outcome {
        InstructionOutcome::Posted(_) | InstructionOutcome::Held(_) => true,
        InstructionOutcome::Released(_) | InstructionOutcome::Rejected(_) => false,
    };
    let done: Vec<&Instruction> =
        gone.iter().filter(is_done).map(|record| &record.instruction).collect();
    let changes = new.iter().filter_map(|place| {
        let now = &list[*place].instruction;
        let was = done.iter().find(|was| is_like(was, now))?;
        Some(format!("instructions[{place}]: {}", differences(was, now)))
    });
    changes.collect()
}

#[cfg(test)]
mod tests;
