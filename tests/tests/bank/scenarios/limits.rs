//! What an account may spend, what it refuses, and where its rest goes.

use anyhow::{Context, Result, ensure};
use integration_tests::{Bank, Fact, Message, PATIENCE, facts, wait_for};
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
    clerk::Clerk,
    desk::{Desk, amount, cash, customer, transfer},
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
    desk: &Desk,
    transfer: &Transfer,
    then: Option<RejectReason>,
) -> Result<()> {
    wait_for(&format!("the ledger says {then:?}"), PATIENCE, async || {
        let instructions = vec![Instruction::from(transfer.clone())];
        let previewed = desk.client.ask(PreviewInstructions { instructions }).await?;
        let first = previewed.instructions.first().context("an outcome")?;
        let reason = match &first.outcome {
            InstructionOutcome::Rejected(it) => it.reason.known(),
            _ => None,
        };
        Ok(reason == then)
    })
    .await
}

async fn balance(desk: &Desk, account: AccountId) -> Result<Amount> {
    let asked = GetBalance { account: customer(account), currency: None };
    Ok(desk.client.ask(asked).await?.balance)
}

async fn each_limit_stops_the_next_transfer_by_its_own_reason(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    let alice = desk.account("alice").await?;
    desk.deposit(alice, "1000").await?;
    let none = SpendingLimits::default();
    // The limit, what is too much for it, the reason, and what it still allows.
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
        desk.tell(SetLimits { account_id: alice, overdraft_limit, spending }).await?;
        let blocked = transfer(customer(alice), cash(), too_much)?;
        ledger_would_say(&desk, &blocked, RejectReason::from_code(reason)).await?;
        ensure!(desk.send(blocked).await? == reason, "{reason}");
        let shown = desk.client.ask(GetAccount { key: AccountKey::AccountId(alice) }).await?;
        ensure!(shown.account.spending == spending, "{:?}", shown.account);
        if let Some(rest) = rest {
            ensure!(desk.send(transfer(customer(alice), cash(), rest)?).await? == "posted");
        }
    }
    ensure!(balance(&desk, alice).await? == amount(750), "100, 50 and 100 were spent");
    Ok(())
}

/// Two who change different limits at once: each leaves the other's as it is.
async fn a_change_of_one_limit_leaves_the_others(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    let alice = desk.account("alice").await?;
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
    let daily = change(|it| it.daily = Some(amount(100)));
    let others =
        change(|it| (it.overdraft_limit, it.transfer) = (Some(amount(5)), Some(amount(9))));
    let messages = [daily, others].map(|it| Message::of(MessageId::new(), it));
    desk.bank.publish_all(&messages).await?;
    for message in &messages {
        desk.bank.events().outcome(message.id()).await?;
    }
    let limits = async || -> Result<_> {
        let shown = desk.client.ask(GetAccount { key: AccountKey::AccountId(alice) }).await?;
        Ok((shown.account.overdraft_limit, shown.account.spending.unwrap_or_default()))
    };
    let none = SpendingLimits::default();
    let both = SpendingLimits { transfer: Some(amount(9)), daily: Some(amount(100)), ..none };
    ensure!(limits().await? == (amount(5), both), "{:?}", limits().await?);
    let blocked = transfer(customer(alice), cash(), "10")?;
    ledger_would_say(&desk, &blocked, Some(RejectReason::TransferLimit)).await?;

    let clerk = Clerk::of(&desk.bank)?;
    let id = alice.to_string();
    let set = ["limits", "set", &id, "--transfer", "none", "--monthly", "700"];
    let again = MessageId::new().to_string();
    let set = [&set[..], &["--id", &again]].concat();
    clerk.json(&set).await?;
    let after = SpendingLimits { transfer: None, monthly: Some(amount(700)), ..both };
    ensure!(limits().await? == (amount(5), after), "{:?}", limits().await?);
    // Sent again, after somebody else has lifted it: it was done, and is not done again.
    desk.tell(change(|it| it.lift = vec![SpendingLimit::Monthly])).await?;
    clerk.json(&set).await?;
    let after = SpendingLimits { monthly: None, ..after };
    ensure!(limits().await? == (amount(5), after), "{:?}", limits().await?);
    ledger_would_say(&desk, &blocked, Some(RejectReason::InsufficientFunds)).await
}

async fn a_freeze_of_one_direction_lets_the_other_pass(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    let alice = desk.account("alice").await?;
    desk.deposit(alice, "10").await?;
    let reason = "lost card".to_owned();
    desk.tell(FreezeAccount { account_id: alice, reason, blocks: Blocks::Debits }).await?;
    let out = transfer(customer(alice), cash(), "1")?;
    ledger_would_say(&desk, &out, Some(RejectReason::AccountFrozen)).await?;
    ensure!(desk.send(out).await? == "account_frozen");
    ensure!(desk.deposit(alice, "1").await? == "posted");
    ensure!(balance(&desk, alice).await? == amount(11));
    Ok(())
}

async fn a_payout_empties_an_account_that_is_closed(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    let alice = desk.account("alice").await?;
    let bob = desk.account("bob").await?;
    desk.deposit(alice, "12.34").await?;
    desk.tell(CloseAccount { account_id: alice, payout: Some(bob) }).await?;
    desk.heard(AccountClosed::TYPE, alice).await?;
    ensure!(balance(&desk, alice).await? == Amount::ZERO);
    ensure!(balance(&desk, bob).await? == "12.34".parse()?);
    let told = desk.story().await?;
    let payout = "ledger.transfers.posted.v1 alice -> bob 12.34 EUR: alice 0 v3, bob 12.34 v2";
    ensure!(told.contains(payout), "{told}");
    Ok(())
}

async fn a_payout_that_cannot_be_made_leaves_the_account_as_it_was(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank).await?;
    let alice = desk.account("alice").await?;
    let yen = desk.account_with("yuki", |it| it.currency = "JPY".parse().expect("yen")).await?;
    desk.deposit(alice, "5").await?;
    desk.tell(CloseAccount { account_id: alice, payout: Some(yen) }).await?;
    desk.heard(AccountCloseRefused::TYPE, alice).await?;
    let told = desk.story().await?;
    ensure!(told.contains("reason=payout_rejected balance=5"), "{told}");
    let shown = desk.client.ask(GetAccount { key: AccountKey::AccountId(alice) }).await?;
    ensure!(shown.account.status == AccountStatus::Active);
    ensure!(desk.send(transfer(customer(alice), cash(), "5")?).await? == "posted");
    Ok(())
}
