//! The books on the desk: what a piece of work names is loaded, and what changed is stored.
//! Promise: a fixed number of statements, whatever the size of the work; accounts are locked in the
//! order of their ids, before anything that depends on them is read. What another transaction
//! commits while this one waits for its locks is seen whole: with the accounts that it names.

use std::collections::{BTreeMap, BTreeSet};

use shared_events::{
    AccountId, Currency, TransferId,
    ledger::{AccountCode, Action, Instruction, LEGS, Party},
    messaging::Tx,
};
use uuid::Uuid;

use crate::legacy::handle::{
    bank_time::BankTime,
    unsettled::{self, Unsettled},
};
use crate::{
    legacy::domain::{
        Account, Books, Charge, Decided, DueMonth, Held, Loaded, Now, account_id, posted_legs,
    },
    legacy::store::{accounts, book, holds, interest, journal, monitors},
};

/// What a piece of work names: every account, hold and instruction that it can touch.
#[derive(Debug, Default)]
pub(crate) struct Named {
    accounts: BTreeSet<Uuid>,
    own: BTreeMap<Uuid, (AccountCode, Currency)>,
    instructions: Vec<Uuid>,
    holds: Vec<Uuid>,
    originals: BTreeSet<Uuid>,
    /// Accounts that are to be closed: their interest is settled first.
    closing: BTreeSet<Uuid>,
}

/// Books whose accounts are locked, and the chain that this transaction extends.
pub(crate) struct Desk {
    pub(crate) books: Books,
    pub(crate) now: Now,
    chain: journal::Chain,
    /// The bank's own accounts that this transaction has opened.
    opened: Vec<Uuid>,
}

impl Named {
    pub(crate) fn account(&mut self, id: AccountId) {
        self.accounts.insert(id.uuid());
    }

    /// An account that is to be closed, and where to move what is left on it.
    pub(crate) fn closing(&mut self, id: AccountId, payout: Option<AccountId>) {
        self.account(id);
        self.closing.insert(id.uuid());
        payout.into_iter().for_each(|to| self.account(to));
    }

    /// The bank's own accounts that an account's interest and fees are booked on.
    pub(crate) fn charges(&mut self, currency: Currency) {
        for charge in Charge::ALL {
            self.party(&Party::Code(charge.own_account()), currency);
        }
    }

    /// An id under which something may have been decided.
    pub(crate) fn id(&mut self, id: TransferId) {
        self.instructions.push(id.uuid());
    }

    pub(crate) fn hold(&mut self, id: TransferId) {
        self.holds.push(id.uuid());
    }

    pub(crate) fn instruction(&mut self, instruction: &Instruction) {
        self.instructions.push(instruction.transfer_id.uuid());
        match &instruction.action {
            Action::Transfer(it) => self.parties(&it.debtor, &it.creditor, it.money.currency),
            Action::Hold(it) => self.parties(&it.debtor, &it.creditor, it.money.currency),
            Action::Capture(it) => self.hold(it.hold_id),
            Action::Release(it) => self.hold(it.hold_id),
            Action::Reverse(it) => drop(self.originals.insert(it.original_id.uuid())),
            // Too many legs are rejected for that, and touch nothing.
            Action::Legs(it) if it.legs.len() > *LEGS.end() => {}
            Action::Legs(it) => {
                it.legs.iter().for_each(|leg| self.party(&leg.account, leg.money.currency));
            }
            Action::Exchange(it) => {
                self.party(&it.debtor, it.sell.currency);
                self.party(&it.creditor, it.buy);
                for currency in [it.sell.currency, it.buy] {
                    self.party(&Party::Code(AccountCode::fx_position()), currency);
                }
                self.party(&Party::Code(AccountCode::fx_rounding()), it.buy);
            }
        }
    }

    fn parties(&mut self, debtor: &Party, creditor: &Party, currency: Currency) {
        self.party(debtor, currency);
        self.party(creditor, currency);
    }

    pub(crate) fn party(&mut self, party: &Party, currency: Currency) {
        let Some(id) = account_id(party, currency) else { return };
        self.accounts.insert(id.uuid());
        if let Party::Code(code) = party {
            self.own.entry(id.uuid()).or_insert_with(|| (code.clone(), currency));
        }
    }

    /// Loads the books for work: locks the accounts, opening those of the bank's own that are
    /// used for the first time; then loads what was decided before. In this order, so that what
    /// another instance is deciding now is waited for, and then seen. A hold or a transfer that
    /// is seen only then may name accounts that are not locked: all locks are given back and
    /// taken again with them, since only locks taken in the order of ids never wait in a circle.
    /// What is named once stays named, so this ends.
    pub(crate) async fn lock_in_tx(
        mut self,
        tx: &mut Tx<'_>,
        time: BankTime,
    ) -> sqlx::Result<Desk> {
        let unsettled = self.unsettled(tx).await?;
        if self.refers() {
            self.add_referred_in_tx(tx).await?;
            accounts::mark_in_tx(tx).await?;
        }
        loop {
            let (locked, opened) = self.accounts_in_tx(tx).await?;
            let (chain, known) = journal::extend_in_tx(tx, &self.decided()).await?;
            let loaded = self.loaded_in_tx(tx, locked, known).await?;
            if !self.add_referred(&loaded) {
                let unsettled = self.refreshed_in_tx(tx, unsettled).await?;
                let now = time.now(chain.clock);
                let books = Books::new(Loaded { unsettled, ..loaded });
                return Ok(Desk { books, now, chain, opened });
            }
            accounts::unlock_in_tx(tx).await?;
        }
    }

    /// Loads the books to look at them, in a transaction that sees one instant: nothing is locked,
    /// and nothing can be stored.
    pub(crate) async fn read_in_tx(mut self, tx: &mut Tx<'_>) -> sqlx::Result<Books> {
        if self.refers() {
            self.add_referred_in_tx(tx).await?;
        }
        let all = ids(&self.accounts);
        let mut read = accounts::read_in_tx(tx, &all).await?;
        let unopened = self.unopened(&read).into_values();
        read.extend(unopened.map(|(code, it)| Account::open_own(code.clone(), *it)));
        read.retain(|account| self.is_meant(account));
        let known = journal::decided_in_tx(tx, &self.decided()).await?;
        Ok(Books::new(self.loaded_in_tx(tx, read, known).await?))
    }

    /// Reads what is due of accounts that are to be closed, before anything is locked.
    async fn unsettled(&mut self, tx: &mut Tx<'_>) -> sqlx::Result<Vec<Unsettled>> {
        if self.closing.is_empty() {
            return Ok(vec![]);
        }
        let unsettled = unsettled::read(tx, &ids(&self.closing)).await?;
        unsettled.iter().for_each(|it| self.charges(it.next.currency));
        Ok(unsettled)
    }

    /// The same, now that the accounts are locked.
    async fn refreshed_in_tx(
        &self,
        tx: &mut Tx<'_>,
        unsettled: Vec<Unsettled>,
    ) -> sqlx::Result<BTreeMap<AccountId, Option<DueMonth>>> {
        if self.closing.is_empty() {
            return Ok(BTreeMap::new());
        }
        let all = unsettled::refresh_in_tx(tx, unsettled, &ids(&self.closing)).await?;
        Ok(all.iter().map(|it| (it.next.account, it.due().ok())).collect())
    }

    /// Whether holds or transfers are named, whose accounts are not.
    fn refers(&self) -> bool {
        !self.holds.is_empty() || !self.originals.is_empty()
    }

    /// Adds the accounts of the holds and transfers that are named, as far as they are there.
    async fn add_referred_in_tx(&mut self, tx: &mut Tx<'_>) -> sqlx::Result<()> {
        let holds = self.holds_in_tx(tx).await?;
        let known = match self.originals.is_empty() {
            true => vec![],
            false => journal::decided_in_tx(tx, &ids(&self.originals)).await?,
        };
        self.add_referred(&Loaded { holds, known, ..Loaded::default() });
        Ok(())
    }

    /// Adds the accounts of the holds and transfers that are named, and says whether any is new.
    /// Which accounts these are never changes.
    fn add_referred(&mut self, loaded: &Loaded) -> bool {
        let before = self.accounts.len();
        for Held { debtor, creditor, .. } in &loaded.holds {
            self.account(*debtor);
            self.account(*creditor);
        }
        if !self.originals.is_empty() {
            for Decided { record, .. } in &loaded.known {
                if self.originals.contains(&record.instruction.transfer_id.uuid()) {
                    let legs = posted_legs(record);
                    legs.iter().for_each(|leg| self.account(leg.account.account_id));
                }
            }
        }
        self.accounts.len() > before
    }

    /// Locks the accounts, and opens those of the bank's own that are not open yet. Says which.
    async fn accounts_in_tx(&self, tx: &mut Tx<'_>) -> sqlx::Result<(Vec<Account>, Vec<Uuid>)> {
        let mut locked = accounts::lock_in_tx(tx, &ids(&self.accounts)).await?;
        let (unopened, mut opened) = (self.unopened(&locked), vec![]);
        if !unopened.is_empty() {
            let ids: Vec<Uuid> = unopened.keys().copied().collect();
            let codes: Vec<&str> = unopened.values().map(|(code, _)| code.0.as_str()).collect();
            let currencies: Vec<&str> = unopened.values().map(|(_, it)| it.code()).collect();
            opened = accounts::open_own_in_tx(tx, &ids, &codes, &currencies).await?;
            locked.extend(accounts::lock_in_tx(tx, &ids).await?);
        }
        locked.retain(|account| self.is_meant(account));
        Ok((locked, opened))
    }

    /// Those of the bank's own accounts that are named and not among these.
    fn unopened(&self, there: &[Account]) -> BTreeMap<Uuid, &(AccountCode, Currency)> {
        let there: BTreeSet<Uuid> = there.iter().map(|it| it.id.uuid()).collect();
        let unopened = self.own.iter().filter(|(id, _)| !there.contains(id));
        unopened.map(|(id, own)| (*id, own)).collect()
    }

    /// Whether an account is what its name stands for. The ids of the bank's own accounts follow
    /// from their codes and can be known to anybody: what a client has opened under one is a
    /// customer's, and nothing that the bank owns is booked there.
    fn is_meant(&self, account: &Account) -> bool {
        let own = self.own.get(&account.id.uuid());
        own.is_none_or(|(code, _)| account.code.as_ref() == Some(code))
    }

    /// The instructions that may have been decided before.
    fn decided(&self) -> Vec<Uuid> {
        self.instructions.iter().chain(&self.originals).copied().collect()
    }

    async fn loaded_in_tx(
        &self,
        tx: &mut Tx<'_>,
        accounts: Vec<Account>,
        known: Vec<Decided>,
    ) -> sqlx::Result<Loaded> {
        let holds = self.holds_in_tx(tx).await?;
        let reversed = match self.originals.is_empty() {
            true => vec![],
            false => holds::reversed_in_tx(tx, &ids(&self.originals)).await?,
        };
        // Most accounts are watched by nobody.
        let watched = accounts.iter().filter(|it| it.monitored).map(|it| it.id.uuid());
        let watched: Vec<Uuid> = watched.collect();
        let monitors = match watched.is_empty() {
            true => BTreeMap::new(),
            false => monitors::read_in_tx(tx, &watched).await?,
        };
        Ok(Loaded { accounts, known, holds, reversed, monitors, ..Loaded::default() })
    }

    async fn holds_in_tx(&self, tx: &mut Tx<'_>) -> sqlx::Result<Vec<Held>> {
        match self.holds.is_empty() {
            true => Ok(vec![]),
            false => holds::read_in_tx(tx, &self.holds).await,
        }
    }
}

fn ids(all: &BTreeSet<Uuid>) -> Vec<Uuid> {
    all.iter().copied().collect()
}

impl Desk {
    /// Stores what has changed. Gives the books back, to tell of it.
    pub(crate) async fn save_in_tx(self, tx: &mut Tx<'_>) -> sqlx::Result<Books> {
        let Self { books, chain, now, mut opened } = self;
        opened.retain(|id| !books.changed().any(|account| account.id.uuid() == *id));
        if !opened.is_empty() {
            accounts::forget_in_tx(tx, &opened).await?;
        }
        accounts::insert_in_tx(tx, books.opened()).await?;
        accounts::follow_in_tx(tx, books.followed()).await?;
        holds::put_in_tx(tx, books.changed_holds()).await?;
        holds::put_reversed_in_tx(tx, books.changed_reversed()).await?;
        monitors::put_in_tx(tx, books.changed_monitors()).await?;
        interest::capitalised_in_tx(tx, books.all_settled(), now.instant).await?;
        book::book_in_tx(tx, chain, books.decided(), books.opened().chain(books.changed())).await?;
        Ok(books)
    }
}
