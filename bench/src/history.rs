//! Books of a bank that has lived. Promise: they are what the ledger itself would have written,
//! byte by byte: records, digests and hashes come from the ledger's own writer; entries and
//! balances agree with them, and an audit finds nothing.
//!
//! Each transfer goes from one account to another, within its overdraft; a run of them extends one
//! of the journal's chains, as a transaction does. They were posted one after another in the months
//! before this one.

use std::sync::Arc;

use chrono::{DateTime, Datelike, TimeDelta, Utc};
use ledger_svc::{
    accounts::AccountAfter,
    journal::{CHAINS, ChainHash},
    posting::{
        Decided, Instruction, InstructionOutcome, JournalRecord, Kind, Party, Posted, PostedLeg,
        Texts, Transfer, stored_record,
    },
};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, MessageId, Money, TransferId,
    evidence::{Authorship, Hash256},
    ledger::Direction,
};
use uuid::Uuid;

use crate::{
    command::CURRENCY,
    traffic::{Draw, Shape, account},
};

/// How far below zero an account may go, in cents: more than it ever does.
pub(crate) const OVERDRAFT_CENTS: i64 = 100_000_000_000;
/// How many records a transaction adds to a chain.
const RUN: u64 = 200;
/// How long it took, until the end of the last month.
const DAYS: i64 = 300;

/// An account as the transfers so far have left it, in cents.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Book {
    pub(crate) debits: i64,
    pub(crate) credits: i64,
    pub(crate) version: i64,
}

impl Book {
    const NEW: Self = Self { debits: 0, credits: 0, version: 1 };

    const fn balance(self) -> i64 {
        self.credits - self.debits
    }
}

/// The rows of one transfer, in the text format of `COPY`.
pub(crate) struct Rows {
    pub(crate) journal: String,
    pub(crate) entries: String,
}

/// Makes one transfer after another.
pub(crate) struct History {
    pub(crate) books: Vec<Book>,
    /// Sequence and hash of each chain's last record.
    pub(crate) chains: [(i64, ChainHash); CHAINS as usize],
    draw: Draw,
    made: u64,
    author: Arc<Authorship>,
    begin: DateTime<Utc>,
    every: TimeDelta,
}

impl History {
    /// Of so many accounts and transfers, as seen from `now`.
    pub(crate) fn new(accounts: u32, transfers: u64, now: DateTime<Utc>) -> Self {
        let this_month = now - TimeDelta::days(i64::from(now.day()));
        let begin = this_month - TimeDelta::days(DAYS);
        let micros = TimeDelta::days(DAYS).num_microseconds().unwrap_or(i64::MAX);
        let every = micros / i64::try_from(transfers.max(1)).unwrap_or(i64::MAX);
        Self {
            books: (0..accounts).map(|_| Book::NEW).collect(),
            chains: [(0, ChainHash::default()); CHAINS as usize],
            draw: Draw::new(Shape::Uniform, accounts, 1),
            made: 0,
            author: Arc::new(Authorship::of("bench")),
            begin: DateTime::from_timestamp_micros(begin.timestamp_micros()).unwrap_or(begin),
            every: TimeDelta::microseconds(every),
        }
    }

    /// The next transfer.
    pub(crate) fn next(&mut self) -> Rows {
        let (debtor, creditor) = self.draw.pair();
        let cents = i64::from(1 + self.draw.random.below(99_999));
        let at = self.begin + self.every * i32::try_from(self.made).unwrap_or(i32::MAX);
        let legs = vec![
            self.book(debtor, Direction::Debit, cents),
            self.book(creditor, Direction::Credit, cents),
        ];
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        let instruction = Instruction {
            transfer_id: TransferId(self.draw.random.id(millis)),
            group: None,
            kind: Kind::Transfer(Transfer {
                debtor: Party::AccountId(AccountId(account(debtor))),
                creditor: Party::AccountId(AccountId(account(creditor))),
                money: money(cents),
                allow_partial: false,
            }),
            reference: None,
            end_to_end_id: None,
            booking_date: None,
            value_date: None,
        };
        let digest = stored_record::digest(&instruction, None);
        let record = JournalRecord {
            author: Some(Arc::clone(&self.author)),
            instruction,
            command_id: MessageId(self.draw.random.id(millis)),
            decided_at: at,
            booking_date: at.date_naive(),
            value_date: at.date_naive(),
            outcome: InstructionOutcome::Posted(Posted { legs, hold: None, reverses: None }),
        };
        let decided = Decided { digest, texts: Texts::None, record };
        let rows = Rows { journal: self.chain(&decided), entries: entries(&decided.record) };
        self.made += 1;
        rows
    }

    fn book(&mut self, index: u32, direction: Direction, cents: i64) -> PostedLeg {
        let book = &mut self.books[usize::try_from(index).expect("an index fits")];
        match direction {
            Direction::Debit => book.debits += cents,
            Direction::Credit => book.credits += cents,
        }
        book.version += 1;
        let after = AccountAfter {
            account_id: AccountId(account(index)),
            code: None,
            balance: amount(book.balance()),
            available: Some(amount(book.balance() + OVERDRAFT_CENTS)),
            version: book.version,
        };
        PostedLeg { account: after, direction, money: money(cents) }
    }

    /// Adds a record to a chain. Columns as in [`JOURNAL`].
    fn chain(&mut self, decided: &Decided) -> String {
        let chain = usize::try_from(self.made / RUN).unwrap_or(0) % self.chains.len();
        let (sequence, hash) = &mut self.chains[chain];
        let json = stored_record::stored(decided).to_text();
        *sequence += 1;
        *hash = hash.of_next(decided.digest, &json);
        let (digest, hash) = (Hash256(decided.digest), Hash256(hash.0));
        let id = decided.record.instruction.transfer_id;
        // In this format a backslash stands for itself when it is doubled.
        let json = json.replace('\\', r"\\");
        format!("{id}\t\\\\x{digest}\t{chain}\t{sequence}\t\\\\x{hash}\t{json}\n")
    }
}

/// Where [`Rows`] go, and the final [`History::books`].
pub(crate) const JOURNAL: &str =
    "COPY journal (transfer_id, digest, chain, place, hash, record) FROM STDIN";
pub(crate) const ENTRIES: &str = "COPY entries (account_id, version, transfer_id, amount,
    balance_after, booking_date, value_date, posted_at) FROM STDIN";
pub(crate) const ACCOUNTS: &str = "COPY accounts (id, currency, status, overdraft_limit,
    posted_debits, posted_credits, pending_debits, pending_credits, version, followed_status,
    followed_limit) FROM STDIN";
pub(crate) const RECIPIENTS: &str =
    "COPY recipients (account_id, name, language, version) FROM STDIN";

fn entries(record: &JournalRecord) -> String {
    let (id, booked, at) = (record.instruction.transfer_id, record.booking_date, record.decided_at);
    let row = |leg: &PostedLeg| {
        let sign = if leg.direction == Direction::Debit { "-" } else { "" };
        let (after, amount) = (&leg.account, leg.money.amount.decimal());
        let (account, version, balance) =
            (after.account_id, after.version, after.balance.decimal());
        let at = at.to_rfc3339();
        format!("{account}\t{version}\t{id}\t{sign}{amount}\t{balance}\t{booked}\t{booked}\t{at}\n")
    };
    record.posted_legs().iter().map(row).collect()
}

/// An account's row.
pub(crate) fn account_row(id: Uuid, book: Book) -> String {
    let [overdraft, debits, credits] =
        [OVERDRAFT_CENTS, book.debits, book.credits].map(|cents| amount(cents).decimal());
    let version = book.version;
    format!("{id}\t{CURRENCY}\tactive\t{overdraft}\t{debits}\t{credits}\t0\t0\t{version}\t1\t1\n")
}

/// The row of an account's holder.
pub(crate) fn recipient_row(id: Uuid) -> String {
    format!("{id}\tSomebody\ten\t1\n")
}

fn amount(cents: i64) -> Amount {
    Amount(Decimal::new(cents, 2))
}

fn money(cents: i64) -> Money {
    Money { amount: amount(cents), currency: CURRENCY.parse().expect("EUR is a currency") }
}

#[cfg(test)]
mod tests {
    use shared_events::ledger::StoredRecord;

    use super::*;

    const TRANSFERS: u64 = 1_000;

    fn made() -> (History, Vec<Rows>) {
        let mut history = History::new(116, TRANSFERS, Utc::now());
        let rows = (0..TRANSFERS).map(|_| history.next()).collect();
        (history, rows)
    }

    /// By the contract, as an auditor reads the journal: not by the ledger, which wrote it.
    #[test]
    fn records_hash_to_the_ends_of_their_chains() {
        let (history, rows) = made();
        let mut chains = [(0, Hash256::default()); CHAINS as usize];
        for row in &rows {
            let fields: Vec<&str> = row.journal.trim_end().split('\t').collect();
            let [id, digest, chain, sequence, hash, json] = fields[..] else {
                panic!("{fields:?}")
            };
            let stored = StoredRecord::from_text(json).expect("a record of the contract");
            assert_eq!(stored.record.instruction.transfer_id.to_string(), id);
            let own = Hash256(stored.digest());
            assert_eq!(format!(r"\\x{own}"), digest);
            let end = &mut chains[chain.parse::<usize>().expect("a number")];
            *end = (end.0 + 1, end.1.of_next(own, json));
            let shown = (end.0.to_string(), format!(r"\\x{}", end.1));
            assert_eq!(shown, (sequence.into(), hash.into()));
        }
        assert_eq!(chains, history.chains.map(|(sequence, hash)| (sequence, Hash256(hash.0))));
        let is_of_runs = |(sequence, _): &(i64, Hash256)| *sequence == 200 || *sequence == 400;
        assert!(chains.iter().all(is_of_runs), "{chains:?}");
    }

    #[test]
    fn entries_add_up_to_the_books_and_the_books_to_zero() {
        let (history, rows) = made();
        let mut sums = std::collections::HashMap::<Uuid, (Decimal, i64)>::new();
        for row in &rows {
            for line in row.entries.lines() {
                let fields: Vec<&str> = line.split('\t').collect();
                let sum = sums.entry(fields[0].parse().expect("an id")).or_insert((0.into(), 1));
                sum.0 += fields[3].parse::<Decimal>().expect("an amount");
                sum.1 += 1;
                assert_eq!(fields[4].parse::<Decimal>().expect("a balance"), sum.0);
                assert_eq!(fields[1].parse::<i64>().expect("a version"), sum.1);
            }
        }
        for (index, book) in (0..).zip(&history.books) {
            let (sum, version) = sums.get(&account(index)).copied().unwrap_or((0.into(), 1));
            assert_eq!((Decimal::new(book.balance(), 2), book.version), (sum, version));
        }
        assert_eq!(sums.values().map(|sum| sum.0).sum::<Decimal>(), Decimal::ZERO);
    }

    #[test]
    fn all_of_it_was_before_this_month() {
        let (_, rows) = made();
        let last = rows.last().expect("there are rows").entries.clone();
        let booked = last.split('\t').nth(5).expect("a date").to_owned();
        assert!(booked < Utc::now().format("%Y-%m-01").to_string(), "{booked}");
    }
}
