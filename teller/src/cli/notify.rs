//! `teller notifications ...` and `teller preferences ...`

use clap::{Args, Subcommand};
use serde::{Serialize, de::DeserializeOwned};
use shared_events::{
    MessageId,
    notifications::{Delivery, Notification, PreferencesChanged, SetPreferences, Topic},
};

use super::{
    failure::Failure,
    global::secret,
    output::{Column, card, or_empty, table},
    session::{SendId, Session, account_id},
};
use crate::{
    error::code_of,
    input::{self, InvalidInput},
};

const SECRET: &str = "TELLER_WEBHOOK_SECRET";

#[derive(Debug, Subcommand)]
pub(crate) enum Notifications {
    /// List what holders were told, newest first
    List(List),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Preferences {
    /// Set what the holder of an account is told, and how; takes the place of what was set before
    Set(Set),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only about this account: id, IBAN or external reference
    #[arg(long)]
    account: Option<String>,
    /// How many to show at most
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
    /// What to tell, separated by commas: transfer_posted, transfer_rejected, account_frozen,
    /// account_unfrozen, account_closed, or none [default: everything]
    #[arg(long, value_name = "TOPIC", value_delimiter = ',')]
    topics: Option<Vec<String>>,
    #[command(flatten)]
    id: SendId,
}

impl Notifications {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let Self::List(it) = self;
        let key = it.account.map(|name| input::account("account", &name)).transpose()?;
        let bank = session.bank().await?;
        let account = match key {
            Some(key) => Some(account_id(&bank, key).await?),
            None => None,
        };
        let found = bank.list_notifications(account, it.limit).await?;
        session.out.show(&found, || list(&found))?;
        Ok(())
    }
}

/// One row for each delivery; a notification without any has one, too.
fn list(found: &[Notification]) -> String {
    let columns = [
        Column::Left("made at"),
        Column::Left("account"),
        Column::Left("topic"),
        Column::Left("channel"),
        Column::Left("status"),
        Column::Right("attempts"),
        Column::Left("last error"),
    ];
    let row = |it: &Notification, delivery: Option<&Delivery>| {
        vec![
            it.created_at.format("%Y-%m-%d %H:%M:%S").to_string(),
            it.account_id.to_string(),
            code_of(it.topic),
            delivery.map_or_else(|| "none wanted".to_owned(), |it| code_of(it.channel)),
            delivery.map(|it| code_of(it.status)).unwrap_or_default(),
            delivery.map(|it| it.attempts.to_string()).unwrap_or_default(),
            or_empty(delivery.and_then(|it| it.last_error.as_ref())),
        ]
    };
    let rows = found.iter().flat_map(|it| match it.deliveries.as_slice() {
        [] => vec![row(it, None)],
        deliveries => deliveries.iter().map(|delivery| row(it, Some(delivery))).collect(),
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
        let Self::Set(it) = self;
        let key = input::account("account", &it.account)?;
        let topics = it.topics.as_deref().map_or_else(|| Ok(Topic::ALL.to_vec()), topics)?;
        let webhook_secret = input::checked(secret(SECRET)?.as_deref(), input::webhook_secret)?;
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        let id = session.id(&it.id);
        let (email, webhook) = (!it.no_email, !it.no_webhook);
        let command = SetPreferences { account_id, email, webhook, topics, webhook_secret };
        let changed = Changed { id, preferences: bank.set_preferences(id, command).await? };
        session.out.show(&changed, || describe(&changed.preferences))?;
        Ok(())
    }
}

fn describe(preferences: &PreferencesChanged) -> String {
    let yes_or_no = |yes| if yes { "yes" } else { "no" }.to_owned();
    let topics: Vec<String> = preferences.topics.iter().map(code_of).collect();
    card(&[
        ("account", preferences.account_id.to_string()),
        ("email", yes_or_no(preferences.email)),
        ("webhook", yes_or_no(preferences.webhook)),
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
