//! The history of accounts and grants. Promise: no change was rewritten, left out, inserted or
//! moved; each account's changes, and those of all grants, are counted without a gap; the texts
//! beside a change are those that it commits to, or were erased; every row is what its last change
//! says, at the accounts service and at the ledger.
//!
//! ```text
//! erased     changes whose texts were erased, and the erasures
//! rows       the rows of the accounts service against the last changes
//! followed   the ledger's status and limits against the changes that it has followed
//! ```

mod erased;
mod followed;
mod rows;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Display,
};

use chrono::{DateTime, Utc};

use shared_events::{
    AccountId,
    accounts::{
        ACCOUNT_BOOKS_PAGE_MAX, AccountBooksPart, ChainedChange, GetAccountBooks, GetHistory,
        HISTORY_PAGE_MAX, HistoryChange, HistoryEnd, HistoryFound, HistoryRecord, HistoryTexts,
        RecordedAccount, RecordedGrants, StoredState,
    },
    code::Open,
    evidence::Hash256,
    ledger::AccountRow,
};
use teller_client::{Teller, TellerError};

use super::{
    difference::{Checked, Row, Table},
    walk::Stop,
};

/// The history as far as it was walked.
#[derive(Debug)]
pub(super) struct History {
    end: HistoryEnd,
    anchors: BTreeMap<i64, Vec<Hash256>>,
    accounts: BTreeMap<AccountId, AccountHistory>,
    /// The last change of each principal, with its place.
    grants: BTreeMap<String, (i64, RecordedGrants)>,
    last_of_grants: i64,
    /// The accounts that the ledger has shown.
    at_ledger: BTreeSet<AccountId>,
}

/// The changes of one account.
#[derive(Debug)]
struct AccountHistory {
    /// What the ledger follows or has answered, in the order of the numbers.
    changes: Vec<LedgerChange>,
    /// The last change, with its place and its texts. `None`: they were erased.
    last: RecordedAccount,
    place: i64,
    texts: Option<HistoryTexts>,
    /// The place of the first change without texts. The account's erasure explains all of them.
    without_texts: Option<i64>,
    /// The place of the change that says that the ledger has opened its side.
    at_ledger_since: Option<i64>,
}

/// A change as far as it matters to the ledger.
#[derive(Debug)]
struct LedgerChange {
    number: i64,
    kind: HistoryChange,
    place: i64,
    at: DateTime<Utc>,
    /// Of changes whose limits or freeze the ledger takes, the account after them.
    state: Option<Box<StoredState>>,
}

impl History {
    /// The beginning of the history. Walked changes must have these hashes at these places.
    pub(super) fn new(anchored: &[HistoryEnd]) -> Self {
        let mut anchors = BTreeMap::<_, Vec<Hash256>>::new();
        for anchor in anchored.iter().filter(|anchor| anchor.place > 0) {
            anchors.entry(anchor.place).or_default().push(anchor.hash);
        }
        Self {
            end: HistoryEnd { place: 0, hash: Hash256::default() },
            anchors,
            accounts: BTreeMap::new(),
            grants: BTreeMap::new(),
            last_of_grants: 0,
            at_ledger: BTreeSet::new(),
        }
    }

    /// How far the history was walked.
    pub(super) const fn end(&self) -> &HistoryEnd {
        &self.end
    }

    /// Walks to this end, and checks that the history ends there with this hash.
    async fn advance(&mut self, bank: &Teller, to: &HistoryEnd) -> Result<(), Stop> {
        while self.end.place < to.place {
            let page = page(bank, self.end.place, HISTORY_PAGE_MAX).await?;
            if page.records.is_empty() {
                return Err(row_at(self.end.place + 1).missing().into());
            }
            let before = page.records.iter().filter(|change| change.place <= to.place);
            for change in before {
                self.follow(change)?;
            }
            // Later records are walked with a later page of rows.
            if page.records.iter().any(|change| change.place > to.place) {
                break;
            }
        }
        let row = Row::of(Table::History);
        row.has("place at the end", self.end.place, to.place)?;
        Ok(row.has("hash at the end", self.end.hash, to.hash)?)
    }

    /// Follows the next change.
    fn follow(&mut self, change: &ChainedChange) -> Checked {
        let row = row_at(change.place);
        let next = self.end.place + 1;
        if change.place != next {
            return Err(row_at(next).differs("place", next, change.place));
        }
        let hash = self.end.hash.of_next_text(&change.record);
        row.has("hash of the record", hash, change.hash)?;
        let record: HistoryRecord = serde_json::from_str(&change.record)
            .map_err(|error| row.differs("record", "a record of version 1", error))?;
        row.has("version", 1, record.version)?;
        erased::check_approved(row, &record)?;
        match (record.account, record.grants) {
            (Some(account), None) => self.follow_account(row, change, record.at, account)?,
            (None, Some(grants)) => self.follow_grants(row, change, grants)?,
            _ => return Err(row.differs("record", "an account or grants", "both or neither")),
        }
        self.end = HistoryEnd { place: change.place, hash };
        for anchored in self.anchors.remove(&change.place).unwrap_or_default() {
            Row { table: Table::Anchor, ..row }.has("hash", anchored, hash)?;
        }
        Ok(())
    }

    fn follow_account(
        &mut self,
        row: Row,
        change: &ChainedChange,
        at: DateTime<Utc>,
        account: RecordedAccount,
    ) -> Checked {
        let row = row.account(account.account_id);
        row.has("account_id", shown(Some(account.account_id)), shown(change.account_id))?;
        row.has("principal", shown(None::<String>), shown(change.principal.as_ref()))?;
        row.has("number", account.number, change.number)?;
        let texts = erased::texts(row, &account, change)?;
        let Open::Known(kind) = account.change else {
            return Err(row.differs("change", "a known kind of change", &account.change));
        };
        let place = change.place;
        let begins =
            kind == HistoryChange::Recorded || kind == HistoryChange::Opened && account.number == 1;
        let last = self.accounts.get(&account.account_id).map(|known| &known.last);
        match last {
            Some(last) => row.has("number", last.number.saturating_add(1), account.number)?,
            None if !begins => return Err(row.differs("change", "opened", kind.as_str())),
            None => {}
        }
        if kind == HistoryChange::Recorded && last.is_some() {
            return Err(row.differs("change", "a change", kind.as_str()));
        }
        erased::check_change(row, (&account, kind), texts.as_ref(), last)?;
        let at_ledger_since = is_at_ledger(&account).then_some(place);
        let followed = LedgerChange::of(&account, kind, (place, at));
        let known = self.accounts.entry(account.account_id).or_insert_with(|| AccountHistory {
            changes: vec![],
            last: account.clone(),
            place,
            texts: None,
            without_texts: None,
            at_ledger_since: None,
        });
        known.without_texts = match &texts {
            Some(_) if kind == HistoryChange::Erased => None,
            Some(_) => known.without_texts,
            None => known.without_texts.or(Some(place)),
        };
        (known.last, known.place, known.texts) = (account, place, texts);
        known.changes.extend(followed);
        known.at_ledger_since = known.at_ledger_since.or(at_ledger_since);
        Ok(())
    }

    fn follow_grants(
        &mut self,
        row: Row,
        change: &ChainedChange,
        grants: RecordedGrants,
    ) -> Checked {
        row.has("principal", shown(Some(&grants.principal)), shown(change.principal.as_ref()))?;
        row.has("account_id", shown(None::<String>), shown(change.account_id))?;
        row.has("number", grants.number, change.number)?;
        row.has("number", self.last_of_grants.saturating_add(1), grants.number)?;
        self.last_of_grants = grants.number;
        self.grants.insert(grants.principal.clone(), (change.place, grants));
        Ok(())
    }

    /// Checks that every anchor was passed.
    fn check_anchors(&self) -> Checked {
        match self.anchors.first_key_value() {
            None => Ok(()),
            Some((place, _)) => {
                Err(Row { place: Some(*place), ..Row::of(Table::Anchor) }.missing())
            }
        }
    }

    /// Proves the rows of the accounts service: each page against the history up to the end that
    /// the page names.
    pub(super) async fn prove_rows(&mut self, bank: &Teller) -> Result<(), Stop> {
        for part in [AccountBooksPart::Accounts, AccountBooksPart::Grants] {
            let mut from: Option<String> = None;
            loop {
                let limit = Some(ACCOUNT_BOOKS_PAGE_MAX);
                let query = GetAccountBooks { part, from: from.clone(), limit };
                let page = bank.ask(query).await?;
                self.advance(bank, &page.end).await?;
                rows::check(self, from.as_deref(), &page)?;
                match page.next {
                    None => break,
                    Some(next) if from.as_ref().is_none_or(|from| next > *from) => {
                        from = Some(next);
                    }
                    Some(_) => return Err(pages_go_back()),
                }
            }
        }
        Ok(())
    }

    /// Proves a page of the ledger's rows of accounts, which was read after the history was walked
    /// to here.
    pub(super) async fn prove_followed(
        &mut self,
        bank: &Teller,
        page_of_ledger: &[AccountRow],
    ) -> Result<(), Stop> {
        let before = self.end.place;
        // What the ledger has followed was committed before, so it is there by now.
        self.advance(bank, &end(bank).await?).await?;
        let seen = Seen { before, now: Utc::now() };
        followed::check(&self.accounts, page_of_ledger, seen)?;
        self.at_ledger.extend(page_of_ledger.iter().map(|row| row.account_id));
        Ok(())
    }

    /// The accounts that were erased.
    pub(super) fn erased_accounts(&self) -> BTreeSet<AccountId> {
        let ids = self.accounts.keys().copied();
        ids.filter(|id| self.is_erased(*id)).collect()
    }

    /// Whether the data of an account were erased.
    pub(super) fn is_erased(&self, id: AccountId) -> bool {
        self.accounts.get(&id).is_some_and(|known| erased::is_erasure(&known.last))
    }

    /// Checks that every account that was active at the place `before` is at the ledger, walks to
    /// the newest end, and checks that missing texts were erased, and that no change stands after
    /// the end of the history.
    pub(super) async fn check_ended(&mut self, bank: &Teller, before: i64) -> Result<(), Stop> {
        self.check_at_ledger(before)?;
        // Texts of the journal may have been erased since.
        self.advance(bank, &end(bank).await?).await?;
        while let Some(first) = erased::first_unexplained(&self.accounts) {
            // Texts go in the transaction of the erasure, so its change is there by now.
            self.advance(bank, &end(bank).await?).await?;
            if erased::first_unexplained(&self.accounts) == Some(first) {
                return Err(erased::unexplained(first).into());
            }
        }
        let after = page(bank, self.end.place, 1).await?;
        // A change that was made since has a place up to the end of that moment.
        match after.records.iter().find(|change| change.place > after.head_place) {
            Some(change) => Err(row_at(change.place).too_many().into()),
            None => Ok(self.check_anchors()?),
        }
    }

    fn check_at_ledger(&self, before: i64) -> Checked {
        let is_missing = |(id, known): &(&AccountId, &AccountHistory)| {
            known.at_ledger_since.is_some_and(|place| place <= before)
                && !self.at_ledger.contains(id)
        };
        match self.accounts.iter().find(is_missing) {
            Some((id, _)) => Err(Row::of(Table::Accounts).account(*id).missing()),
            None => Ok(()),
        }
    }
}

impl LedgerChange {
    /// `None`: the ledger neither follows such a change nor answers by it.
    fn of(
        account: &RecordedAccount,
        kind: HistoryChange,
        (place, at): (i64, DateTime<Utc>),
    ) -> Option<Self> {
        let state = match kind {
            HistoryChange::Opened
            | HistoryChange::Recorded
            | HistoryChange::Frozen
            | HistoryChange::LimitsChanged => Some(Box::new(account.state.clone())),
            HistoryChange::Unfrozen
            | HistoryChange::Closing
            | HistoryChange::Closed
            | HistoryChange::CloseRefused => None,
            HistoryChange::Activated | HistoryChange::HolderUpdated | HistoryChange::Erased => {
                return None;
            }
        };
        Some(Self { number: account.number, kind, place, at, state })
    }
}

/// How far the history was walked before rows of the ledger were read, and when they were checked.
#[derive(Clone, Copy, Debug)]
struct Seen {
    before: i64,
    now: DateTime<Utc>,
}

/// A page of the history after a place.
async fn page(bank: &Teller, after: i64, limit: u32) -> Result<HistoryFound, TellerError> {
    bank.ask(GetHistory { account_id: None, after: Some(after), limit: Some(limit) }).await
}

/// The end of the history now.
pub(super) async fn end(bank: &Teller) -> Result<HistoryEnd, TellerError> {
    let found = page(bank, i64::MAX, 1).await?;
    Ok(HistoryEnd { place: found.head_place, hash: found.head_hash })
}

/// Whether the ledger has opened its side by this change, or before the history began.
fn is_at_ledger(account: &RecordedAccount) -> bool {
    match &account.change {
        Open::Known(HistoryChange::Activated) => true,
        Open::Known(HistoryChange::Recorded) => account.state.status != "pending",
        _ => false,
    }
}

/// A value of a column, which may be empty.
fn shown(value: Option<impl Display>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
}

fn row_at(place: i64) -> Row {
    Row { place: Some(place), ..Row::of(Table::History) }
}

fn pages_go_back() -> Stop {
    Stop::Teller(TellerError::NoAnswer("the pages of rows go back".into()))
}
