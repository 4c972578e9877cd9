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
    bank_client::{BankClient, amount, cash, customer, transfer},
    cli_runner::TellerCli,
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![a_monitor_is_raised_once_for_each_crossing, monitors_are_set_and_removed_by_teller]
}

async fn a_monitor_is_raised_once_for_each_crossing(bank: Bank) -> Result<()> {
    let mut client = BankClient::with_services(bank.clone()).await?;
    let ada = client.account("ada").await?;
    let (low, moved) = (MonitorId::new(), MonitorId::new());
    for (monitor_id, condition) in [
        (low, MonitorCondition::Below(amount(50))),
        (moved, MonitorCondition::ChangeBy(amount(70))),
    ] {
        let answer = client.request(SetMonitor { account_id: ada, monitor_id, condition }).await?;
        ensure!(answer.iter().any(|event| event.kind == MonitorChanged::TYPE), "{answer:?}");
    }
    client.deposit(ada, "60").await?;
    // One command: 60, 40, 30, 55, 45. It is below 50 twice.
    let out = |units| transfer(customer(ada), cash(), units);
    let into = |units| transfer(cash(), customer(ada), units);
    let transfers = vec![out("20")?, out("10")?, into("25")?, out("10")?];
    let ids: Vec<TransferId> = transfers.iter().map(|transfer| transfer.transfer_id).collect();
    let answer = client.request(SubmitTransfers { transfers: transfers.clone() }).await?;
    // Sent again, and too much: nothing moves.
    client.request(SubmitTransfers { transfers }).await?;
    ensure!(client.submit(out("1000")?).await? == "insufficient_funds");
    let actual = answer.iter().filter(|event| event.kind == MonitorRaised::TYPE);
    let actual: Vec<MonitorRaised> =
        actual.map(shared_events::envelope::RawEnvelope::read).collect::<Result<_, _>>()?;
    let expected = [(ids[0], amount(40)), (ids[3], amount(45))];
    let crossings: Vec<_> =
        actual.iter().map(|raised| (raised.transfer_id, raised.balance)).collect();
    ensure!(
        crossings == expected && actual.iter().all(|raised| raised.monitor_id == low),
        "{actual:?}"
    );
    client.deposit(ada, "25").await?;
    let received = bank.events().wait_for(MonitorRaised::TYPE, 3).await?;
    ensure!(received.len() == 3, "{received:#?}");
    let last: MonitorRaised = serde_json::from_value(received[2].event.data.clone())?;
    ensure!((last.monitor_id, last.balance) == (moved, amount(70)), "{last:?}");
    let listed = client.query(ListMonitors { account_id: ada }).await?;
    ensure!(listed.monitors.len() == 2, "{listed:?}");

    let none = MonitorCondition::ChangeBy(Amount::ZERO);
    let wrong = SetMonitor { account_id: ada, monitor_id: MonitorId::new(), condition: none };
    let answer = client.request(wrong).await?;
    let rejected: ArrangementRejected =
        answer.first().context("the command has a reply")?.read()?;
    ensure!(rejected.field.as_deref() == Some("condition"), "{rejected:?}");
    Ok(())
}

async fn monitors_are_set_and_removed_by_teller(bank: Bank) -> Result<()> {
    bank.start_all(&SERVICES).await?;
    let teller = TellerCli::of(&bank)?;
    let open = ["account", "open", "--name", "ada", "--currency", "EUR"];
    teller.json(&[&open[..], &["--external-reference", "ada"]].concat()).await?;
    let set = teller.json(&["monitor", "set", "ada", "--above", "99.50"]).await?;
    let monitor = set["monitor_id"].as_str().context("the reply has an id")?;
    teller.json(&["deposit", "ada", "100", "EUR"]).await?;
    let listed = teller.json(&["monitor", "list", "ada"]).await?;
    ensure!(listed["monitors"][0]["armed"] == false, "{listed}");
    teller.json(&["monitor", "remove", "ada", monitor]).await?;
    let listed = teller.json(&["monitor", "list", "ada"]).await?;
    ensure!(listed["monitors"].as_array().is_some_and(Vec::is_empty), "{listed}");
    let again = teller.run(&["monitor", "remove", "ada", monitor]).await?;
    ensure!(again.code == 1 && again.err.contains("unknown_monitor"), "{again:?}");
    Ok(())
}
