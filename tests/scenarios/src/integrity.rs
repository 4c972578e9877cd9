//! Everything at once. Promise: random commands go to two ledgers side by side, while these are
//! killed and cut off; each outcome, balance and version equals that of one ledger that processes
//! one step after another.
//!
//! `BANKWIRE_INTEGRITY_OPERATIONS` sets how much is asked, `BANKWIRE_INTEGRITY_SEED` what.

use std::{
    cell::Cell,
    collections::BTreeSet,
    env,
    str::FromStr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, future::try_join_all, stream};
use harness::{Bank, Fact, Instance, PATIENCE, facts, wait_for};
use oracle::checker::{self, Command, Evidence, Tally};
use rust_decimal::Decimal;
use serde_json::Value;
use shared_events::{
    AccountId, Currency, Envelope, MessageId, Money, TransferId,
    client::{Client, SendOptions},
    envelope::RawEnvelope,
    ledger::{
        Action, CHAINS, ChainedRecord, GetBalance, GetJournal, GetTrialBalance, JOURNAL_PAGE_MAX,
        Party, Payment, SubmitInstructions, SubmitTransfers, Transfer,
    },
};

use account_changes::AccountChanges;
use random_commands::{KeyedCommand, RandomCommands, eur, instruction, jpy, kuna};

use super::bank_client::cash;

mod account_changes;
mod random_commands;

/// As many as fit beside the other facts.
const OPERATIONS: usize = 6_000;
/// In each round something is disturbed. Long runs have longer rounds, not ever more of them.
const ROUND: usize = 600;
const ROUNDS_MAX: usize = 40;
const ROUND_PATIENCE: Duration = Duration::from_secs(600);
/// With euros, yen and kuna.
const CUSTOMERS: [usize; 3] = [6, 3, 2];
const FUNDS: i64 = 1_000;
const CLIENTS: usize = 4;
const AT_ONCE: usize = 8;
/// Outcomes that a run of the usual size must contain; without them the run tested too little.
const SEEN: [&str; 24] = [
    "transfer posted",
    "transfer up to posted",
    "hold held",
    "hold up to held",
    "capture posted",
    "release released",
    "expiry released",
    "reverse posted",
    "legs posted",
    "exchange posted",
    "transfer insufficient_funds",
    "transfer account_frozen",
    "transfer currency_mismatch",
    "transfer unsupported_currency",
    "hold unsupported_currency",
    "legs unsupported_currency",
    "exchange unsupported_currency",
    "transfer group_rejected",
    "capture hold_captured",
    "capture hold_expired",
    "capture exceeds_hold",
    "capture unknown_hold",
    "reverse exceeds_original",
    "reverse unknown_transfer",
];

pub(crate) fn facts() -> Vec<Fact> {
    let patience = Duration::from_secs(240) + Duration::from_millis(20) * operations() as u32;
    let facts = facts![concurrent_commands_have_the_outcomes_of_sequential_ones];
    facts.into_iter().map(|fact| fact.within(patience)).collect()
}

fn given<T: FromStr>(name: &str) -> Option<T> {
    env::var(name).ok()?.parse().ok()
}

fn operations() -> usize {
    given("BANKWIRE_INTEGRITY_OPERATIONS").unwrap_or(OPERATIONS)
}

/// A command with its reply.
struct Sent {
    command: Command,
    answer: Vec<Envelope<Value>>,
}

async fn concurrent_commands_have_the_outcomes_of_sequential_ones(bank: Bank) -> Result<()> {
    let seed = given("BANKWIRE_INTEGRITY_SEED").unwrap_or_else(rand::random);
    let done = run_random_commands(bank, seed).await;
    done.with_context(|| format!("with BANKWIRE_INTEGRITY_SEED={seed}"))
}

async fn run_random_commands(bank: Bank, seed: u64) -> Result<()> {
    let began = Instant::now();
    // The checker's days.
    bank.set("ledger", "BANKWIRE_BANK__TIME_ZONE", "UTC");
    let ledgers = bank.start_all(&["ledger", "ledger"]).await?;
    let currencies = [(eur(), CUSTOMERS[0]), (jpy(), CUSTOMERS[1]), (kuna(), CUSTOMERS[2])];
    let mut account_changes = AccountChanges::open(&bank, seed, currencies).await?;
    let mut random_commands = RandomCommands::new(seed, account_changes.accounts().to_vec());
    let clients = (0..CLIENTS).map(|n| bank.client(&format!("client-{n}")));
    let clients: Vec<Client> = clients.collect::<Result<_>>()?;
    wait_for("the ledger knows all accounts", PATIENCE, async || {
        let known = bank.number("ledger", "SELECT count(*) FROM accounts").await?;
        Ok(usize::try_from(known)? == account_changes.accounts().len())
    })
    .await?;

    let mut sent = vec![send(&clients[0], funds(account_changes.accounts())).await?];
    let mut kills = 0;
    for round in 0.. {
        if asked(&sent) >= operations() {
            break;
        }
        let commands = random_commands.next(ROUND.max(operations() / ROUNDS_MAX));
        let (answered, done) = (Cell::new(0), Cell::new(false));
        let asking = async {
            let answers = ask(&clients, &commands, &answered).await;
            done.set(true);
            answers
        };
        let begun = async || {
            wait_for("the round is well begun", PATIENCE, async || {
                Ok(answered.get() > commands.len() / 4)
            })
            .await
        };
        let (answers, killed, changes, ()) = tokio::try_join!(
            asking,
            async {
                begun().await?;
                disturb(&ledgers, round).await
            },
            account_changes.work(&done, async |command| send(&clients[0], command).await),
            wait_for("the round is over", ROUND_PATIENCE, async || {
                bank.events().receive().await?;
                Ok(done.get())
            }),
        )?;
        sent.extend(answers.into_iter().flatten().chain(changes));
        kills += killed;
    }

    settle(&bank).await?;
    let (asked, worked) = (asked(&sent), began.elapsed());
    let evidence = evidence(&bank, &clients[0], sent, account_changes.accounts()).await?;
    let chains: BTreeSet<u8> = evidence.journal.iter().map(|record| record.chain).collect();
    ensure!(chains.len() > 1, "the two ledgers never worked at the same time");
    let tally = checker::check(&evidence)?;
    print_figures(seed, (asked, kills), (worked, began.elapsed()), &tally);
    let missing: Vec<_> = SEEN.iter().filter(|outcome| !tally.contains_key(**outcome)).collect();
    ensure!(
        operations() < OPERATIONS || missing.is_empty(),
        "outcomes that never occurred: {missing:?}"
    );
    Ok(())
}

fn asked(sent: &[Sent]) -> usize {
    sent.iter().map(|sent| sent.command.instructions.len()).sum()
}

/// Cash for every account; nobody can pay kuna in.
fn funds(accounts: &[(AccountId, Currency)]) -> KeyedCommand {
    let deposit = |(id, currency): &(AccountId, Currency)| {
        let (debtor, creditor) = (cash(), Party::AccountId(*id));
        let money = Money::new(Decimal::from(FUNDS), *currency);
        let payment = Payment { debtor, creditor, money, up_to: false };
        instruction(TransferId::new(), Action::Transfer(payment))
    };
    let instructions = accounts.iter().map(deposit).collect();
    let command = Command { id: MessageId::new(), instructions, behind: None };
    KeyedCommand { command, key: "funds".to_owned() }
}

/// Each client sends its part, several commands at a time.
async fn ask(
    clients: &[Client],
    commands: &[KeyedCommand],
    answered: &Cell<usize>,
) -> Result<Vec<Vec<Sent>>> {
    let each = clients.iter().enumerate().map(async |(n, client)| {
        let own = commands.iter().skip(n).step_by(CLIENTS).cloned();
        let sent = stream::iter(own).map(async |command| {
            let sent = send(client, command).await;
            answered.set(answered.get() + 1);
            sent
        });
        sent.buffer_unordered(AT_ONCE).try_collect().await
    });
    try_join_all(each).await
}

/// Sends a command until it is answered; as `ledger.transfers.submit.v1` where that can say it.
async fn send(client: &Client, command: KeyedCommand) -> Result<Sent> {
    let KeyedCommand { command, key } = command;
    let (partition_key, deadline) = (Some(key), PATIENCE);
    let options = SendOptions { partition_key, deadline, ..SendOptions::default() };
    let (id, instructions) = (command.id, command.instructions.clone());
    let answer = match transfers(&command) {
        Some(transfers) => client.request(id, SubmitTransfers { transfers }, &options).await,
        None => client.request(id, SubmitInstructions { instructions }, &options).await,
    };
    let answer = answer?.into_iter().map(read).collect::<Result<_>>()?;
    Ok(Sent { command, answer })
}

fn read(event: RawEnvelope) -> Result<Envelope<Value>> {
    let data = serde_json::from_str(event.data.get())?;
    Ok(event.with(data))
}

fn transfers(command: &Command) -> Option<Vec<Transfer>> {
    let transfer = |submitted: &shared_events::ledger::Instruction| match &submitted.action {
        Action::Transfer(payment)
            if !payment.up_to && submitted.group.is_none() && submitted.value_date.is_none() =>
        {
            Some(Transfer {
                transfer_id: submitted.transfer_id,
                debtor: payment.debtor.clone(),
                creditor: payment.creditor.clone(),
                money: payment.money,
                reference: submitted.reference.clone(),
                end_to_end_id: submitted.end_to_end_id.clone(),
                booking_date: submitted.booking_date,
            })
        }
        _ => None,
    };
    command.instructions.iter().map(transfer).collect()
}

/// Kills a ledger and starts it again, or cuts it off; returns how many were killed.
async fn disturb(ledgers: &[Instance], round: usize) -> Result<usize> {
    let [first, second] = ledgers else { unreachable!("two were started") };
    let dying: &[&Instance] = match round % 6 {
        0 => &[second],
        1 => {
            first.database().cut_once();
            &[]
        }
        2 => &[first],
        3 => {
            second.broker().cut_once();
            &[]
        }
        4 => &[first, second],
        _ => {
            first.broker().cut_once();
            second.database().cut_once();
            &[]
        }
    };
    for ledger in dying {
        ledger.kill().await?;
    }
    for ledger in dying {
        ledger.launch().await?;
    }
    for ledger in dying {
        ledger.wait_ready().await?;
    }
    Ok(dying.len())
}

/// Waits until nothing is on its way, and no hold is about to end.
async fn settle(bank: &Bank) -> Result<()> {
    let due = "SELECT count(*) FROM holds
               WHERE status = 'open' AND expires_at < now() + interval '1 hour'";
    wait_for("everything is done and done", PATIENCE, async || {
        let due = bank.number("ledger", due).await?;
        let (ready, untold) = (bank.ready("ledger").await?, bank.outbox("ledger").await?);
        ensure!((due, ready, untold) == (0, 0, 0), "{due} due, {ready} ready, {untold} untold");
        Ok(true)
    })
    .await?;
    let (parked, waiting) = (bank.parked("ledger").await?, bank.waiting("ledger").await?);
    ensure!(parked.is_empty() && waiting.is_empty(), "given up: {parked:?}; late: {waiting:?}");
    Ok(())
}

async fn evidence(
    bank: &Bank,
    client: &Client,
    sent: Vec<Sent>,
    accounts: &[(AccountId, Currency)],
) -> Result<Evidence> {
    let trial_balance = client.ask(GetTrialBalance::default()).await?.lines;
    let customers = accounts.iter().map(|(id, _)| (Party::AccountId(*id), None));
    let own = trial_balance
        .iter()
        .filter_map(|line| Some((Party::Code(line.code.clone()?), Some(line.currency))));
    let mut balances = vec![];
    for (account, currency) in customers.chain(own) {
        balances.push(client.ask(GetBalance { account, currency }).await?);
    }
    let mut journal: Vec<ChainedRecord> = vec![];
    for chain in 0..CHAINS {
        let mut after = None;
        loop {
            let limit = Some(JOURNAL_PAGE_MAX);
            let page = client.ask(GetJournal { chain, after, limit }).await?.records;
            let Some(last) = page.last() else { break };
            after = Some(last.place);
            journal.extend(page);
        }
    }
    let events = bank.events().events().await?.into_iter().map(|event| event.event).collect();
    let mut evidence = Evidence { events, journal, balances, trial_balance, ..Evidence::default() };
    for Sent { command, answer } in sent {
        evidence.answers.push((command.id, answer));
        evidence.commands.push(command);
    }
    Ok(evidence)
}

#[allow(clippy::print_stdout, reason = "the figures are what a long run is for")]
fn print_figures(
    seed: u64,
    (asked, kills): (usize, usize),
    (worked, in_all): (Duration, Duration),
    tally: &Tally,
) {
    let decided: usize =
        tally.iter().filter(|(outcome, _)| outcome.contains(' ')).map(|(_, outcome)| outcome).sum();
    println!(
        "integrity: BANKWIRE_INTEGRITY_SEED={seed}: asked {asked}, decided {decided}, killed \
         {kills} times, {:.1} s at work, {:.1} s in all; {tally:?}",
        worked.as_secs_f32(),
        in_all.as_secs_f32(),
    );
}
