//! `teller notifications ...` and `teller preferences ...`

use clap::{Args, Subcommand};
use secrecy::ExposeSecret;
use serde::{Serialize, de::DeserializeOwned};
use shared_events::{
    MessageId,
    ids::{DeliveryId, InvalidId},
    notifications::{
        Channel, Delivery, DeliveryResent, DeliveryStatus, Notification, PreferencesChanged,
        PreferencesFound, RecoverDeliveries, ResendDelivery, SetPreferences, Topic,
    },
};
use teller_client::{
    code_of,
    input::{self, InvalidInput},
};

use crate::{
    failure::Failure,
    global::{read, secret},
    output::{Column, Text, card, or_empty, table},
    session::{SendId, Session, account_id},
};

const SECRET: &str = "TELLER_WEBHOOK_SECRET";

#[derive(Debug, Subcommand)]
pub(crate) enum Notifications {
    /// List notifications, newest first
    List(List),
    /// Send an ended delivery again, with as many attempts as a new one
    Resend(Resend),
    /// Send failed deliveries of a span of time again
    Recover(Recover),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Preferences {
    /// Set the notification preferences of an account's holder, in place of the earlier ones
    Set(Set),
    /// Show the notification preferences of an account's holder
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The account: id, IBAN or external reference
    account: String,
}

#[derive(Debug, Args)]
pub(crate) struct Resend {
    /// The delivery's id, as `notifications list` shows it
    delivery: String,
    #[command(flatten)]
    id: SendId,
}

#[derive(Debug, Args)]
#[command(after_help = "\
A command recovers 10,000 deliveries at most. As many commands are sent as it takes; with --id one
is, and its answer says whether there may be more.")]
pub(crate) struct Recover {
    /// Of events from this instant on, such as 2026-11-22T12:00:00Z
    #[arg(long, value_name = "INSTANT")]
    since: String,
    /// Of events before this instant [default: until now]
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
    /// Only about this account: id, IBAN or external reference
    #[arg(long)]
    account: Option<String>,
    /// Only by email, or only by webhook
    #[arg(long)]
    channel: Option<String>,
    #[command(flatten)]
    id: SendId,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only about this account: id, IBAN or external reference
    #[arg(long)]
    account: Option<String>,
    /// The largest number of results
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
}

#[derive(Debug, Args)]
#[command(after_help = "\
The key that webhooks are signed with is not an argument, which others could see: it is taken from
TELLER_WEBHOOK_SECRET, or from the file that TELLER_WEBHOOK_SECRET_FILE names. Without, it stays.")]
pub(crate) struct Set {
    /// The account: id, IBAN or external reference
    account: String,
    /// Write no e-mail
    #[arg(long)]
    no_email: bool,
    /// Call no webhook
    #[arg(long)]
    no_webhook: bool,
    /// The topics, separated by commas: transfer_posted, transfer_rejected, account_frozen,
    /// account_unfrozen, account_closed, or none [default: all]
    #[arg(long, value_name = "TOPIC", value_delimiter = ',')]
    topics: Option<Vec<String>>,
    #[command(flatten)]
    id: SendId,
}

impl Notifications {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(session).await,
            Self::Resend(command) => command.run(session).await,
            Self::Recover(command) => command.run(session).await,
        }
    }
}

impl List {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = self.account.map(|name| input::account("account", &name)).transpose()?;
        let bank = session.bank().await?;
        let account = match key {
            Some(key) => Some(account_id(&bank, key).await?),
            None => None,
        };
        let found = bank.list_notifications(account, self.limit).await?;
        session.out.show(&found, || list(&found))?;
        Ok(())
    }
}

#[derive(Serialize)]
struct Resent {
    id: MessageId,
    delivery: DeliveryResent,
}

impl Resend {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let not_an_id = |error: InvalidId| InvalidInput::new("delivery", error.to_string());
        let delivery_id: DeliveryId = self.delivery.parse().map_err(not_an_id)?;
        let bank = session.bank().await?;
        let id = session.id(&self.id);
        let delivery = bank.resend_delivery(id, ResendDelivery { delivery_id }).await?;
        let resent = Resent { id, delivery };
        session.out.show(&resent, || {
            card(&[
                ("delivery", resent.delivery.delivery_id.to_string()),
                ("account", resent.delivery.account_id.to_string()),
                ("topic", resent.delivery.topic.to_string()),
                ("channel", resent.delivery.channel.to_string()),
                ("status", code_of(DeliveryStatus::Pending)),
            ])
        })?;
        Ok(())
    }
}

#[derive(Serialize)]
struct Recovered {
    recovered: u64,
    more: bool,
}

impl Recover {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key =
            self.account.as_deref().map(|name| input::account("account", name)).transpose()?;
        let since = input::instant("since", &self.since)?;
        let until =
            self.until.as_deref().map(|instant| input::instant("until", instant)).transpose()?;
        let channel = self.channel.as_deref().map(channel).transpose()?;
        let bank = session.bank().await?;
        let account_id = match key {
            Some(key) => Some(account_id(&bank, key).await?),
            None => None,
        };
        let command = RecoverDeliveries { account_id, channel, since, until };
        let mut all = Recovered { recovered: 0, more: true };
        while all.more {
            let id = session.id(&self.id);
            let answer = bank.recover_deliveries(id, command.clone()).await?;
            all.recovered += u64::from(answer.recovered);
            all.more = answer.more;
            if self.id.is_given() {
                break;
            }
        }
        session.out.show(&all, || {
            let more = if all.more { "yes" } else { "no" };
            card(&[("recovered", all.recovered.to_string()), ("more", more.to_owned())])
        })?;
        Ok(())
    }
}

fn channel(name: &str) -> Result<Channel, InvalidInput> {
    named(name).ok_or_else(|| InvalidInput::new("channel", "must be email or webhook"))
}

/// One row for each delivery; a notification without any has one, too.
fn list(found: &[Notification]) -> Text {
    let columns = [
        Column::Left("made at"),
        Column::Left("account"),
        Column::Left("topic"),
        Column::Left("delivery"),
        Column::Left("channel"),
        Column::Left("status"),
        Column::Right("attempts"),
        Column::Left("last error"),
    ];
    let row = |notification: &Notification, delivery: Option<&Delivery>| {
        vec![
            notification.created_at.format("%Y-%m-%d %H:%M:%S").to_string(),
            notification.account_id.to_string(),
            notification.topic.to_string(),
            delivery.map_or_else(
                || "none wanted".to_owned(),
                |delivery| delivery.delivery_id.to_string(),
            ),
            delivery.map(|delivery| delivery.channel.to_string()).unwrap_or_default(),
            delivery.map(|delivery| delivery.status.to_string()).unwrap_or_default(),
            delivery.map(|delivery| delivery.attempts.to_string()).unwrap_or_default(),
            or_empty(delivery.and_then(|delivery| delivery.last_error.as_ref())),
        ]
    };
    let rows = found.iter().flat_map(|notification| match notification.deliveries.as_slice() {
        [] => vec![row(notification, None)],
        deliveries => deliveries.iter().map(|delivery| row(notification, Some(delivery))).collect(),
    });
    table(&columns, rows)
}

#[derive(Serialize)]
struct Changed {
    id: MessageId,
    preferences: PreferencesChanged,
}

impl Preferences {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::Set(command) => command.run(session).await,
            Self::Show(command) => command.run(session).await,
        }
    }
}

impl Show {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        let found = bank.preferences(account_id).await?;
        session.out.show(&found, || describe_found(&found))?;
        Ok(())
    }
}

impl Set {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let topics = self.topics.as_deref().map_or_else(|| Ok(Topic::ALL.to_vec()), topics)?;
        let webhook_secret = secret(SECRET)?.map(|secret| read(SECRET, &secret)).transpose()?;
        let webhook_secret = webhook_secret.as_ref().map(ExposeSecret::expose_secret);
        let webhook_secret = input::checked(webhook_secret, input::webhook_secret)?;
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        let id = session.id(&self.id);
        let (email, webhook) = (!self.no_email, !self.no_webhook);
        let command = SetPreferences { account_id, email, webhook, topics, webhook_secret };
        let changed = Changed { id, preferences: bank.set_preferences(id, command).await? };
        session.out.show(&changed, || describe(&changed.preferences))?;
        Ok(())
    }
}

fn describe(preferences: &PreferencesChanged) -> Text {
    let yes_or_no = |yes| if yes { "yes" } else { "no" }.to_owned();
    let topics: Vec<String> = preferences.topics.iter().map(code_of).collect();
    card(&[
        ("account", preferences.account_id.to_string()),
        ("email", yes_or_no(preferences.email)),
        ("webhook", yes_or_no(preferences.webhook)),
        ("topics", if topics.is_empty() { "none".to_owned() } else { topics.join(", ") }),
    ])
}

fn describe_found(found: &PreferencesFound) -> Text {
    let topics: Vec<String> = found.topics.iter().map(code_of).collect();
    let webhook = match (found.webhook, found.webhook_disabled) {
        (false, _) => "no",
        (true, false) => "yes",
        (true, true) => "off: it answered that it is gone; set preferences again to try it",
    };
    let key = if found.webhook_own_key { "the holder's own" } else { "the bank's" };
    let both = found.webhook_both_keys_until.map(|until| until.to_rfc3339());
    card(&[
        ("account", found.account_id.to_string()),
        ("email", if found.email { "yes" } else { "no" }.to_owned()),
        ("webhook", webhook.to_owned()),
        ("signed with", key.to_owned()),
        ("key before too, until", or_empty(both.as_ref())),
        ("topics", if topics.is_empty() { "none".to_owned() } else { topics.join(", ") }),
    ])
}

fn topics(names: &[String]) -> Result<Vec<Topic>, InvalidInput> {
    let named = |name: &String| named(name).ok_or_else(|| unknown(name));
    match names {
        [none] if none == "none" => Ok(vec![]),
        names => names.iter().map(named).collect(),
    }
}

fn unknown(name: &str) -> InvalidInput {
    let known: Vec<String> = Topic::ALL.iter().map(code_of).collect();
    InvalidInput::new("topics", format!("{name:?} is none of {}, none", known.join(", ")))
}

/// The value that has this name on the wire.
fn named<T: DeserializeOwned>(name: &str) -> Option<T> {
    serde_json::from_value(name.into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_named_as_on_the_wire() {
        let given = ["account_frozen", "account_closed"].map(str::to_owned);
        assert_eq!(topics(&given), Ok(vec![Topic::AccountFrozen, Topic::AccountClosed]));
        assert_eq!(topics(&["none".to_owned()]), Ok(vec![]));
        let error = topics(&["weather".to_owned()]).expect_err("no such topic");
        assert!(error.to_string().starts_with(r#"topics: "weather" is none of transfer_posted"#));
    }
}
