//! Interest, balance monitors and closed periods.

use anyhow::Result;
use chrono::NaiveDate;
use shared_events::{
    Amount,
    accounts::{CloseAccount, OpenAccount},
    ledger::{
        AtClosing, ClosePeriod, DayCount, InterestTerms, MonitorCondition, RemoveMonitor, Rounding,
        SetMonitor, SetTerms, Transfer,
    },
};

use super::{
    money::{deposit, euros, pay_on, pay_out, submit},
    people::People,
    session::Session,
};
use crate::{
    bank_client::{amount, cash, customer, opening, own},
    instructions::{pay, reverse},
};

fn day(text: &str) -> Result<NaiveDate> {
    Ok(text.parse()?)
}

fn terms(from: &str, credit_rate: &str, debit_rate: &str) -> Result<InterestTerms> {
    Ok(InterestTerms {
        valid_from: day(from)?,
        credit_rate: credit_rate.parse()?,
        debit_rate: debit_rate.parse()?,
        day_count: DayCount::Act365,
        rounding: Rounding::HalfEven,
        statement_fee: None,
        at_closing: AtClosing::Forfeit,
    })
}

/// Terms from past days on: the months since then are capitalised at once.
pub(super) async fn interest(session: &mut Session, people: &People) -> Result<()> {
    session.transcript.chapter("interest");
    let set = |account_id, terms| SetTerms { account_id, terms };
    pay_on(session, people.ivo, "36500", "2025-01-02").await?;
    let credit =
        InterestTerms { statement_fee: Some("2.50".parse()?), ..terms("2025-01-01", "3.65", "0")? };
    let other = set(people.ivo, terms("2025-01-01", "4", "0")?);
    session.send_again(set(people.ivo, credit.clone()), other).await?;
    pay_on(session, people.ivo, "1000", "2025-01-15").await?;
    let later = InterestTerms { day_count: DayCount::Act360, ..terms("2025-03-10", "1.5", "9")? };
    session.send(set(people.ivo, later)).await?;

    let max = session.account_id("max");
    let of_max = OpenAccount { account_id: max, ..opening("Max")? };
    session.send(OpenAccount { overdraft_limit: amount(500), ..of_max }).await?;
    pay_on(session, max, "-400", "2025-02-10").await?;
    let debit = InterestTerms {
        day_count: DayCount::ThirtyE360,
        rounding: Rounding::HalfUp,
        at_closing: AtClosing::Pay,
        ..terms("2025-02-01", "0", "12")?
    };
    session.send(set(max, debit)).await?;
    let close = CloseAccount { account_id: max, payout: Some(people.bob) };
    session.send(close.clone()).await?;
    deposit(session, max, "403").await?;
    session.send(close.clone()).await?;
    deposit(session, max, "10").await?;
    session.send(close).await?;

    let wrong = |edit: &dyn Fn(&mut InterestTerms)| {
        let mut wrong = credit.clone();
        edit(&mut wrong);
        wrong
    };
    session.send(set(people.nobody, credit.clone())).await?;
    session.send(set(max, credit.clone())).await?;
    for wrong in [
        wrong(&|terms| terms.credit_rate = amount(1_001)),
        wrong(&|terms| terms.credit_rate = amount(-1)),
        wrong(&|terms| terms.debit_rate = "0.0000001".parse().unwrap_or_default()),
        wrong(&|terms| terms.statement_fee = Some("0.001".parse().unwrap_or_default())),
        wrong(&|terms| terms.valid_from = NaiveDate::default()),
    ] {
        session.send(set(people.ivo, wrong)).await?;
    }
    Ok(())
}

/// Monitors of each condition, crossed and removed.
pub(super) async fn monitors(session: &mut Session, people: &People) -> Result<()> {
    session.transcript.chapter("balance monitors");
    let account_id = people.jana;
    deposit(session, account_id, "100").await?;
    let [low, high, moved, wrong] = [(); 4].map(|()| session.monitor_id());
    let set = |monitor_id, condition| SetMonitor { account_id, monitor_id, condition };
    let below = |units| MonitorCondition::Below(amount(units));
    session.send_again(set(low, below(50)), set(low, below(60))).await?;
    session.send(set(high, MonitorCondition::Above(amount(150)))).await?;
    session.send(set(moved, MonitorCondition::ChangeBy(amount(70)))).await?;
    for euros in ["60", "1", "30"] {
        pay_out(session, account_id, euros).await?;
    }
    let mut payments = vec![];
    for (debtor, creditor, euros) in [
        (cash(), customer(account_id), "150"),
        (customer(account_id), cash(), "149"),
        (cash(), customer(account_id), "200"),
    ] {
        payments.push(session.own(pay(debtor, creditor, euros, false)?));
    }
    submit(session, payments).await?;
    session.send(set(high, MonitorCondition::Above(amount(300)))).await?;
    deposit(session, account_id, "91").await?;
    session.send(set(wrong, MonitorCondition::ChangeBy(Amount::ZERO))).await?;
    session.send(set(wrong, MonitorCondition::Below("0.001".parse()?))).await?;
    session.send(SetMonitor { account_id: people.nobody, ..set(wrong, below(1)) }).await?;
    let remove = |monitor_id| RemoveMonitor { account_id, monitor_id };
    session.send_again(remove(moved), remove(low)).await?;
    session.send(remove(moved)).await?;
    session.send(RemoveMonitor { account_id: people.nobody, monitor_id: low }).await?;
    for units in 0..19 {
        let monitor_id = session.monitor_id();
        session.send(set(monitor_id, below(-1 - units))).await?;
    }
    Ok(())
}

/// Periods that can be closed, and days that cannot be booked on any more.
pub(super) async fn periods(session: &mut Session, people: &People) -> Result<()> {
    session.transcript.chapter("accounting periods");
    let close = |through| -> Result<ClosePeriod> { Ok(ClosePeriod { through: day(through)? }) };
    let old = euros(session, cash(), customer(people.ivo), "7")?;
    let old_id = old.transfer_id;
    let old = Transfer { booking_date: Some(day("2025-02-20")?), ..old };
    session.send(shared_events::ledger::SubmitTransfers { transfers: vec![old] }).await?;
    let again = session.message_id();
    for through in ["2025-01-31", "2025-01-31", "2025-02-01"] {
        session.send_for_all_chains(again, close(through)?).await?;
    }
    for through in
        ["2025-02-28", "2025-02-28", "2025-02-27", "2025-03-14", "1899-12-31", "2200-01-01"]
    {
        let id = session.message_id();
        session.send_for_all_chains(id, close(through)?).await?;
    }
    pay_on(session, people.ivo, "8", "2025-02-28").await?;
    pay_on(session, people.ivo, "9", "2025-03-01").await?;
    let reversal = session.own(reverse(old_id, Some(amount(3))));
    let fee = session.own(pay(customer(people.ivo), own("fees"), "1", false)?);
    let fee = shared_events::ledger::Instruction { value_date: Some(day("2025-02-01")?), ..fee };
    submit(session, vec![reversal, fee]).await
}
