//! A holder who aims webhooks at the bank's own network. Promise: only receivers that the bank
//! names are called there, and neither events nor lists show what anybody answered.

use anyhow::{Context, Result, ensure};
use harness::{Bank, Fact, Recorded, facts};
use shared_events::{
    AccountId, Message as _, accounts::AccountsCommandRejected, notifications::DeliveryFailed,
};

use super::{
    bank_client::{BankClient, opening},
    mail_server::MailServer,
    notifications::{listed, open},
    webhook_receiver::{SECRETS, WebhookReceiver},
};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_webhook_reaches_named_receivers_of_the_own_network_and_no_others,
        a_url_with_a_user_is_refused_by_field_and_rule,
        the_switch_for_private_addresses_of_earlier_releases_stops_the_start,
        the_list_of_ports_of_earlier_releases_stops_the_start,
    ]
}

async fn with_webhook(client: &mut BankClient, name: &str, webhook: String) -> Result<AccountId> {
    client.account_with(name, |terms| terms.holder.webhook = Some(webhook)).await
}

async fn a_webhook_reaches_named_receivers_of_the_own_network_and_no_others(
    bank: Bank,
) -> Result<()> {
    let mail_server = MailServer::open(&[]).await?;
    // A server inside the bank's network, as a broker's management or a service's probes.
    let inner = WebhookReceiver::unnamed(&[200; 9]).await?;
    let named = WebhookReceiver::redirecting(&bank, &inner.url(), 9).await?;
    let mut client = open(bank, &mail_server).await?;
    let attacks = [
        ("redirected", named.url(), "307"),
        ("unnamed", inner.url(), "the webhook's address is not public"),
        ("by name", inner.url_of("localhost"), "the webhook is not an https URL"),
        ("in hexadecimal", inner.url_of("0x7f.1"), "the webhook's address is not public"),
        ("mapped", inner.url_of("[::ffff:127.0.0.1]"), "the webhook's address is not public"),
        ("named otherwise", named.url_of("localhost"), "the webhook is not an https URL"),
    ];
    let mut aimed = Vec::new();
    for (name, url, error) in attacks {
        aimed.push((name, with_webhook(&mut client, name, url).await?, error));
    }
    // As a release without the rule has stored it.
    let stored = with_webhook(&mut client, "stored", named.url()).await?;
    aimed.push(("stored", stored, "the webhook's URL has a user or a password"));
    client.wait_recipients().await?;
    let (url, secret) = (named.url(), named.url().replace("http://", "http://ada:hunter2@"));
    let statement =
        format!("UPDATE recipients SET webhook = '{secret}' WHERE account_id = '{stored}'");
    client.bank.execute("notifications", &statement).await?;

    for (_, account, _) in &aimed {
        client.deposit(*account, "1").await?;
    }
    let failed = client.bank.events().wait_for(DeliveryFailed::TYPE, aimed.len()).await?;
    for (name, account, error) in &aimed {
        let subject = |event: &&Recorded| event.event.data["account_id"] == account.to_string();
        let event = failed.iter().find(subject).with_context(|| format!("{name}: {failed:?}"))?;
        let told = event.event.data["error"].as_str().unwrap_or_default();
        ensure!(told.starts_with(error), "{name}: {told:?}");
        let found = listed(&client, *account).await?;
        let last = found[0].deliveries[0].last_error.as_deref().unwrap_or_default();
        ensure!(last.starts_with(error), "{name}: {last:?}");
    }
    ensure!(inner.calls().is_empty(), "the own network was called: {:?}", inner.calls());
    let calls = named.calls();
    ensure!(calls.len() == 3, "{url} is called by the redirected alone: {calls:?}");
    ensure!(calls.iter().all(|call| call.header("authorization").is_err()), "{calls:?}");
    for event in client.bank.events().events().await? {
        let text = format!("{event:?}");
        ensure!(!text.contains(SECRETS) && !text.contains("hunter2"), "{text}");
    }
    Ok(())
}

async fn a_url_with_a_user_is_refused_by_field_and_rule(bank: Bank) -> Result<()> {
    let client = BankClient::with_services(bank).await?;
    for url in [
        "http://guest:hunter2@broker:15672/api/queues",
        "https://ada@example.com/",
        "https://:hunter2@example.com/",
    ] {
        let mut open = opening("thief")?;
        open.holder.webhook = Some(url.to_owned());
        let answer = client.request(open).await?;
        let refused = answer[0].read::<AccountsCommandRejected>()?;
        ensure!(refused.field.as_deref() == Some("holder.webhook"), "{url}: {refused:?}");
        ensure!(refused.message.contains("no user and no password"), "{url}: {refused:?}");
        ensure!(!format!("{refused:?}").contains("hunter2"), "{refused:?}");
    }
    Ok(())
}

async fn the_switch_for_private_addresses_of_earlier_releases_stops_the_start(
    bank: Bank,
) -> Result<()> {
    stops_the_start(&bank, "BANKWIRE_WEBHOOK__ALLOW_PRIVATE", "webhook.allow_private").await
}

async fn the_list_of_ports_of_earlier_releases_stops_the_start(bank: Bank) -> Result<()> {
    stops_the_start(&bank, "BANKWIRE_WEBHOOK__PORTS", "webhook.ports").await
}

/// A setting that is ignored would look like one that holds.
async fn stops_the_start(bank: &Bank, variable: &str, key: &str) -> Result<()> {
    bank.set("notifications", variable, "false");
    let instance = bank.prepare("notifications").await?;
    instance.launch().await?;
    let exit = instance.wait_exit().await?;
    ensure!(exit.code() == Some(2), "{exit}");
    let log = instance.log()?;
    let told = format!("{key} is no setting any more: webhook.allow names");
    ensure!(log.contains(&told), "{log}");
    Ok(())
}
