//! How much of a list goes into one answer. Promise: a page fits a message, whatever is in it, and
//! with `next` nothing is left out.

use shared_events::{AccountId, accounts::Account, envelope::MESSAGE_BYTES_MAX};

/// A quarter is left for the envelope and the commas.
const PAGE_BYTES_MAX: usize = MESSAGE_BYTES_MAX / 4 * 3;

/// The first of `found` that fit one page of at most `limit`, and where the next page starts.
/// `found` are in the order of ids; more than `limit` of them say that there is a next page.
pub(crate) fn page(mut found: Vec<Account>, limit: usize) -> (Vec<Account>, Option<AccountId>) {
    let mut bytes = 0;
    let fits = |account: &Account| {
        bytes += bytes_of(account);
        bytes <= PAGE_BYTES_MAX
    };
    let fitting = found.iter().take(limit).map(fits).take_while(|fits| *fits).count();
    let kept = fitting.max(1).min(found.len());
    let is_last = kept == found.len();
    found.truncate(kept);
    let next = found.last().filter(|_| !is_last).map(|last| last.account_id);
    (found, next)
}

fn bytes_of(account: &Account) -> usize {
    serde_json::to_vec(account).expect("an account is plain JSON").len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::samples::account;

    fn accounts(count: u8, webhook_chars: usize) -> Vec<Account> {
        let webhook = Some("x".repeat(webhook_chars));
        let mut accounts: Vec<Account> = (1..=count).map(account).collect();
        accounts.iter_mut().for_each(|account| account.holder.webhook = webhook.clone());
        accounts
    }

    fn check(given: &[Account], when: usize, then: (usize, Option<u8>)) {
        let (page, next) = page(given.to_vec(), when);
        let next_of_then = then.1.map(|number| account(number).account_id);
        assert_eq!((page.len(), next), (then.0, next_of_then));
        assert_eq!(page, given[..page.len()]);
    }

    #[test]
    fn a_page_ends_at_its_limit() {
        check(&accounts(0, 0), 3, (0, None));
        check(&accounts(2, 0), 3, (2, None));
        check(&accounts(3, 0), 3, (3, None));
        check(&accounts(4, 0), 3, (3, Some(3)));
    }

    #[test]
    fn a_page_ends_where_the_message_would_be_too_large() {
        let half = PAGE_BYTES_MAX / 2 - 1_000;
        check(&accounts(4, half), 3, (2, Some(2)));
        check(&accounts(2, half), 3, (2, None));
        check(&accounts(2, PAGE_BYTES_MAX), 3, (1, Some(1)));
    }
}
