//! What is due of accounts' interest: read while nothing is locked, and brought up to date under
//! the locks. Promise: a long history delays nobody but its reader, since entries are never
//! changed: those up to a version that is committed are the same whenever they are read.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::{
    AccountId, envelope::chain, ledger::InterestTerms, messaging::Tx, money::exact::exact_add,
};
use uuid::Uuid;

use crate::{
    legacy::domain::{Bearing, DueMonth, MonthlyInterest},
    legacy::store::interest::{self, Next},
};

/// How many entries of each account one statement reads.
const ENTRIES_MAX: i64 = 20_000;
/// Why an account's interest cannot be worked out, besides terms.
const TOO_LONG: &str = "the account's balance has more digits than can be told";

/// An account's next month, and all that decides over it.
pub(crate) struct Unsettled {
    pub(crate) next: Next,
    /// All terms in the order of setting, or why they cannot be read.
    terms: Result<Vec<InterestTerms>, String>,
    /// What was booked with each value date.
    sums: BTreeMap<NaiveDate, Decimal>,
    capitalised: (Decimal, Decimal),
    worked_out: Option<MonthlyInterest>,
}

/// Reads what is due of these accounts. Those without terms, and closed ones, are left out.
pub(crate) async fn read(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<Unsettled>> {
    let next = interest::next(tx, ids).await?;
    if next.is_empty() {
        return Ok(vec![]);
    }
    let ids: Vec<Uuid> = next.iter().map(|next| next.account.uuid()).collect();
    let mut terms = terms(tx, &ids).await?;
    let capitalised = interest::sums(tx, &ids).await?;
    let mut all: Vec<Unsettled> = next
        .into_iter()
        .map(|next| Unsettled {
            next,
            terms: terms.remove(&next.account).unwrap_or_else(|| Ok(vec![])),
            sums: BTreeMap::new(),
            capitalised: capitalised.get(&next.account).copied().unwrap_or_default(),
            worked_out: None,
        })
        .collect();
    let spans = all.iter().map(|it| (it.next.account, 0, it.next.version)).collect();
    add_entries(tx, &mut all, spans).await?;
    Ok(all)
}

/// Brings what was read up to date, now that these accounts are locked: mostly nothing has changed.
pub(crate) async fn refresh_in_tx(
    tx: &mut Tx<'_>,
    mut all: Vec<Unsettled>,
    ids: &[Uuid],
) -> sqlx::Result<Vec<Unsettled>> {
    let now: HashMap<AccountId, Next> =
        interest::next(tx, ids).await?.into_iter().map(|next| (next.account, next)).collect();
    all.retain(|it| now.contains_key(&it.next.account));
    let is_known = |id: &AccountId| all.iter().any(|it| it.next.account == *id);
    let new: Vec<Uuid> = now.keys().filter(|id| !is_known(id)).map(|id| id.uuid()).collect();
    if !new.is_empty() {
        all.extend(read(tx, &new).await?);
    }
    let (mut spans, mut reset, mut moved) = (vec![], vec![], vec![]);
    for it in &mut all {
        let (was, now) = (it.next, now[&it.next.account]);
        if was == now {
            continue;
        }
        it.worked_out = None;
        it.next = now;
        let id = now.account;
        (was.version != now.version).then(|| spans.push((id, was.version, now.version)));
        (was.terms != now.terms).then(|| reset.push(id.uuid()));
        (was.month != now.month).then(|| moved.push(id.uuid()));
    }
    add_entries(tx, &mut all, spans).await?;
    if !reset.is_empty() {
        let mut terms = terms(tx, &reset).await?;
        for it in &mut all {
            if let Some(terms) = terms.remove(&it.next.account) {
                it.terms = terms;
            }
        }
    }
    if !moved.is_empty() {
        let capitalised = interest::sums(tx, &moved).await?;
        for it in &mut all {
            if let Some(sums) = capitalised.get(&it.next.account) {
                it.capitalised = *sums;
            }
        }
    }
    Ok(all)
}

type Terms = HashMap<AccountId, Result<Vec<InterestTerms>, String>>;

async fn terms(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Terms> {
    let all = interest::terms(tx, ids, None).await?.into_iter();
    let terms = all.map(|(id, terms)| {
        let terms = terms.map(|set| set.into_iter().map(|it| it.terms).collect());
        (id, terms.map_err(|error| chain(&error).to_string()))
    });
    Ok(terms.collect())
}

/// Adds the entries of these accounts after one version and up to another, a page at a time.
async fn add_entries(
    tx: &mut Tx<'_>,
    all: &mut [Unsettled],
    mut spans: Vec<(AccountId, i64, i64)>,
) -> sqlx::Result<()> {
    while !spans.is_empty() {
        let mut pages = interest::pages(tx, &spans, ENTRIES_MAX).await?;
        for it in &mut *all {
            let sums = pages.get(&it.next.account).map(|page| page.sums.as_slice());
            for (day, amount) in sums.unwrap_or_default() {
                it.add(*day, *amount);
            }
        }
        spans.retain_mut(|(id, after, _)| {
            let page = pages.remove(id).unwrap_or_default();
            *after = page.last;
            page.more
        });
    }
    Ok(())
}

impl Unsettled {
    fn add(&mut self, day: NaiveDate, amount: Decimal) {
        let sum = self.sums.entry(day).or_default();
        match exact_add(*sum, amount) {
            Some(more) => *sum = more,
            None => self.terms = Err(TOO_LONG.to_owned()),
        }
    }

    /// The month with all that decides over it. The error says what cannot be read.
    pub(crate) fn due(&self) -> Result<DueMonth, String> {
        let terms = self.terms.clone()?;
        let (mut balance, mut balances) = (Decimal::ZERO, Vec::with_capacity(self.sums.len()));
        for (day, amount) in &self.sums {
            balance = exact_add(balance, *amount).ok_or(TOO_LONG)?;
            balances.push((*day, balance));
        }
        let bearing = Bearing { terms, balances };
        let (credited, debited) = self.capitalised;
        let Next { account, month, .. } = self.next;
        Ok(DueMonth { account, month, bearing, credited, debited })
    }

    /// What the month comes to. Worked out once, as long as nothing changes.
    pub(crate) fn work_out(&mut self) -> Result<&MonthlyInterest, String> {
        if self.worked_out.is_none() {
            self.worked_out = Some(self.due()?.worked_out());
        }
        Ok(self.worked_out.as_ref().expect("it was worked out"))
    }
}
