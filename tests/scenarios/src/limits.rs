//! Spending limits, freezes of one direction, and payouts at closing.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use shared_events::{
    AccountId, Amount, Message as _, MessageId,
    accounts::{
        AccountCloseRefused, AccountClosed, AccountKey, AccountStatus, Blocks, ChangeLimits,
        CloseAccount, FreezeAccount, GetAccount, SetLimits, SpendingLimit, SpendingLimits,
    },
    ledger::{
        GetBalance, Instruction, InstructionOutcome, PreviewInstructions, RejectReason, Transfer,
    },
};

use super::{
    bank_client::{BankClient, amount, cash, customer, transfer},
    cli_runner::TellerCli,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        each_limit_stops_the_next_transfer_by_its_own_reason,
        a_change_of_one_limit_leaves_the_others,
        a_freeze_of_one_direction_lets_the_other_pass,
        a_payout_empties_an_account_that_is_closed,
        a_payout_that_cannot_be_made_leaves_the_account_as_it_was,
    ]
}

/// Waits until the ledger would decide so: it follows the accounts service a moment later.
async fn ledger_would_say(
    client: &BankClient,
    transfer: &Transfer,
    then: Option<RejectReason>,
) -> Result<()> {
    wait_for(&format!("the ledger says {then:?}"), PATIENCE, async || {
        let instructions = vec![Instruction::from(transfer.clone())];
        let previewed = client.query(PreviewInstructions { instructions }).await?;
        let first = previewed.instructions.first().context("an outcome")?;
        let reason = match &first.outcome {
            InstructionOutcome::Rejected(rejected) => rejected.reason.known(),
            _ => None,
        };
        Ok(reason == then)
    })
    .await
}

async fn balance(client: &BankClient, account: AccountId) -> Result<Amount> {
    let query = GetBalance { account: customer(account), currency: None };
    Ok(client.query(query).await?.balance)
}

async fn each_limit_stops_the_next_transfer_by_its_own_reason(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    client.deposit(alice, "1000").await?;
    let none = SpendingLimits::default();
    // The limit, an amount above the limit, the reject reason, and the amount that is still
    // allowed.
    let steps = [
        (
            SpendingLimits { transfer: Some(amount(100)), ..none },
            "100.01",
            "transfer_limit",
            Some("100"),
        ),
        (SpendingLimits { daily: Some(amount(150)), ..none }, "50.01", "daily_limit", Some("50")),
        (
            SpendingLimits { monthly: Some(amount(250)), ..none },
            "100.01",
            "monthly_limit",
            Some("100"),
        ),
        (
            SpendingLimits { minimum_balance: Some(amount(750)), ..none },
            "0.01",
            "minimum_balance",
            None,
        ),
    ];
    for (limits, too_much, reason, rest) in steps {
        let spending = Some(limits);
        let overdraft_limit = Amount::ZERO;
        client.request(SetLimits { account_id: alice, overdraft_limit, spending }).await?;
        let blocked = transfer(customer(alice), cash(), too_much)?;
        ledger_would_say(&client, &blocked, RejectReason::from_code(reason)).await?;
        ensure!(client.submit(blocked).await? == reason, "{reason}");
        let shown = client.query(GetAccount { key: AccountKey::AccountId(alice) }).await?;
        ensure!(shown.account.spending == spending, "{:?}", shown.account);
        if let Some(rest) = rest {
            ensure!(client.submit(transfer(customer(alice), cash(), rest)?).await? == "posted");
        }
    }
    ensure!(balance(&client, alice).await? == amount(750), "100, 50 and 100 were spent");
    Ok(())
}

/// Two who change different limits at once: each leaves the other's as it is.
async fn a_change_of_one_limit_leaves_the_others(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    let change = |edit: fn(&mut ChangeLimits)| {
        let mut command = ChangeLimits {
            account_id: alice,
            overdraft_limit: None,
            transfer: None,
            daily: None,
            monthly: None,
            minimum_balance: None,
            lift: vec![],
        };
        edit(&mut command);
        command
    };
    let daily = change(|change| change.daily = Some(amount(100)));
    let others = change(|change| {
        (change.overdraft_limit, change.transfer) = (Some(amount(5)), Some(amount(9)));
    });
    let messages = [daily, others].map(|command| Message::of(MessageId::new(), command));
    client.bank.publish_all(&messages).await?;
    for message in &messages {
        client.bank.events().outcome(message.id()).await?;
    }
    let limits = async || -> Result<_> {
        let shown = client.query(GetAccount { key: AccountKey::AccountId(alice) }).await?;
        Ok((shown.account.overdraft_limit, shown.account.spending.unwrap_or_default()))
    };
    let none = SpendingLimits::default();
    let both = SpendingLimits { transfer: Some(amount(9)), daily: Some(amount(100)), ..none };
    ensure!(limits().await? == (amount(5), both), "{:?}", limits().await?);
    let blocked = transfer(customer(alice), cash(), "10")?;
    ledger_would_say(&client, &blocked, Some(RejectReason::TransferLimit)).await?;

    let teller = TellerCli::of(&client.bank)?;
    let id = alice.to_string();
    let set = ["limits", "set", &id, "--transfer", "none", "--monthly", "700"];
    let again = MessageId::new().to_string();
    let set = [&set[..], &["--id", &again]].concat();
    teller.json(&set).await?;
    let after = SpendingLimits { transfer: None, monthly: Some(amount(700)), ..both };
    ensure!(limits().await? == (amount(5), after), "{:?}", limits().await?);
    // Sent again, after somebody else has lifted it: it was done, and is not done again.
    client.request(change(|change| change.lift = vec![SpendingLimit::Monthly])).await?;
    teller.json(&set).await?;
    let after = SpendingLimits { monthly: None, ..after };
    ensure!(limits().await? == (amount(5), after), "{:?}", limits().await?);
    ledger_would_say(&client, &blocked, Some(RejectReason::InsufficientFunds)).await
}

async fn a_freeze_of_one_direction_lets_the_other_pass(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    client.deposit(alice, "10").await?;
    let reason = "lost card".to_owned();
    client.request(FreezeAccount { account_id: alice, reason, blocks: Blocks::Debits }).await?;
    let out = transfer(customer(alice), cash(), "1")?;
    ledger_would_say(&client, &out, Some(RejectReason::AccountFrozen)).await?;
    ensure!(client.submit(out).await? == "account_frozen");
    ensure!(client.deposit(alice, "1").await? == "posted");
    ensure!(balance(&client, alice).await? == amount(11));
    Ok(())
}

async fn a_payout_empties_an_account_that_is_closed(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    let bob = client.account("bob").await?;
    client.deposit(alice, "12.34").await?;
    client.request(CloseAccount { account_id: alice, payout: Some(bob) }).await?;
    client.wait_event(AccountClosed::TYPE, alice).await?;
    ensure!(balance(&client, alice).await? == Amount::ZERO);
    ensure!(balance(&client, bob).await? == "12.34".parse()?);
    let actual = client.transcript().await?;
    let payout = "ledger.transfers.posted.v1 alice -> bob 12.34 EUR: alice 0 v3, bob 12.34 v2";
    ensure!(actual.contains(payout), "{actual}");
    Ok(())
}

async fn a_payout_that_cannot_be_made_leaves_the_account_as_it_was(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    let yen = client
        .account_with("yuki", |command| command.currency = "JPY".parse().expect("yen"))
        .await?;
    client.deposit(alice, "5").await?;
    client.request(CloseAccount { account_id: alice, payout: Some(yen) }).await?;
    client.wait_event(AccountCloseRefused::TYPE, alice).await?;
    let actual = client.transcript().await?;
    ensure!(actual.contains("reason=payout_rejected balance=5"), "{actual}");
    let shown = client.query(GetAccount { key: AccountKey::AccountId(alice) }).await?;
    ensure!(shown.account.status == AccountStatus::Active);
    ensure!(client.submit(transfer(customer(alice), cash(), "5")?).await? == "posted");
    Ok(())
}
