//! Invalid standing orders. Promise: each is refused with the field and the rule at fault, and no
//! order is stored.

use super::*;

pub(super) async fn every_bad_order_is_refused_by_field_and_rule(bank: Bank) -> Result<()> {
    bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    let yen = client.account_with("yen", |command| {
        command.currency = "JPY".parse().unwrap_or(command.currency);
    });
    let yen = yen.await?;
    let (today, nobody) = (today(&bank).await?, AccountId::new());
    let good = || terms(customer(bob), 10, after(today, 1));
    let money = |amount: &str, code: &str| -> Result<Money> {
        Ok(Money { amount: amount.parse()?, currency: code.parse()? })
    };
    let scheduled =
        |schedule: Schedule| -> Result<OrderTerms> { Ok(OrderTerms { schedule, ..good()? }) };
    let plan = good()?.schedule;
    let months = |every, day| Some(Repeat::Months { every, day });
    let no_banking_day = Schedule { first: "2035-03-23".parse()?, ..plan.clone() };
    let skipped = OrderTerms { on_holiday: HolidayRule::Skip, ..scheduled(no_banking_day)? };
    for (account, terms, expected) in [
        (nobody, good()?, ""),
        (yen, good()?, "terms.money.currency"),
        (ada, OrderTerms { money: money("1", "USD")?, ..good()? }, "terms.money.currency"),
        (ada, OrderTerms { money: money("0", "EUR")?, ..good()? }, "terms.money.amount"),
        (ada, OrderTerms { money: money("0.001", "EUR")?, ..good()? }, "terms.money.amount"),
        (ada, OrderTerms { creditor: customer(ada), ..good()? }, "terms.creditor"),
        (ada, OrderTerms { creditor: own("gold"), ..good()? }, "terms.creditor"),
        (ada, OrderTerms { creditor: customer(yen), ..good()? }, "terms.creditor"),
        (ada, OrderTerms { creditor: customer(AccountId::new()), ..good()? }, "terms.creditor"),
        (ada, OrderTerms { reference: Some("x".repeat(141)), ..good()? }, "terms.reference"),
        (
            ada,
            OrderTerms { end_to_end_id: Some("\t".to_owned()), ..good()? },
            "terms.end_to_end_id",
        ),
        (ada, OrderTerms { retry_days: 31, ..good()? }, "terms.retry_days"),
        (
            ada,
            scheduled(Schedule { first: after(today, 4_000), ..plan.clone() })?,
            "terms.schedule.first",
        ),
        (ada, scheduled(Schedule { last: Some(today), ..plan.clone() })?, "terms.schedule.last"),
        (ada, scheduled(Schedule { times: Some(0), ..plan.clone() })?, "terms.schedule.times"),
        (
            ada,
            scheduled(Schedule { repeat: months(0, 1), ..plan.clone() })?,
            "terms.schedule.repeat.every",
        ),
        (
            ada,
            scheduled(Schedule { repeat: months(1, 32), ..plan.clone() })?,
            "terms.schedule.repeat.months.day",
        ),
        (
            ada,
            scheduled(Schedule { first: today - Days::new(1), ..plan.clone() })?,
            "terms.schedule",
        ),
        (ada, skipped, "terms.schedule"),
    ] {
        let rejected = refused(&client, account, terms).await?;
        let known = rejected.reason == ArrangementReason::InvalidField;
        let field = rejected.field.as_deref().unwrap_or_default();
        ensure!(known != (account == nobody) && field == expected, "{expected}: {rejected:?}");
    }
    let kept = bank.number("ledger", "SELECT count(*) FROM orders").await?;
    ensure!(kept == 0, "{kept} orders");
    Ok(())
}

async fn refused(
    client: &BankClient,
    id: AccountId,
    terms: OrderTerms,
) -> Result<ArrangementRejected> {
    let answer =
        client.request(SetOrder { account_id: id, order_id: OrderId::new(), terms }).await?;
    let rejected: ArrangementRejected =
        answer.first().context("the command has a reply")?.read()?;
    ensure!(!rejected.message.is_empty());
    Ok(rejected)
}
