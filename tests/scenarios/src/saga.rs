//! The life of an account, from its opening to its closing, across the services.

use anyhow::{Result, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for};
use shared_events::{
    AccountId, Message as _, MessageId,
    accounts::{
        AccountActivated, AccountCloseRefused, AccountClosed, AccountClosing, AccountFrozen,
        AccountKey, AccountStatus, AccountUnfrozen, AccountsCommandRejected, Blocks, CloseAccount,
        FreezeAccount, GetAccount, Holder, SetLimits, UnfreezeAccount, UpdateHolder,
    },
    ledger::{GetBalance, LedgerStatus, SubmitTransfers},
    topology::SERVICES,
};

use super::bank_client::{BankClient, amount, cash, customer, opening, transfer};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        an_account_is_opened_activated_and_used,
        an_account_with_money_on_it_is_not_closed_and_an_empty_one_is,
        no_money_moves_on_a_frozen_account,
        a_freeze_wins_over_the_transfer_that_is_queued_behind_it,
        a_freeze_is_changed_without_a_gap,
        an_account_that_is_frozen_too_early_is_frozen_from_its_first_moment,
        an_account_that_is_frozen_while_it_closes_ends_as_the_ledger_found_it,
        refused_openings_use_no_account_number,
        a_changed_limit_counts_from_the_next_transfer_on,
        a_changed_holder_is_announced,
    ]
}

async fn an_account_is_opened_activated_and_used(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    let bob = client.account_with("bob", |command| command.overdraft_limit = amount(50)).await?;
    client.deposit(alice, "100").await?;
    client.submit(transfer(customer(alice), customer(bob), "30.50")?).await?;
    client.submit(transfer(customer(bob), cash(), "80.50")?).await?;
    let expected = "
accounts.account.opened.v2 alice overdraft_limit=0 version=1
ledger.account.opened.v1 alice version=1
accounts.account.activated.v1 alice version=2
accounts.account.opened.v2 bob overdraft_limit=50 version=1
ledger.account.opened.v1 bob version=1
accounts.account.activated.v1 bob version=2
ledger.transfers.posted.v1 cash -> alice 100.00 EUR: cash -100 v2, alice 100 v2
ledger.transfers.posted.v1 alice -> bob 30.50 EUR: alice 69.5 v3, bob 30.5 v2
ledger.transfers.posted.v1 bob -> cash 80.50 EUR: bob -50 v3, cash -19.5 v3
";
    client.expect_transcript(expected).await
}

async fn an_account_with_money_on_it_is_not_closed_and_an_empty_one_is(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    client.deposit(alice, "10").await?;
    client.request(CloseAccount { payout: None, account_id: alice }).await?;
    client.wait_event(AccountCloseRefused::TYPE, alice).await?;
    client.submit(transfer(customer(alice), cash(), "10")?).await?;
    client.request(CloseAccount { payout: None, account_id: alice }).await?;
    client.wait_event(AccountClosed::TYPE, alice).await?;
    ledger_says(&client, alice, LedgerStatus::Closed).await?;
    client.deposit(alice, "1").await?;
    client.submit(transfer(customer(alice), cash(), "1")?).await?;
    let expected = "
accounts.account.opened.v2 alice overdraft_limit=0 version=1
ledger.account.opened.v1 alice version=1
accounts.account.activated.v1 alice version=2
ledger.transfers.posted.v1 cash -> alice 10.00 EUR: cash -10 v2, alice 10 v2
accounts.account.closing.v1 alice version=3
ledger.account.close_refused.v1 alice reason=balance_not_zero balance=10 version=2
accounts.account.close_refused.v1 alice reason=balance_not_zero balance=10 version=4
ledger.transfers.posted.v1 alice -> cash 10.00 EUR: alice 0 v3, cash 0 v3
accounts.account.closing.v1 alice version=5
ledger.account.locked.v1 alice version=4
accounts.account.closed.v1 alice version=6
ledger.transfers.rejected.v1 cash -> alice 1.00 EUR: account_closed
ledger.transfers.rejected.v1 alice -> cash 1.00 EUR: account_closed
";
    client.expect_transcript(expected).await
}

async fn no_money_moves_on_a_frozen_account(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    client.deposit(alice, "10").await?;
    client
        .request(FreezeAccount {
            blocks: Blocks::Both,
            account_id: alice,
            reason: "lost card".to_owned(),
        })
        .await?;
    ledger_says(&client, alice, LedgerStatus::Frozen).await?;
    client.submit(transfer(customer(alice), cash(), "1")?).await?;
    client.deposit(alice, "2").await?;
    client.request(UnfreezeAccount { account_id: alice }).await?;
    ledger_says(&client, alice, LedgerStatus::Active).await?;
    client.submit(transfer(customer(alice), cash(), "1")?).await?;
    let expected = "
accounts.account.opened.v2 alice overdraft_limit=0 version=1
ledger.account.opened.v1 alice version=1
accounts.account.activated.v1 alice version=2
ledger.transfers.posted.v1 cash -> alice 10.00 EUR: cash -10 v2, alice 10 v2
accounts.account.frozen.v1 alice reason=lost card version=3
ledger.transfers.rejected.v1 alice -> cash 1.00 EUR: account_frozen
ledger.transfers.rejected.v1 cash -> alice 2.00 EUR: account_frozen
accounts.account.unfrozen.v1 alice version=4
ledger.transfers.posted.v1 alice -> cash 1.00 EUR: alice 9 v3, cash -9 v3
";
    client.expect_transcript(expected).await
}

/// The freeze and the transfer wait together for a ledger that is down.
async fn a_freeze_wins_over_the_transfer_that_is_queued_behind_it(bank: Bank) -> Result<()> {
    let instances = bank.start_all(&SERVICES).await?;
    let ledger = instances.iter().find(|instance| instance.label().starts_with("ledger"));
    let mut client = BankClient::new(bank)?;
    let alice = client.account("alice").await?;
    client.deposit(alice, "10").await?;
    let ledger = ledger.expect("the ledger was started");
    ledger.stop().await?;
    client
        .request(FreezeAccount {
            blocks: Blocks::Both,
            account_id: alice,
            reason: "seized".to_owned(),
        })
        .await?;
    wait_for("the freeze waits for the ledger", PATIENCE, async || {
        let mut waiting = 0;
        for partition in 0..shared_events::topology::LEDGER_PARTITIONS {
            waiting += client.bank.depth(&format!("ledger.commands.{partition}")).await?;
        }
        Ok(waiting == 1)
    })
    .await?;
    let id = MessageId::new();
    let transfers = vec![transfer(customer(alice), cash(), "1")?];
    client.bank.publish(&Message::of(id, SubmitTransfers { transfers })).await?;
    ledger.start().await?;
    let outcome = client.bank.events().outcome(id).await?.event;
    ensure!(outcome.data["transfers"][0]["reason"] == "account_frozen", "{outcome:?}");
    Ok(())
}

fn freeze(account_id: AccountId, blocks: Blocks) -> FreezeAccount {
    FreezeAccount { account_id, reason: "court order".to_owned(), blocks }
}

/// The freeze becomes wider, turns to the other direction and becomes narrower: the last freeze
/// applies, and no step permits a payment that the freezes before and after it refuse.
async fn a_freeze_is_changed_without_a_gap(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    client.deposit(alice, "10").await?;
    for (blocks, out, into) in [
        (Blocks::Credits, "posted", "account_frozen"),
        (Blocks::Both, "account_frozen", "account_frozen"),
        (Blocks::Debits, "account_frozen", "posted"),
        (Blocks::Both, "account_frozen", "account_frozen"),
    ] {
        client.request(freeze(alice, blocks)).await?;
        wait_for(&format!("the ledger refuses {blocks:?}"), PATIENCE, async || {
            let query = GetBalance { account: customer(alice), currency: None };
            Ok(client.query(query).await?.blocks == Some(blocks))
        })
        .await?;
        let went_out = client.submit(transfer(customer(alice), cash(), "1")?).await?;
        let came_in = client.deposit(alice, "1").await?;
        ensure!((went_out.as_str(), came_in.as_str()) == (out, into), "{went_out}, {came_in}");
    }
    let frozen = client.bank.events().wait_for(AccountFrozen::TYPE, 4).await?;
    let versions: Vec<_> = frozen.iter().map(|event| event.event.data["version"].clone()).collect();
    ensure!(versions == [3, 4, 5, 6], "{versions:?}");
    ensure!(client.bank.events().of_kind(AccountUnfrozen::TYPE).await?.is_empty());
    Ok(())
}

async fn an_account_that_is_frozen_too_early_is_frozen_from_its_first_moment(
    bank: Bank,
) -> Result<()> {
    bank.start_all(&["accounts", "notifications"]).await?;
    let client = BankClient::new(bank)?;
    let open = opening("alice")?;
    let alice = open.account_id;
    client.request(open).await?;
    let answer = client.request(freeze(alice, Blocks::Both)).await?;
    ensure!(answer[0].kind == AccountFrozen::TYPE, "{answer:?}");
    client.bank.start("ledger").await?;
    client.wait_event(AccountActivated::TYPE, alice).await?;
    ensure!(client.deposit(alice, "1").await? == "account_frozen");
    let shown = client.query(GetAccount { key: AccountKey::AccountId(alice) }).await?.account;
    ensure!(shown.status == AccountStatus::Frozen && shown.version == 3, "{shown:?}");
    client.request(UnfreezeAccount { account_id: alice }).await?;
    ledger_says(&client, alice, LedgerStatus::Active).await?;
    ensure!(client.deposit(alice, "1").await? == "posted");
    Ok(())
}

/// One whose closing the ledger refuses is frozen then; one that it could lock is closed. Where a
/// freeze reaches the ledger before the closing does, nothing is paid out.
async fn an_account_that_is_frozen_while_it_closes_ends_as_the_ledger_found_it(
    bank: Bank,
) -> Result<()> {
    let instances = bank.start_all(&SERVICES).await?;
    let ledger = instances.iter().find(|instance| instance.label().starts_with("ledger"));
    let ledger = ledger.expect("the ledger was started");
    let mut client = BankClient::new(bank)?;
    let rich = client.account("rich").await?;
    let empty = client.account("empty").await?;
    let late = client.account("late").await?;
    client.deposit(rich, "10").await?;
    client.deposit(late, "10").await?;
    ledger.stop().await?;
    for account_id in [rich, empty] {
        client.request(CloseAccount { payout: None, account_id }).await?;
        let answer = client.request(freeze(account_id, Blocks::Both)).await?;
        ensure!(answer[0].kind == AccountFrozen::TYPE, "{answer:?}");
        let answer = client.request(UnfreezeAccount { account_id }).await?;
        ensure!(answer[0].kind == AccountsCommandRejected::TYPE, "the ledger's answer is first");
    }
    ledger.start().await?;
    client.wait_event(AccountCloseRefused::TYPE, rich).await?;
    client.wait_event(AccountClosed::TYPE, empty).await?;
    ledger_says(&client, rich, LedgerStatus::Frozen).await?;
    let shown = client.query(GetAccount { key: AccountKey::AccountId(rich) }).await?.account;
    ensure!(shown.status == AccountStatus::Frozen && shown.version == 5, "{shown:?}");

    // As if the event that closes had left late.
    let (reason, blocks, previous_blocks) = ("seized".to_owned(), Blocks::Both, None);
    let frozen = AccountFrozen { account_id: late, reason, blocks, previous_blocks, version: 4 };
    client.bank.publish(&Message::of(MessageId::new(), frozen)).await?;
    ledger_says(&client, late, LedgerStatus::Frozen).await?;
    let closing = AccountClosing { account_id: late, payout: Some(rich), version: 3 };
    let id = MessageId::new();
    client.bank.publish(&Message::of(id, closing)).await?;
    let refused = client.bank.events().outcome(id).await?.event;
    ensure!(refused.data["reason"] == "account_frozen", "{refused:?}");
    ensure!(refused.data["closing_version"] == 3, "{refused:?}");
    let query = GetBalance { account: customer(late), currency: None };
    ensure!(client.query(query).await?.balance == amount(10), "the balance was paid out");
    Ok(())
}

/// There are 90 million of them: nobody uses them up by commands that are refused.
async fn refused_openings_use_no_account_number(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    client
        .account_with("alice", |command| command.external_reference = Some("taken".to_owned()))
        .await?;
    let next = "SELECT last_value + is_called::int FROM account_serials";
    let before = client.bank.number("accounts", next).await?;
    let refused = |n: usize| -> Result<Message> {
        let mut open = opening("mallory")?;
        match n % 2 {
            0 => open.product = "Current".to_owned(),
            _ => open.external_reference = Some("taken".to_owned()),
        }
        Ok(Message::of(MessageId::new(), open))
    };
    let messages = (0..1_000).map(refused).collect::<Result<Vec<_>>>()?;
    client.bank.publish_all(&messages).await?;
    client.bank.events().wait_for(AccountsCommandRejected::TYPE, messages.len()).await?;
    ensure!(client.bank.number("accounts", next).await? == before, "numbers were used");
    client.account("bob").await?;
    ensure!(client.bank.number("accounts", next).await? == before + 1);
    Ok(())
}

async fn a_changed_limit_counts_from_the_next_transfer_on(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    for (limit, amount) in [("20", "20.01"), ("20", "20"), ("5", "0.01")] {
        let overdraft_limit = limit.parse()?;
        client.request(SetLimits { spending: None, account_id: alice, overdraft_limit }).await?;
        wait_for("the ledger knows the limit", PATIENCE, async || {
            let query = GetBalance { account: customer(alice), currency: None };
            Ok(client.query(query).await?.overdraft_limit == Some(overdraft_limit))
        })
        .await?;
        client.submit(transfer(customer(alice), cash(), amount)?).await?;
    }
    client.deposit(alice, "1").await?;
    let expected = "
accounts.account.opened.v2 alice overdraft_limit=0 version=1
ledger.account.opened.v1 alice version=1
accounts.account.activated.v1 alice version=2
accounts.limits.changed.v1 alice overdraft_limit=20 version=3
ledger.transfers.rejected.v1 alice -> cash 20.01 EUR: insufficient_funds
accounts.limits.changed.v1 alice overdraft_limit=20 version=4
ledger.transfers.posted.v1 alice -> cash 20.00 EUR: alice -20 v2, cash 20 v2
accounts.limits.changed.v1 alice overdraft_limit=5 version=5
ledger.transfers.rejected.v1 alice -> cash 0.01 EUR: insufficient_funds
ledger.transfers.posted.v1 cash -> alice 1.00 EUR: cash 19 v3, alice -19 v3
";
    client.expect_transcript(expected).await
}

/// The notification of the change: `notifications::`.
async fn a_changed_holder_is_announced(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    let holder = Holder {
        name: "Alice Nováková".to_owned(),
        email: Some("alice@example.com".to_owned()),
        webhook: None,
        language: "cs".to_owned(),
    };
    client.request(UpdateHolder { account_id: alice, holder: holder.clone() }).await?;
    let expected = "
accounts.account.opened.v2 alice overdraft_limit=0 version=1
ledger.account.opened.v1 alice version=1
accounts.account.activated.v1 alice version=2
accounts.holder.updated.v2 alice version=3
";
    client.expect_transcript(expected).await
}

async fn ledger_says(client: &BankClient, account: AccountId, status: LedgerStatus) -> Result<()> {
    wait_for(&format!("the ledger has the account {status:?}"), PATIENCE, async || {
        let query = GetBalance { account: customer(account), currency: None };
        Ok(client.query(query).await?.status == status)
    })
    .await
}
