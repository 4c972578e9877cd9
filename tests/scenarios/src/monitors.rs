//! Balance monitors. Promise: a crossing is told once, with the posting that made it.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, facts};
use shared_events::{
    Amount, MonitorId, TransferId,
    ledger::{
        ArrangementRejected, ListMonitors, MonitorChanged, MonitorCondition, MonitorRaised,
        SetMonitor, SubmitTransfers,
    },
    message::Message,
    topology::SERVICES,
};

use super::{
    clerk::Clerk,
    desk::{Desk, amount, cash, customer, transfer},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![a_monitor_is_raised_once_for_each_crossing, monitors_are_set_and_removed_by_teller]
}

async fn a_monitor_is_raised_once_for_each_crossing(bank: Bank) -> Result<()> {
    let mut desk = Desk::open(bank.clone()).await?;
    let ada = desk.account("ada").await?;
    let (low, moved) = (MonitorId::new(), MonitorId::new());
    for (monitor_id, condition) in [
        (low, MonitorCondition::Below(amount(50))),
        (moved, MonitorCondition::ChangeBy(amount(70))),
    ] {
        let answer = desk.tell(SetMonitor { account_id: ada, monitor_id, condition }).await?;
        ensure!(answer.iter().any(|it| it.kind == MonitorChanged::TYPE), "{answer:?}");
    }
    desk.deposit(ada, "60").await?;
    // One command: 60, 40, 30, 55, 45. It is below 50 twice.
    let out = |units| transfer(customer(ada), cash(), units);
    let into = |units| transfer(cash(), customer(ada), units);
    let transfers = vec![out("20")?, out("10")?, into("25")?, out("10")?];
    let ids: Vec<TransferId> = transfers.iter().map(|it| it.transfer_id).collect();
    let answer = desk.tell(SubmitTransfers { transfers: transfers.clone() }).await?;
    // Sent again, and too much: nothing moves.
    desk.tell(SubmitTransfers { transfers }).await?;
    ensure!(desk.send(out("1000")?).await? == "insufficient_funds");
    let told = answer.iter().filter(|it| it.kind == MonitorRaised::TYPE);
    let told: Vec<MonitorRaised> =
        told.map(shared_events::envelope::RawEnvelope::read).collect::<Result<_, _>>()?;
    let expected = [(ids[0], amount(40)), (ids[3], amount(45))];
    let crossings: Vec<_> = told.iter().map(|it| (it.transfer_id, it.balance)).collect();
    ensure!(crossings == expected && told.iter().all(|it| it.monitor_id == low), "{told:?}");
    desk.deposit(ada, "25").await?;
    let heard = bank.events().wait_for(MonitorRaised::TYPE, 3).await?;
    ensure!(heard.len() == 3, "{heard:#?}");
    let last: MonitorRaised = serde_json::from_value(heard[2].event.data.clone())?;
    ensure!((last.monitor_id, last.balance) == (moved, amount(70)), "{last:?}");
    let listed = desk.client.ask(ListMonitors { account_id: ada }).await?;
    ensure!(listed.monitors.len() == 2, "{listed:?}");

    let none = MonitorCondition::ChangeBy(Amount::ZERO);
    let wrong = SetMonitor { account_id: ada, monitor_id: MonitorId::new(), condition: none };
    let answer = desk.tell(wrong).await?;
    let rejected: ArrangementRejected = answer.first().context("it is answered")?.read()?;
    ensure!(rejected.field.as_deref() == Some("condition"), "{rejected:?}");
    Ok(())
}

async fn monitors_are_set_and_removed_by_teller(bank: Bank) -> Result<()> {
    bank.start_all(&SERVICES).await?;
    let clerk = Clerk::of(&bank)?;
    let open = ["account", "open", "--name", "ada", "--currency", "EUR"];
    clerk.json(&[&open[..], &["--external-reference", "ada"]].concat()).await?;
    let set = clerk.json(&["monitor", "set", "ada", "--above", "99.50"]).await?;
    let monitor = set["monitor_id"].as_str().context("it is told")?;
    clerk.json(&["deposit", "ada", "100", "EUR"]).await?;
    let listed = clerk.json(&["monitor", "list", "ada"]).await?;
    ensure!(listed["monitors"][0]["armed"] == false, "{listed}");
    clerk.json(&["monitor", "remove", "ada", monitor]).await?;
    let listed = clerk.json(&["monitor", "list", "ada"]).await?;
    ensure!(listed["monitors"].as_array().is_some_and(Vec::is_empty), "{listed}");
    let again = clerk.run(&["monitor", "remove", "ada", monitor]).await?;
    ensure!(again.code == 1 && again.err.contains("unknown_monitor"), "{again:?}");
    Ok(())
}
