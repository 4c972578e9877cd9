//! Queries about the past: balances at an instant, statements, searches.

use chrono::NaiveDate;
use shared_events::{
    Currency,
    ledger::{
        AsOf, BalanceAtFound, ENTRIES_PAGE_MAX, EntriesFound, FindEntries, FindPayments,
        GetBalanceAt, GetStatement, JournalRecord, PAYMENTS_PAGE_MAX, Party, PaymentName,
        StatementFound,
    },
};

use crate::{error::TellerError, teller::Teller};

impl Teller {
    /// The balance of an account at an earlier instant or day, by the entries of today.
    pub async fn balance_at(
        &self,
        account: Party,
        currency: Option<Currency>,
        as_of: AsOf,
    ) -> Result<BalanceAtFound, TellerError> {
        self.ask(GetBalanceAt { account, currency, as_of }).await
    }

    /// The entries of an account with these booking dates, over as many pages as there are, with
    /// the figures of the period. Entries posted in the meantime are in neither.
    pub async fn statement(
        &self,
        account: Party,
        currency: Option<Currency>,
        (from, to): (Option<NaiveDate>, Option<NaiveDate>),
    ) -> Result<StatementFound, TellerError> {
        let mut query = GetStatement {
            account,
            currency,
            from,
            to,
            after: None,
            limit: Some(ENTRIES_PAGE_MAX),
            totals: true,
            until: None,
        };
        let mut whole = self.ask(query.clone()).await?;
        (query.totals, query.until) = (false, whole.period.as_ref().map(|period| period.until));
        while let Some(next) = whole.next {
            query.after = Some(next);
            let page = self.ask(query.clone()).await?;
            whole.entries.extend(page.entries);
            whole.next = page.next;
        }
        Ok(whole)
    }

    /// The entries of an account that fit, over as many pages as it takes, at most `limit`. Where
    /// there may be more, `next` says where to go on.
    pub async fn find_entries(
        &self,
        mut query: FindEntries,
        limit: usize,
    ) -> Result<EntriesFound, TellerError> {
        let page_of = |found: usize| {
            Some(u32::try_from(limit - found).unwrap_or(u32::MAX).min(ENTRIES_PAGE_MAX))
        };
        query.limit = page_of(0);
        let mut all = self.ask(query.clone()).await?;
        while all.next.is_some() && all.entries.len() < limit {
            (query.after, query.limit) = (all.next, page_of(all.entries.len()));
            let page = self.ask(query.clone()).await?;
            all.entries.extend(page.entries);
            all.next = page.next;
        }
        Ok(all)
    }

    /// All instructions with this name, over as many pages as there are, at most `limit`.
    /// Also says whether there is more.
    pub async fn find_payments(
        &self,
        name: PaymentName,
        limit: usize,
    ) -> Result<(Vec<JournalRecord>, bool), TellerError> {
        let mut query = FindPayments { name, after: None, limit: None };
        let mut payments = Vec::new();
        loop {
            let wanted = u32::try_from(limit - payments.len()).unwrap_or(u32::MAX);
            query.limit = Some(wanted.min(PAYMENTS_PAGE_MAX));
            let page = self.ask(query.clone()).await?;
            payments.extend(page.payments);
            query.after = page.next;
            if page.next.is_none() || payments.len() >= limit {
                return Ok((payments, page.next.is_some()));
            }
        }
    }
}
