//! What was carried out under a list's id before. Promise: what an earlier version sent keeps the
//! id that it had; and where an instruction that was carried out is not in the list any more, while
//! a new one stands in its place, nothing is sent, and each difference is told.
//!
//! The ledger's journal tells which command asked for an instruction first, and a list is one
//! command under the list's id. Money that moved is found among the entries of the accounts that
//! the new instructions would take it from, money that is set aside among the holds. A release is
//! not looked for: a hold ends once.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Days, NaiveDate, Utc};
use futures_util::{StreamExt, TryStreamExt, stream};
use shared_events::{
    Currency, MessageId, TransferId,
    ledger::{
        Action, BOOKS_PAGE_MAX, BooksPart, BooksRows, Direction, INSTRUCTIONS_MAX, Instruction,
        InstructionOutcome, JournalRecord, Leg, Party,
    },
};
use uuid::Uuid;

use super::{Listed, content};
use crate::{
    Teller, TellerError,
    bank::AT_ONCE,
    changed::{booked_from, differences, is_like, made_at, refuse_changed},
    instructions::account_on,
};

/// How wrong the clock may have been by which a list's id was made.
const CLOCK_WRONG_DAYS_MAX: u64 = 7;

impl Teller {
    /// Gives instructions that an earlier version sent under this id, by their places, the ids that
    /// they had. Refused where an instruction was changed since it was carried out.
    pub async fn keep_what_was_instructed(
        &self,
        id: MessageId,
        list: &mut [Listed],
    ) -> Result<(), TellerError> {
        let mut gone = settle(self.sent_by_place(id).await?, list);
        let new = self.not_decided(list).await?;
        if new.is_empty() {
            return Ok(());
        }
        gone.extend(self.carried_out_under(id, list, &new).await?);
        Ok(refuse_changed("instructions that were carried out", changed(&gone, list, &new))?)
    }

    /// What an earlier version sent under this id. Where it left out many places in a row, since
    /// the list named ids of its own there, what comes after is found as carried out, and refused.
    async fn sent_by_place(&self, id: MessageId) -> Result<Vec<JournalRecord>, TellerError> {
        let places: Vec<usize> = (0..INSTRUCTIONS_MAX).collect();
        let mut sent = Vec::new();
        for places in places.chunks(AT_ONCE) {
            let ids = places.iter().map(|place| id_by_place(id, *place));
            let found = self.all_decided_before(ids).await?;
            if found.is_empty() {
                break;
            }
            sent.extend(found);
        }
        Ok(sent)
    }

    /// The places of the instructions that the ledger has not decided on.
    async fn not_decided(&self, list: &[Listed]) -> Result<Vec<usize>, TellerError> {
        let places: Vec<Option<usize>> = stream::iter(list.iter().enumerate())
            .map(async |(place, it)| {
                let known = self.decided_before(it.instruction.transfer_id).await?;
                Ok::<_, TellerError>(known.is_none().then_some(place))
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(places.into_iter().flatten().collect())
    }

    /// What was carried out under this id and is not in the list, as far as it has to do with what
    /// is new in it.
    async fn carried_out_under(
        &self,
        id: MessageId,
        list: &[Listed],
        new: &[usize],
    ) -> Result<Vec<JournalRecord>, TellerError> {
        let since = sent_since(id, Utc::now());
        let listed: HashSet<TransferId> =
            list.iter().map(|it| it.instruction.transfer_id).collect();
        let new: Vec<&Instruction> = new.iter().map(|place| &list[*place].instruction).collect();
        let named = list.iter().filter_map(|it| it.instruction.booking_date);
        let from = booked_from(id, named, Utc::now().date_naive());
        let mut found = self.held_since(from, &new).await?;
        for (party, currency) in self.payers(&new).await? {
            let entries = self.debits(party, currency, from).await?.into_iter();
            let entries = entries.filter(|it| since.is_none_or(|since| it.posted_at >= since));
            found.extend(entries.map(|entry| entry.transfer_id));
        }
        found.retain(|id| may_be_made(*id) && !listed.contains(id));
        let mut known = self.all_decided_before(found.into_iter()).await?;
        known.retain(|record| record.command_id == id);
        Ok(known)
    }

    /// Holds that were placed on this day or later, where anything new takes money that they may have set aside.
    async fn held_since(
        &self,
        since: Option<NaiveDate>,
        new: &[&Instruction],
    ) -> Result<HashSet<TransferId>, TellerError> {
        let mut held = HashSet::new();
        if !new.iter().any(|it| names_its_payer(&it.action)) {
            return Ok(held);
        }
        let mut from = None;
        loop {
            let page = self.books_page(BooksPart::Holds, from, BOOKS_PAGE_MAX).await?;
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
        &self,
        new: &[&Instruction],
    ) -> Result<impl Iterator<Item = (Party, Currency)> + use<>, TellerError> {
        let mut payers = BTreeMap::new();
        for it in new {
            for (party, currency) in self.payers_of(&it.action).await? {
                payers.insert((party.to_string(), currency), party);
            }
        }
        Ok(payers.into_iter().map(|((_, currency), party)| (party, currency)))
    }

    async fn payers_of(&self, action: &Action) -> Result<Vec<(Party, Currency)>, TellerError> {
        let (about, side) = match action {
            Action::Transfer(it) => return Ok(vec![(it.debtor.clone(), it.money.currency)]),
            Action::Hold(it) => return Ok(vec![(it.debtor.clone(), it.money.currency)]),
            Action::Exchange(it) => return Ok(vec![(it.debtor.clone(), it.sell.currency)]),
            Action::Legs(it) => {
                let debits = it.legs.iter().filter(|leg| leg.direction == Direction::Debit);
                let payer = |leg: &Leg| (leg.account.clone(), leg.money.currency);
                return Ok(debits.map(payer).collect());
            }
            Action::Release(_) => return Ok(vec![]),
            Action::Capture(it) => (it.hold_id, Direction::Debit),
            // Who was paid pays it back.
            Action::Reverse(it) => (it.original_id, Direction::Credit),
        };
        let record = self.decided_before(about).await?;
        Ok(record.iter().filter_map(|record| account_of(record, side)).collect())
    }

    /// What was carried out under these ids.
    async fn all_decided_before(
        &self,
        ids: impl Iterator<Item = TransferId>,
    ) -> Result<Vec<JournalRecord>, TellerError> {
        let known: Vec<Option<JournalRecord>> = stream::iter(ids)
            .map(async |id| self.decided_before(id).await)
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(known.into_iter().flatten().collect())
    }
}

/// The id that earlier versions gave to the instruction at this place.
pub(super) fn id_by_place(id: MessageId, place: usize) -> TransferId {
    TransferId(Uuid::new_v5(&id.0, format!("instruction:{place}").as_bytes()))
}

/// Ids that are made from a list's id are of version 5.
fn may_be_made(id: TransferId) -> bool {
    id.uuid().get_version_num() == 5
}

/// The first instant at which anything can have been sent under this id, if the id tells.
fn sent_since(id: MessageId, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    made_at(id)?.min(now).checked_sub_days(Days::new(CLOCK_WRONG_DAYS_MAX))
}

fn account_of(record: &JournalRecord, side: Direction) -> Option<(Party, Currency)> {
    let account = account_on(record, side)?;
    let by_id = Party::AccountId(account.account_id);
    let money = match &record.outcome {
        InstructionOutcome::Posted(it) => it.legs.iter().find(|leg| leg.direction == side)?.money,
        InstructionOutcome::Held(it) => it.money,
        InstructionOutcome::Released(_) | InstructionOutcome::Rejected(_) => return None,
    };
    Some((account.code.clone().map_or(by_id, Party::Code), money.currency))
}

/// Whether an action says itself which account pays.
const fn names_its_payer(action: &Action) -> bool {
    match action {
        Action::Transfer(_) | Action::Hold(_) | Action::Legs(_) | Action::Exchange(_) => true,
        Action::Capture(_) | Action::Release(_) | Action::Reverse(_) => false,
    }
}

/// Gives instructions that were sent by their places the ids that they had. Returns what was sent
/// and is not in the list.
fn settle(sent: Vec<JournalRecord>, list: &mut [Listed]) -> Vec<JournalRecord> {
    let mut listed: HashMap<String, Vec<usize>> = HashMap::new();
    for (place, it) in list.iter().enumerate().rev().filter(|(_, it)| !it.names_its_id) {
        listed.entry(content(&it.instruction)).or_default().push(place);
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

/// The new instructions that stand in the place of one that moved or set aside money, with what
/// differs.
fn changed(gone: &[JournalRecord], list: &[Listed], new: &[usize]) -> Vec<String> {
    let is_done = |record: &&JournalRecord| match &record.outcome {
        InstructionOutcome::Posted(_) | InstructionOutcome::Held(_) => true,
        InstructionOutcome::Released(_) | InstructionOutcome::Rejected(_) => false,
    };
    let done: Vec<&Instruction> =
        gone.iter().filter(is_done).map(|record| &record.instruction).collect();
    let told = new.iter().filter_map(|place| {
        let now = &list[*place].instruction;
        let was = done.iter().find(|was| is_like(was, now))?;
        Some(format!("instructions[{place}]: {}", differences(was, now)))
    });
    told.collect()
}

#[cfg(test)]
mod tests;
