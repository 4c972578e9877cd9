//! Random instructions of every kind, valid and invalid, about few accounts. Promise: all follow
//! from the seed.

use anyhow::Result;
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Currency, Money, TransferId,
    ledger::{
        Action, Capture, Direction, Exchange, Hold, Instruction, Leg, Legs, Party, Payment,
        Release, Reverse, Rounding, SubmitInstructions, SubmitTransfers, Transfer,
    },
};

use super::{money::LATER, people::People, session::Session};
use crate::{
    bank_client::{customer, own},
    instructions::of,
};

/// Instructions of one command.
const INSTRUCTIONS_MAX: u64 = 4;

/// The accounts, and the instructions that others may refer to.
struct Traffic {
    customers: Vec<(AccountId, Currency)>,
    holds: Vec<TransferId>,
    posted: Vec<TransferId>,
}

/// Sends so many commands.
pub(super) async fn send(session: &mut Session, people: &People, commands: u64) -> Result<()> {
    session.transcript.chapter("random instructions");
    let (eur, jpy, czk) = ("EUR".parse()?, "JPY".parse()?, "CZK".parse()?);
    let in_euros = [people.ada, people.bob, people.cleo, people.finn, people.hana];
    let mut customers: Vec<_> = in_euros.into_iter().map(|account| (account, eur)).collect();
    customers.extend([(people.dan, jpy), (people.eva, czk)]);
    let mut traffic = Traffic { customers, holds: vec![], posted: vec![] };
    traffic.deposit(session).await?;
    let mut last: Vec<Instruction> = vec![];
    for _ in 0..commands {
        match session.seed.below(16) {
            0 => {
                let instructions = last.clone();
                session.send(SubmitInstructions { instructions }).await?;
            }
            1 => {
                let alter = |instruction: &Instruction| Instruction {
                    reference: Some("altered".to_owned()),
                    ..instruction.clone()
                };
                let instructions = last.iter().map(alter).collect();
                session.send(SubmitInstructions { instructions }).await?;
            }
            2..6 => {
                let transfers = traffic.transfers(session);
                last = transfers.iter().cloned().map(Instruction::from).collect();
                session.send(SubmitTransfers { transfers }).await?;
            }
            _ => {
                let instructions = traffic.instructions(session);
                last.clone_from(&instructions);
                session.send(SubmitInstructions { instructions }).await?;
            }
        }
    }
    Ok(())
}

impl Traffic {
    /// Some money for everybody, in one command.
    async fn deposit(&self, session: &mut Session) -> Result<()> {
        let mut instructions = vec![];
        for (account, currency) in &self.customers {
            let money = Money::new(Decimal::from(2_000), *currency);
            let (debtor, creditor) = (own("cash"), customer(*account));
            let payment = Payment { debtor, creditor, money, up_to: false };
            instructions.push(session.own(of(Action::Transfer(payment))));
        }
        session.send(SubmitInstructions { instructions }).await
    }

    fn transfers(&mut self, session: &mut Session) -> Vec<Transfer> {
        let count = 1 + session.seed.below(INSTRUCTIONS_MAX);
        let transfer = |_| {
            let Payment { debtor, creditor, money, .. } = self.payment(session);
            let transfer_id = session.transfer_id();
            self.posted.push(transfer_id);
            let reference = session.seed.one_in(3).then(|| "Invoice 7".to_owned());
            let end_to_end_id = session.seed.one_in(4).then(|| "E2E-7".to_owned());
            let booking_date = None;
            Transfer {
                transfer_id,
                debtor,
                creditor,
                money,
                reference,
                end_to_end_id,
                booking_date,
            }
        };
        (0..count).map(transfer).collect()
    }

    fn instructions(&mut self, session: &mut Session) -> Vec<Instruction> {
        let count = 1 + session.seed.below(INSTRUCTIONS_MAX);
        let grouped = session.seed.one_in(5);
        let mut all = vec![];
        for _ in 0..count {
            let mut instruction = self.instruction(session);
            if grouped && !session.seed.one_in(3) {
                instruction.group = Some(u32::from(session.seed.one_in(3)));
            }
            all.push(instruction);
        }
        all
    }

    fn instruction(&mut self, session: &mut Session) -> Instruction {
        let action = match session.seed.below(20) {
            0..6 => Action::Transfer(self.payment(session)),
            6..9 => self.hold(session),
            9..12 => {
                let hold_id = one_of(session, &self.holds);
                let (amount, keep_rest) = (part(session), session.seed.one_in(2));
                Action::Capture(Capture { hold_id, amount, keep_rest })
            }
            12 => Action::Release(Release { hold_id: one_of(session, &self.holds) }),
            13..15 => {
                let original_id = one_of(session, &self.posted);
                Action::Reverse(Reverse { original_id, amount: part(session) })
            }
            15..18 => self.legs(session),
            _ => self.exchange(session),
        };
        let mut instruction = session.own(of(action));
        match instruction.action {
            Action::Hold(_) => self.holds.push(instruction.transfer_id),
            Action::Release(_) | Action::Reverse(_) => {}
            _ => self.posted.push(instruction.transfer_id),
        }
        let mut day = |month: &str| {
            let day = 1 + session.seed.below(13);
            session.seed.one_in(6).then(|| format!("2025-{month}-{day:02}").parse().ok())?
        };
        (instruction.booking_date, instruction.value_date) = (day("03"), day("02"));
        instruction.reference = session.seed.one_in(3).then(|| "Rent, March".to_owned());
        instruction
    }

    fn payment(&mut self, session: &mut Session) -> Payment {
        let (debtor, currency) = self.party(session, None);
        let creditor = self.other_party(session, currency, std::slice::from_ref(&debtor));
        let money = Money::new(units(session, currency), currency);
        Payment { debtor, creditor, money, up_to: session.seed.one_in(5) }
    }

    fn hold(&mut self, session: &mut Session) -> Action {
        let Payment { debtor, creditor, money, up_to } = self.payment(session);
        let expires_at = LATER.parse().expect("an instant");
        Action::Hold(Hold { debtor, creditor, money, up_to, expires_at })
    }

    /// One pays several.
    fn legs(&mut self, session: &mut Session) -> Action {
        let (debtor, currency) = self.party(session, None);
        let leg = |account, direction, amount| Leg {
            account,
            direction,
            money: Money::new(amount, currency),
        };
        let (mut legs, mut total, mut parties) = (vec![], Decimal::ZERO, vec![debtor.clone()]);
        for _ in 0..=session.seed.below(3) {
            let account = self.other_party(session, currency, &parties);
            parties.push(account.clone());
            let amount = units(session, currency);
            total += amount;
            legs.push(leg(account, Direction::Credit, amount));
        }
        legs.push(leg(debtor, Direction::Debit, total));
        Action::Legs(Legs { legs })
    }

    fn exchange(&mut self, session: &mut Session) -> Action {
        let (debtor, sold) = self.party(session, None);
        let (mut creditor, mut buy) = self.party(session, None);
        while buy == sold && !session.seed.one_in(8) {
            (creditor, buy) = self.party(session, None);
        }
        let rate = Amount(Decimal::new(1 + session.seed.below(900_000).cast_signed(), 4));
        let rounding = [Rounding::HalfEven, Rounding::HalfUp, Rounding::Down];
        let rounding = rounding[session.seed.place(&rounding)];
        let sell = Money::new(units(session, sold), sold);
        Action::Exchange(Exchange { debtor, creditor, sell, buy, rate, rounding })
    }

    /// Mostly a customer with this currency, or with any.
    fn party(&self, session: &mut Session, of: Option<Currency>) -> (Party, Currency) {
        let candidates: Vec<_> =
            self.customers.iter().filter(|(_, has)| of.is_none_or(|of| of == *has)).collect();
        let (account, currency) = *candidates[session.seed.place(&candidates)];
        let codes = ["cash", "fees", "cards", "settlement:AB"];
        match session.seed.one_in(4) {
            true => (own(codes[session.seed.place(&codes)]), currency),
            false => (customer(account), currency),
        }
    }

    /// Mostly none of these.
    fn other_party(&self, session: &mut Session, of: Currency, others: &[Party]) -> Party {
        loop {
            let (party, _) = self.party(session, Some(of));
            if !others.contains(&party) || session.seed.one_in(24) {
                break party;
            }
        }
    }
}

/// A recent one; a new id where there is none.
fn one_of(session: &mut Session, ids: &[TransferId]) -> TransferId {
    let recent = &ids[ids.len().saturating_sub(12)..];
    match recent.is_empty() {
        true => session.transfer_id(),
        false => recent[session.seed.place(recent)],
    }
}

/// A part of an amount, or the whole.
fn part(session: &mut Session) -> Option<Amount> {
    let units = Decimal::from(1 + session.seed.below(20));
    session.seed.one_in(2).then_some(Amount(units))
}

/// An amount with the digits of the currency: small, and now and then more than anybody has.
fn units(session: &mut Session, currency: Currency) -> Decimal {
    let cents = match session.seed.one_in(16) {
        true => 90_000_000,
        false => 1 + session.seed.below(20_000).cast_signed(),
    };
    Decimal::new(cents, currency.digits())
}
