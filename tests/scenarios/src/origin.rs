//! The origin of messages. Promise: a message has its effect only if it came the way its kind
//! comes, from the user that the broker vouches for; everything else is parked or disregarded, and
//! harms no other message.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, Message, PATIENCE, Parked, broker::CLIENT, facts, wait_for};
use lapin::types::AMQPValue;
use reqwest::Method;
use serde_json::json;
use shared_events::{
    AccountId, Message as _, MessageId,
    accounts::{AccountFrozen, AccountKey, Blocks, FreezeAccount, GetAccount, ListAccounts},
    ledger::{SubmitTransfers, TransfersPosted},
    notifications::{SetPreferences, Topic},
    topology::{ATTEMPT_HEADER, COMMANDS, EVENTS, PRINCIPAL_HEADER, RETRY},
};

use super::{
    bank_client::{BankClient, cash, customer, own, transfer},
    cli_runner::TellerCli,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        an_event_that_a_client_sends_as_a_command_is_never_followed,
        a_message_that_another_user_puts_on_the_way_of_retries_has_no_effect,
        a_dead_letter_of_a_client_has_no_effect,
        an_event_under_a_key_of_another_type_is_not_followed,
        one_forged_event_harms_no_other_of_its_message,
        a_message_without_a_user_is_not_handled,
        a_query_under_a_key_of_another_type_is_not_answered,
        a_reply_goes_to_no_other_users_queue,
        a_clients_word_about_author_and_attempts_counts_for_nothing,
        a_clients_count_of_deliveries_isolates_nothing,
    ]
}

fn text(value: &str) -> AMQPValue {
    AMQPValue::LongString(value.into())
}

/// The event that an account is frozen, which its owner never announced.
fn frozen(account_id: AccountId) -> Message {
    let reason = "forged".to_owned();
    let blocks = Blocks::Both;
    let event = AccountFrozen { account_id, reason, blocks, previous_blocks: None, version: 9 };
    Message::of(MessageId::new(), event)
}

/// The event that 31,337 EUR left an account.
fn posted(account: AccountId) -> Result<Message> {
    let side = |id: AccountId| json!({ "account_id": id, "balance": "-31337", "version": 7 });
    let data: TransfersPosted = serde_json::from_value(json!({
        "command_id": MessageId::new(),
        "transfers": [{
            "transfer_id": MessageId::new(),
            "debtor": side(account),
            "creditor": side(AccountId::new()),
            "money": { "amount": "31337.00", "currency": "EUR" },
            "booking_date": "2026-11-22",
        }],
    }))?;
    Ok(Message::of(MessageId::new(), data))
}

/// The command that pays cash into an account.
fn paid_in(account: AccountId, amount: &str) -> Result<Message> {
    let transfers = vec![transfer(cash(), customer(account), amount)?];
    Ok(Message::of(MessageId::new(), SubmitTransfers { transfers }))
}

async fn balance(client: &BankClient, account: AccountId) -> Result<i64> {
    let balance = "SELECT (posted_credits - posted_debits)::bigint FROM accounts";
    client.bank.number("ledger", &format!("{balance} WHERE id = '{account}'")).await
}

async fn are_parked(bank: &Bank, service: &str, count: usize) -> Result<Vec<Parked>> {
    let parked = bank.wait_parked(service, count).await?;
    ensure!(parked.len() == count, "{parked:?}");
    for message in &parked {
        ensure!(message.reason == "wrong_origin", "{message:?}");
        ensure!(!message.headers.contains_key(PRINCIPAL_HEADER), "it has an author: {message:?}");
    }
    Ok(parked)
}

/// The ledger still lets the account be debited.
async fn is_free(client: &BankClient, account: AccountId) -> Result<()> {
    let frozen =
        format!("SELECT count(*) FROM accounts WHERE id = '{account}' AND status = 'frozen'");
    ensure!(client.bank.number("ledger", &frozen).await? == 0, "the ledger believes the forgery");
    let outcome = client.submit(transfer(customer(account), cash(), "1")?).await?;
    ensure!(outcome == "posted", "{outcome}");
    Ok(())
}

/// The event lies among the parked messages, where it looks like others; the replay of an operator
/// sends it back through the service's own exchange.
async fn an_event_that_a_client_sends_as_a_command_is_never_followed(bank: Bank) -> Result<()> {
    let teller = TellerCli::of(&bank)?;
    let mut client = BankClient::with_services(bank).await?;
    let account = client.account("alice").await?;
    client.deposit(account, "10").await?;
    let forged = |key: &str| {
        frozen(account)
            .with_user(CLIENT)
            .to(COMMANDS, key)
            .with_header("x-parked-reason", text("hopeless"))
            .with_header("x-parked-queue", text("ledger.commands.0"))
            .with_header(PRINCIPAL_HEADER, text("accounts"))
    };
    client.bank.publish_as(CLIENT, &[forged("ledger.transfers.submit.v1")]).await?;
    let under_its_type = [forged("accounts.account.frozen.v1")];
    ensure!(client.bank.publish_as(CLIENT, &under_its_type).await.is_err(), "no role sends events");
    client.bank.publish_all(&under_its_type).await?;
    are_parked(&client.bank, "ledger", 1).await?;
    let of = ["--service", "ledger"];
    let list = teller.json(&[&["parked", "list"][..], &of].concat()).await?;
    ensure!(list[0]["reason"] == "wrong_origin" && list[0]["principal"].is_null(), "{list}");
    let all = teller.json(&[&["parked", "replay", "--all"][..], &of].concat()).await?;
    ensure!(all == json!({ "replayed": [], "refused": [], "not_found": [] }), "{all}");
    let id = list[0]["id"].as_str().context("it has an id")?;
    let named = teller.run(&[&["parked", "replay", id][..], &of].concat()).await?;
    ensure!(named.code == 1 && named.err.contains("no_author"), "{named:?}");
    are_parked(&client.bank, "ledger", 1).await?;
    is_free(&client, account).await
}

async fn a_message_that_another_user_puts_on_the_way_of_retries_has_no_effect(
    bank: Bank,
) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let account = client.account("alice").await?;
    client.deposit(account, "10").await?;
    let command = paid_in(account, "31337")?;
    let author = |message: Message, author: &str| {
        message.with_header(PRINCIPAL_HEADER, text(author)).to(RETRY, "ledger.commands.0")
    };
    let forged = [
        author(command.clone(), CLIENT).with_user("tests"),
        author(command.clone(), CLIENT).with_user("accounts"),
        author(frozen(account), "accounts").with_user("tests"),
        // Of the service itself, in the name of somebody who does not own the event, or of nobody.
        author(frozen(account), CLIENT).with_user("ledger"),
        frozen(account).with_user("ledger").to(RETRY, "ledger.commands.0"),
        command.with_user("ledger").to(RETRY, "ledger.commands.0"),
    ];
    client.bank.publish_all(&forged).await?;
    are_parked(&client.bank, "ledger", forged.len()).await?;
    is_free(&client, account).await?;
    ensure!(balance(&client, account).await? == 9);
    Ok(())
}

/// A client's queue may dead-letter to `bank.commands` under a key that its roles lack, until the
/// guard deletes the queue, in a second. The guard does not know this queue's name.
async fn a_dead_letter_of_a_client_has_no_effect(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let account = client.account("alice").await?;
    let queue = json!({
        "durable": true,
        "arguments": {
            "x-queue-type": "classic",
            "x-message-ttl": 0,
            "x-dead-letter-exchange": COMMANDS,
            "x-dead-letter-routing-key": SubmitTransfers::TYPE,
        },
    });
    let path = format!("queues/{}/tests.dead", client.bank.vhost());
    client.bank.broker().api(Method::PUT, &path, Some(queue)).await?;
    let command = paid_in(account, "31337")?;
    client.bank.publish(&command.to("", "tests.dead")).await?;
    are_parked(&client.bank, "ledger", 1).await?;
    ensure!(balance(&client, account).await? == 0);
    Ok(())
}

async fn an_event_under_a_key_of_another_type_is_not_followed(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let account = client.account("alice").await?;
    client.wait_recipients().await?;
    let forged = posted(account)?.with_user("accounts").to(EVENTS, "accounts.account.frozen.x1");
    client.bank.publish_as("accounts", &[forged]).await?;
    let parked = are_parked(&client.bank, "notifications", 1).await?;
    ensure!(parked[0].detail.contains("accounts.account.frozen.x1"), "{parked:?}");
    is_told(&client, account, 0).await
}

/// So many notifications were made for the account.
async fn is_told(client: &BankClient, account: AccountId, count: i64) -> Result<()> {
    let made = format!("SELECT count(*) FROM notifications WHERE account_id = '{account}'");
    wait_for(&format!("{count} notifications"), PATIENCE, async || {
        let found = client.bank.number("notifications", &made).await?;
        ensure!(found == count, "found {found}");
        Ok(true)
    })
    .await
}

async fn one_forged_event_harms_no_other_of_its_message(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let account = client.account("alice").await?;
    client.wait_recipients().await?;
    let joined = Message::joined(&[frozen(account), posted(account)?]);
    client.bank.publish_as("accounts", &[joined]).await?;
    let parked = are_parked(&client.bank, "notifications", 1).await?;
    ensure!(parked[0].kind == "ledger.transfers.posted.v1", "{parked:?}");
    is_told(&client, account, 1).await
}

async fn a_message_without_a_user_is_not_handled(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let account = client.account("alice").await?;
    let command = paid_in(account, "1")?.without_user();
    client.bank.publish_as(CLIENT, &[command]).await?;
    are_parked(&client.bank, "ledger", 1).await?;
    ensure!(balance(&client, account).await? == 0);
    Ok(())
}

/// The broker permits types by their routing keys.
async fn a_query_under_a_key_of_another_type_is_not_answered(bank: Bank) -> Result<()> {
    let client = BankClient::with_services(bank).await?;
    let replies = client.bank.replies("asker").await?;
    let asking = |message: Message| message.with_reply_to(replies.address());
    let list = asking(Message::of(MessageId::new(), ListAccounts::default()));
    let key = AccountKey::AccountId(AccountId::new());
    let get = asking(Message::of(MessageId::new(), GetAccount { key }));
    client.bank.publish(&list.clone().to(COMMANDS, &get.routing_key)).await?;
    client.bank.publish_all(&[get, list]).await?;
    wait_for("two answers", PATIENCE, async || Ok(replies.events().await?.len() >= 2)).await?;
    let kinds: Vec<String> =
        replies.events().await?.into_iter().map(|reply| reply.event.kind).collect();
    ensure!(kinds.len() == 2 && kinds.contains(&"bank.message.refused.v1".to_owned()), "{kinds:?}");
    Ok(())
}

/// A command and a query that name another user's queue: the one has its effect, and nobody hears
/// of either.
async fn a_reply_goes_to_no_other_users_queue(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let account = client.account("alice").await?;
    let victim = client.bank.replies_of("victim", "inbox").await?;
    let own = client.bank.replies("asker").await?;
    let query = GetAccount { key: AccountKey::AccountId(account) };
    let command = |to: &str| anyhow::Ok(paid_in(account, "1")?.with_reply_to(to));
    let injected = command(victim.address())?;
    let claimed = command(victim.address())?.with_header(PRINCIPAL_HEADER, text("victim"));
    client.bank.publish_all(&[injected.clone(), claimed.clone()]).await?;
    let asked = Message::of(MessageId::new(), query).with_reply_to(victim.address());
    client.bank.publish(&asked).await?;
    let garbage = command(victim.address())?.with_body("garbage");
    client.bank.publish(&garbage).await?;
    client.bank.publish(&command(own.address())?).await?;
    for command in [injected, claimed] {
        client.bank.events().outcome(command.id()).await?;
    }
    client.bank.wait_parked("ledger", 1).await?;
    wait_for("the asker is told", PATIENCE, async || Ok(own.events().await?.len() == 1)).await?;
    let heard = victim.events().await?;
    ensure!(heard.is_empty(), "the victim hears {heard:?}");
    Ok(())
}

/// Each message that is processed alone costs its own transactions, and holds up all others.
async fn a_clients_count_of_deliveries_isolates_nothing(bank: Bank) -> Result<()> {
    let ledger = bank.start("ledger").await?;
    for header in ["x-delivery-count", "x-acquired-count"] {
        let transfers = vec![transfer(cash(), own("fees"), "1")?];
        let command = Message::of(MessageId::new(), SubmitTransfers { transfers });
        let command = command.with_header(header, AMQPValue::LongLongInt(99));
        bank.publish_as(CLIENT, std::slice::from_ref(&command)).await?;
        bank.events().outcome(command.id()).await?;
    }
    ensure!(!ledger.log()?.contains("processed alone"), "a client has isolated its commands");
    Ok(())
}

async fn a_clients_word_about_author_and_attempts_counts_for_nothing(bank: Bank) -> Result<()> {
    let client = BankClient::with_services(bank).await?;
    // A command about an account that is not known yet waits for it.
    let command = SetPreferences {
        account_id: AccountId::new(),
        email: true,
        webhook: false,
        topics: vec![Topic::AccountClosed],
        webhook_secret: None,
    };
    let early = Message::of(MessageId::new(), command)
        .with_header(ATTEMPT_HEADER, AMQPValue::LongUInt(9))
        .with_header(PRINCIPAL_HEADER, text("accounts"));
    client.bank.publish_as(CLIENT, std::slice::from_ref(&early)).await?;
    wait_for("the command waits", PATIENCE, async || {
        let waiting = client.bank.waiting("notifications").await?;
        Ok(waiting == [("notifications.commands.retry.5s".to_owned(), 1)])
    })
    .await?;
    let waiting = client.bank.look("notifications.commands.retry.5s").await?;
    ensure!(waiting[0].headers.get(PRINCIPAL_HEADER).map(String::as_str) == Some(CLIENT));
    // A parked message has the author whom the broker vouches for.
    let freeze = FreezeAccount {
        account_id: AccountId::new(),
        reason: "test".to_owned(),
        blocks: Blocks::Both,
    };
    let broken = Message::of(MessageId::new(), freeze)
        .with_body("broken")
        .with_header(PRINCIPAL_HEADER, text("ledger"))
        .with_header("x-parked-reason", text("hopeless"))
        .with_header("x-parked-queue", text("accounts.events"));
    client.bank.publish_as(CLIENT, &[broken]).await?;
    let parked = client.bank.wait_parked("accounts", 1).await?;
    let found = parked.first().context("one is parked")?;
    ensure!((found.reason.as_str(), found.queue.as_str()) == ("undecodable", "accounts.commands"));
    ensure!(found.headers.get(PRINCIPAL_HEADER).is_some_and(|user| user == CLIENT), "{found:?}");
    Ok(())
}
