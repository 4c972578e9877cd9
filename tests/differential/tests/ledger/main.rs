//! The ledger's posting against the model: for any instructions in any order, each outcome and each
//! account are the same.

mod of_ledger;
mod several_legs;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use ledger_svc::{
    account_lifecycle,
    accounts::{self, Account},
    bank_calendar::{self, BookingDates},
    hold_expiry,
    interest::Settlement,
    posting::{Author, Loaded, PostingState, Submitted},
    wire,
};
use oracle::model::{
    self, Answer, Model, Terms,
    changes::{AccountEvent, Limits, expiry_id, own_account_id},
};
use proptest::prelude::*;
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency, MessageId, Money, Total, TransferId,
    accounts::Blocks,
    ledger::{
        AccountCode, Action, Capture, Direction, Exchange, Hold, Instruction, Leg, Legs, Party,
        Payment, Release, Reverse, Rounding,
    },
};
use uuid::Uuid;

use of_ledger::{change, followed};
use several_legs::{exchanges, legs};

/// The customers, from 0; the last two have yen. Higher numbers name no account.
const CUSTOMERS: u128 = 7;
/// The one who has kuna, from before they were withdrawn: these can only go out.
const WITH_KUNA: u128 = 4;
/// So few ids that most instructions name something.
const IDS: u128 = 40;
const OWN: [&str; 4] = ["cash", "fees", "fx_position", "fx_rounding"];
/// Nobody can hold these: withdrawn, no money, without a minor unit, for testing.
const UNHOLDABLE: [&str; 4] = ["HRK", "XXX", "XAU", "XTS"];

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    Submit(Vec<Instruction>),
    /// A change of an account, or one that so many later ones have overtaken.
    Follow(AccountId, AccountEvent, i64),
    Expire(TransferId),
    /// Time goes by, in hours.
    Wait(i64),
    /// So many days before today are the last that are closed, unless more are.
    Close(i64),
}

fn start() -> DateTime<Utc> {
    let day = NaiveDate::from_ymd_opt(2026, 1, 30).expect("a day");
    day.and_hms_opt(8, 0, 0).expect("an hour").and_utc()
}

fn currency(code: &str) -> Currency {
    code.parse().expect("a currency")
}

fn customer(n: u128) -> AccountId {
    AccountId(Uuid::from_u128(n + 1))
}

fn transfer_id(n: u128) -> TransferId {
    TransferId(Uuid::from_u128(n + 1_000))
}

fn own(code: &str) -> Party {
    Party::Code(AccountCode(code.to_owned()))
}

fn currency_of(n: u128) -> Currency {
    match n {
        WITH_KUNA => currency("HRK"),
        n => currency(if n >= CUSTOMERS - 2 { "JPY" } else { "EUR" }),
    }
}

fn parties() -> impl Strategy<Value = Party> {
    let cash = own_account_id(&AccountCode("cash".to_owned()), currency("EUR"));
    prop_oneof![
        12 => (0..CUSTOMERS).prop_map(|n| Party::AccountId(customer(n))),
        6 => Just(own("cash")),
        1 => Just(own("fees")),
        1 => Just(Party::AccountId(customer(CUSTOMERS))),
        1 => Just(Party::AccountId(cash)),
        1 => Just(own("no_such_code")),
    ]
}

/// Mostly what can move; now and then nothing, less than nothing, too fine or too much.
fn amounts() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        12 => (1_i64..9_000).prop_map(|cents| Decimal::new(cents, 2)),
        6 => (1_i64..120).prop_map(Decimal::from),
        1 => (-10_i64..1).prop_map(Decimal::from),
        1 => (1_i64..9_000).prop_map(|mills| Decimal::new(mills, 3)),
        1 => Just(Decimal::from(1_000_000_000_000_001_i64)),
        1 => Just(Decimal::from(1_000_000_000_000_000_i64)),
        1 => Just(Decimal::new(99_999_999_999_999_999, 2)),
    ]
}

fn currencies() -> impl Strategy<Value = Currency> {
    let unholdable = prop::sample::select(UNHOLDABLE.map(currency).to_vec());
    prop_oneof![20 => Just(currency("EUR")), 4 => Just(currency("JPY")), 2 => unholdable]
}

fn monies() -> impl Strategy<Value = Money> {
    (amounts(), currencies()).prop_map(|(amount, currency)| Money::new(amount, currency))
}

fn ids() -> impl Strategy<Value = TransferId> {
    (0..IDS).prop_map(transfer_id)
}

/// Ids that clients give: now and then one that only the ledger may.
fn given_ids() -> impl Strategy<Value = TransferId> {
    prop_oneof![30 => ids(), 1 => ids().prop_map(expiry_id)]
}

fn actions() -> impl Strategy<Value = Action> {
    let part = || prop::option::of(amounts().prop_map(Amount));
    let two = || (parties(), parties(), monies(), any::<bool>());
    let transfer = two().prop_map(|(debtor, creditor, money, up_to)| {
        Action::Transfer(Payment { debtor, creditor, money, up_to })
    });
    let hours = prop_oneof![10 => 1_i64..90, 1 => Just(-1), 1 => Just(24 * 500)];
    let hold = (two(), hours).prop_map(|((debtor, creditor, money, up_to), hours)| {
        let expires_at = start() + TimeDelta::hours(hours);
        Action::Hold(Hold { debtor, creditor, money, up_to, expires_at })
    });
    let capture = (ids(), part(), any::<bool>()).prop_map(|(hold_id, amount, keep_rest)| {
        Action::Capture(Capture { hold_id, amount, keep_rest })
    });
    let release = ids().prop_map(|hold_id| Action::Release(Release { hold_id }));
    let reverse = (ids(), part())
        .prop_map(|(original_id, amount)| Action::Reverse(Reverse { original_id, amount }));
    prop_oneof![
        8 => transfer, 5 => hold, 6 => capture, 2 => release, 5 => reverse, 3 => legs(),
        3 => exchanges(),
    ]
}

fn instructions() -> impl Strategy<Value = Instruction> {
    let day = NaiveDate::from_ymd_opt(2200, 5, 5);
    let near = || (-20_i64..50).prop_map(|days| Some(start().date_naive() + TimeDelta::days(days)));
    let text = |text: String| Just(Some(text));
    let reference = prop_oneof![9 => Just(None), 1 => text("x".repeat(141)), 1 => text("a".into())];
    let date = || prop_oneof![20 => Just(None), 1 => Just(day), 4 => near()];
    let group = prop::option::weighted(0.3, 0_u32..2);
    (given_ids(), group, actions(), reference, date(), date()).prop_map(
        |(transfer_id, group, action, reference, booking_date, value_date)| Instruction {
            transfer_id,
            group,
            action,
            reference,
            end_to_end_id: None,
            booking_date,
            value_date,
        },
    )
}

fn limits() -> impl Strategy<Value = Limits> {
    let most = || prop::option::weighted(0.3, (0_i64..300).prop_map(Decimal::from));
    (0_i64..200, most(), most(), most(), most()).prop_map(
        |(overdraft, transfer, daily, monthly, minimum_balance)| Limits {
            overdraft: Some(Decimal::from(overdraft)),
            transfer,
            daily,
            monthly,
            minimum_balance,
        },
    )
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let event = prop_oneof![
        1 => Just(AccountEvent::Frozen { blocks: Blocks::Both }),
        1 => Just(AccountEvent::Frozen { blocks: Blocks::Debits }),
        1 => Just(AccountEvent::Frozen { blocks: Blocks::Credits }),
        4 => Just(AccountEvent::Unfrozen),
        1 => Just(AccountEvent::Closing { payout: None }),
        1 => (0..CUSTOMERS).prop_map(|n| AccountEvent::Closing { payout: Some(customer(n)) }),
        1 => Just(AccountEvent::Closed),
        4 => limits().prop_map(|limits| AccountEvent::LimitsChanged { limits }),
    ];
    let late = prop_oneof![6 => Just(0_i64), 1 => 1_i64..6];
    let follow = (0..CUSTOMERS, event, late)
        .prop_map(|(n, event, late)| Step::Follow(customer(n), event, late));
    let submit = prop::collection::vec(instructions(), 1..6).prop_map(Step::Submit);
    let expire = ids().prop_map(Step::Expire);
    let (wait, close) = ((1_i64..20).prop_map(Step::Wait), (1_i64..5).prop_map(Step::Close));
    let steps = prop_oneof![14 => submit, 2 => follow, 2 => expire, 1 => wait, 1 => close];
    prop::collection::vec(steps, 1..40)
}

/// The domain and the model side by side.
struct Pair {
    state: PostingState,
    settlement: Settlement,
    model: Model,
    now: DateTime<Utc>,
    bookable: BookingDates,
    version: i64,
}

impl Pair {
    fn new() -> Self {
        let mut model = Model::default();
        let mut accounts = vec![];
        for n in 0..CUSTOMERS {
            let overdraft = Some(Decimal::from(if n == WITH_KUNA { 220 } else { 20 }));
            let limits = accounts::Limits { overdraft, ..accounts::Limits::default() };
            model.open(customer(n), currency_of(n), Terms { overdraft, ..Terms::FREE });
            accounts.push(Account::open(customer(n), currency_of(n), limits, 1));
        }
        for money in UNHOLDABLE.into_iter().chain(["EUR", "JPY"]) {
            let own = OWN.map(|code| AccountCode(code.to_owned()));
            accounts.extend(own.map(|code| Account::open_internal(code, currency(money))));
        }
        let state = PostingState::new(Loaded { accounts, ..Loaded::default() });
        let settlement = Settlement::default();
        let bookable = BookingDates::default();
        let mut pair = Self { state, settlement, model, now: start(), bookable, version: 1 };
        pair.submit((0..CUSTOMERS).map(deposit).collect()).expect("deposits are alike");
        pair
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step {
            Step::Submit(all) => self.submit(all.clone())?,
            Step::Wait(hours) => self.now += TimeDelta::hours(*hours),
            Step::Close(days) => {
                let through = Some(self.now.date_naive() - TimeDelta::days(*days));
                self.bookable.closed_through = self.bookable.closed_through.max(through);
            }
            Step::Follow(id, event, late) => {
                self.version += 1;
                let version = (self.version - late).max(1);
                let (cause, now) = (MessageId(Uuid::from_u128(7)), self.domain_now());
                let (state, settlement) = (&mut self.state, &mut self.settlement);
                let (key, change) = ((*id, version), change(event));
                let applied = account_lifecycle::apply(state, settlement, cause, key, &change, now);
                prop_assert_eq!(followed(&applied), self.model.follow(*id, version, event));
            }
            Step::Expire(id) => {
                let now = self.domain_now();
                let done = hold_expiry::expire(&mut self.state, *id, now);
                let by_expiry = release(expiry_id(*id), *id);
                let outcome = self.model.expire(&by_expiry, *id, self.model_now());
                let known = done.and_then(|id| self.state.known(id));
                prop_assert_eq!(
                    known.map(|decided| wire::outcome(&decided.record.outcome)),
                    outcome
                );
            }
        }
        self.same_accounts()
    }

    fn submit(&mut self, all: Vec<Instruction>) -> Result<(), TestCaseError> {
        let answers = self.model.submit(&all, self.model_now());
        let now = self.domain_now();
        let own = all.iter().map(wire::instruction).collect();
        let outcomes =
            self.state.submit_all(&Author::ledger(MessageId(Uuid::from_u128(9))), own, now);
        prop_assert_eq!(outcomes.len(), answers.len());
        for ((outcome, answer), instruction) in outcomes.into_iter().zip(answers).zip(all) {
            let outcome = match outcome {
                Submitted::New(id) => {
                    let known = self.state.known(id).expect("the instruction was decided");
                    Answer::New(Box::new(wire::outcome(&known.record.outcome)))
                }
                Submitted::Known(_) => Answer::Known,
                Submitted::Refused(_, reason) => Answer::Refused(wire::reject_reason(reason)),
            };
            prop_assert_eq!(outcome, answer, "{:?}", instruction);
        }
        Ok(())
    }

    fn same_accounts(&self) -> Result<(), TestCaseError> {
        for (id, model) in &self.model.accounts {
            let account = self.state.account(*id).expect("the ledger has the same");
            let domain = (
                account.balance(),
                account.pending_debits,
                account.pending_credits,
                account.available(),
                account.version,
                format!("{:?}", account.status),
            );
            let total = |number| Total::of(number).expect("no balance has more digits");
            let model = (
                total(model.posted),
                total(model.pending_out),
                total(model.pending_in),
                model.available().map(total),
                model.version,
                format!("{:?}", model.terms.status),
            );
            prop_assert_eq!(domain, model, "{}", id);
        }
        for (id, hold) in &self.model.holds {
            let held = self.state.hold(*id).expect("the ledger has the same");
            let left = hold.left.amount.decimal();
            let status = format!("{:?}", held.status);
            prop_assert_eq!((held.remaining, status), (left, format!("{:?}", hold.status)));
        }
        Ok(())
    }

    fn domain_now(&self) -> bank_calendar::Now {
        bank_calendar::Now {
            instant: self.now,
            today: self.now.date_naive(),
            bookable: self.bookable,
        }
    }

    fn model_now(&self) -> model::Now {
        let closed_through = self.bookable.closed_through;
        model::Now { instant: self.now, today: self.now.date_naive(), closed_through }
    }
}

fn release(transfer_id: TransferId, hold_id: TransferId) -> Instruction {
    instruction(transfer_id, Action::Release(Release { hold_id }))
}

fn deposit(n: u128) -> Instruction {
    let (debtor, creditor) = (own("cash"), Party::AccountId(customer(n)));
    let money = Money::new(Decimal::from(200), currency_of(n));
    let payment = Payment { debtor, creditor, money, up_to: false };
    instruction(transfer_id(IDS + n), Action::Transfer(payment))
}

fn instruction(transfer_id: TransferId, action: Action) -> Instruction {
    Instruction {
        transfer_id,
        group: None,
        action,
        reference: None,
        end_to_end_id: None,
        booking_date: None,
        value_date: None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn the_domain_does_what_the_model_says(steps in steps()) {
        let mut pair = Pair::new();
        for step in &steps {
            pair.step(step)?;
        }
    }
}
