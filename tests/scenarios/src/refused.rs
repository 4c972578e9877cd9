//! Every reason to say no to an instruction that is more than a transfer of money.

use anyhow::{Result, ensure};
use chrono::{NaiveDate, TimeDelta, Utc};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use oracle::model::changes::own_account_id;
use shared_events::{
    AccountId, Amount, Iban, Message as _, MessageId, Money, TransferId,
    accounts::{AccountOpened, AccountsCommandRejected, OpenAccount, SetLimits, SpendingLimits},
    ledger::{
        AccountCode, Action, Capture, Direction, Exchange, Hold, Instruction, LedgerAccountOpened,
        Leg, Legs, Party, RejectReason, Release, Reverse, Rounding, SubmitInstructions, Transfer,
    },
};

use super::{
    bank_client::{BankClient, amount, cash, customer, opening, own, transfer},
    instructions::pay,
    reasons::{OF_TRANSFERS, check},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        every_reason_to_reject_an_instruction,
        nobody_opens_an_account_under_an_id_that_the_bank_will_need,
        an_account_opened_under_an_internal_id_gets_no_money_of_the_bank,
    ]
}

/// Anybody can work out the ids of the bank's own accounts, before they are used.
async fn nobody_opens_an_account_under_an_id_that_the_bank_will_need(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    for (code, currency) in [("cash", "EUR"), ("interest_paid", "CHF"), ("settlement:AB", "USD")] {
        let mut open = opening("thief")?;
        open.account_id = own_account_id(&AccountCode(code.to_owned()), currency.parse()?);
        let answer = client.request(open).await?;
        ensure!(answer[0].kind == AccountsCommandRejected::TYPE, "{code}: {answer:?}");
        let refused = answer[0].read::<AccountsCommandRejected>()?;
        ensure!(refused.field.as_deref() == Some("account_id"), "{code}: {refused:?}");
    }
    // An import's ids follow from its references, and are its own.
    let imported = client.account_with("imported", |command| {
        command.account_id = AccountId::of_reference("1801");
        command.external_reference = Some("1801".to_owned());
    });
    let imported = imported.await?;
    ensure!(client.deposit(imported, "5").await? == "posted");
    Ok(())
}

/// A bank of before may have let somebody in.
async fn an_account_opened_under_an_internal_id_gets_no_money_of_the_bank(
    bank: Bank,
) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let thief = own_account_id(&AccountCode("cash".to_owned()), "EUR".parse()?);
    let OpenAccount { product, currency, overdraft_limit, .. } = opening("thief")?;
    let opened = AccountOpened {
        account_id: thief,
        iban: Iban::try_new("CZ6508000000192000145399")?,
        product,
        currency,
        overdraft_limit,
        external_reference: None,
        branch: None,
        version: 1,
    };
    client.bank.publish(&Message::of(MessageId::new(), opened)).await?;
    client.wait_event(LedgerAccountOpened::TYPE, thief).await?;
    let alice = client.account("alice").await?;
    ensure!(client.deposit(alice, "5").await? == "unknown_account");
    let paid = client.outcome_of(pay(customer(alice), cash(), "5", false)?).await?;
    ensure!(paid.contains("unknown_account"), "{paid}");
    let booked = format!("SELECT count(*) FROM entries WHERE account_id = '{thief}'");
    ensure!(client.bank.number("ledger", &booked).await? == 0, "money was booked on the account");
    Ok(())
}

fn euros(units: &str) -> Result<Money> {
    Ok(Money::new(units.parse::<Amount>()?.decimal(), "EUR".parse()?))
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

fn of_dinars(creditor: &Party, units: &str) -> Result<Instruction> {
    let money = Money::new(units.parse::<Amount>()?.decimal(), "KWD".parse()?);
    Ok(Transfer { money, ..transfer(cash(), creditor.clone(), "1")? }.into())
}

fn capture(hold_id: TransferId, units: Option<i64>) -> Instruction {
    of(Action::Capture(Capture { hold_id, amount: units.map(amount), keep_rest: false }))
}

fn reverse(original_id: TransferId, units: Option<i64>) -> Instruction {
    of(Action::Reverse(Reverse { original_id, amount: units.map(amount) }))
}

fn hold(debtor: Party, milliseconds: i64) -> Result<Instruction> {
    let (creditor, money) = (own("cards"), euros("1")?);
    let expires_at = Utc::now() + TimeDelta::milliseconds(milliseconds);
    Ok(of(Action::Hold(Hold { debtor, creditor, money, up_to: false, expires_at })))
}

fn legs(debits: usize, credits: usize) -> Result<Instruction> {
    let leg = |direction| Ok(Leg { account: own("fees"), direction, money: euros("1")? });
    let debits = (0..debits).map(|_| leg(Direction::Debit));
    let legs: Result<Vec<Leg>> =
        debits.chain((0..credits).map(|_| leg(Direction::Credit))).collect();
    Ok(of(Action::Legs(Legs { legs: legs? })))
}

fn exchange(rate: i64, buy: &str) -> Result<Instruction> {
    Ok(of(Action::Exchange(Exchange {
        debtor: cash(),
        creditor: own("fees"),
        sell: euros("1")?,
        buy: buy.parse()?,
        rate: amount(rate),
        rounding: Rounding::HalfEven,
    })))
}

/// Carries out instructions of which none is refused, and returns the first one's id.
async fn done(client: &BankClient, instruction: Instruction) -> Result<TransferId> {
    let id = instruction.transfer_id;
    let actual = client.request(SubmitInstructions { instructions: vec![instruction] }).await?;
    ensure!(actual.iter().all(|event| !event.kind.ends_with(".rejected.v1")), "{actual:?}");
    Ok(id)
}

/// An account with 10 euros, of which it may spend what `limits` say.
async fn limited(client: &mut BankClient, name: &str, limits: SpendingLimits) -> Result<Party> {
    let account = client.account(name).await?;
    client.deposit(account, "10").await?;
    let (overdraft_limit, spending) = (Amount::ZERO, Some(limits));
    client.request(SetLimits { account_id: account, overdraft_limit, spending }).await?;
    Ok(customer(account))
}

async fn wait_count(client: &BankClient, query: &str, count: i64) -> Result<()> {
    wait_for(&format!("{query} = {count}"), PATIENCE, async || {
        Ok(client.bank.number("ledger", query).await? == count)
    })
    .await
}

/// The duration of a hold that does not expire during the fact.
const DAY_MS: i64 = 86_400_000;

async fn every_reason_to_reject_an_instruction(bank: Bank) -> Result<()> {
    use RejectReason as R;
    let mut client = BankClient::with_services(bank).await?;
    let (one, none) = (Some(amount(1)), SpendingLimits::default());
    let by_transfer =
        limited(&mut client, "by transfer", SpendingLimits { transfer: one, ..none }).await?;
    let by_day = limited(&mut client, "by day", SpendingLimits { daily: one, ..none }).await?;
    let by_month =
        limited(&mut client, "by month", SpendingLimits { monthly: one, ..none }).await?;
    let least = SpendingLimits { minimum_balance: Some(amount(9)), ..none };
    let by_least = limited(&mut client, "by the least", least).await?;
    let limited = "SELECT count(*) FROM accounts
        WHERE coalesce(transfer_limit, daily_limit, monthly_limit, minimum_balance) IS NOT NULL";
    wait_count(&client, limited, 4).await?;

    let expired = done(&client, hold(cash(), 1_000)?).await?;
    let released = done(&client, hold(cash(), DAY_MS)?).await?;
    done(&client, of(Action::Release(Release { hold_id: released }))).await?;
    let captured = done(&client, hold(cash(), DAY_MS)?).await?;
    done(&client, capture(captured, None)).await?;
    let open = done(&client, hold(cash(), DAY_MS)?).await?;
    let posted = done(&client, transfer(cash(), own("fees"), "1")?.into()).await?;
    let reversed = done(&client, transfer(cash(), own("fees"), "1")?.into()).await?;
    let reversal = done(&client, reverse(reversed, None)).await?;
    // Of dinars with three digits a customer has less than 10^15.
    let dinar = "KWD".parse()?;
    let rich = customer(client.account_with("rich", |command| command.currency = dinar).await?);
    done(&client, of_dinars(&rich, "999999999999999.999")?).await?;
    let is_over = "SELECT count(*) FROM holds WHERE status = 'expired'";
    wait_count(&client, is_over, 1).await?;
    client.wait_recipients().await?;

    let value_date = NaiveDate::from_ymd_opt(1, 1, 1);
    let late = Instruction { value_date, ..transfer(cash(), own("fees"), "1")?.into() };
    let spend = |debtor: &Party| -> Result<Vec<Instruction>> {
        Ok(vec![transfer(debtor.clone(), cash(), "2")?.into()])
    };
    let grouped = |instruction: Instruction| Instruction { group: Some(7), ..instruction };
    let group = vec![
        grouped(transfer(cash(), own("fees"), "1")?.into()),
        grouped(transfer(by_least.clone(), cash(), "100")?.into()),
    ];
    let cases = [
        (R::InvalidValueDate, vec![late]),
        (R::InvalidExpiry, vec![hold(cash(), -1_000)?]),
        (R::TooFewLegs, vec![legs(1, 0)?]),
        (R::TooManyLegs, vec![legs(50, 51)?]),
        (R::UnbalancedLegs, vec![legs(2, 1)?]),
        (R::InvalidRate, vec![exchange(0, "CZK")?]),
        (R::SameCurrency, vec![exchange(1, "EUR")?]),
        (R::UnknownHold, vec![capture(TransferId::new(), None)]),
        (R::HoldCaptured, vec![capture(captured, None)]),
        (R::HoldReleased, vec![capture(released, None)]),
        (R::HoldExpired, vec![capture(expired, None)]),
        (R::ExceedsHold, vec![capture(open, Some(2))]),
        (R::UnknownTransfer, vec![reverse(TransferId::new(), None)]),
        (R::NotReversible, vec![reverse(reversal, None)]),
        (R::ExceedsOriginal, vec![reverse(posted, Some(2))]),
        (R::TransferLimit, spend(&by_transfer)?),
        (R::DailyLimit, spend(&by_day)?),
        (R::MonthlyLimit, spend(&by_month)?),
        (R::MinimumBalance, spend(&by_least)?),
        (R::BalanceTooLarge, vec![of_dinars(&rich, "0.001")?]),
        (R::GroupRejected, group),
    ];
    let others = R::ALL.iter().filter(|reason| !OF_TRANSFERS.contains(reason));
    let all = others.map(|reason| reason.as_str().to_owned()).collect();
    let message = |(reason, instructions): (R, Vec<Instruction>)| {
        let command = SubmitInstructions { instructions };
        (reason.as_str().to_owned(), Message::of(MessageId::new(), command))
    };
    check(&client, &all, cases.map(message).into()).await
}
