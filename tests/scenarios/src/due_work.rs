//! Due work that cannot be processed. Promise: the item is set aside and counted, blocks no other
//! item, and is processed as soon as possible.

use anyhow::{Result, ensure};
use chrono::Days;
use harness::{Bank, Fact, Instance, PATIENCE, facts, today, wait_for};
use shared_events::{
    AccountId, Amount, OrderId, TransferId,
    ledger::{
        Action, CancelOrder, GetBalance, Hold, Instruction, ListOrders, OrderCancelled, SetOrder,
        SubmitInstructions,
    },
    message::Message as _,
};

use super::{
    bank_client::{BankClient, cash, customer, own, transfer},
    interest::{advance_clock, month, pay_in, set, terms},
    orders,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        an_order_that_cannot_be_read_holds_up_no_other,
        a_hold_that_cannot_be_read_holds_up_no_other,
        an_account_whose_terms_cannot_be_read_holds_up_no_other,
        a_monitor_that_cannot_be_read_holds_up_no_posting,
    ]
}

/// So many items are set aside, and the service is ready all the same.
async fn are_set_aside(ledger: &Instance, count: u32) -> Result<()> {
    wait_for(&format!("{count} items are set aside"), PATIENCE, async || {
        Ok((ledger.metric("ledger_set_aside").await? - f64::from(count)).abs() < 0.5)
    })
    .await?;
    let readiness = ledger.readiness().await?;
    ensure!(readiness.ready, "{:?}", readiness.parts);
    Ok(())
}

async fn balance(client: &BankClient, account: AccountId) -> Result<Amount> {
    let query = GetBalance { account: customer(account), currency: None };
    Ok(client.query(query).await?.balance)
}

/// As a newer version of the ledger would have written it.
async fn an_order_that_cannot_be_read_holds_up_no_other(bank: Bank) -> Result<()> {
    let started = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    let tomorrow = today(&bank).await? + Days::new(1);
    let (bad, good) = (OrderId::new(), OrderId::new());
    for (account_id, order_id) in [(ada, bad), (ada, good), (bob, good)] {
        client.deposit(account_id, "100").await?;
        let terms = orders::terms(own("fees"), 10, tomorrow)?;
        client.request(SetOrder { account_id, order_id, terms }).await?;
    }
    started[0].stop().await?;
    let newer = format!(
        "UPDATE orders SET terms = replace(terms::text, '\"same\"', '\"nearest\"')::json
         WHERE id = '{bad}'"
    );
    bank.execute("ledger", &newer).await?;
    advance_clock(&bank, 2).await?;
    started[0].start().await?;
    wait_for("the other orders are executed", PATIENCE, async || {
        let executed = "SELECT count(*) FROM order_executions WHERE status = 'executed'";
        Ok(bank.number("ledger", executed).await? == 2)
    })
    .await?;
    are_set_aside(&started[0], 1).await?;
    let logged = started[0].log()?.matches("set aside what is due").count();
    ensure!(logged == 1, "said {logged} times");
    // The account's other orders can be listed, set and cancelled, and so can this one.
    let listed = client.query(ListOrders { account_id: ada }).await?;
    ensure!(listed.orders.is_empty(), "the good one is over: {listed:?}");
    let another = orders::terms(own("fees"), 10, tomorrow + Days::new(9))?;
    let order_id = OrderId::new();
    client.request(SetOrder { account_id: ada, order_id, terms: another }).await?;
    ensure!(client.query(ListOrders { account_id: ada }).await?.orders.len() == 1);
    let answer = client.request(CancelOrder { account_id: ada, order_id: bad }).await?;
    ensure!(answer[0].kind == OrderCancelled::TYPE, "{answer:?}");
    Ok(())
}

async fn a_hold_that_cannot_be_read_holds_up_no_other(bank: Bank) -> Result<()> {
    let started = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    let mut ids = vec![];
    for account in [ada, bob] {
        client.deposit(account, "100").await?;
        let paid = transfer(customer(account), cash(), "30")?;
        let expires_at = chrono::Utc::now() + chrono::TimeDelta::hours(1);
        let hold = Action::Hold(Hold {
            debtor: paid.debtor.clone(),
            creditor: paid.creditor.clone(),
            money: paid.money,
            up_to: false,
            expires_at,
        });
        let hold = Instruction { action: hold, ..Instruction::from(paid) };
        ids.push(hold.transfer_id);
        client.request(SubmitInstructions { instructions: vec![hold] }).await?;
    }
    started[0].stop().await?;
    let bad: TransferId = ids[0];
    bank.execute("ledger", &format!("UPDATE holds SET currency = 'QQQ' WHERE id = '{bad}'"))
        .await?;
    advance_clock(&bank, 1).await?;
    started[0].start().await?;
    let open = "SELECT count(*) FROM holds WHERE status = 'open'";
    wait_for("the other hold is over", PATIENCE, async || {
        Ok(bank.number("ledger", open).await? == 1)
    })
    .await?;
    are_set_aside(&started[0], 1).await?;
    // Once it can be read it is done, when its turn comes again.
    let mended = format!(
        "UPDATE holds SET currency = 'EUR' WHERE id = '{bad}';
         UPDATE set_aside SET try_again = pg_catalog.clock_timestamp()"
    );
    bank.execute("ledger", &mended).await?;
    wait_for("the hold is over", PATIENCE, async || Ok(bank.number("ledger", open).await? == 0))
        .await?;
    are_set_aside(&started[0], 0).await
}

async fn an_account_whose_terms_cannot_be_read_holds_up_no_other(bank: Bank) -> Result<()> {
    let started = bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let (ada, bob) = (client.account("ada").await?, client.account("bob").await?);
    let (from, this) = (month(&bank, 1).await?, month(&bank, 0).await?);
    for account in [ada, bob] {
        pay_in(&client, account, "36500", from).await?;
        set(&client, account, terms(this, 1, 0, None)).await?;
    }
    started[0].stop().await?;
    let newer = format!(
        "ALTER TABLE interest_terms DISABLE TRIGGER append_only;
         ALTER TABLE interest_terms DROP CONSTRAINT interest_terms_rounding_check;
         UPDATE interest_terms SET rounding = 'ceiling' WHERE account_id = '{ada}';
         ALTER TABLE interest_terms ENABLE TRIGGER append_only"
    );
    bank.execute("ledger", &newer).await?;
    advance_clock(&bank, 32).await?;
    started[0].start().await?;
    wait_for("the other account has its interest", PATIENCE, async || {
        let done = format!("SELECT count(*) FROM interest_capitalised WHERE account_id = '{bob}'");
        Ok(bank.number("ledger", &done).await? == 1)
    })
    .await?;
    are_set_aside(&started[0], 1).await
}

async fn a_monitor_that_cannot_be_read_holds_up_no_posting(bank: Bank) -> Result<()> {
    bank.start_all(&["ledger", "accounts"]).await?;
    let mut client = BankClient::new(bank.clone())?;
    let ada = client.account("ada").await?;
    let newer = format!(
        "ALTER TABLE monitors DROP CONSTRAINT monitors_kind_check;
         INSERT INTO monitors VALUES ('{ada}', gen_random_uuid(), 'average', 5, true, 0),
             ('{ada}', gen_random_uuid(), 'above', 5, true, 0);
         UPDATE accounts SET monitored = true WHERE id = '{ada}'"
    );
    bank.execute("ledger", &newer).await?;
    ensure!(client.deposit(ada, "10").await? == "posted");
    ensure!(balance(&client, ada).await? == "10".parse()?);
    client.wait_event("ledger.monitor.raised.v1", ada).await
}
