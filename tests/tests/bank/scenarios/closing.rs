//! Closing an account that bears interest. Promise: months that were over are never lost, whenever
//! the account is closed; what is owed refuses the closing, with the reason.

use anyhow::{Context, Result, ensure};
use integration_tests::{Bank, Fact, PATIENCE, facts, wait_for};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Total,
    accounts::{AccountCloseRefused, Blocks, CloseAccount, FreezeAccount, UnfreezeAccount},
    ledger::{AtClosing, GetBalance, GetInterest, InterestFound, LedgerStatus},
    topology::LEDGER_PARTITIONS,
};

use super::{
    clerk::Clerk,
    desk::{Desk, cash, customer, own, transfer},
    interest::{month, pay_in, set, terms, today},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        the_months_of_a_frozen_account_are_paid_when_it_is_unfrozen_and_closed_at_once,
        what_is_owed_refuses_the_closing_until_it_is_paid,
        the_month_that_has_begun_is_paid_where_the_terms_say_so,
        months_of_closed_accounts_are_in_nobodys_way,
    ]
}

async fn freeze(desk: &Desk, account_id: AccountId) -> Result<()> {
    let blocks = Blocks::Both;
    desk.tell(FreezeAccount { blocks, account_id, reason: "test".to_owned() }).await?;
    status(desk, account_id, LedgerStatus::Frozen).await
}

async fn status(desk: &Desk, account: AccountId, status: LedgerStatus) -> Result<()> {
    wait_for(&format!("the account is {status:?}"), PATIENCE, async || {
        let asked = GetBalance { account: customer(account), currency: None };
        Ok(desk.client.ask(asked).await?.status == status)
    })
    .await
}

async fn of(desk: &Desk, account: AccountId) -> Result<Decimal> {
    let asked = GetBalance { account: customer(account), currency: None };
    Ok(desk.client.ask(asked).await?.balance.decimal())
}

async fn found(desk: &Desk, account_id: AccountId) -> Result<InterestFound> {
    let (from, to) = (month(&desk.bank, 3).await?, today(&desk.bank).await?);
    Ok(desk.client.ask(GetInterest { account_id, from, to, known_at: None }).await?)
}

/// What was capitalised in all.
fn capitalised(found: &InterestFound) -> Decimal {
    let months = found.capitalised.iter();
    months.map(|it| it.credit_interest.decimal() - it.debit_interest.decimal()).sum()
}

/// What the days before this month came to, rounded once.
fn accrued(found: &InterestFound, before: chrono::NaiveDate) -> Decimal {
    let days = found.days.iter().filter(|it| it.day < before);
    days.map(|it| it.accrued.decimal()).sum::<Decimal>().round_dp(2)
}

/// The unfreeze and the closing wait together for a ledger that is down: no job comes between.
async fn the_months_of_a_frozen_account_are_paid_when_it_is_unfrozen_and_closed_at_once(
    bank: Bank,
) -> Result<()> {
    let started = bank.start_all(&["ledger", "accounts"]).await?;
    let mut desk = Desk::at(bank.clone())?;
    let (ada, bob) = (desk.account("ada").await?, desk.account("bob").await?);
    let (from, this) = (month(&bank, 3).await?, month(&bank, 0).await?);
    pay_in(&desk, ada, "36500", from).await?;
    freeze(&desk, ada).await?;
    set(&desk, ada, terms(from, 10, 0, Some("2.50".parse()?))).await?;
    started[0].stop().await?;
    desk.tell(UnfreezeAccount { account_id: ada }).await?;
    desk.tell(CloseAccount { payout: Some(bob), account_id: ada }).await?;
    wait_for("both wait for the ledger", PATIENCE, async || {
        let mut waiting = 0;
        for partition in 0..LEDGER_PARTITIONS {
            waiting += bank.depth(&format!("ledger.commands.{partition}")).await?;
        }
        Ok(waiting == 2)
    })
    .await?;
    started[0].start().await?;
    desk.heard("accounts.account.closed.v1", ada).await?;

    let found = found(&desk, ada).await?;
    let interest = accrued(&found, this);
    ensure!(interest > Decimal::from(880), "three months at ten a day: {interest}");
    ensure!(found.capitalised.len() == 3 && capitalised(&found) == interest, "{found:#?}");
    let fees = Decimal::new(750, 2);
    ensure!(of(&desk, bob).await? == Decimal::from(36_500) + interest - fees);
    let paid = GetBalance { account: own("interest_paid"), currency: Some("EUR".parse()?) };
    ensure!(desk.client.ask(paid).await?.balance.decimal() == -interest);
    let lines = desk.trial_balance().await?.lines;
    ensure!(Total::sum(lines.iter().map(|line| line.balance)) == Some(Total::ZERO));
    // Each posting left as an event, once.
    let heard = bank.events().of_kind("ledger.transfers.posted.v1").await?;
    let told = heard.iter().filter(|it| it.event.data.to_string().contains("credit interest"));
    ensure!(told.count() == 3, "{heard:#?}");
    let due = "SELECT count(*) FROM interest_due";
    ensure!(bank.number("ledger", due).await? == 0, "nothing is due of a closed account");
    Ok(())
}

async fn what_is_owed_refuses_the_closing_until_it_is_paid(bank: Bank) -> Result<()> {
    let started = bank.start_all(&["ledger", "accounts"]).await?;
    let mut desk = Desk::at(bank.clone())?;
    let ada = desk.account_with("ada", |it| it.overdraft_limit = Amount(365.into())).await?;
    let from = month(&bank, 1).await?;
    let spent = transfer(customer(ada), cash(), "365")?;
    let spent = shared_events::ledger::Transfer { booking_date: Some(from), ..spent };
    ensure!(desk.send(spent).await? == "posted");
    // The money is back today: what was owed meanwhile is not.
    desk.deposit(ada, "365").await?;
    freeze(&desk, ada).await?;
    set(&desk, ada, terms(from, 0, 10, None)).await?;
    started[0].stop().await?;
    desk.tell(UnfreezeAccount { account_id: ada }).await?;
    desk.tell(CloseAccount { payout: None, account_id: ada }).await?;
    started[0].start().await?;
    desk.heard("accounts.account.close_refused.v1", ada).await?;
    let refused = bank.events().of_kind("accounts.account.close_refused.v1").await?;
    let refused = refused.first().context("it was heard")?.event.data.clone();
    let refused: AccountCloseRefused = serde_json::from_value(refused)?;
    let owed = of(&desk, ada).await?;
    ensure!(owed < Decimal::ZERO && refused.balance.decimal() == owed, "{owed}: {refused:?}");
    ensure!(refused.reason.as_str() == "interest_owed", "{refused:?}");
    ensure!(desk.deposit(ada, &(-owed).to_string()).await? == "posted");
    desk.tell(CloseAccount { payout: None, account_id: ada }).await?;
    desk.heard("accounts.account.closed.v1", ada).await
}

async fn the_month_that_has_begun_is_paid_where_the_terms_say_so(bank: Bank) -> Result<()> {
    bank.start_all(&["ledger", "accounts"]).await?;
    let mut desk = Desk::at(bank.clone())?;
    let clerk = Clerk::of(&bank)?;
    let (ada, bob) = (desk.account("ada").await?, desk.account("bob").await?);
    let (from, today) = (month(&bank, 1).await?, today(&bank).await?);
    pay_in(&desk, ada, "36500", from).await?;
    let (id, day) = (ada.to_string(), from.to_string());
    let set = ["terms", "set", &id, "--valid-from", &day, "--credit-rate", "10"];
    let set = clerk.json(&[&set[..], &["--at-closing", "pay"]].concat()).await?;
    ensure!(set["terms"]["at_closing"] == "pay", "{set}");
    desk.tell(CloseAccount { payout: Some(bob), account_id: ada }).await?;
    desk.heard("accounts.account.closed.v1", ada).await?;
    let found = found(&desk, ada).await?;
    ensure!(found.terms[0].terms.at_closing == AtClosing::Pay, "{found:?}");
    let interest = accrued(&found, today);
    ensure!(capitalised(&found) == interest, "{interest}: {found:#?}");
    ensure!(of(&desk, bob).await? == Decimal::from(36_500) + interest);
    Ok(())
}

/// Rows of accounts that are closed, and of those that are frozen, are not walked each time.
async fn months_of_closed_accounts_are_in_nobodys_way(bank: Bank) -> Result<()> {
    bank.start_all(&["ledger", "accounts"]).await?;
    let mut desk = Desk::at(bank.clone())?;
    let (ada, bob) = (desk.account("ada").await?, desk.account("bob").await?);
    let this = month(&bank, 0).await?;
    for account in [ada, bob] {
        set(&desk, account, terms(this, 1, 0, None)).await?;
    }
    freeze(&desk, bob).await?;
    desk.tell(CloseAccount { payout: None, account_id: ada }).await?;
    desk.heard("accounts.account.closed.v1", ada).await?;
    let rows = "SELECT count(*) FROM interest_due WHERE NOT waits";
    ensure!(bank.number("ledger", rows).await? == 0, "one is closed, one waits");
    desk.tell(UnfreezeAccount { account_id: bob }).await?;
    wait_for("the months are due again", PATIENCE, async || {
        Ok(bank.number("ledger", rows).await? == 1)
    })
    .await
}
