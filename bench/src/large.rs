//! The bank with a past, beside the same bank without one. Promise: both are measured on the same
//! servers by the same services in windows that alternate (empty, large, large, empty), and
//! afterwards the bank has its own books again.
//!
//! The services' databases are renamed while the services are stopped: `ledger` is the one in use,
//! `ledger_before` the bank's own, `ledger_other` the empty or the large one that is not in use.
//! The containers that migrate make the tables of the empty ones.

use std::time::{Duration, Instant};

use chrono::Utc;
use serde::Serialize;
use tokio::{sync::mpsc, time::sleep};

use crate::{
    fault::BenchError,
    fill,
    history::{ACCOUNTS, ENTRIES, History, JOURNAL, RECIPIENTS, account_row, recipient_row},
    load::{self, Load},
    percentiles::median,
    place::{DATABASES, Place},
    plan::Plan,
    shapes::there_and_back,
    store,
    traffic::{Shape, account},
};

/// The services whose databases are exchanged.
const SERVICES: [&str; 2] = ["ledger-svc", "notifications-svc"];
/// The containers that bring the databases up to date, and end.
const MIGRATIONS: [&str; 2] = ["ledger-migrate", "notifications-migrate"];
/// How long a service may take until it works.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many bytes of rows are made before they are handed over, and how often at most they wait.
const CHUNK_BYTES: usize = 256 * 1024;
const CHUNKS_WAITING: usize = 8;

/// Transfers a second, one a command, uniform over all accounts.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Large {
    pub(crate) accounts: u32,
    pub(crate) entries: u64,
    pub(crate) empty_accounts: u32,
    /// How long it took to make.
    pub(crate) fill_seconds: f64,
    pub(crate) empty: f64,
    pub(crate) large: f64,
    pub(crate) empty_windows: Vec<f64>,
    pub(crate) large_windows: Vec<f64>,
}

pub(crate) async fn run(place: &Place, plan: &Plan) -> Result<Large, BenchError> {
    let measured = measure(place, plan).await;
    each_database(place, Change::BringBack).await?;
    measured
}

async fn measure(place: &Place, plan: &Plan) -> Result<Large, BenchError> {
    each_database(place, Change::SetAside).await?;
    each_database(place, Change::Copy).await?;
    let began = Instant::now();
    each_database(place, Change::Exchange).await?;
    fill_large(place, plan).await?;
    let fill_seconds = began.elapsed().as_secs_f64();
    each_database(place, Change::Exchange).await?;
    fill::accounts(place, plan.accounts).await?;

    let (mut empty, mut large, mut in_use) = (Vec::new(), Vec::new(), false);
    for is_large in there_and_back(&[false, true], plan.rounds.next_multiple_of(2)) {
        if is_large != in_use {
            each_database(place, Change::Exchange).await?;
            in_use = is_large;
        }
        let accounts = if is_large { plan.large_accounts } else { plan.accounts };
        // A service that was just started is cold.
        let warm_up = plan.warm_up * 2;
        let (shape, window) = (Shape::Uniform, plan.round);
        let load = Load { shape, accounts, warm_up, window, ..Load::unbatched(plan) };
        let rate = load::run(place, load).await?.transfers_per_second;
        if is_large { &mut large } else { &mut empty }.push(rate);
    }
    let middle = |rates: &Vec<f64>| median(rates.clone()).unwrap_or_default();
    Ok(Large {
        accounts: plan.large_accounts,
        entries: plan.large_entries,
        empty_accounts: plan.accounts,
        fill_seconds,
        empty: middle(&empty),
        large: middle(&large),
        empty_windows: empty,
        large_windows: large,
    })
}

/// A change of both databases while the services are stopped.
#[derive(Clone, Copy)]
enum Change {
    /// The bank's own books make room for new ones.
    SetAside,
    /// Another one like that in use.
    Copy,
    /// The other one comes into use.
    Exchange,
    /// The bank's own databases return, if they were renamed, and all others are dropped.
    BringBack,
}

async fn each_database(place: &Place, change: Change) -> Result<(), BenchError> {
    for service in SERVICES {
        place.containers.stop(service).await?;
    }
    for database in DATABASES {
        let (mut server, name) = place.maintenance(database).await?;
        let [before, other, spare, owner] =
            ["before", "other", "spare", "owner"].map(|suffix| format!("{name}_{suffix}"));
        match change {
            Change::SetAside => {
                store::rename(&mut server, &name, &before).await?;
                store::create(&mut server, &name, &owner, "template1").await?;
            }
            Change::Copy => store::create(&mut server, &other, &owner, &name).await?,
            Change::Exchange => {
                store::rename(&mut server, &name, &spare).await?;
                store::rename(&mut server, &other, &name).await?;
                store::rename(&mut server, &spare, &other).await?;
            }
            Change::BringBack if !store::exists(&mut server, &before).await? => {}
            Change::BringBack => {
                for name in [&name, &other, &spare] {
                    store::remove(&mut server, name).await?;
                }
                store::rename(&mut server, &before, &name).await?;
            }
        }
    }
    for service in MIGRATIONS.iter().chain(&SERVICES) {
        place.containers.start(service).await?;
    }
    for service in SERVICES {
        let until = Instant::now() + PATIENCE;
        while !place.containers.is_ready(service).await {
            if Instant::now() > until {
                return Err(BenchError::Wrong(format!("{service} is not ready in time")));
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    Ok(())
}

/// Writes the past into the databases in use.
async fn fill_large(place: &Place, plan: &Plan) -> Result<(), BenchError> {
    let (ledger, notifications) = (place.ledger().await?, place.notifications().await?);
    let (journal, journal_rows) = mpsc::channel(CHUNKS_WAITING);
    let (entries, entry_rows) = mpsc::channel(CHUNKS_WAITING);
    let (accounts, transfers) = (plan.large_accounts, plan.large_entries / 2);
    let making = tokio::task::spawn_blocking(move || {
        let mut history = History::new(accounts, transfers, Utc::now());
        let (mut records, mut booked) = (String::new(), String::new());
        for _ in 0..transfers {
            let rows = history.next();
            records.push_str(&rows.journal);
            booked.push_str(&rows.entries);
            hand_over(&mut records, &journal, CHUNK_BYTES);
            hand_over(&mut booked, &entries, CHUNK_BYTES);
        }
        hand_over(&mut records, &journal, 0);
        hand_over(&mut booked, &entries, 0);
        history
    });
    tokio::try_join!(
        store::copy(&ledger, JOURNAL, journal_rows),
        store::copy(&ledger, ENTRIES, entry_rows)
    )?;
    let history = making.await.map_err(|error| BenchError::Wrong(error.to_string()))?;

    let ends: Vec<(i64, Vec<u8>)> =
        history.chains.iter().map(|(place, hash)| (*place, hash.0.to_vec())).collect();
    store::end_chains(&ledger, &ends).await?;
    let (books, book_rows) = mpsc::channel(CHUNKS_WAITING);
    let (holders, holder_rows) = mpsc::channel(CHUNKS_WAITING);
    let making = tokio::task::spawn_blocking(move || {
        let (mut accounts, mut recipients) = (String::new(), String::new());
        for (index, book) in (0..).zip(history.books) {
            accounts.push_str(&account_row(account(index), book));
            recipients.push_str(&recipient_row(account(index)));
            hand_over(&mut accounts, &books, CHUNK_BYTES);
            hand_over(&mut recipients, &holders, CHUNK_BYTES);
        }
        hand_over(&mut accounts, &books, 0);
        hand_over(&mut recipients, &holders, 0);
    });
    tokio::try_join!(
        store::copy(&ledger, ACCOUNTS, book_rows),
        store::copy(&notifications, RECIPIENTS, holder_rows)
    )?;
    making.await.map_err(|error| BenchError::Wrong(error.to_string()))?;
    tokio::try_join!(store::tidy_up(&ledger), store::tidy_up(&notifications))?;
    Ok(())
}

/// Hands rows over when there are enough of them.
fn hand_over(rows: &mut String, to: &mpsc::Sender<String>, bytes: usize) {
    if rows.len() >= bytes.max(1) {
        // A closed channel means that the copy has failed, which reports the cause.
        let _ = to.blocking_send(std::mem::take(rows));
    }
}
