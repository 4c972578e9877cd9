//! The accounts that a batch touches, and the folding of its commands over them. Promise: the order
//! of commands is the order of effects; a batch leaves what its commands leave one by one.
//!
//! The books hold every account of the batch (loaded, locked) and every transfer that was decided
//! before under one of its ids. Nothing is read while folding.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use shared_events::{
    AccountId, CommandId, TransferId,
    ledger::{Party, RejectReason, Transfer},
};

use super::{
    account::{Account, own_account_id},
    transfer::{Decision, check_accounts, check_form, digest},
};

/// A transfer with its outcome, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What was asked.
    pub transfer: Transfer,
    /// The digest of what was asked.
    pub digest: [u8; 32],
    /// The command that asked first.
    pub command_id: CommandId,
    /// The accounts that the parties name, where there are any.
    pub debtor_id: Option<AccountId>,
    /// As `debtor_id`.
    pub creditor_id: Option<AccountId>,
    /// The day it is booked on.
    pub booking_date: NaiveDate,
    /// What was decided.
    pub decision: Decision,
}

/// An entry for the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Which account.
    pub account_id: AccountId,
    /// The account's version after it.
    pub version: i64,
    /// The transfer it belongs to.
    pub transfer_id: TransferId,
    /// Negative: a debit. Positive: a credit.
    pub amount: Decimal,
    /// The balance after it.
    pub balance_after: Decimal,
    /// The day it is booked on.
    pub booking_date: NaiveDate,
}

/// What became of one transfer of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Decided now: to be announced.
    New(Decided),
    /// Decided before: told again, not announced again.
    Known(Decided),
    /// The id stands for something else: announced, not stored.
    Conflict(Transfer),
}

/// The working set of one batch.
#[derive(Clone, Debug, Default)]
pub struct Books {
    accounts: HashMap<AccountId, Account>,
    touched: BTreeMap<AccountId, bool>,
    known: HashMap<TransferId, Decided>,
    decided: Vec<TransferId>,
    postings: Vec<Posting>,
}

impl Books {
    /// Books with these accounts and these transfers already decided.
    #[must_use]
    pub fn new(accounts: Vec<Account>, known: Vec<Decided>) -> Self {
        Self {
            accounts: accounts.into_iter().map(|account| (account.id, account)).collect(),
            known: known.into_iter().map(|it| (it.transfer.transfer_id, it)).collect(),
            ..Self::default()
        }
    }

    /// An account, if it is in the books.
    #[must_use]
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// Puts a new account into the books.
    pub(super) fn open(&mut self, account: Account) {
        self.touched.insert(account.id, true);
        self.accounts.insert(account.id, account);
    }

    /// An account, to be changed.
    pub(super) fn change(&mut self, id: AccountId) -> Option<&mut Account> {
        let account = self.accounts.get_mut(&id)?;
        self.touched.entry(id).or_insert(false);
        Some(account)
    }

    /// Decides on a transfer, and posts it if nothing stands against it. `today` is the day it is
    /// booked on if it names none.
    pub fn submit(&mut self, command: CommandId, transfer: &Transfer, today: NaiveDate) -> Outcome {
        let digest = digest(transfer);
        if let Some(known) = self.known.get(&transfer.transfer_id) {
            return match known.digest == digest {
                true => Outcome::Known(known.clone()),
                false => Outcome::Conflict(transfer.clone()),
            };
        }
        let booking_date = transfer.booking_date.unwrap_or(today);
        let debtor_id = account_id(&transfer.debtor, transfer);
        let creditor_id = account_id(&transfer.creditor, transfer);
        let decision = self.decide(transfer, debtor_id, creditor_id, booking_date);
        let transfer = storable(transfer, &decision);
        let booking_date = transfer.booking_date.unwrap_or(today);
        let decided = Decided {
            transfer,
            digest,
            command_id: command,
            debtor_id,
            creditor_id,
            booking_date,
            decision,
        };
        let id = decided.transfer.transfer_id;
        self.known.insert(id, decided.clone());
        self.decided.push(id);
        Outcome::New(decided)
    }

    fn decide(
        &mut self,
        transfer: &Transfer,
        debtor_id: Option<AccountId>,
        creditor_id: Option<AccountId>,
        booking_date: NaiveDate,
    ) -> Decision {
        let find = |id: Option<AccountId>| id.and_then(|id| self.accounts.get(&id));
        let (debtor, creditor) = (find(debtor_id), find(creditor_id));
        let same = debtor_id.is_some() && debtor_id == creditor_id;
        let checked = check_form(transfer)
            .and(if same { Err(RejectReason::SameAccount) } else { Ok(()) })
            .and_then(|()| check_accounts(transfer, debtor, creditor));
        match (checked, debtor_id, creditor_id) {
            (Ok(()), Some(debtor), Some(creditor)) => {
                self.post(transfer, debtor, creditor, booking_date)
            }
            (Ok(()), ..) => unreachable!("unknown accounts were rejected"),
            (Err(reason), ..) => Decision::Rejected { reason, debtor: debtor.map(Account::after) },
        }
    }

    fn post(
        &mut self,
        transfer: &Transfer,
        debtor_id: AccountId,
        creditor_id: AccountId,
        booking_date: NaiveDate,
    ) -> Decision {
        let amount = transfer.money.amount.decimal();
        let mut book = |id, signed: Decimal| {
            let account = self.change(id).expect("both accounts were found");
            account.book(signed);
            let after = account.after();
            self.postings.push(Posting {
                account_id: id,
                version: after.version,
                transfer_id: transfer.transfer_id,
                amount: signed,
                balance_after: after.balance,
                booking_date,
            });
            after
        };
        let debtor = book(debtor_id, -amount);
        let creditor = book(creditor_id, amount);
        Decision::Posted { debtor, creditor }
    }

    /// What was decided now, in order.
    pub fn decided(&self) -> impl Iterator<Item = &Decided> {
        self.decided.iter().filter_map(|id| self.known.get(id))
    }

    /// What was posted now, in order.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }

    /// Accounts that are new, in the order of their ids.
    pub fn opened(&self) -> impl Iterator<Item = &Account> {
        self.touched_where(true)
    }

    /// Accounts that were there and have changed, in the order of their ids.
    pub fn changed(&self) -> impl Iterator<Item = &Account> {
        self.touched_where(false)
    }

    fn touched_where(&self, new: bool) -> impl Iterator<Item = &Account> {
        let touched = self.touched.iter().filter(move |(_, is_new)| **is_new == new);
        touched.filter_map(|(id, _)| self.accounts.get(id))
    }
}

/// The account that a party of this transfer names: a customer's by its id, the bank's own by its
/// code and the transfer's currency.
fn account_id(party: &Party, transfer: &Transfer) -> Option<AccountId> {
    match party {
        Party::AccountId(id) => Some(*id),
        Party::Code(code) => code.is_known().then(|| own_account_id(code, transfer.money.currency)),
    }
}

/// Text and dates that break the rules are not kept: no database takes all of them. The digest
/// still tells one such transfer from another.
fn storable(transfer: &Transfer, decision: &Decision) -> Transfer {
    use RejectReason::{InvalidBookingDate, InvalidText};
    let mut kept = transfer.clone();
    if let Decision::Rejected { reason: InvalidText | InvalidBookingDate, .. } = decision {
        kept = Transfer { reference: None, end_to_end_id: None, booking_date: None, ..kept };
    }
    kept
}
