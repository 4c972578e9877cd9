//! Books with some of everything that a journal can tell.

use anyhow::{Result, ensure};
use chrono::{TimeDelta, Utc};
use harness::{PATIENCE, wait_for};
use serde_json::json;
use shared_events::{
    AccountId, Amount, Message as _, Money, TransferId,
    accounts::{AccountClosed, Blocks, ChangeLimits, CloseAccount, FreezeAccount, OpenAccount},
    ledger::{
        Action, Capture, Direction, Exchange, Hold, Instruction, Leg, Legs, Party, Payment,
        Release, Reverse, Rounding, SubmitInstructions,
    },
};

use crate::bank_client::{BankClient, cash, customer, own};

fn money(units: &str, currency: &str) -> Result<Money> {
    Ok(Money::new(units.parse::<Amount>()?.decimal(), currency.parse()?))
}

fn of(action: Action) -> Instruction {
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

fn pay(debtor: &Party, creditor: &Party, units: &str) -> Result<Instruction> {
    let (debtor, creditor) = (debtor.clone(), creditor.clone());
    let money = money(units, "EUR")?;
    Ok(of(Action::Transfer(Payment { debtor, creditor, money, up_to: false })))
}

fn hold(debtor: &Party, creditor: &Party, units: &str, lasts: TimeDelta) -> Result<Instruction> {
    let (debtor, creditor) = (debtor.clone(), creditor.clone());
    let (money, expires_at) = (money(units, "EUR")?, Utc::now() + lasts);
    Ok(of(Action::Hold(Hold { debtor, creditor, money, up_to: false, expires_at })))
}

fn capture(of_hold: &Instruction, units: &str, keep_rest: bool) -> Result<Instruction> {
    let amount = Some(units.parse()?);
    Ok(of(Action::Capture(Capture { hold_id: of_hold.transfer_id, amount, keep_rest })))
}

fn reverse(original: &Instruction, units: Option<&str>) -> Result<Instruction> {
    let amount = units.map(str::parse).transpose()?;
    Ok(of(Action::Reverse(Reverse { original_id: original.transfer_id, amount })))
}

/// One of these groups of instructions after the other, each in a transaction of its own.
async fn carry_out(client: &BankClient, commands: Vec<Vec<Instruction>>) -> Result<()> {
    for instructions in commands {
        client.request(SubmitInstructions { instructions }).await?;
    }
    Ok(())
}

/// Writes the books. The last record is a rejection.
pub(super) async fn write(client: &mut BankClient) -> Result<()> {
    let alice = customer(client.account("alice").await?);
    let payee = client.account("bob").await?;
    let bob = customer(payee);
    let czk = "CZK".parse()?;
    let koruna = customer(client.account_with("koruna", |command| command.currency = czk).await?);
    let carol = client.account("carol").await?;
    freeze_and_limit(client, payee).await?;
    ensure!(client.deposit(carol, "12.34").await? == "posted");

    let mut salary = pay(&cash(), &alice, "1000.50")?;
    (salary.reference, salary.end_to_end_id) = (Some("Salary".to_owned()), Some("S-1".to_owned()));
    let mut late = pay(&alice, &bob, "7")?;
    (late.booking_date, late.value_date) = ("2026-01-31".parse().ok(), "2026-02-02".parse().ok());
    carry_out(client, vec![vec![salary], vec![late], moves(&alice, &bob, &koruna)?]).await?;
    carry_out(client, holds(&alice, &bob)?).await?;

    let loan = pay(&alice, &bob, "40")?;
    let parts = [reverse(&loan, Some("15"))?, reverse(&loan, None)?];
    let mut carried = vec![vec![loan]];
    carried.extend(parts.map(|part| vec![part]));
    let group = |mut instruction: Instruction, group| {
        instruction.group = Some(group);
        instruction
    };
    carried.push(vec![
        group(pay(&alice, &bob, "1")?, 1),
        group(pay(&bob, &alice, "2")?, 1),
        group(pay(&alice, &bob, "3")?, 2),
        group(pay(&bob, &alice, "5000")?, 2),
    ]);
    let mut wordy = pay(&alice, &bob, "1")?;
    wordy.reference = Some("x".repeat(141));
    carried.push(vec![wordy]);
    carry_out(client, carried).await?;

    client.request(CloseAccount { account_id: carol, payout: Some(payee) }).await?;
    client.wait_event(AccountClosed::TYPE, carol).await?;
    wait_for("carol is closed, and a hold has expired", PATIENCE, async || {
        let ended = "SELECT (SELECT count(*) FROM accounts WHERE status = 'closed')
            + (SELECT count(*) FROM holds WHERE status = 'expired')";
        Ok(client.bank.number("ledger", ended).await? == 2)
    })
    .await?;
    carry_out(client, vec![vec![pay(&bob, &alice, "5000")?]]).await
}

/// An account of a branch is frozen, and another has limits.
async fn freeze_and_limit(client: &mut BankClient, limited: AccountId) -> Result<()> {
    let of_web = |opening: &mut OpenAccount| opening.branch = Some("web".to_owned());
    let dora = client.account_with("dora", of_web).await?;
    let (reason, blocks) = ("lost card".to_owned(), Blocks::Both);
    client.request(FreezeAccount { account_id: dora, reason, blocks }).await?;
    let limits = json!({
        "account_id": limited, "overdraft_limit": "250", "transfer": "9000", "daily": "90000",
    });
    client.request(serde_json::from_value::<ChangeLimits>(limits)?).await?;
    wait_for("the ledger has followed", PATIENCE, async || {
        let followed = "SELECT count(*) FROM accounts WHERE status = 'frozen'
            OR daily_limit IS NOT NULL";
        Ok(client.bank.number("ledger", followed).await? == 2)
    })
    .await
}

/// Money among more than two accounts.
fn moves(alice: &Party, bob: &Party, koruna: &Party) -> Result<Vec<Instruction>> {
    let leg = |account: &Party, direction, units| {
        Ok(Leg { account: account.clone(), direction, money: money(units, "EUR")? })
    };
    let legs: Result<Vec<Leg>> = [
        leg(alice, Direction::Debit, "30"),
        leg(bob, Direction::Credit, "10"),
        leg(&own("fees"), Direction::Credit, "20"),
    ]
    .into_iter()
    .collect();
    let legs = of(Action::Legs(Legs { legs: legs? }));
    let back = reverse(&legs, None)?;
    let exchange = of(Action::Exchange(Exchange {
        debtor: alice.clone(),
        creditor: koruna.clone(),
        sell: money("1.01", "EUR")?,
        buy: "CZK".parse()?,
        rate: "24.357".parse()?,
        rounding: Rounding::HalfEven,
    }));
    Ok(vec![legs, exchange, back])
}

/// Holds that end in every way, and one that does not.
fn holds(alice: &Party, bob: &Party) -> Result<Vec<Vec<Instruction>>> {
    let week = TimeDelta::days(7);
    let captured = hold(alice, bob, "100", week)?;
    let parts = [capture(&captured, "30", true)?, capture(&captured, "20.20", false)?];
    let released = hold(alice, bob, "50", week)?;
    let release = of(Action::Release(Release { hold_id: released.transfer_id }));
    let expiring = hold(alice, bob, "25", TimeDelta::seconds(2))?;
    let open = hold(alice, bob, "60", week)?;
    let part = capture(&open, "10", true)?;
    let mut dated = hold(alice, bob, "5", week)?;
    dated.booking_date = "2026-03-01".parse().ok();
    let [first, second] = parts;
    let commands = [expiring, captured, first, released, release, second, open, part, dated];
    Ok(commands.into_iter().map(|command| vec![command]).collect())
}
