//! E-mails that a mail server refuses, and addresses of all kinds. Promise: a refusal of the bank
//! as a sender loses no e-mail, a refusal of one recipient costs one attempt; no third party can
//! write a line of an e-mail.

use anyhow::{Result, ensure};
use harness::{Bank, Fact, facts};
use shared_events::{
    AccountId, Message as _,
    notifications::{DeliveryFailed, DeliverySucceeded},
};

use super::{bank_client::BankClient, mail_server::MailServer, notifications::open};

pub(crate) fn facts() -> Vec<Fact> {
    facts![
        a_mail_server_that_refuses_the_bank_costs_no_letter,
        a_mailbox_that_is_not_there_costs_one_attempt,
        an_international_domain_is_written_to_and_a_local_part_is_refused_at_once,
        a_reference_cannot_rewrite_a_letter_also_one_of_long_ago,
    ]
}

/// Twenty attempts, close together.
const OFTEN: &str = "0,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1,0.1";

async fn written_to(client: &mut BankClient, address: &str) -> Result<AccountId> {
    client.account_with("alice", |terms| terms.holder.email = Some(address.to_owned())).await
}

async fn a_mail_server_that_refuses_the_bank_costs_no_letter(bank: Bank) -> Result<()> {
    let refusals = [
        ("CONNECT", "554 5.7.1 your address is on a list"),
        ("CONNECT", "554 no SMTP service here"),
        ("EHLO", "550 5.7.0 who are you"),
        ("MAIL FROM", "550 5.7.1 sender rejected"),
        ("MAIL FROM", "553 sender address rejected"),
        ("RCPT TO", "554 5.7.1 relay access denied"),
        ("RCPT TO", "550 relaying denied"),
        ("DATA", "554 5.7.1 refused by policy"),
        ("DATA", "530 5.7.0 authentication required"),
    ];
    let mail_server = MailServer::refusing(&refusals).await?;
    let mut client = {
        bank.set("notifications", "BANKWIRE_SMTP__URL", mail_server.url());
        bank.set("notifications", "BANKWIRE_DELIVERY__SCHEDULE", OFTEN);
        BankClient::with_services(bank).await?
    };
    let alice = written_to(&mut client, "alice@example.com").await?;
    client.deposit(alice, "1").await?;
    let end = client.bank.events().wait_for(DeliverySucceeded::TYPE, 1).await?.remove(0);
    ensure!(end.event.data["attempts"] == refusals.len() + 1, "{end:?}");
    ensure!(mail_server.mails().len() == 1, "{:?}", mail_server.mails());
    ensure!(client.bank.events().of_kind(DeliveryFailed::TYPE).await?.is_empty());
    Ok(())
}

async fn a_mailbox_that_is_not_there_costs_one_attempt(bank: Bank) -> Result<()> {
    let mail_server = MailServer::refusing(&[("RCPT TO", "550 no such user here")]).await?;
    let mut client = open(bank, &mail_server).await?;
    let alice = written_to(&mut client, "alice@example.com").await?;
    client.deposit(alice, "1").await?;
    let end = client.bank.events().wait_for(DeliveryFailed::TYPE, 1).await?.remove(0);
    ensure!(end.event.data["attempts"] == 1, "{end:?}");
    ensure!(end.event.data["error"] == "550 no such user here", "{end:?}");
    // The connection that was refused on is not used for the next letter.
    client.deposit(alice, "2").await?;
    mail_server.wait(1).await?;
    Ok(())
}

async fn an_international_domain_is_written_to_and_a_local_part_is_refused_at_once(
    bank: Bank,
) -> Result<()> {
    let mail_server = MailServer::open(&[]).await?;
    let mut client = open(bank, &mail_server).await?;
    let alice = written_to(&mut client, "user@müller.example").await?;
    client.deposit(alice, "1").await?;
    let mail = mail_server.wait(1).await?.remove(0);
    ensure!(mail.to == "user@xn--mller-kva.example", "{mail:?}");
    ensure!(mail.header("To") == mail.to, "{mail:?}");
    let joerg = written_to(&mut client, "jörg@example.com").await?;
    client.deposit(joerg, "1").await?;
    let end = client.bank.events().wait_for(DeliveryFailed::TYPE, 1).await?.remove(0);
    ensure!(end.event.data["attempts"] == 1, "{end:?}");
    let error = end.event.data["error"].as_str().unwrap_or_default();
    ensure!(error.contains("SMTPUTF8"), "{error}");
    Ok(())
}

async fn a_reference_cannot_rewrite_a_letter_also_one_of_long_ago(bank: Bank) -> Result<()> {
    let mail_server = MailServer::open(&[]).await?;
    let mut client = open(bank, &mail_server).await?;
    let alice = written_to(&mut client, "alice@example.com").await?;
    client.wait_recipients().await?;
    // As a version without the rule has stored it: the name and the reference of a transfer.
    let statements = format!(
        r#"UPDATE recipients SET name = E'Al\u2028ice\u202e';
        INSERT INTO notifications
            (id, account_id, topic, event_id, correlation_id, created_at, parameters)
        SELECT id, '{alice}', 'transfer_posted', id, id, now(), jsonb_build_object(
            'topic', 'transfer_posted', 'transfer_id', id, 'direction', 'credit', 'balance', '1',
            'money', jsonb_build_object('amount', '1.00', 'currency', 'EUR'),
            'reference',
                E'Rent\u2028\u2028You are blocked, call +1\u2029\u202e0011 2 2\u0085x',
            'booking_date', '2026-11-22')
        FROM (SELECT '01a20297-de08-7a11-a1b8-000000000001'::uuid) AS planted(id);
        INSERT INTO deliveries (id, notification_id, channel, next_attempt_at)
        SELECT id, id, 'email', now() FROM notifications"#
    );
    client.bank.execute("notifications", &statements).await?;
    let mail = mail_server.wait(1).await?.remove(0);
    let body = decoded(&mail.text);
    let line = body.lines().find(|line| line.starts_with("Reference: "));
    let line = line.unwrap_or_default();
    ensure!(line.contains("Rent") && line.contains("call +1") && line.ends_with('x'), "{body}");
    let hidden = ['\u{2028}', '\u{2029}', '\u{202e}', '\u{85}'];
    ensure!(!body.contains(hidden), "{body:?}");
    ensure!(body.contains("Dear Al"), "{body}");
    Ok(())
}

/// The text of a letter that came as quoted-printable.
fn decoded(text: &str) -> String {
    let text = text.replace("=\n", "");
    let (mut bytes, mut rest) = (Vec::new(), text.as_str());
    while let Some((before, after)) = rest.split_once('=') {
        bytes.extend_from_slice(before.as_bytes());
        let code = after.get(..2).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(b'=');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}
