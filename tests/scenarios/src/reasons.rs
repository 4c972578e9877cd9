//! Every reason to say no. Promise: each code of the contract is reached through the bus, by asking
//! for something that is right but for one rule; and a no changes nothing.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, Message, PATIENCE, facts, wait_for, wait_value};
use lapin::types::AMQPValue;
use oracle::model::changes::expiry_id;
use serde_json::Value;
use shared_events::{
    AccountId, Message as _, MessageId, TransferId,
    accounts::{
        AccountClosed, AccountClosing, AccountsCommandRejected, AccountsReason, Blocks,
        CloseAccount, FreezeAccount, OpenAccount, SetLimits, UnfreezeAccount,
    },
    catalogue,
    ids::DeliveryId,
    ledger::{
        ClosePeriod, LedgerAccountLocked, LedgerCommandRejected, LedgerReason, RejectReason,
        SubmitTransfers, TRANSFERS_MAX, Transfer,
    },
    notifications::{
        NotificationsCommandRejected, NotificationsReason, ResendDelivery, SetPreferences, Topic,
    },
    topology::{ATTEMPT_HEADER, RETRY_TIERS},
};
use sqlx::AssertSqlSafe;

use super::bank_client::{BankClient, amount, cash, customer, opening, own, transfer};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        every_reason_to_reject_a_transfer,
        every_reason_to_reject_a_command_about_an_account,
        every_reason_to_reject_preferences,
        every_reason_to_reject_a_command_to_the_ledger,
    ]
}

/// Why a transfer between two parties is rejected; the other reasons are in `refused::`.
pub(super) const OF_TRANSFERS: [RejectReason; 18] = [
    RejectReason::ReservedId,
    RejectReason::IdempotencyConflict,
    RejectReason::NotPermitted,
    RejectReason::AmountNotPositive,
    RejectReason::TooManyDigits,
    RejectReason::AmountTooLarge,
    RejectReason::UnsupportedCurrency,
    RejectReason::InvalidText,
    RejectReason::InvalidBookingDate,
    RejectReason::PeriodClosed,
    RejectReason::BookingDateTooLate,
    RejectReason::SameAccount,
    RejectReason::UnknownAccount,
    RejectReason::AccountClosed,
    RejectReason::AccountFrozen,
    RejectReason::AccountNotActive,
    RejectReason::CurrencyMismatch,
    RejectReason::InsufficientFunds,
];

/// A principal without grants.
const STRANGER: &str = "stranger";

/// The tables that a rejection must leave unchanged. Tables that store outcomes for repetition are
/// not listed.
const STATE: [(&str, &str); 6] = [
    ("accounts", "accounts"),
    ("ledger", "accounts"),
    ("ledger", "entries"),
    ("ledger", "holds"),
    ("ledger", "reversals"),
    ("notifications", "recipients"),
];

async fn every_reason_to_reject_a_transfer(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    let bob = client.account("bob").await?;
    let koruna = client.account_with("koruna", |command| command.currency = czk()).await?;
    let frozen = client.account("frozen").await?;
    let (blocks, reason) = (Blocks::Both, "test".to_owned());
    client.request(FreezeAccount { blocks, account_id: frozen, reason }).await?;
    let closed = client.account("closed").await?;
    client.request(CloseAccount { payout: None, account_id: closed }).await?;
    client.wait_event(AccountClosed::TYPE, closed).await?;
    let locked = client.account("locked").await?;
    // As if accounts were slow to close it.
    let closing = AccountClosing { payout: None, account_id: locked, version: 3 };
    client.bank.publish(&Message::of(MessageId::new(), closing)).await?;
    client.wait_event(LedgerAccountLocked::TYPE, locked).await?;
    settled(&client, "status IN ('frozen', 'closed')", 2).await?;
    ensure!(client.deposit(alice, "10").await? == "posted");
    client.request(ClosePeriod { through: day("1990-12-31")? }).await?;
    let right = transfer(customer(alice), customer(bob), "1")?;
    ensure!(client.submit(right.clone()).await? == "posted", "what the cases are made of is right");

    let but = |edit: &dyn Fn(&mut Transfer)| {
        let mut transfer = Transfer { transfer_id: TransferId::new(), ..right.clone() };
        edit(&mut transfer);
        transfer
    };
    let to = |account: AccountId| but(&|transfer| transfer.creditor = customer(account));
    let of = |text: &str| -> Result<Transfer> {
        let parsed = text.parse()?;
        Ok(but(&|transfer| transfer.money.amount = parsed))
    };
    // One that the ledger would take if the right transfer were a hold whose time is over.
    let reserved = expiry_id(right.transfer_id);
    let cases = [
        (RejectReason::ReservedId, but(&|transfer| transfer.transfer_id = reserved)),
        (RejectReason::IdempotencyConflict, Transfer { creditor: cash(), ..right.clone() }),
        (RejectReason::AmountNotPositive, of("0")?),
        (RejectReason::TooManyDigits, of("0.001")?),
        (RejectReason::AmountTooLarge, of("1000000000000000.01")?),
        (RejectReason::UnsupportedCurrency, but(&|transfer| transfer.money.currency = gold())),
        (RejectReason::InvalidText, but(&|transfer| transfer.reference = Some("x".repeat(141)))),
        (RejectReason::InvalidBookingDate, but(&|transfer| transfer.booking_date = year_one())),
        (
            RejectReason::PeriodClosed,
            but(&|transfer| transfer.booking_date = day("1990-12-31").ok()),
        ),
        (
            RejectReason::BookingDateTooLate,
            but(&|transfer| transfer.booking_date = day("2199-12-31").ok()),
        ),
        (RejectReason::SameAccount, to(alice)),
        (RejectReason::UnknownAccount, to(AccountId::new())),
        (RejectReason::UnknownAccount, but(&|transfer| transfer.creditor = own("coffee"))),
        (RejectReason::AccountClosed, to(closed)),
        (RejectReason::AccountFrozen, to(frozen)),
        (RejectReason::AccountNotActive, to(locked)),
        (RejectReason::CurrencyMismatch, to(koruna)),
        (RejectReason::InsufficientFunds, of("9.01")?),
    ];
    let all = OF_TRANSFERS.iter().map(|reason| reason.as_str().to_owned()).collect();
    let message = |(reason, transfer): (RejectReason, Transfer)| {
        let command = SubmitTransfers { transfers: vec![transfer] };
        (reason.as_str().to_owned(), Message::of(MessageId::new(), command))
    };
    let mut cases: Vec<(String, Message)> = cases.map(message).into();
    let minting = message((RejectReason::NotPermitted, but(&|one| one.debtor = cash())));
    cases.push(of_channel(&client.bank, minting).await?);
    check(&client, &all, cases).await
}

/// The same case, sent by a channel, which debits customers alone.
async fn of_channel(bank: &Bank, case: (String, Message)) -> Result<(String, Message)> {
    let channel = bank.add_client(&["customer_channel"]).await?;
    Ok((case.0, case.1.with_user(&channel.name)))
}

async fn every_reason_to_reject_a_command_about_an_account(bank: Bank) -> Result<()> {
    use AccountsReason as Reason;
    let mut client = BankClient::with_services(bank).await?;
    let reference = || Some("legacy-1".to_owned());
    let alice =
        client.account_with("alice", |command| command.external_reference = reference()).await?;
    client.wait_recipients().await?;
    let used = MessageId::new();
    let limits =
        |units| SetLimits { spending: None, account_id: alice, overdraft_limit: amount(units) };
    client.request_as(used, limits(5)).await?;
    settled(&client, "overdraft_limit = 5", 1).await?;

    let freeze = |account_id, reason: &str| FreezeAccount {
        blocks: Blocks::Both,
        account_id,
        reason: reason.to_owned(),
    };
    let mut same_id = opening("mallory")?;
    same_id.account_id = alice;
    let mut same_reference = opening("mallory")?;
    same_reference.external_reference = reference();
    let new = MessageId::new;
    let cases = vec![
        (Reason::UnknownAccount, Message::of(new(), freeze(AccountId::new(), "test"))),
        (Reason::AccountExists, Message::of(new(), same_id)),
        (Reason::ExternalReferenceTaken, Message::of(new(), same_reference)),
        (Reason::WrongStatus, Message::of(new(), UnfreezeAccount { account_id: alice })),
        (Reason::InvalidField, Message::of(new(), freeze(alice, " "))),
        (Reason::IdempotencyConflict, Message::of(used, limits(6))),
        (Reason::NotPermitted, Message::of(new(), limits(7)).with_user(STRANGER)),
    ];
    let all = published(AccountsCommandRejected::TYPE, "AccountsReason")?;
    check(&client, &all, named(cases)?).await
}

async fn every_reason_to_reject_preferences(bank: Bank) -> Result<()> {
    use NotificationsReason as Reason;
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    client.wait_recipients().await?;
    let preferences = |account_id, secret: Option<&str>| SetPreferences {
        account_id,
        email: true,
        webhook: false,
        topics: Topic::ALL.to_vec(),
        webhook_secret: secret.map(str::to_owned),
    };
    let used = MessageId::new();
    client.request_as(used, preferences(alice, None)).await?;
    let pending = pending_delivery(&mut client).await?;
    let resend = |delivery_id| Message::of(MessageId::new(), ResendDelivery { delivery_id });
    let other = SetPreferences { email: false, ..preferences(alice, None) };
    let new = MessageId::new;
    let cases = vec![
        (Reason::UnknownAccount, waited_for(preferences(AccountId::new(), None))),
        (Reason::InvalidField, Message::of(new(), preferences(alice, Some("secret")))),
        (Reason::IdempotencyConflict, Message::of(used, other)),
        (Reason::UnknownDelivery, resend(DeliveryId::new())),
        (Reason::DeliveryPending, resend(pending)),
        (Reason::NotPermitted, resend(pending).with_user(STRANGER)),
    ];
    let all = published(NotificationsCommandRejected::TYPE, "NotificationsReason")?;
    check(&client, &all, named(cases)?).await
}

/// The letter about a freeze: it is tried again and again, since no mail server listens.
async fn pending_delivery(client: &mut BankClient) -> Result<DeliveryId> {
    let email = |command: &mut OpenAccount| command.holder.email = Some("a@example.com".to_owned());
    let account_id = client.account_with("written to", email).await?;
    client.wait_recipients().await?;
    let (reason, blocks) = ("test".to_owned(), Blocks::Debits);
    client.request(FreezeAccount { account_id, reason, blocks }).await?;
    let pool = client.bank.pool("notifications").await?;
    let id = wait_value("the letter is written", PATIENCE, async || {
        Ok(sqlx::query_scalar("SELECT id FROM deliveries").fetch_optional(&pool).await?)
    });
    Ok(DeliveryId(id.await?))
}

/// A command that has waited for its account as often as a message may.
fn waited_for(command: SetPreferences) -> Message {
    let waited = u32::try_from(RETRY_TIERS.len()).expect("tiers are few");
    Message::of(MessageId::new(), command)
        .with_header(ATTEMPT_HEADER, AMQPValue::LongUInt(waited))
        .retried_by("notifications", "notifications.commands")
}

async fn every_reason_to_reject_a_command_to_the_ledger(bank: Bank) -> Result<()> {
    use LedgerReason as Reason;
    let mut client = BankClient::with_services(bank).await?;
    let alice = client.account("alice").await?;
    client.wait_recipients().await?;
    let submit = |count: usize| -> Result<Message> {
        let one = || transfer(cash(), customer(alice), "1");
        let transfers = (0..count).map(|_| one()).collect::<Result<_>>()?;
        Ok(Message::of(MessageId::new(), SubmitTransfers { transfers }))
    };
    let used = MessageId::new();
    client.request_as(used, ClosePeriod { through: day("1990-12-31")? }).await?;
    let close = |through| -> Result<Message> {
        Ok(Message::of(MessageId::new(), ClosePeriod { through: day(through)? }))
    };
    let other = ClosePeriod { through: day("1991-12-31")? };
    let cases = vec![
        (Reason::NoTransfers, submit(0)?),
        (Reason::TooManyTransfers, submit(TRANSFERS_MAX + 1)?),
        (Reason::InvalidPeriod, close("1899-12-31")?),
        (Reason::PeriodNotOver, close("2199-12-31")?),
        (Reason::PeriodNotForward, close("1990-12-30")?),
        (Reason::IdempotencyConflict, Message::of(used, other)),
        (Reason::NotPermitted, submit(1)?.with_user(STRANGER)),
    ];
    let all = published(LedgerCommandRejected::TYPE, "LedgerReason")?;
    check(&client, &all, named(cases)?).await
}

/// Sends every case, one after another: it is rejected for its reason, and nothing has changed.
pub(super) async fn check(
    client: &BankClient,
    all: &BTreeSet<String>,
    cases: Vec<(String, Message)>,
) -> Result<()> {
    let reached: BTreeSet<String> = cases.iter().map(|(reason, _)| reason.clone()).collect();
    ensure!(reached == *all, "the table has {reached:?}, the contract {all:?}");
    for (reason, message) in cases {
        let before = state(client).await?;
        client.bank.publish(&message).await?;
        let rejected = rejection(&client.bank, message.id()).await?;
        let first = [&rejected["transfers"][0], &rejected["instructions"][0]["rejected"]];
        let detail = first.into_iter().find(|part| part.is_object()).unwrap_or(&rejected);
        ensure!(detail["reason"] == reason.as_str(), "{reason}: {rejected}");
        let names_a_field = detail["field"].is_string();
        ensure!(names_a_field == (reason == "invalid_field"), "{reason}: {rejected}");
        let after = state(client).await?;
        ensure!(before == after, "{reason} changed something:\n{before}\ninto\n{after}");
    }
    Ok(())
}

/// The content of the event that rejects this command.
async fn rejection(bank: &Bank, command: MessageId) -> Result<Value> {
    wait_value(&format!("{command} is rejected"), PATIENCE, async || {
        let events = bank.events().caused_by(command).await?;
        let rejected = events.into_iter().find(|event| event.event.kind.ends_with(".rejected.v1"));
        Ok(rejected.map(|event| event.event.data))
    })
    .await
}

/// All rows of the tables in `STATE`, and the trial balance.
async fn state(client: &BankClient) -> Result<String> {
    let mut state = format!("{:?}\n", client.trial_balance().await?);
    for (service, table) in STATE {
        let rows = "coalesce(string_agg(line::text, E'\\n' ORDER BY line::text), '')";
        let query = format!("SELECT {rows} FROM {table} AS line");
        let pool = client.bank.pool(service).await?;
        let rows = sqlx::query_scalar::<_, String>(AssertSqlSafe(query)).fetch_one(&pool).await?;
        state.push_str(&format!("{service}.{table}:\n{rows}\n"));
    }
    Ok(state)
}

/// Waits until `count` accounts of the ledger are as `condition` says, and the notifications
/// service knows every account.
async fn settled(client: &BankClient, condition: &str, count: i64) -> Result<()> {
    let query = format!("SELECT count(*) FROM accounts WHERE {condition}");
    wait_for(&format!("{count} accounts with {condition}"), PATIENCE, async || {
        Ok(client.bank.number("ledger", &query).await? == count)
    })
    .await?;
    client.wait_recipients().await
}

/// The codes that the published schema of a message lists.
fn published(message: &str, name: &str) -> Result<BTreeSet<String>> {
    let schema = catalogue::find(message).context("the message is in the catalogue")?.schema();
    let codes = schema.pointer(&format!("/$defs/{name}/anyOf")).and_then(Value::as_array);
    let codes = codes.with_context(|| format!("{message} has no {name}"))?;
    let code = |code: &Value| code["const"].as_str().map(str::to_owned).context("a code is a text");
    let known = codes.iter().filter(|alternative| alternative.get("const").is_some());
    known.map(code).collect()
}

/// Cases under the names that their reasons have on the wire.
fn named(cases: Vec<(impl serde::Serialize, Message)>) -> Result<Vec<(String, Message)>> {
    let named = |(reason, message)| {
        let name = serde_json::to_value(reason)?;
        Ok((name.as_str().context("a reason is a text")?.to_owned(), message))
    };
    cases.into_iter().map(named).collect()
}

fn day(text: &str) -> Result<chrono::NaiveDate> {
    Ok(text.parse()?)
}

/// A day that no calendar of a bank needs.
fn year_one() -> Option<chrono::NaiveDate> {
    chrono::NaiveDate::from_ymd_opt(1, 1, 1)
}

fn gold() -> shared_events::Currency {
    "XAU".parse().expect("XAU is listed")
}

fn czk() -> shared_events::Currency {
    "CZK".parse().expect("CZK is a currency")
}
