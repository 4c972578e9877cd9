//! The allocations of a transfer on its way from the bytes of a command to the text of its record:
//! a figure that no clock and no busy machine can blur. Promise: the figure does not grow with the
//! batch, and not unnoticed.

use allocation_counter::measure;
use chrono::{NaiveDate, Utc};
use ledger_svc::{
    accounts::{Account, Limits},
    bank_calendar::{BookingDates, Now},
    posting::{Author, Loaded, PostingState, stored_record},
    wire,
};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Currency, MessageId, Money, TransferId,
    envelope::{CONTENT_TYPE, Envelope, read_message},
    ledger::{LedgerCommand, Party, SubmitTransfers, Transfer},
};

/// The most allocations of one transfer: reading it, deciding on it, writing its record.
const OF_A_TRANSFER_MAX: u64 = 12;
/// The most allocations of a command beside its transfers.
const OF_A_COMMAND_MAX: u64 = 40;

/// A command of so many transfers between different customers, and the accounts that it names.
fn command(transfers: u64) -> (Vec<u8>, Vec<Account>) {
    let euro: Currency = "EUR".parse().expect("a currency");
    let mut accounts = Vec::new();
    let mut customer = || {
        let limits = Limits { overdraft: Some(Decimal::from(100)), ..Limits::default() };
        let id = AccountId::new();
        accounts.push(Account::open(id, euro, limits, 1));
        Party::AccountId(id)
    };
    let transfer = |_| Transfer {
        transfer_id: TransferId::new(),
        debtor: customer(),
        creditor: customer(),
        money: Money::new(Decimal::new(1_250, 2), euro),
        reference: Some("lunch".to_owned()),
        end_to_end_id: None,
        booking_date: None,
    };
    let data = SubmitTransfers { transfers: (0..transfers).map(transfer).collect() };
    let source = "/clients/test".to_owned();
    let envelope = Envelope::start(MessageId::new(), source, Utc::now(), data);
    (envelope.to_json(), accounts)
}

/// Reads a command, decides its transfers, and writes their records. Returns how many were posted.
fn work(bytes: &[u8], state: &mut PostingState) -> u64 {
    let envelopes = read_message(CONTENT_TYPE, bytes).expect("an envelope");
    let envelope = envelopes.into_iter().next().expect("one envelope");
    let Envelope { id, data: LedgerCommand::Submit(command), .. } =
        envelope.decode().expect("a command of the ledger")
    else {
        panic!("not a list of transfers");
    };
    let instructions = wire::transfers(&command);
    let today = NaiveDate::from_ymd_opt(2026, 1, 31).expect("a day");
    let now = Now { instant: Utc::now(), today, bookable: BookingDates::default() };
    state.submit_all(&Author::ledger(id), instructions, now);
    let records = state.decided().map(|decided| stored_record::stored(decided).to_text());
    records.map(|record| u64::from(record.contains("posted"))).sum()
}

fn allocations_of(transfers: u64) -> u64 {
    let (bytes, accounts) = command(transfers);
    let mut state = PostingState::new(Loaded { accounts, ..Loaded::default() });
    measure(|| assert_eq!(work(&bytes, &mut state), transfers)).count_total
}

#[test]
fn a_transfer_costs_few_allocations_whatever_the_batch() {
    allocations_of(1); // what is allocated once for ever
    for transfers in [1, 10, 100, 1_000] {
        let count = allocations_of(transfers);
        let most = OF_A_COMMAND_MAX + transfers * OF_A_TRANSFER_MAX;
        assert!(count <= most, "{count} allocations for {transfers} transfers, at most {most}");
    }
}
