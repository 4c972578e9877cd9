//! Notifications: refused deliveries, repeated deliveries, and preferences of holders.

use anyhow::{Context, Result};
use harness::Message;
use lapin::types::AMQPValue;
use shared_events::{
    Message as _,
    accounts::{Blocks, FreezeAccount, UnfreezeAccount},
    ids::DeliveryId,
    notifications::{
        Channel, DeliveryFailed, RecoverDeliveries, ResendDelivery, SetPreferences, Topic,
    },
    topology::{ATTEMPT_HEADER, RETRY_TIERS},
};

use super::{
    money::{deposit, pay_out},
    people::People,
    session::Session,
};
use crate::notifications::{HOLDERS, everything};

/// The answers to the first e-mails, and the statuses of the first calls of the webhook.
pub(super) const MAILS_REFUSED: [&str; 2] = ["550 5.1.1 no such user", "451 later"];
pub(super) const CALLS_ANSWERED: [u16; 7] = [500, 503, 204, 500, 500, 500, 410];

/// Deliveries that fail, are sent again, and switch a webhook off.
pub(super) async fn fail_and_recover(session: &mut Session, people: &People) -> Result<()> {
    session.transcript.chapter("deliveries");
    deposit(session, people.bob, "1").await?;
    let failed = session.bank.events().of_kind(DeliveryFailed::TYPE).await?;
    let failed = failed.first().context("the first e-mail was refused")?;
    let delivery_id: DeliveryId = serde_json::from_value(failed.event.data["delivery_id"].clone())?;
    let unknown = session.delivery_id();
    let resend = |delivery_id| ResendDelivery { delivery_id };
    session.send_again(resend(delivery_id), resend(unknown)).await?;
    session.send(resend(unknown)).await?;

    deposit(session, people.ada, "1").await?;
    let (account_id, blocks, reason) = (people.ada, Blocks::Debits, "a lost card".to_owned());
    session.send(FreezeAccount { account_id, blocks, reason }).await?;
    let recover = RecoverDeliveries {
        account_id: Some(account_id),
        channel: Some(Channel::Webhook),
        since: "2020-01-01T00:00:00Z".parse()?,
        until: None,
    };
    let other = RecoverDeliveries { channel: None, ..recover.clone() };
    session.send_again(recover.clone(), other).await?;
    session.send(UnfreezeAccount { account_id }).await?;
    let until = Some("2019-01-01T00:00:00Z".parse()?);
    session.send(RecoverDeliveries { until, ..recover }).await
}

/// Preferences, set and refused.
pub(super) async fn preferences(session: &mut Session, people: &People) -> Result<()> {
    session.transcript.chapter("preferences");
    let all = everything(people.ada, None);
    session.send(all.clone()).await?;
    deposit(session, people.ada, "2").await?;
    let own_key = everything(people.ada, Some(HOLDERS));
    session.send_again(own_key, SetPreferences { email: false, ..all.clone() }).await?;
    let rejections = vec![Topic::TransferRejected];
    session.send(SetPreferences { topics: rejections, email: false, ..all.clone() }).await?;
    deposit(session, people.ada, "3").await?;
    pay_out(session, people.ada, "30000").await?;
    session.send(SetPreferences { topics: vec![], ..everything(people.bob, None) }).await?;
    deposit(session, people.bob, "4").await?;
    session.send(everything(people.bob, None)).await?;
    session.send(all.clone()).await?;
    let secret = Some("whsec_short".to_owned());
    session.send(SetPreferences { webhook_secret: secret, ..all.clone() }).await?;
    let waited = u32::try_from(RETRY_TIERS.len())?;
    let unknown = SetPreferences { account_id: people.nobody, ..all };
    let unknown = Message::of(session.message_id(), unknown)
        .with_header(ATTEMPT_HEADER, AMQPValue::LongUInt(waited))
        .retried_by("notifications", "notifications.commands");
    session.send_message::<SetPreferences>(&unknown).await
}
