//! Closing an account that bears interest. Promise: months that have ended are capitalised whenever
//! the account is closed; interest owed refuses the closing, with the reason.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, PATIENCE, facts, today, wait_for};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Amount, Total,
    accounts::{AccountCloseRefused, Blocks, CloseAccount, FreezeAccount, UnfreezeAccount},
    ledger::{AtClosing, GetBalance, GetInterest, InterestFound, LedgerStatus},
    topology::LEDGER_PARTITIONS,
};

use super::{
    bank_client::{BankClient, cash, customer, own, transfer},
    cli_runner::TellerCli,
    interest::{month, pay_in, set, terms},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        the_months_of_a_frozen_account_are_paid_when_it_is_unfrozen_and_closed_at_once,
        interest_owed_refuses_the_closing_until_it_is_paid,
        the_month_that_has_begun_is_paid_where_the_terms_say_so,
        months_of_closed_accounts_are_not_scanned,
    ]
}

async fn freeze(client: &BankClient, account_id: AccountId) -> Result<()> {
    let blocks = Blocks::Both;
    client.request(FreezeAccount { blocks, account_id, reason: "test".to_owned() }).await?;
    status(client, account_id, LedgerStatus::Frozen).await
}

async fn status(client: &BankClient, account: AccountId, status: LedgerStatus) -> Result<()> {
    wait_for(&format!("the account is {status:?}"), PATIENCE, async || {
        let query = GetBalance { account: customer(account), currency: None };
        Ok(client.query(query).await?.status == status)
    })
    .await
}

async fn balance_of(client: &BankClient, account: AccountId) -> Result<Decimal> {
    let query = GetBalance { account: customer(account), currency: None };
    Ok(client.query(query).await?.balance.decimal())
}

async fn found(client: &BankClient, account_id: AccountId) -> Result<InterestFound> {
    let (from, to) = (month(&client.bank, 3).await?, today(&client.bank).await?);
    Ok(client.query(GetInterest { account_id, from, to, known_at: None }).await?)
}

/// The sum of the capitalised interest.
fn capitalised(found: &InterestFound) -> Decimal {
    let months = found.capitalised.iter();
    months.map(|month| month.credit_interest.decimal() - month.debit_interest.decimal()).sum()
}

/// The interest accrued on the days before this month, rounded once.
fn accrued(found: &InterestFound, before: chrono::NaiveDate) -> Decimal {
    let days = found.days.iter().filter(|day| day.day < before);
    days.map(|day| day.accrued.decimal()).sum::<Decimal>().round_dp(2)
}

/// The unfreeze and the closing wait together for a ledger that is down: no job comes between.
async fn the_months_of_a_frozen_account_are_paid_when_it_is_unfrozen_and_closed_at_once(
    bank: Bank,
) -> Result<()> {
    let started = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    let (from, this) = (month(&bank, 3).await?, month(&bank, 0).await?);
    pay_in(&client, ada, "36500", from).await?;
    freeze(&client, ada).await?;
    set(&client, ada, terms(from, 10, 0, Some("2.50".parse()?))).await?;
    started[0].stop().await?;
    client.request(UnfreezeAccount { account_id: ada }).await?;
    client.request(CloseAccount { payout: Some(bob), account_id: ada }).await?;
    wait_for("both wait for the ledger", PATIENCE, async || {
        let mut waiting = 0;
        for partition in 0..LEDGER_PARTITIONS {
            waiting += bank.depth(&format!("ledger.commands.{partition}")).await?;
        }
        Ok(waiting == 2)
    })
    .await?;
    started[0].start().await?;
    client.wait_event("accounts.account.closed.v1", ada).await?;

    let found = found(&client, ada).await?;
    let interest = accrued(&found, this);
    ensure!(interest > Decimal::from(880), "three months at ten a day: {interest}");
    ensure!(found.capitalised.len() == 3 && capitalised(&found) == interest, "{found:#?}");
    let fees = Decimal::new(750, 2);
    ensure!(balance_of(&client, bob).await? == Decimal::from(36_500) + interest - fees);
    let paid = GetBalance { account: own("interest_paid"), currency: Some("EUR".parse()?) };
    ensure!(client.query(paid).await?.balance.decimal() == -interest);
    let lines = client.trial_balance().await?.lines;
    ensure!(Total::sum(lines.iter().map(|line| line.balance)) == Some(Total::ZERO));
    // Each posting left as an event, once.
    let received = bank.events().of_kind("ledger.transfers.posted.v1").await?;
    let actual =
        received.iter().filter(|event| event.event.data.to_string().contains("credit interest"));
    ensure!(actual.count() == 3, "{received:#?}");
    let due = "SELECT count(*) FROM interest_due";
    ensure!(bank.number("ledger", due).await? == 0, "nothing is due of a closed account");
    Ok(())
}

async fn interest_owed_refuses_the_closing_until_it_is_paid(bank: Bank) -> Result<()> {
    let started = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let ada =
        client.account_with("ada", |command| command.overdraft_limit = Amount(365.into())).await?;
    let from = month(&bank, 1).await?;
    let spent = transfer(customer(ada), cash(), "365")?;
    let spent = shared_events::ledger::Transfer { booking_date: Some(from), ..spent };
    ensure!(client.submit(spent).await? == "posted");
    // The money comes back today: the interest owed until today remains.
    client.deposit(ada, "365").await?;
    freeze(&client, ada).await?;
    set(&client, ada, terms(from, 0, 10, None)).await?;
    started[0].stop().await?;
    client.request(UnfreezeAccount { account_id: ada }).await?;
    client.request(CloseAccount { payout: None, account_id: ada }).await?;
    started[0].start().await?;
    client.wait_event("accounts.account.close_refused.v1", ada).await?;
    let refused = bank.events().of_kind("accounts.account.close_refused.v1").await?;
    let refused = refused.first().context("the event was published")?.event.data.clone();
    let refused: AccountCloseRefused = serde_json::from_value(refused)?;
    let owed = balance_of(&client, ada).await?;
    ensure!(owed < Decimal::ZERO && refused.balance.decimal() == owed, "{owed}: {refused:?}");
    ensure!(refused.reason.as_str() == "interest_owed", "{refused:?}");
    ensure!(client.deposit(ada, &(-owed).to_string()).await? == "posted");
    client.request(CloseAccount { payout: None, account_id: ada }).await?;
    client.wait_event("accounts.account.closed.v1", ada).await
}

async fn the_month_that_has_begun_is_paid_where_the_terms_say_so(bank: Bank) -> Result<()> {
    bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let teller = TellerCli::of(&bank)?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    let (from, today) = (month(&bank, 1).await?, today(&bank).await?);
    pay_in(&client, ada, "36500", from).await?;
    let (id, day) = (ada.to_string(), from.to_string());
    let set = ["terms", "set", &id, "--valid-from", &day, "--credit-rate", "10"];
    let set = teller.json(&[&set[..], &["--at-closing", "pay"]].concat()).await?;
    ensure!(set["terms"]["at_closing"] == "pay", "{set}");
    client.request(CloseAccount { payout: Some(bob), account_id: ada }).await?;
    client.wait_event("accounts.account.closed.v1", ada).await?;
    let found = found(&client, ada).await?;
    ensure!(found.terms[0].terms.at_closing == AtClosing::Pay, "{found:?}");
    let interest = accrued(&found, today);
    ensure!(capitalised(&found) == interest, "{interest}: {found:#?}");
    ensure!(balance_of(&client, bob).await? == Decimal::from(36_500) + interest);
    Ok(())
}

/// The due rows of closed and frozen accounts are not scanned each time.
async fn months_of_closed_accounts_are_not_scanned(bank: Bank) -> Result<()> {
    bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    let this = month(&bank, 0).await?;
    for account in [ada, bob] {
        set(&client, account, terms(this, 1, 0, None)).await?;
    }
    freeze(&client, bob).await?;
    client.request(CloseAccount { payout: None, account_id: ada }).await?;
    client.wait_event("accounts.account.closed.v1", ada).await?;
    let rows = "SELECT count(*) FROM interest_due WHERE NOT waits";
    ensure!(bank.number("ledger", rows).await? == 0, "one is closed, one waits");
    client.request(UnfreezeAccount { account_id: bob }).await?;
    wait_for("the months are due again", PATIENCE, async || {
        Ok(bank.number("ledger", rows).await? == 1)
    })
    .await
}
