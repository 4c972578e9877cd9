//! Random commands to a ledger. Promise: instructions of every kind, valid and invalid, about so
//! few accounts, holds and transfers that most of them meet; a seed gives the same commands again,
//! except for ids and times.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use oracle::checker::Command;
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency, MessageId, Money, TransferId,
    ledger::{
        AccountCode, Action, Capture, Direction, Exchange, Hold, Instruction, Leg, Legs, Party,
        Payment, Release, Reverse, Rounding,
    },
};

const INSTRUCTIONS_MAX: usize = 6;
/// Mostly something of lately is meant: of that, most is still open, and some still on its way.
const LATELY: usize = 150;

/// A command, and the key that chooses its partition.
#[derive(Clone)]
pub(super) struct KeyedCommand {
    pub(super) command: Command,
    pub(super) key: String,
}

/// Makes commands.
pub(super) struct RandomCommands {
    chance: StdRng,
    customers: Vec<(AccountId, Currency)>,
    commands: Vec<KeyedCommand>,
    holds: Vec<TransferId>,
    posted: Vec<TransferId>,
}

impl RandomCommands {
    pub(super) fn new(seed: u64, customers: Vec<(AccountId, Currency)>) -> Self {
        let chance = StdRng::seed_from_u64(seed);
        Self { chance, customers, commands: vec![], holds: vec![], posted: vec![] }
    }

    /// Orders with about so many instructions.
    pub(super) fn next(&mut self, instructions: usize) -> Vec<KeyedCommand> {
        let (mut commands, mut count) = (vec![], 0);
        while count < instructions {
            let command = self.next_command();
            count += command.command.instructions.len();
            commands.push(command.clone());
            self.commands.push(command);
        }
        commands
    }

    /// Mostly a new one; or one again: the same, the same under another id, or other content under
    /// the ids of its instructions.
    fn next_command(&mut self) -> KeyedCommand {
        let key = match self.one_in(3) {
            true => self.customer().to_string(),
            false => self.chance.random::<u64>().to_string(),
        };
        let again = self.recent(self.commands.len()).map(|n| self.commands[n].command.clone());
        let (id, behind) = (MessageId::new(), None);
        let command = match (self.chance.random_range(0..24), again) {
            (0, Some(again)) => again,
            (1, Some(again)) => Command { id, ..again },
            (2, Some(again)) => {
                let mut instructions = self.instructions();
                instructions.extend(
                    again.instructions.into_iter().map(|instruction| self.altered(instruction)),
                );
                Command { id, instructions, behind }
            }
            _ => Command { id, instructions: self.instructions(), behind },
        };
        KeyedCommand { command, key }
    }

    fn altered(&mut self, instruction: Instruction) -> Instruction {
        let reference = Some(format!("altered {}", self.chance.random::<u64>()));
        Instruction { reference, group: None, ..instruction }
    }

    fn instructions(&mut self) -> Vec<Instruction> {
        let count = self.chance.random_range(1..=INSTRUCTIONS_MAX);
        let grouped = self.one_in(5);
        let mut all = vec![];
        for _ in 0..count {
            let mut instruction = self.instruction();
            if grouped && !self.one_in(3) {
                instruction.group = Some(u32::from(self.one_in(3)));
            }
            if self.one_in(16) {
                self.spoil(&mut instruction);
            }
            all.push(instruction);
        }
        all
    }

    fn instruction(&mut self) -> Instruction {
        let id = TransferId::new();
        let action = match self.chance.random_range(0..100) {
            0..32 => Action::Transfer(self.payment()),
            32..50 => self.hold(),
            50..66 => self.capture(),
            66..70 => Action::Release(Release { hold_id: self.one_of(Self::HOLDS) }),
            70..82 => self.reversal(),
            82..92 => self.legs(),
            _ => self.exchange(),
        };
        match action {
            Action::Hold(_) => self.holds.push(id),
            Action::Release(_) => {}
            Action::Reverse(_) if !self.one_in(8) => {}
            _ => self.posted.push(id),
        }
        instruction(id, action)
    }

    const HOLDS: fn(&Self) -> &Vec<TransferId> = |made| &made.holds;
    const POSTED: fn(&Self) -> &Vec<TransferId> = |made| &made.posted;

    /// A hold or a transfer of before; where there is none, one that never was.
    fn one_of(&mut self, list: fn(&Self) -> &Vec<TransferId>) -> TransferId {
        let n = self.recent(list(self).len());
        n.map_or_else(TransferId::new, |n| list(self)[n])
    }

    fn payment(&mut self) -> Payment {
        let currency = self.currency();
        let debtor = self.party(currency);
        let creditor = self.other_party(std::slice::from_ref(&debtor), currency);
        let money = Money::new(self.amount(currency), currency);
        Payment { debtor, creditor, money, up_to: self.one_in(6) }
    }

    fn hold(&mut self) -> Action {
        let Payment { debtor, creditor, money, up_to } = self.payment();
        let lasts = match self.one_in(2) {
            true => TimeDelta::milliseconds(self.chance.random_range(300..8_000)),
            false => TimeDelta::hours(self.chance.random_range(24..100)),
        };
        let expires_at = Utc::now() + lasts;
        Action::Hold(Hold { debtor, creditor, money, up_to, expires_at })
    }

    fn capture(&mut self) -> Action {
        let hold_id = self.one_of(Self::HOLDS);
        let (amount, keep_rest) = (self.part(), self.chance.random());
        Action::Capture(Capture { hold_id, amount, keep_rest })
    }

    fn reversal(&mut self) -> Action {
        let original_id = self.one_of(Self::POSTED);
        let amount = self.part();
        Action::Reverse(Reverse { original_id, amount })
    }

    /// A partial amount, for any currency.
    fn part(&mut self) -> Option<Amount> {
        let part = match self.chance.random_range(0..3) {
            0 => return None,
            1 => Decimal::from(self.chance.random_range(1..20)),
            _ => Decimal::new(self.chance.random_range(1..2_000), 2),
        };
        Some(Amount(part))
    }

    /// One pays several, or several pay one; now and then in two currencies at once.
    fn legs(&mut self) -> Action {
        let first = self.currency();
        let mut currencies = vec![first];
        if self.one_in(4) {
            currencies.extend([eur(), jpy()].into_iter().filter(|currency| *currency != first));
        }
        let (mut legs, mut parties) = (vec![], vec![]);
        for currency in currencies {
            let (one, many) = match self.chance.random() {
                true => (Direction::Debit, Direction::Credit),
                false => (Direction::Credit, Direction::Debit),
            };
            let mut total = Decimal::ZERO;
            for _ in 0..self.chance.random_range(1..4) {
                let amount = self.amount(currency);
                total += amount;
                let account = self.other_party(&parties, currency);
                parties.push(account.clone());
                let money = Money::new(amount, currency);
                legs.push(Leg { account, direction: many, money });
            }
            let account = self.other_party(&parties, currency);
            let money = Money::new(total, currency);
            legs.push(Leg { account, direction: one, money });
        }
        Action::Legs(Legs { legs })
    }

    fn exchange(&mut self) -> Action {
        let (sold, buy, rate) = match self.chance.random_range(0..20) {
            0..9 => (eur(), jpy(), Decimal::new(self.chance.random_range(140_000..180_000), 3)),
            9..18 => (jpy(), eur(), Decimal::new(self.chance.random_range(550..720), 5)),
            18 => (kuna(), eur(), Decimal::new(132_723, 6)),
            _ => (eur(), kuna(), Decimal::new(75_345, 4)),
        };
        let rounding = match self.chance.random_range(0..3) {
            0 => Rounding::HalfEven,
            1 => Rounding::HalfUp,
            _ => Rounding::Down,
        };
        let (debtor, creditor) = (self.party(sold), self.party(buy));
        let sell = Money::new(self.amount(sold), sold);
        Action::Exchange(Exchange { debtor, creditor, sell, buy, rate: Amount(rate), rounding })
    }

    /// Breaks a rule of form.
    fn spoil(&mut self, instruction: &mut Instruction) {
        let day = NaiveDate::from_ymd_opt(2200, 5, 5);
        match self.chance.random_range(0..7) {
            0 => instruction.reference = Some("x".repeat(141)),
            1 => instruction.booking_date = day,
            2 => instruction.value_date = day,
            3..5 => self.spoil_currency(&mut instruction.action),
            _ => self.spoil_action(&mut instruction.action),
        }
    }

    /// Asks for a currency that nobody can hold.
    fn spoil_currency(&mut self, action: &mut Action) {
        let code = ["HRK", "XXX", "XAU", "XTS"][self.chance.random_range(0..4)];
        let bad: Currency = code.parse().expect("a currency");
        match action {
            Action::Transfer(payment) => payment.money.currency = bad,
            Action::Hold(hold) => hold.money.currency = bad,
            Action::Legs(legs) => legs.legs.iter_mut().for_each(|leg| leg.money.currency = bad),
            Action::Exchange(exchange) if self.one_in(2) => exchange.sell.currency = bad,
            Action::Exchange(exchange) => exchange.buy = bad,
            Action::Capture(_) | Action::Release(_) | Action::Reverse(_) => {
                self.spoil_action(action);
            }
        }
    }

    fn spoil_action(&mut self, action: &mut Action) {
        let bad = match self.chance.random_range(0..4) {
            0 => Decimal::ZERO,
            1 => Decimal::from(-5),
            2 => Decimal::new(1_001, 3),
            _ => Decimal::from(1_000_000_000_000_001_i64),
        };
        let bad = Amount(bad);
        match action {
            Action::Transfer(payment) => payment.money.amount = bad,
            Action::Hold(hold) if self.one_in(2) => hold.expires_at = DateTime::UNIX_EPOCH,
            Action::Hold(hold) => hold.money.amount = bad,
            Action::Capture(capture) => capture.amount = Some(bad),
            Action::Reverse(reversal) => reversal.amount = Some(bad),
            Action::Release(release) => release.hold_id = TransferId::new(),
            Action::Legs(legs) if self.one_in(2) => legs.legs.truncate(1),
            Action::Legs(legs) if self.one_in(2) => legs.legs = vec![legs.legs[0].clone(); 101],
            Action::Legs(legs) if self.one_in(2) => legs.legs[0].money.amount = bad,
            Action::Legs(legs) => legs.legs[0].money.amount.0 += Decimal::ONE,
            Action::Exchange(exchange) if self.one_in(2) => {
                exchange.rate = Amount(Decimal::new(1, 11));
            }
            Action::Exchange(exchange) => exchange.buy = exchange.sell.currency,
        }
    }

    /// Mostly a customer with this currency.
    fn party(&mut self, currency: Currency) -> Party {
        match self.chance.random_range(0..40) {
            0 => Party::AccountId(AccountId::new()),
            1 => Party::AccountId(self.customer()),
            2 => own("settlement:AB"),
            3..5 => own("fees"),
            5..10 => own("cash"),
            _ => loop {
                let n = self.chance.random_range(0..self.customers.len());
                let (id, of) = self.customers[n];
                if of == currency {
                    break Party::AccountId(id);
                }
            },
        }
    }

    /// Mostly none of these.
    fn other_party(&mut self, others: &[Party], currency: Currency) -> Party {
        loop {
            let party = self.party(currency);
            if !others.contains(&party) || self.one_in(40) {
                break party;
            }
        }
    }

    fn customer(&mut self) -> AccountId {
        self.customers[self.chance.random_range(0..self.customers.len())].0
    }

    fn currency(&mut self) -> Currency {
        match self.chance.random_range(0..60) {
            0..3 => kuna(),
            3..22 => jpy(),
            _ => eur(),
        }
    }

    fn amount(&mut self, currency: Currency) -> Decimal {
        let cents = match self.one_in(24) {
            true => 10_000_000,
            false => self.chance.random_range(1..4_000),
        };
        Decimal::new(cents, currency.digits())
    }

    fn recent(&mut self, count: usize) -> Option<usize> {
        let from = if self.one_in(8) { 0 } else { count.saturating_sub(LATELY) };
        (count > 0).then(|| self.chance.random_range(from..count))
    }

    fn one_in(&mut self, count: u32) -> bool {
        self.chance.random_range(0..count) == 0
    }
}

pub(super) fn eur() -> Currency {
    "EUR".parse().expect("a currency")
}

pub(super) fn jpy() -> Currency {
    "JPY".parse().expect("a currency")
}

/// A withdrawn currency: money of older accounts can only leave them.
pub(super) fn kuna() -> Currency {
    "HRK".parse().expect("a currency")
}

fn own(code: &str) -> Party {
    Party::Code(AccountCode(code.to_owned()))
}

/// An instruction without any words.
pub(super) fn instruction(transfer_id: TransferId, action: Action) -> Instruction {
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
