//! Properties of all instructions: money is conserved, no account passes its limit, pending amounts
//! are the amounts of open holds, a batch equals its commands one by one, an id has one outcome.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use proptest::prelude::*;
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, CommandId, Currency, MessageId, Money, MonitorId, Total, TransferId,
    access::Rights,
    evidence::Authorship,
    ledger::{AccountCode, Direction},
};
use uuid::Uuid;

use crate::{
    account_lifecycle::{self, AccountChange, Applied, CloseRefusal},
    accounts::{Account, Blocks, Limits, Status, internal_account_id},
    balance_monitors::{Monitor, MonitorCondition, MonitorRaised},
    bank_calendar::{BookingDates, Calendar, HolidayRule, Now},
    digit_correction, hold_expiry,
    holds::{Hold, HoldStatus},
    interest::{
        self as interest_rules, AtClosing, Bearing, Capitalised, DayCount, DueMonth, InterestTerms,
        MonthlyInterest, Settlement, check_terms, day_fraction,
    },
    posting::{
        Author, Capture, Decided, Exchange, Instruction, InstructionOutcome, Kind, Leg, Loaded,
        MultiLeg, Party, PlaceHold, PostingState, RejectReason, Release, Reversal, Rounding,
        Submitted, Transfer, expiry_id, stored_record,
    },
    standing_orders::{self, Attempt, Execution, Order, OrderTerms, Repeat, Schedule, check_order},
};
use asked::*;
use changes::*;

/// Customers that exist, from 0; customers that do not, above. The last one's are yen.
const CUSTOMERS: u128 = 5;

pub(crate) fn now() -> Now {
    let today = NaiveDate::from_ymd_opt(2026, 1, 31).expect("a day");
    at_noon(today)
}

/// Noon of a day, with no period closed.
pub(crate) fn at_noon(today: NaiveDate) -> Now {
    let instant = today.and_hms_opt(12, 0, 0).expect("noon").and_utc();
    Now { instant, today, bookable: BookingDates::default() }
}

fn later(days: i64) -> DateTime<Utc> {
    now().instant + TimeDelta::days(days)
}

pub(crate) fn currency(code: &str) -> Currency {
    code.parse().expect("a currency")
}

pub(crate) fn customer(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(n + 1))
}

pub(crate) fn id(n: u128) -> TransferId {
    TransferId(Uuid::from_u128(n))
}

/// The ledger itself, which may do everything.
pub(crate) fn author() -> Author {
    Author::ledger(command())
}

pub(crate) fn command() -> CommandId {
    MessageId(Uuid::from_u128(0xC0))
}

fn own(code: &str) -> Party {
    Party::Code(AccountCode(code.to_owned()))
}

/// Five customers (the last one of another currency, one with an overdraft, one with limits), and
/// the bank's own accounts.
pub(crate) fn accounts() -> Vec<Account> {
    let customer = |n: u128| {
        let currency = currency(if n == 4 { "JPY" } else { "EUR" });
        let overdraft = if n == 1 { Decimal::from(50) } else { Decimal::ZERO };
        let limits = Limits { overdraft: Some(overdraft), ..Limits::default() };
        let limits = match n {
            2 => Limits {
                transfer: Some(Decimal::from(80)),
                daily: Some(Decimal::from(150)),
                monthly: Some(Decimal::from(200)),
                minimum_balance: Some(Decimal::from(10)),
                ..limits
            },
            _ => limits,
        };
        Account::open(customer(n), currency, limits, 1)
    };
    let own = |(code, money): (&str, &str)| {
        Account::open_internal(AccountCode(code.to_owned()), currency(money))
    };
    let owned = [
        ("cash", "EUR"),
        ("cash", "JPY"),
        ("fees", "EUR"),
        ("fx_position", "EUR"),
        ("fx_position", "JPY"),
        ("fx_rounding", "JPY"),
    ];
    (0..CUSTOMERS).map(customer).chain(owned.map(own)).collect()
}

pub(crate) fn total(number: Decimal) -> Total {
    Total::of(number).expect("as many digits as a total has")
}

pub(crate) fn loaded(accounts: Vec<Account>) -> Loaded {
    Loaded { accounts, ..Loaded::default() }
}

#[derive(Clone, Debug)]
enum Step {
    Submit(Vec<Instruction>),
    Follow(AccountId, AccountChange),
}

/// Plays steps, and returns their outcomes.
fn play(
    books: &mut PostingState,
    steps: &[Step],
    version: &mut i64,
) -> Vec<Option<InstructionOutcome>> {
    let mut told = Vec::new();
    for step in steps {
        match step {
            Step::Submit(all) => {
                for outcome in books.submit_all(&author(), all.clone(), now()) {
                    told.push(match outcome {
                        Submitted::New(id) | Submitted::Known(id) => {
                            books.known(id).map(|decided| decided.record.outcome.clone())
                        }
                        Submitted::Refused(..) => None,
                    });
                }
            }
            Step::Follow(id, event) => {
                *version += 1;
                books.follow(command(), (*id, *version), event, now());
            }
        }
    }
    told
}

/// All accounts as they are, in the order of their ids.
fn all_accounts(books: &PostingState) -> Vec<Account> {
    let mut all: Vec<Account> =
        accounts().iter().filter_map(|account| books.account(account.id).cloned()).collect();
    all.sort_by_key(|account| account.id);
    all
}

/// Every kind of monitor on each of two customers.
fn monitors() -> BTreeMap<AccountId, Vec<Monitor>> {
    let amount = |units: i64| Amount(units.into());
    let watch = |who: u128| {
        let conditions = [
            MonitorCondition::Below(amount(20)),
            MonitorCondition::Above(amount(50)),
            MonitorCondition::ChangeBy(amount(30)),
        ];
        let numbered = (who * 10..).zip(conditions);
        let monitor = |(n, condition)| {
            let id = MonitorId(Uuid::from_u128(n));
            Monitor::new(id, customer(who), condition, Decimal::ZERO)
        };
        (customer(who), numbered.map(monitor).collect())
    };
    [watch(0), watch(1)].into()
}

/// The raised monitors, by transfer.
fn raised(books: &PostingState) -> BTreeMap<TransferId, Vec<MonitorRaised>> {
    let by = books.decided().map(|decided| decided.record.instruction.transfer_id);
    by.map(|id| (id, books.raised(id).to_vec())).filter(|(_, raised)| !raised.is_empty()).collect()
}

/// The stored values of a ledger, by key.
#[derive(Default)]
struct Stored {
    accounts: BTreeMap<AccountId, Account>,
    known: BTreeMap<TransferId, Decided>,
    holds: BTreeMap<TransferId, Hold>,
    reversed: BTreeMap<TransferId, Decimal>,
    monitors: BTreeMap<AccountId, Vec<Monitor>>,
    raised: BTreeMap<TransferId, Vec<MonitorRaised>>,
}

impl Stored {
    fn books(&self) -> PostingState {
        PostingState::new(Loaded {
            accounts: self.accounts.values().cloned().collect(),
            known: self.known.values().cloned().collect(),
            holds: self.holds.values().cloned().collect(),
            reversed: self.reversed.iter().map(|(id, amount)| (*id, *amount)).collect(),
            monitors: self.monitors.clone(),
            ..Loaded::default()
        })
    }

    fn save(&mut self, books: &PostingState) {
        let accounts = books.opened().chain(books.changed());
        self.accounts.extend(accounts.map(|account| (account.id, account.clone())));
        let decided = books.decided();
        self.known.extend(
            decided.map(|decided| (decided.record.instruction.transfer_id, decided.clone())),
        );
        self.holds.extend(books.changed_holds().map(|item| (item.id, item.clone())));
        self.reversed.extend(books.changed_reversed());
        for now in books.changed_monitors() {
            let mut all = self.monitors.values_mut().flatten();
            *all.find(|item| item.id == now.id).expect("the monitor was loaded") = now.clone();
        }
        self.raised.extend(raised(books));
    }
}

fn played(steps: &[Step]) -> PostingState {
    let mut books = PostingState::new(loaded(accounts()));
    play(&mut books, steps, &mut 1);
    books
}

proptest! {
    #[test]
    fn money_is_conserved_in_every_currency(steps in steps()) {
        let books = played(&steps);
        let mut totals = BTreeMap::<Currency, Vec<Total>>::new();
        for account in all_accounts(&books) {
            totals.entry(account.currency).or_default().push(account.balance());
        }
        let is_zero = |all: &Vec<Total>| Total::sum(all.iter().copied()) == Some(Total::ZERO);
        prop_assert!(totals.values().all(is_zero), "{totals:?}");
    }

    #[test]
    fn no_customer_spends_more_than_there_is(steps in steps()) {
        let mut books = PostingState::new(loaded(accounts()));
        let mut version = 1;
        for step in &steps {
            let before = all_accounts(&books);
            play(&mut books, std::slice::from_ref(step), &mut version);
            for (before, after) in before.iter().zip(all_accounts(&books)) {
                let out =
                    |held: &Account| held.posted_debits.plus_at_most(held.pending_debits);
                let spent = out(&after) > out(before);
                let broke = after.available().is_some_and(|account| account < Total::ZERO);
                prop_assert!(!(spent && broke), "{step:?} left {after:?}");
            }
        }
    }

    #[test]
    fn what_is_set_aside_is_what_is_held(steps in steps()) {
        let books = played(&steps);
        let held: Vec<&Hold> = books.changed_holds().collect();
        for held in &held {
            let open = held.status == HoldStatus::Open;
            prop_assert_eq!(open, held.remaining > Decimal::ZERO, "{:?}", held);
        }
        for account in all_accounts(&books) {
            let sum = |side: fn(&Hold) -> AccountId| {
                let here = held.iter().filter(|item| side(item) == account.id);
                total(here.map(|hold| hold.remaining).sum())
            };
            prop_assert_eq!(account.pending_debits, sum(|hold| hold.debtor));
            prop_assert_eq!(account.pending_credits, sum(|hold| hold.creditor));
        }
    }

    #[test]
    fn no_more_is_reversed_than_was_posted(steps in steps()) {
        let books = played(&steps);
        for (original, reversed) in books.changed_reversed() {
            let known = books.known(original).expect("the transfer was posted");
            let whole = known.record.posted_legs()[0].money.amount.decimal();
            prop_assert!(reversed <= whole, "{reversed} of {whole}");
        }
    }

    #[test]
    fn a_group_is_done_whole_or_not_at_all(all in prop::collection::vec(instructions(), 1..12)) {
        let mut seen = std::collections::BTreeSet::new();
        let once = |instruction: &Instruction| seen.insert(instruction.transfer_id);
        let all: Vec<Instruction> = all.into_iter().filter(once).collect();
        let mut books = PostingState::new(loaded(accounts()));
        let cash = Kind::Transfer(Transfer {
            debtor: own("cash"),
            creditor: Party::AccountId(customer(0)),
            money: Money::new(Decimal::from(500), currency("EUR")),
            allow_partial: false,
        });
        books.submit(&author(), instruction(1_000, cash), now());
        books.submit_all(&author(), all.clone(), now());
        let mut done = BTreeMap::<u32, Vec<bool>>::new();
        for instruction in &all {
            let Some(group) = instruction.group else { continue };
            let known = books.known(instruction.transfer_id).expect("the decision is in the state");
            let rejected = matches!(known.record.outcome, InstructionOutcome::Rejected(_));
            done.entry(group).or_default().push(!rejected);
        }
        for (group, done) in done {
            prop_assert!(done.iter().all(|item| *item == done[0]), "group {group}: {done:?}");
        }
    }

    #[test]
    fn a_batch_equals_its_commands_one_by_one(steps in steps()) {
        let mut books = PostingState::new(Loaded { monitors: monitors(), ..loaded(accounts()) });
        let told = play(&mut books, &steps, &mut 1);
        let (mut stored, mut alone, mut version) = (Stored::default(), Vec::new(), 1);
        stored.accounts = accounts().into_iter().map(|account| (account.id, account)).collect();
        stored.monitors = monitors();
        for step in &steps {
            let mut books = stored.books();
            alone.extend(play(&mut books, std::slice::from_ref(step), &mut version));
            stored.save(&books);
        }
        prop_assert_eq!(told, alone);
        prop_assert_eq!(raised(&books), stored.raised);
        prop_assert_eq!(all_accounts(&books), stored.accounts.into_values().collect::<Vec<_>>());
        let decided = books.decided();
        let decided = decided.map(|one| (one.record.instruction.transfer_id, one.clone()));
        prop_assert_eq!(decided.collect::<BTreeMap<_, _>>(), stored.known);
    }

    #[test]
    fn the_same_id_has_one_outcome_and_other_content_is_a_conflict(steps in steps()) {
        let mut books = played(&steps);
        let before = all_accounts(&books);
        let asked = steps.iter().filter_map(|step| match step {
            Step::Submit(all) => Some(all),
            Step::Follow(..) => None,
        });
        for instruction in asked.flatten() {
            let id = instruction.transfer_id;
            let known = books.known(id).expect("the decision is in the state");
            let expected = match known.has_content_of(instruction) {
                true => Submitted::Known(id),
                false => Submitted::Refused(instruction.clone(), RejectReason::IdempotencyConflict),
            };
            prop_assert_eq!(books.submit(&author(), instruction.clone(), now()), expected);
            let other = Instruction { reference: Some("else".to_owned()), ..instruction.clone() };
            let conflict = books.submit(&author(), other.clone(), now());
            prop_assert_eq!(conflict, Submitted::Refused(other, RejectReason::IdempotencyConflict));
            let by = Authorship::of("somebody-else");
            let stranger = Author::new(command(), Rights::everything(), by);
            let conflict = books.submit(&stranger, instruction.clone(), now());
            let expected =
                Submitted::Refused(instruction.clone(), RejectReason::IdempotencyConflict);
            prop_assert_eq!(conflict, expected);
        }
        prop_assert_eq!(before, all_accounts(&books));
    }
}

mod asked;
mod beyond;
mod bounds;
mod changes;
mod closing;
mod dates;
mod interest;
mod monitors;
mod orders;
mod rules;
mod schedules;
