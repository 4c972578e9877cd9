//! Results of queries become replies.

use std::sync::Arc;

use shared_events::{
    Amount, Currency, Total,
    code::Open,
    evidence::Hash256,
    ledger as contract,
    page::{bytes_of, page},
    refusal::MessageRefused,
};

use super::outcomes::{outcome, reject_reason};
use crate::{
    accounts::{Account, Status, repo_trial_balance::TrialBalanceLine},
    audit::{ChainedRecord, FollowedTerms, JournalEntry, JournalPage, Snapshot, SnapshotRows},
    balance_monitors::Monitor,
    holds::Hold,
    interest::{AccruedDay, query::PeriodInterest},
    journal::{CHAINS, ChainHash},
    posting::{InstructionOutcome, JournalRecord, Kind, PostingState, Rejected, Submitted},
    standing_orders::{OrderExecution, query::OrderWithLast},
    statements::{StatementEntry, StatementPeriod},
    wire::values::{
        outbound_blocks, outbound_condition, outbound_execution_status, outbound_hold_status,
        outbound_interest_terms, outbound_order_terms, outbound_party, outbound_status,
    },
};

/// The balance of an account.
pub(in crate::wire) fn balance(
    account: &Account,
) -> Result<contract::BalanceFound, MessageRefused> {
    let pending = [account.pending_debits, account.pending_credits].map(Total::amount);
    let (Some(after), [Some(pending_debits), Some(pending_credits)]) = (account.after(), pending)
    else {
        let rule = "the balance of the account has more digits than an amount: the ledger corrects \
                    it when it starts";
        return Err(MessageRefused::invalid("account", rule));
    };
    let is_frozen = account.status == Status::Frozen;
    Ok(contract::BalanceFound {
        account_id: account.id,
        code: account.code.clone(),
        currency: account.currency,
        status: outbound_status(account.status).into(),
        blocks: is_frozen.then_some(outbound_blocks(account.blocked)),
        posted_debits: account.posted_debits,
        posted_credits: account.posted_credits,
        pending_debits,
        pending_credits,
        balance: after.balance,
        overdraft_limit: account.limits.overdraft.map(Amount),
        available: after.available,
        version: account.version,
    })
}

/// The trial balance: all of it, or a page of whole currencies. Each currency adds up by itself,
/// also if money moves between two pages.
pub(in crate::wire) fn trial_balance(
    lines: Vec<TrialBalanceLine>,
    in_pages: bool,
) -> contract::TrialBalanceFound {
    let line = |line: TrialBalanceLine| contract::TrialBalanceLine {
        code: line.code,
        currency: line.currency,
        accounts: line.accounts,
        debits: line.debits,
        credits: line.credits,
        balance: line.balance,
    };
    let lines: Vec<_> = lines.into_iter().map(line).collect();
    let (lines, next) = match in_pages {
        true => whole_currencies(&lines),
        false => (lines, None),
    };
    contract::TrialBalanceFound { lines, next }
}

/// As many currencies as fit a page, at least one, and the last of them if there are more.
fn whole_currencies(
    lines: &[contract::TrialBalanceLine],
) -> (Vec<contract::TrialBalanceLine>, Option<Currency>) {
    let by_currency: Vec<&[contract::TrialBalanceLine]> =
        lines.chunk_by(|a, b| a.currency == b.currency).collect();
    let (fitting, more) = page(by_currency, usize::MAX);
    let kept: usize = fitting.iter().map(|lines| lines.len()).sum();
    let next = fitting.last().and_then(|lines| lines.last()).map(|line| line.currency);
    (lines[..kept].to_vec(), next.filter(|_| more))
}

/// The outcome that an instruction would have.
pub(in crate::wire) fn previewed(
    state: &PostingState,
    submitted: &Submitted,
) -> contract::PreviewedInstruction {
    let (transfer_id, outcome) = match submitted {
        Submitted::New(id) | Submitted::Known(id) => {
            let decided = state.known(*id).expect("every decision is in the state");
            (*id, outcome(&decided.record.outcome))
        }
        Submitted::Refused(instruction, reason) => {
            let rejected = Rejected { reason: *reason, account: None };
            (instruction.transfer_id, outcome(&InstructionOutcome::Rejected(rejected)))
        }
    };
    contract::PreviewedInstruction { transfer_id, outcome }
}

/// The hold that an instruction has placed.
pub(in crate::wire) const fn hold(hold: &Hold) -> contract::HoldNow {
    contract::HoldNow {
        status: Open::Known(outbound_hold_status(hold.status)),
        remaining: Amount(hold.remaining),
        expires_at: hold.expires_at,
    }
}

/// A transfer from one debtor to one creditor. `None`: the instruction is of another kind.
pub(in crate::wire) fn transfer(record: JournalRecord) -> Option<contract::TransferFound> {
    let Kind::Transfer(transfer) = &record.instruction.kind else { return None };
    let reason = record.outcome.rejection().map(reject_reason);
    let status = match reason {
        Some(_) => contract::TransferStatus::Rejected,
        None => contract::TransferStatus::Posted,
    };
    Some(contract::TransferFound {
        transfer_id: record.instruction.transfer_id,
        status: status.into(),
        reason: reason.map(Open::Known),
        debtor: outbound_party(&transfer.debtor),
        creditor: outbound_party(&transfer.creditor),
        money: transfer.money,
        reference: record.instruction.reference,
        end_to_end_id: record.instruction.end_to_end_id,
        booking_date: record.booking_date,
        decided_at: record.decided_at,
    })
}

/// An entry of a statement.
pub(in crate::wire) fn entry(entry: StatementEntry) -> contract::StatementEntry {
    contract::StatementEntry {
        version: entry.version,
        transfer_id: entry.transfer_id,
        direction: entry.direction,
        amount: entry.amount,
        balance_after: entry.balance_after,
        counterparty: outbound_party(&entry.counterparty),
        reference: entry.reference,
        end_to_end_id: entry.end_to_end_id,
        booking_date: entry.booking_date,
        value_date: Some(entry.value_date).filter(|date| *date != entry.booking_date),
        posted_at: entry.posted_at,
        reverses: entry.reverses,
        author: entry.author.map(Arc::unwrap_or_clone),
    }
}

/// The figures of a statement's period.
pub(in crate::wire) const fn period(period: &StatementPeriod) -> contract::StatementPeriod {
    contract::StatementPeriod {
        opening_balance: period.opening_balance,
        closing_balance: period.closing_balance,
        debits: period.debits,
        credits: period.credits,
        debit_count: period.debit_count,
        credit_count: period.credit_count,
        until: period.until,
    }
}

/// The interest of a period.
pub(in crate::wire) fn interest(found: PeriodInterest) -> contract::InterestFound {
    let day = |day: AccruedDay| contract::AccruedDay {
        day: day.day,
        balance: day.balance,
        rate: day.rate,
        days: day.days,
        of: day.of,
        accrued: day.accrued,
    };
    let months = found.capitalised.into_iter().map(|month| contract::CapitalisedMonth {
        month: month.month,
        credit_interest: Amount(month.credit_interest),
        debit_interest: Amount(month.debit_interest),
        statement_fee: Amount(month.statement_fee),
        capitalised_at: month.capitalised_at,
    });
    let terms = found.terms.iter().map(|set| contract::TermsSet {
        terms: outbound_interest_terms(&set.terms),
        set_at: set.set_at,
    });
    contract::InterestFound {
        account_id: found.account,
        currency: found.currency,
        days: found.days.into_iter().map(day).collect(),
        capitalised: months.collect(),
        terms: terms.collect(),
    }
}

/// A monitor.
pub(in crate::wire) const fn monitor(monitor: &Monitor) -> contract::MonitorNow {
    contract::MonitorNow {
        monitor_id: monitor.id,
        condition: outbound_condition(monitor.condition),
        armed: monitor.armed,
        since: Amount(monitor.since),
    }
}

/// An order, with the last date that was tried.
pub(in crate::wire) fn order((order, last): OrderWithLast) -> contract::OrderNow {
    contract::OrderNow {
        order_id: order.id,
        terms: outbound_order_terms(order.terms),
        next_date: order.next.date,
        next_day: order.next.day,
        last_execution: last.as_ref().map(execution),
    }
}

/// A date of an order that was tried.
pub(in crate::wire) fn execution(execution: &OrderExecution) -> contract::OrderExecution {
    contract::OrderExecution {
        due_date: execution.due_date,
        status: outbound_execution_status(execution.status).into(),
        attempts: execution.attempts,
        reason: execution.reason.map(reject_reason).map(Open::Known),
        transfer_id: execution.transfer_id,
        money: execution.money,
        at: execution.at,
    }
}

const fn hash(hash: ChainHash) -> Hash256 {
    Hash256(hash.0)
}

fn chained_record(record: ChainedRecord) -> contract::ChainedRecord {
    contract::ChainedRecord {
        chain: record.chain,
        place: record.sequence,
        transfer_id: record.transfer_id,
        hash: hash(record.hash),
        digest: hash(record.digest),
        record: record.text,
        reference: record.beside.reference,
        end_to_end_id: record.beside.end_to_end_id,
        salt: record.beside.salt,
        entries: record.entries.iter().map(journal_entry).collect(),
    }
}

/// The size of a record in a reply.
pub(in crate::wire) fn record_size(record: &ChainedRecord) -> usize {
    bytes_of(&chained_record(record.clone()))
}

const fn journal_entry(entry: &JournalEntry) -> contract::JournalEntry {
    contract::JournalEntry {
        account_id: entry.account_id,
        version: entry.version,
        transfer_id: entry.transfer_id,
        amount: entry.amount,
        balance_after: entry.balance_after,
        booking_date: entry.booking_date,
        value_date: entry.value_date,
        posted_at: entry.posted_at,
    }
}

/// A page of the journal.
pub(in crate::wire) fn journal(page: JournalPage) -> contract::JournalFound {
    contract::JournalFound {
        chains: CHAINS,
        records: page.records.into_iter().map(chained_record).collect(),
        head_place: page.end_sequence,
        head_hash: hash(page.end_hash),
    }
}

/// A page of the state.
pub(in crate::wire) fn snapshot(snapshot: Snapshot) -> contract::BooksFound {
    let ends = snapshot.ends.into_iter().map(|end| contract::ChainEnd {
        chain: end.chain,
        place: end.place,
        hash: end.hash,
    });
    contract::BooksFound {
        ends: ends.collect(),
        astray: snapshot.orphaned,
        rows: snapshot_rows(snapshot.rows),
        next: snapshot.next,
    }
}

fn followed_terms(terms: FollowedTerms) -> contract::FollowedTerms {
    contract::FollowedTerms {
        branch: terms.branch,
        blocked: terms.blocked,
        overdraft_limit: terms.overdraft_limit,
        transfer_limit: terms.transfer_limit,
        daily_limit: terms.daily_limit,
        monthly_limit: terms.monthly_limit,
        minimum_balance: terms.minimum_balance,
        followed_status: terms.followed_status,
        followed_limit: terms.followed_limit,
    }
}

fn snapshot_rows(rows: SnapshotRows) -> contract::BooksRows {
    match rows {
        SnapshotRows::Accounts(rows) => {
            let rows = rows.into_iter().map(|row| contract::AccountRow {
                account_id: row.account_id,
                code: row.code,
                currency: row.currency,
                status: row.status,
                posted_debits: row.posted_debits,
                posted_credits: row.posted_credits,
                pending_debits: row.pending_debits,
                pending_credits: row.pending_credits,
                version: row.version,
                terms: Some(followed_terms(row.terms)),
            });
            contract::BooksRows::Accounts(rows.collect())
        }
        SnapshotRows::Holds(rows) => {
            let rows = rows.into_iter().map(|row| contract::HoldRow {
                hold_id: row.hold_id,
                debtor_id: row.debtor_id,
                creditor_id: row.creditor_id,
                currency: row.currency,
                remaining: row.remaining,
                status: row.status,
                expires_at: row.expires_at,
                placed_on: row.placed_on,
            });
            contract::BooksRows::Holds(rows.collect())
        }
        SnapshotRows::Reversals(rows) => {
            let rows = rows.into_iter().map(|row| contract::ReversalRow {
                original_id: row.original_id,
                amount: row.amount,
            });
            contract::BooksRows::Reversals(rows.collect())
        }
        SnapshotRows::Entries(rows) => {
            let rows = rows.into_iter().map(|row| contract::EntriesCount {
                account_id: row.account_id,
                entries: row.entries,
            });
            contract::BooksRows::Entries(rows.collect())
        }
    }
}
