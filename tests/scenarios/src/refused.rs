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
    asked::pay,
    desk::{Desk, amount, cash, customer, opening, own, transfer},
    reasons::{OF_TRANSFERS, check},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        every_reason_to_reject_an_instruction,
        nobody_opens_an_account_under_an_id_that_the_bank_will_need,
        what_is_opened_under_an_id_of_the_banks_own_gets_none_of_its_money,
    ]
}

/// Anybody can work out the ids of the bank's own accounts, before they are used.
async fn nobody_opens_an_account_under_an_id_that_the_bank_will_need(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    for (code, currency) in [("cash", "EUR"), ("interest_paid", "CHF"), ("settlement:AB", "USD")] {
        let mut open = opening("thief")?;
        open.account_id = own_account_id(&AccountCode(code.to_owned()), currency.parse()?);
        let answer = desk.tell(open).await?;
        ensure!(answer[0].kind == AccountsCommandRejected::TYPE, "{code}: {answer:?}");
        let refused = answer[0].read::<AccountsCommandRejected>()?;
        ensure!(refused.field.as_deref() == Some("account_id"), "{code}: {refused:?}");
    }
    // An import's ids follow from its references, and are its own.
    let imported = desk.account_with("imported", |it| {
        it.account_id = AccountId::of_reference("1801");
        it.external_reference = Some("1801".to_owned());
    });
    let imported = imported.await?;
    ensure!(desk.deposit(imported, "5").await? == "posted");
    Ok(())
}

/// A bank of before may have let somebody in.
async fn what_is_opened_under_an_id_of_the_banks_own_gets_none_of_its_money(
    bank: Bank,
) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    let thief = own_account_id(&AccountCode("cash".to_owned()), "EUR".parse()?);
    let OpenAccount { holder, product, currency, overdraft_limit, .. } = opening("thief")?;
    let opened = AccountOpened {
        account_id: thief,
        iban: Iban::try_new("CZ6508000000192000145399")?,
        holder,
        product,
        currency,
        overdraft_limit,
        external_reference: None,
        version: 1,
    };
    desk.bank.publish(&Message::of(MessageId::new(), opened)).await?;
    desk.heard(LedgerAccountOpened::TYPE, thief).await?;
    let alice = desk.account("alice").await?;
    ensure!(desk.deposit(alice, "5").await? == "unknown_account");
    let paid = desk.ask_one(pay(customer(alice), cash(), "5", false)?).await?;
    ensure!(paid.contains("unknown_account"), "{paid}");
    let booked = format!("SELECT count(*) FROM entries WHERE account_id = '{thief}'");
    ensure!(desk.bank.number("ledger", &booked).await? == 0, "money was booked on it");
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
async fn done(desk: &Desk, instruction: Instruction) -> Result<TransferId> {
    let id = instruction.transfer_id;
    let told = desk.tell(SubmitInstructions { instructions: vec![instruction] }).await?;
    ensure!(told.iter().all(|it| !it.kind.ends_with(".rejected.v1")), "{told:?}");
    Ok(id)
}

/// An account with 10 euros, of which it may spend what `limits` say.
async fn limited(desk: &mut Desk, name: &str, limits: SpendingLimits) -> Result<Party> {
    let account = desk.account(name).await?;
    desk.deposit(account, "10").await?;
    let (overdraft_limit, spending) = (Amount::ZERO, Some(limits));
    desk.tell(SetLimits { account_id: account, overdraft_limit, spending }).await?;
    Ok(customer(account))
}

async fn wait_count(desk: &Desk, query: &str, count: i64) -> Result<()> {
    wait_for(&format!("{query} = {count}"), PATIENCE, async || {
        Ok(desk.bank.number("ledger", query).await? == count)
    })
    .await
}

async fn every_reason_to_reject_an_instruction(bank: Bank) -> Result<()> {
    use RejectReason as R;
    let mut desk = Desk::open(bank).await?;
    let (one, none) = (Some(amount(1)), SpendingLimits::default());
    let by_transfer =
        limited(&mut desk, "by transfer", SpendingLimits { transfer: one, ..none }).await?;
    let by_day = limited(&mut desk, "by day", SpendingLimits { daily: one, ..none }).await?;
    let by_month = limited(&mut desk, "by month", SpendingLimits { monthly: one, ..none }).await?;
    let least = SpendingLimits { minimum_balance: Some(amount(9)), ..none };
    let by_least = limited(&mut desk, "by the least", least).await?;
    let limited = "SELECT count(*) FROM accounts
        WHERE coalesce(transfer_limit, daily_limit, monthly_limit, minimum_balance) IS NOT NULL";
    wait_count(&desk, limited, 4).await?;

    let day = 86_400_000;
    let expired = done(&desk, hold(cash(), 1_000)?).await?;
    let released = done(&desk, hold(cash(), day)?).await?;
    done(&desk, of(Action::Release(Release { hold_id: released }))).await?;
    let captured = done(&desk, hold(cash(), day)?).await?;
    done(&desk, capture(captured, None)).await?;
    let open = done(&desk, hold(cash(), day)?).await?;
    let posted = done(&desk, transfer(cash(), own("fees"), "1")?.into()).await?;
    let reversed = done(&desk, transfer(cash(), own("fees"), "1")?.into()).await?;
    let reversal = done(&desk, reverse(reversed, None)).await?;
    // Of dinars with three digits a customer has less than 10^15.
    let dinar = "KWD".parse()?;
    let rich = customer(desk.account_with("rich", |it| it.currency = dinar).await?);
    done(&desk, of_dinars(&rich, "999999999999999.999")?).await?;
    let is_over = "SELECT count(*) FROM holds WHERE status = 'expired'";
    wait_count(&desk, is_over, 1).await?;
    desk.all_are_known().await?;

    let value_date = NaiveDate::from_ymd_opt(1, 1, 1);
    let late = Instruction { value_date, ..transfer(cash(), own("fees"), "1")?.into() };
    let spend = |debtor: &Party| -> Result<Vec<Instruction>> {
        Ok(vec![transfer(debtor.clone(), cash(), "2")?.into()])
    };
    let grouped = |it: Instruction| Instruction { group: Some(7), ..it };
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
    let others = R::ALL.iter().filter(|it| !OF_TRANSFERS.contains(it));
    let all = others.map(|it| it.as_str().to_owned()).collect();
    let message = |(reason, instructions): (R, Vec<Instruction>)| {
        let command = SubmitInstructions { instructions };
        (reason.as_str().to_owned(), Message::of(MessageId::new(), command))
    };
    check(&desk, &all, cases.map(message).into()).await
}
