//! Many clients at once. Promise: for any concurrent commands to any number of ledgers, money is
//! conserved, no account passes its limit, every transfer has one outcome, and the versions in the
//! events form a chain without a gap.

use std::collections::{BTreeMap, HashMap, HashSet};

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use harness::{Bank, Fact, PATIENCE, facts, wait_value};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use rust_decimal::Decimal;
use shared_events::{
    AccountId, Message as _, MessageId, TransferId,
    client::SendOptions,
    envelope::RawEnvelope,
    ledger::{
        AccountAfter, GetBalance, PostedTransfer, SubmitTransfers, Transfer, TransfersPosted,
        TransfersRejected,
    },
};

use super::bank_client::{BankClient, amount, cash, customer, transfer};

pub(crate) fn facts() -> Vec<Fact> {
    facts![concurrent_clients_at_two_ledgers_keep_the_books_balanced]
}

const ACCOUNTS: usize = 5;
const FUNDS: i64 = 100;
const OVERDRAFT: i64 = 20;
const CLIENTS: usize = 4;
const COMMANDS: usize = 60;
const TRANSFERS_MAX: usize = 12;
const AT_ONCE: usize = 8;

/// A command and the key that chooses its partition, and so the ledger that handles it.
#[derive(Clone)]
struct KeyedCommand {
    id: MessageId,
    key: String,
    command: SubmitTransfers,
}

/// The outcome of each transfer: none, or the reject reason.
type Outcomes = HashMap<TransferId, Option<String>>;

async fn concurrent_clients_at_two_ledgers_keep_the_books_balanced(bank: Bank) -> Result<()> {
    let seed = rand::random();
    let actual = crowd(bank, seed).await;
    actual.with_context(|| format!("with the seed {seed}"))
}

async fn crowd(bank: Bank, seed: u64) -> Result<()> {
    let services = bank.start_all(&["accounts", "ledger", "ledger"]).await?;
    let mut client = BankClient::new(bank)?;
    let mut accounts = Vec::new();
    for number in 0..ACCOUNTS {
        let terms = |command: &mut shared_events::accounts::OpenAccount| {
            command.overdraft_limit = amount(if number == 0 { OVERDRAFT } else { 0 });
        };
        let account = client.account_with(&format!("account {number}"), terms).await?;
        ensure!(client.deposit(account, &FUNDS.to_string()).await? == "posted");
        accounts.push(account);
    }
    let mut chance = StdRng::seed_from_u64(seed);
    let orders: Vec<Vec<KeyedCommand>> =
        (0..CLIENTS).map(|_| orders(&mut chance, &accounts)).collect::<Result<_>>()?;
    let clients = orders.iter().enumerate().map(|(n, orders)| send(&client.bank, n, orders));
    let outcomes = one_outcome_each(futures_util::future::try_join_all(clients).await?.concat())?;

    let sent: HashSet<TransferId> = orders
        .iter()
        .flatten()
        .flat_map(|sent| &sent.command.transfers)
        .map(|transfer| transfer.transfer_id)
        .collect();
    ensure!(outcomes.len() == sent.len(), "{} of {} ended", outcomes.len(), sent.len());
    let posted = announced(&client.bank, &outcomes).await?;
    ensure!(posted.len() < sent.len(), "no transfer was rejected: nothing was put to the test");
    chains(&client, &accounts, &posted).await?;
    for ledger in services.iter().filter(|instance| instance.label().starts_with("ledger")) {
        let decided = ledger.metric("ledger_transfers_total").await?;
        ensure!(decided > 0.0, "{} had nothing to do", ledger.label());
    }
    Ok(())
}

/// One client's commands. Now and then one is sent twice; or its transfers again, under another id.
fn orders(chance: &mut StdRng, accounts: &[AccountId]) -> Result<Vec<KeyedCommand>> {
    let mut orders: Vec<KeyedCommand> = Vec::new();
    while orders.len() < COMMANDS {
        let key = format!("{}", chance.random::<u64>());
        let repeated = match chance.random_range(0..10) {
            0 if !orders.is_empty() => Some(orders[chance.random_range(0..orders.len())].clone()),
            _ => None,
        };
        orders.push(match repeated {
            Some(order) if chance.random() => order,
            Some(order) => KeyedCommand { id: MessageId::new(), key, ..order },
            None => {
                let count = chance.random_range(1..=TRANSFERS_MAX);
                let transfers = (0..count).map(|_| any_transfer(chance, accounts));
                let transfers = transfers.collect::<Result<_>>()?;
                KeyedCommand { id: MessageId::new(), key, command: SubmitTransfers { transfers } }
            }
        });
    }
    Ok(orders)
}

fn any_transfer(chance: &mut StdRng, accounts: &[AccountId]) -> Result<Transfer> {
    let debtor = chance.random_range(0..accounts.len());
    let creditor = (debtor + chance.random_range(1..accounts.len())) % accounts.len();
    let cents = chance.random_range(1..4_000);
    let amount = Decimal::new(cents, 2).to_string();
    transfer(customer(accounts[debtor]), customer(accounts[creditor]), &amount)
}

/// Sends all, several at once, and returns what was answered.
async fn send(bank: &Bank, number: usize, orders: &[KeyedCommand]) -> Result<Vec<RawEnvelope>> {
    let client = bank.client(&format!("client-{number}"))?;
    let answers = stream::iter(orders.to_vec())
        .map(async |KeyedCommand { id, key, command }| {
            let partition_key = Some(key);
            let options =
                SendOptions { partition_key, deadline: PATIENCE, ..SendOptions::default() };
            client.request(id, command, &options).await
        })
        .buffer_unordered(AT_ONCE);
    let answers: Vec<Vec<RawEnvelope>> = answers.try_collect().await?;
    Ok(answers.concat())
}

/// Fails where two answers, or two events, tell different things of one transfer.
fn one_outcome_each(events: Vec<RawEnvelope>) -> Result<Outcomes> {
    let mut outcomes = Outcomes::new();
    for event in events {
        let actual: Vec<(TransferId, Option<String>)> = match event.kind.as_str() {
            TransfersPosted::TYPE => {
                let posted = event.read::<TransfersPosted>()?.transfers;
                posted.into_iter().map(|transfer| (transfer.transfer_id, None)).collect()
            }
            _ => {
                let rejected = event.read::<TransfersRejected>()?.transfers;
                let why = rejected.into_iter();
                why.map(|transfer| (transfer.transfer_id, Some(transfer.reason.to_string())))
                    .collect()
            }
        };
        for (transfer, outcome) in actual {
            let before = outcomes.insert(transfer, outcome.clone()).unwrap_or(outcome.clone());
            ensure!(before == outcome, "{transfer} is {before:?}, and then {outcome:?}");
        }
    }
    Ok(outcomes)
}

/// The transfers that events say were posted. Each outcome stands in one event, however often its
/// transfer was sent, and is the one that the sender was told.
async fn announced(bank: &Bank, outcomes: &Outcomes) -> Result<Vec<PostedTransfer>> {
    wait_value("every outcome is announced", PATIENCE, async || {
        let (mut seen, mut actual) = (HashSet::new(), HashMap::new());
        let mut posted = Vec::new();
        for event in bank.events().events().await? {
            // The same event again is no second one.
            let listed =
                event.event.data["transfers"].as_array().filter(|_| seen.insert(event.event.id));
            for transfer in listed.into_iter().flatten() {
                let id: TransferId = serde_json::from_value(transfer["transfer_id"].clone())?;
                let reason = transfer["reason"].as_str().map(str::to_owned);
                if reason.is_none() {
                    posted.push(serde_json::from_value::<PostedTransfer>(transfer.clone())?);
                }
                let before = actual.insert(id, reason);
                ensure!(before.is_none(), "{id} was announced twice");
            }
        }
        let same = |(id, reason): (&TransferId, &Option<String>)| {
            actual.get(id).is_some_and(|actual| actual == reason)
        };
        Ok(outcomes.iter().all(same).then_some(posted))
    })
    .await
}

/// Follows each account through the events, from version to version.
async fn chains(
    client: &BankClient,
    accounts: &[AccountId],
    posted: &[PostedTransfer],
) -> Result<()> {
    let mut chains: HashMap<AccountId, BTreeMap<i64, (Decimal, &AccountAfter)>> = HashMap::new();
    for transfer in posted {
        let amount = transfer.money.amount.decimal();
        for (after, change) in [(&transfer.debtor, -amount), (&transfer.creditor, amount)] {
            let chain = chains.entry(after.account_id).or_default();
            let twin = chain.insert(after.version, (change, after));
            ensure!(twin.is_none(), "version {} of {} twice", after.version, after.account_id);
        }
    }
    let mut total = Decimal::ZERO;
    for account in accounts {
        let chain = chains.get(account).context("money moved on every account")?;
        let mut balance = Decimal::ZERO;
        for (version, (place, (change, after))) in (2..).zip(chain) {
            ensure!(*place == version, "{account} has no version {version}, but {place}");
            balance += change;
            ensure!(after.balance.decimal() == balance, "{account} v{version}: {after:?}");
            let available = after.available.context("customers have a limit")?;
            ensure!(*change > Decimal::ZERO || available >= amount(0), "overdrawn: {after:?}");
        }
        let query = GetBalance { account: customer(*account), currency: None };
        let found = client.query(query).await?;
        ensure!(found.balance.decimal() == balance, "{account}: {found:?}, not {balance}");
        total += balance;
    }
    let funds = Decimal::from(FUNDS) * Decimal::from(accounts.len());
    ensure!(total == funds, "{funds} became {total}");
    let query = GetBalance { account: cash(), currency: "EUR".parse().ok() };
    ensure!(client.query(query).await?.balance.decimal() == -funds);
    Ok(())
}
