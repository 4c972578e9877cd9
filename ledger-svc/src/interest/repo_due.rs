//! The due months of accounts with their terms and balances: read while nothing is locked, and brought
//! up to date under the locks. Promise: a long history delays nobody but its reader, since entries
//! never change: the entries up to a committed version are the same whenever they are read.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Currency, TransferId, envelope::chain, messaging::Tx, money::exact::exact_add,
};
use uuid::Uuid;

use super::{
    accrual::Bearing,
    capitalisation::{Charge, DueMonth, MonthlyInterest, charge_id},
    repo::{self, NextMonth},
    terms::InterestTerms,
};
use crate::posting::{LockSet, Party};

/// The number of entries of each account that one statement reads.
const ENTRIES_MAX: i64 = 20_000;
/// Why an account's interest cannot be computed although its terms are readable.
const TOO_LONG: &str = "the account's balance has more digits than an amount";

/// An account's next month, with the terms and balances that its interest follows from.
pub(crate) struct DueReading {
    pub(crate) next: NextMonth,
    /// All terms in the order of setting, or why they cannot be read.
    terms: Result<Vec<InterestTerms>, String>,
    /// The sum of the entries of each value date.
    sums: BTreeMap<NaiveDate, Decimal>,
    capitalised: (Decimal, Decimal),
    computed: Option<MonthlyInterest>,
}

/// Reads the next months of these accounts. Accounts without terms, and closed ones, are left out.
pub(crate) async fn read(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Vec<DueReading>> {
    let next = repo::next(tx, ids).await?;
    if next.is_empty() {
        return Ok(vec![]);
    }
    let ids: Vec<Uuid> = next.iter().map(|next| next.account.uuid()).collect();
    let mut terms = terms(tx, &ids).await?;
    let capitalised = repo::sums(tx, &ids).await?;
    let mut all: Vec<DueReading> = next
        .into_iter()
        .map(|next| DueReading {
            next,
            terms: terms.remove(&next.account).unwrap_or_else(|| Ok(vec![])),
            sums: BTreeMap::new(),
            capitalised: capitalised.get(&next.account).copied().unwrap_or_default(),
            computed: None,
        })
        .collect();
    let spans = all.iter().map(|month| (month.next.account, 0, month.next.version)).collect();
    add_entries(tx, &mut all, spans).await?;
    Ok(all)
}

/// Brings the months up to date, now that these accounts are locked: mostly nothing has changed.
pub(crate) async fn refresh_in_tx(
    tx: &mut Tx<'_>,
    mut all: Vec<DueReading>,
    ids: &[Uuid],
) -> sqlx::Result<Vec<DueReading>> {
    let now: HashMap<AccountId, NextMonth> =
        repo::next(tx, ids).await?.into_iter().map(|next| (next.account, next)).collect();
    all.retain(|month| now.contains_key(&month.next.account));
    let is_known = |id: &AccountId| all.iter().any(|month| month.next.account == *id);
    let new: Vec<Uuid> = now.keys().filter(|id| !is_known(id)).map(|id| id.uuid()).collect();
    if !new.is_empty() {
        all.extend(read(tx, &new).await?);
    }
    let (mut spans, mut reset, mut moved) = (vec![], vec![], vec![]);
    for month in &mut all {
        let (was, now) = (month.next, now[&month.next.account]);
        if was == now {
            continue;
        }
        month.computed = None;
        month.next = now;
        let id = now.account;
        (was.version != now.version).then(|| spans.push((id, was.version, now.version)));
        (was.terms != now.terms).then(|| reset.push(id.uuid()));
        (was.month != now.month).then(|| moved.push(id.uuid()));
    }
    add_entries(tx, &mut all, spans).await?;
    if !reset.is_empty() {
        let mut terms = terms(tx, &reset).await?;
        for month in &mut all {
            if let Some(terms) = terms.remove(&month.next.account) {
                month.terms = terms;
            }
        }
    }
    if !moved.is_empty() {
        let capitalised = repo::sums(tx, &moved).await?;
        for month in &mut all {
            if let Some(sums) = capitalised.get(&month.next.account) {
                month.capitalised = *sums;
            }
        }
    }
    Ok(all)
}

type Terms = HashMap<AccountId, Result<Vec<InterestTerms>, String>>;

async fn terms(tx: &mut Tx<'_>, ids: &[Uuid]) -> sqlx::Result<Terms> {
    let all = repo::terms(tx, ids, None).await?.into_iter();
    let terms = all.map(|(id, terms)| {
        let terms = terms.map(|set| set.into_iter().map(|set| set.terms).collect());
        (id, terms.map_err(|error| chain(&error).to_string()))
    });
    Ok(terms.collect())
}

/// Adds the entries of these accounts after one version and up to another, a page at a time.
async fn add_entries(
    tx: &mut Tx<'_>,
    all: &mut [DueReading],
    mut spans: Vec<(AccountId, i64, i64)>,
) -> sqlx::Result<()> {
    while !spans.is_empty() {
        let mut pages = repo::pages(tx, &spans, ENTRIES_MAX).await?;
        for month in &mut *all {
            let sums = pages.get(&month.next.account).map(|page| page.sums.as_slice());
            for (day, amount) in sums.unwrap_or_default() {
                month.add(*day, *amount);
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

/// The internal accounts on which interest and fees of this currency are posted.
fn add_charges(set: &mut LockSet, currency: Currency) {
    for charge in Charge::ALL {
        set.party(&Party::Code(charge.internal_account()), currency);
    }
}

impl DueReading {
    /// Adds the internal accounts of the month's postings.
    pub(crate) fn add_internal(&self, set: &mut LockSet) {
        add_charges(set, self.next.currency);
    }

    /// Adds the account, the internal accounts, and the ids of the month's postings.
    pub(crate) fn add_to(&self, set: &mut LockSet) {
        set.account(self.next.account);
        self.add_internal(set);
        let ids = Charge::ALL.map(|charge| charge_id(self.next.account, charge, self.next.month));
        ids.into_iter().for_each(|id: TransferId| set.id(id));
    }

    fn add(&mut self, day: NaiveDate, amount: Decimal) {
        let sum = self.sums.entry(day).or_default();
        match exact_add(*sum, amount) {
            Some(more) => *sum = more,
            None => self.terms = Err(TOO_LONG.to_owned()),
        }
    }

    /// The due month.
    ///
    /// # Errors
    /// The part that cannot be read.
    pub(crate) fn due(&self) -> Result<DueMonth, String> {
        let terms = self.terms.clone()?;
        let (mut balance, mut balances) = (Decimal::ZERO, Vec::with_capacity(self.sums.len()));
        for (day, amount) in &self.sums {
            balance = exact_add(balance, *amount).ok_or(TOO_LONG)?;
            balances.push((*day, balance));
        }
        let bearing = Bearing { terms, balances };
        let (credited, debited) = self.capitalised;
        let NextMonth { account, month, .. } = self.next;
        Ok(DueMonth { account, month, bearing, credited, debited })
    }

    /// The month's interest. Computed once, as long as nothing changes.
    pub(crate) fn compute(&mut self) -> Result<&MonthlyInterest, String> {
        if self.computed.is_none() {
            self.computed = Some(self.due()?.computed());
        }
        Ok(self.computed.as_ref().expect("the interest was computed above"))
    }
}
