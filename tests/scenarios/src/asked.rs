//! What is asked of the ledger, in few words, and what it answers, as lines to compare with.
//! Promise: whatever is asked here was asked by nobody before.

use anyhow::{Context, Result, ensure};
use chrono::{TimeDelta, Utc};
use shared_events::{
    Amount, Currency, MessageId, Money, TransferId,
    envelope::RawEnvelope,
    ledger::{
        AccountAfter, Action, Capture, Direction, Exchange, GetInstruction, Hold, Instruction,
        InstructionFound, InstructionOutcome, Leg, Legs, Party, Payment, PostedLeg,
        PreviewInstructions, Release, Reverse, Rounding, SubmitInstructions,
    },
};

use super::desk::Desk;

/// Long enough for any fact.
pub(crate) const A_DAY: TimeDelta = TimeDelta::days(1);

/// An amount of a currency.
pub(crate) fn money(amount: &str, currency: &str) -> Result<Money> {
    Ok(Money::new(amount.parse::<Amount>()?.decimal(), currency.parse()?))
}

/// An instruction with nothing but its action.
pub(crate) fn of(action: Action) -> Instruction {
    Instruction {
        transfer_id: TransferId::new(),
        group: None,
        action,
        reference: None,
        end_to_end_id: None,
        booking_date: None,
        value_date: None,
    }
}

/// Euros from one to another; `up_to`: or what there is.
pub(crate) fn pay(debtor: Party, creditor: Party, euros: &str, up_to: bool) -> Result<Instruction> {
    let money = money(euros, "EUR")?;
    Ok(of(Action::Transfer(Payment { debtor, creditor, money, up_to })))
}

/// Euros set aside until then.
pub(crate) fn hold(
    debtor: Party,
    creditor: Party,
    euros: &str,
    lasts: TimeDelta,
) -> Result<Instruction> {
    let (money, expires_at) = (money(euros, "EUR")?, Utc::now() + lasts);
    Ok(of(Action::Hold(Hold { debtor, creditor, money, up_to: false, expires_at })))
}

/// A part of a hold, or all that is left; the rest of it is released.
pub(crate) fn capture(hold_id: TransferId, amount: Option<Amount>) -> Instruction {
    of(Action::Capture(Capture { hold_id, amount, keep_rest: false }))
}

/// A part of a hold; the rest of it stays.
pub(crate) fn capture_some(hold_id: TransferId, amount: Amount) -> Instruction {
    of(Action::Capture(Capture { hold_id, amount: Some(amount), keep_rest: true }))
}

pub(crate) fn release(hold_id: TransferId) -> Instruction {
    of(Action::Release(Release { hold_id }))
}

/// A part of a transfer, or all that is left of it, back.
pub(crate) fn reverse(original_id: TransferId, amount: Option<Amount>) -> Instruction {
    of(Action::Reverse(Reverse { original_id, amount }))
}

/// Money among several: out of an account where the amount begins with a minus.
pub(crate) fn legs(all: &[(Party, &str, &str)]) -> Result<Instruction> {
    let leg = |(account, amount, currency): &(Party, &str, &str)| {
        let (direction, amount) = match amount.strip_prefix('-') {
            Some(amount) => (Direction::Debit, amount),
            None => (Direction::Credit, *amount),
        };
        Ok(Leg { account: account.clone(), direction, money: money(amount, currency)? })
    };
    Ok(of(Action::Legs(Legs { legs: all.iter().map(leg).collect::<Result<_>>()? })))
}

/// From one currency to another.
pub(crate) fn exchange(
    (debtor, creditor): (Party, Party),
    sell: Money,
    buy: Currency,
    rate: &str,
) -> Result<Instruction> {
    let (rate, rounding) = (rate.parse()?, Rounding::HalfEven);
    Ok(of(Action::Exchange(Exchange { debtor, creditor, sell, buy, rate, rounding })))
}

impl Desk {
    /// Gives instructions in one command, and returns the events that answer it.
    pub(crate) async fn instruct(
        &self,
        instructions: Vec<Instruction>,
    ) -> Result<Vec<RawEnvelope>> {
        self.tell(SubmitInstructions { instructions }).await
    }

    /// Gives instructions in one command, and returns what became of each, in the order of the
    /// command: what a dry run said would become of it.
    pub(crate) async fn ask(&self, instructions: Vec<Instruction>) -> Result<Vec<String>> {
        let query = PreviewInstructions { instructions: instructions.clone() };
        let foreseen = self.client.ask(query).await?.instructions;
        let command = MessageId::new();
        let told = self.tell_as(command, SubmitInstructions { instructions: instructions.clone() });
        let told = told.await?;
        let mut lines = Vec::with_capacity(instructions.len());
        for (instruction, foreseen) in instructions.iter().zip(foreseen) {
            let found = self.found(instruction.transfer_id).await?;
            let (happened, foreseen) = (&found.record.outcome, &foreseen.outcome);
            ensure!(happened == foreseen, "foreseen {foreseen:?}, and then {happened:?}");
            lines.push(self.line(&found));
        }
        let again = self.instruct(instructions).await?;
        let data = |all: &[RawEnvelope]| {
            let data = |it: &RawEnvelope| {
                let mut data: serde_json::Value = serde_json::from_str(it.data.get())?;
                data["command_id"] = serde_json::Value::Null;
                Ok(format!("{} {data}", it.kind))
            };
            all.iter().map(data).collect::<Result<Vec<_>>>()
        };
        ensure!(data(&told)? == data(&again)?, "{told:?}\nand then\n{again:?}");
        Ok(lines)
    }

    /// The same of one instruction.
    pub(crate) async fn ask_one(&self, instruction: Instruction) -> Result<String> {
        self.ask(vec![instruction]).await?.pop().context("one instruction has one outcome")
    }

    /// What the journal says of an instruction.
    pub(crate) async fn found(&self, transfer_id: TransferId) -> Result<InstructionFound> {
        Ok(self.client.ask(GetInstruction { transfer_id }).await?)
    }
}

impl Desk {
    /// `posted -30 alice 70 (80); +30 cards 30`: each account with its balance, and what it can
    /// spend where that is limited; or why not.
    fn line(&self, found: &InstructionFound) -> String {
        match &found.record.outcome {
            InstructionOutcome::Rejected(it) => it.reason.as_str().to_owned(),
            InstructionOutcome::Held(it) => {
                let (debtor, creditor) = (self.after(&it.debtor), self.after(&it.creditor));
                format!("held {}: {debtor}; {creditor}", it.money)
            }
            InstructionOutcome::Released(it) => {
                let (debtor, creditor) = (self.after(&it.debtor), self.after(&it.creditor));
                format!("given back {}: {debtor}; {creditor}", it.money)
            }
            InstructionOutcome::Posted(it) => {
                let leg = |leg: &PostedLeg| {
                    let sign = if leg.direction == Direction::Debit { '-' } else { '+' };
                    let amount = leg.money.amount.decimal().normalize();
                    format!("{sign}{amount} {}", self.after(&leg.account))
                };
                let legs: Vec<String> = it.legs.iter().map(leg).collect();
                let hold = it.hold.as_ref().map_or(String::new(), |hold| {
                    format!("; {} still held, {} given back", hold.remaining, hold.released)
                });
                format!("posted {}{hold}", legs.join("; "))
            }
        }
    }

    fn after(&self, it: &AccountAfter) -> String {
        let name = match &it.code {
            Some(code) => code.0.clone(),
            None => self.called(it.account_id),
        };
        let available = it.available.map_or(String::new(), |it| format!(" ({it})"));
        format!("{name} {}{available}", it.balance)
    }
}
