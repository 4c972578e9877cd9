//! The limits that the contract publishes are the limits that the ledger keeps. Promise: a difference
//! does not compile.

use shared_events::ledger as contract;

use crate::{
    audit, balance_monitors, bank_calendar, interest, journal, posting, standing_orders, statements,
};

const _: () = {
    assert!(contract::INSTRUCTIONS_MAX == posting::INSTRUCTIONS_MAX);
    assert!(contract::TRANSFERS_MAX == posting::INSTRUCTIONS_MAX);
    assert!(contract::REFERENCE_CHARS_MAX == posting::REFERENCE_CHARS_MAX);
    assert!(contract::END_TO_END_ID_CHARS_MAX == posting::END_TO_END_ID_CHARS_MAX);
    assert!(*contract::LEGS.start() == *posting::LEGS.start());
    assert!(*contract::LEGS.end() == *posting::LEGS.end());
    assert!(contract::HOLD_DAYS_MAX == posting::HOLD_DAYS_MAX);
    assert!(contract::RATE_DIGITS_MAX == posting::RATE_DIGITS_MAX);
    assert!(contract::BOOKING_DAYS_AHEAD == bank_calendar::BOOKING_DAYS_AHEAD);
    assert!(contract::CHAINS == journal::CHAINS);
    assert!(contract::JOURNAL_PAGE_MAX == audit::query::JOURNAL_PAGE_MAX);
    assert!(contract::BOOKS_PAGE_MAX == audit::query::SNAPSHOT_PAGE_MAX);
    assert!(contract::ENTRIES_PAGE_MAX == statements::query::ENTRIES_PAGE_MAX);
    assert!(contract::PAYMENTS_PAGE_MAX == statements::query::PAYMENTS_PAGE_MAX);
    assert!(contract::ENTRIES_SEARCHED_MAX == statements::ENTRIES_SEARCHED_MAX);
    assert!(contract::MONITORS_MAX == balance_monitors::command::MONITORS_MAX);
    assert!(contract::ORDERS_MAX == standing_orders::command::ORDERS_MAX);
    assert!(contract::ORDER_RETRY_DAYS_MAX == standing_orders::ORDER_RETRY_DAYS_MAX);
    assert!(contract::EXECUTIONS_PAGE_MAX == standing_orders::query::EXECUTIONS_PAGE_MAX);
    assert!(contract::SCHEDULE_EVERY_MAX == standing_orders::SCHEDULE_EVERY_MAX);
    assert!(contract::SCHEDULE_TIMES_MAX == standing_orders::SCHEDULE_TIMES_MAX);
    assert!(contract::SCHEDULE_DAYS_MAX == standing_orders::SCHEDULE_DAYS_MAX);
    assert!(contract::INTEREST_RATE_MAX == interest::INTEREST_RATE_MAX);
    assert!(contract::INTEREST_RATE_DIGITS_MAX == interest::INTEREST_RATE_DIGITS_MAX);
    assert!(contract::TERMS_DAYS_MAX == interest::TERMS_DAYS_MAX);
    assert!(contract::TERMS_MAX == interest::command::TERMS_MAX);
    assert!(contract::INTEREST_DAYS_MAX == interest::query::INTEREST_DAYS_MAX);
    assert!(contract::ACCRUAL_DIGITS == interest::ACCRUAL_DIGITS);
};
