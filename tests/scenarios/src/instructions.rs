//! Instructions to the ledger in short form, and their outcomes as lines. Promise: every
//! instruction has a new id.

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

use super::bank_client::BankClient;

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

/// A payment in euros; `up_to` allows a part of the amount.
pub(crate) fn pay(debtor: Party, creditor: Party, euros: &str, up_to: bool) -> Result<Instruction> {
    let money = money(euros, "EUR")?;
    Ok(of(Action::Transfer(Payment { debtor, creditor, money, up_to })))
}

/// A hold in euros for this time.
pub(crate) fn hold(
    debtor: Party,
    creditor: Party,
    euros: &str,
    lasts: TimeDelta,
) -> Result<Instruction> {
    let (money, expires_at) = (money(euros, "EUR")?, Utc::now() + lasts);
    Ok(of(Action::Hold(Hold { debtor, creditor, money, up_to: false, expires_at })))
}

/// Captures a part of a hold, or the whole; the rest is released.
pub(crate) fn capture(hold_id: TransferId, amount: Option<Amount>) -> Instruction {
    of(Action::Capture(Capture { hold_id, amount, keep_rest: false }))
}

/// Captures a part of a hold; the rest stays held.
pub(crate) fn capture_some(hold_id: TransferId, amount: Amount) -> Instruction {
    of(Action::Capture(Capture { hold_id, amount: Some(amount), keep_rest: true }))
}

pub(crate) fn release(hold_id: TransferId) -> Instruction {
    of(Action::Release(Release { hold_id }))
}

/// Reverses a part of a transfer, or all that is left of the transfer.
pub(crate) fn reverse(original_id: TransferId, amount: Option<Amount>) -> Instruction {
    of(Action::Reverse(Reverse { original_id, amount }))
}

/// A posting with several legs: an amount with a minus is a debit.
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

impl BankClient {
    /// Submits instructions in one command, and returns the events that answer the command.
    pub(crate) async fn instruct(
        &self,
        instructions: Vec<Instruction>,
    ) -> Result<Vec<RawEnvelope>> {
        self.request(SubmitInstructions { instructions }).await
    }

    /// Submits instructions in one command, and returns the outcome of each as a line. Each outcome
    /// equals that of a dry run before.
    pub(crate) async fn outcomes_of(&self, instructions: Vec<Instruction>) -> Result<Vec<String>> {
        let query = PreviewInstructions { instructions: instructions.clone() };
        let previewed = self.query(query).await?.instructions;
        let command = MessageId::new();
        let actual =
            self.request_as(command, SubmitInstructions { instructions: instructions.clone() });
        let actual = actual.await?;
        let mut lines = Vec::with_capacity(instructions.len());
        for (instruction, previewed) in instructions.iter().zip(previewed) {
            let found = self.instruction(instruction.transfer_id).await?;
            let (happened, previewed) = (&found.record.outcome, &previewed.outcome);
            ensure!(happened == previewed, "previewed {previewed:?}, and then {happened:?}");
            lines.push(self.outcome_line(&found));
        }
        let again = self.instruct(instructions).await?;
        let data = |all: &[RawEnvelope]| {
            let data = |event: &RawEnvelope| {
                let mut data: serde_json::Value = serde_json::from_str(event.data.get())?;
                data["command_id"] = serde_json::Value::Null;
                Ok(format!("{} {data}", event.kind))
            };
            all.iter().map(data).collect::<Result<Vec<_>>>()
        };
        ensure!(data(&actual)? == data(&again)?, "{actual:?}\nand then\n{again:?}");
        Ok(lines)
    }

    /// The same of one instruction.
    pub(crate) async fn outcome_of(&self, instruction: Instruction) -> Result<String> {
        self.outcomes_of(vec![instruction]).await?.pop().context("one instruction has one outcome")
    }

    /// The record of an instruction in the journal.
    pub(crate) async fn instruction(&self, transfer_id: TransferId) -> Result<InstructionFound> {
        Ok(self.query(GetInstruction { transfer_id }).await?)
    }
}

impl BankClient {
    /// `posted -30 alice 70 (80); +30 cards 30`: each account with its balance, and its available
    /// balance where there is a limit; or the reject reason.
    fn outcome_line(&self, found: &InstructionFound) -> String {
        match &found.record.outcome {
            InstructionOutcome::Rejected(rejected) => rejected.reason.as_str().to_owned(),
            InstructionOutcome::Held(held) => {
                let (debtor, creditor) =
                    (self.account_line(&held.debtor), self.account_line(&held.creditor));
                format!("held {}: {debtor}; {creditor}", held.money)
            }
            InstructionOutcome::Released(released) => {
                let (debtor, creditor) =
                    (self.account_line(&released.debtor), self.account_line(&released.creditor));
                format!("given back {}: {debtor}; {creditor}", released.money)
            }
            InstructionOutcome::Posted(posted) => {
                let leg = |leg: &PostedLeg| {
                    let sign = if leg.direction == Direction::Debit { '-' } else { '+' };
                    let amount = leg.money.amount.decimal().normalize();
                    format!("{sign}{amount} {}", self.account_line(&leg.account))
                };
                let legs: Vec<String> = posted.legs.iter().map(leg).collect();
                let hold = posted.hold.as_ref().map_or(String::new(), |hold| {
                    format!("; {} still held, {} given back", hold.remaining, hold.released)
                });
                format!("posted {}{hold}", legs.join("; "))
            }
        }
    }

    fn account_line(&self, account: &AccountAfter) -> String {
        let name = match &account.code {
            Some(code) => code.0.clone(),
            None => self.name_of(account.account_id),
        };
        let available =
            account.available.map_or(String::new(), |available| format!(" ({available})"));
        format!("{name} {}{available}", account.balance)
    }
}
