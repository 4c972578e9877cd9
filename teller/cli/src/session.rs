//! The tools of a command: the bank, the output, and the id of its message.

use clap::Args;
use shared_events::{AccountId, MessageId, accounts::AccountKey, client::Client};
use teller_client::{Teller, TellerError};
use uuid::Uuid;

use crate::{
    global::Global,
    output::{Output, note, note_json},
};

/// The client's name in `source`: `/clients/teller`.
const CLIENT_NAME: &str = "teller";
const TIMEOUT_SECONDS: u64 = 30;
/// Long work outlasts the restart of a broker or a service.
const PATIENT_TIMEOUT_SECONDS: u64 = 600;

pub(crate) struct Session {
    global: Global,
    pub(crate) out: Output,
}

/// The id of a command's message.
#[derive(Debug, Args)]
pub(crate) struct SendId {
    /// The id of the message; made if not given. The same command sent again with the same id has
    /// one effect
    #[arg(long, value_name = "UUID")]
    id: Option<Uuid>,
}

impl SendId {
    pub(crate) const fn is_given(&self) -> bool {
        self.id.is_some()
    }

    /// The id that was given: something may have been sent under it before.
    pub(crate) fn given(&self) -> Option<MessageId> {
        self.id.map(MessageId)
    }

    pub(crate) fn or_new(&self) -> MessageId {
        self.id.map_or_else(MessageId::new, MessageId)
    }
}

impl Session {
    pub(crate) fn new(global: Global) -> Self {
        let out = Output::new(global.json);
        Self { global, out }
    }

    pub(crate) const fn json(&self) -> bool {
        self.global.json
    }

    /// The bank, or at once the error of the connection.
    pub(crate) async fn bank(&self) -> Result<Teller, TellerError> {
        let bank = self.client(TIMEOUT_SECONDS)?;
        bank.connect().await?;
        Ok(bank)
    }

    /// The bank; a bank that is away is awaited until the timeout.
    pub(crate) async fn patient_bank(&self) -> Result<Teller, TellerError> {
        let bank = self.client(PATIENT_TIMEOUT_SECONDS)?;
        bank.connect_patiently().await?;
        Ok(bank)
    }

    fn client(&self, timeout_seconds: u64) -> Result<Teller, TellerError> {
        let client = Client::new(self.global.client()?, CLIENT_NAME);
        Ok(Teller::new(client)
            .with_timeout(self.global.timeout_or(timeout_seconds))
            .with_actor(self.global.actor.clone()))
    }

    /// The id of the next message, printed before the message is sent.
    pub(crate) fn id(&self, given: &SendId) -> MessageId {
        self.announce(given.or_new())
    }

    pub(crate) fn announce(&self, id: MessageId) -> MessageId {
        match self.json() {
            true => note_json(&serde_json::json!({ "id": id })),
            false => note(&format!("id: {id}")),
        }
        id
    }
}

/// The id of the account that is named so.
pub(crate) async fn account_id(bank: &Teller, key: AccountKey) -> Result<AccountId, TellerError> {
    match key {
        AccountKey::AccountId(id) => Ok(id),
        key => Ok(bank.account(key).await?.account_id),
    }
}
