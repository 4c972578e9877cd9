//! `teller limits ...` and `teller holder ...`

use clap::{Args, Subcommand};
use shared_events::accounts::{SetLimits, UpdateHolder};

use super::{
    account::show_account,
    failure::Failure,
    session::{SendId, Session},
};
use crate::input;

#[derive(Debug, Subcommand)]
pub(crate) enum Limits {
    /// Set how far below zero an account may go
    Set(Set),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Holder {
    /// Change the holder's name or how to reach them; what is not given stays
    Update(Update),
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The account: id, IBAN or external reference
    account: String,
    /// How far below zero it may go
    #[arg(long, value_name = "AMOUNT")]
    overdraft: String,
    #[command(flatten)]
    id: SendId,
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    /// The account: id, IBAN or external reference
    account: String,
    /// The holder's full name
    #[arg(long)]
    name: Option<String>,
    /// Where e-mail to the holder goes
    #[arg(long)]
    email: Option<String>,
    /// Write no e-mail
    #[arg(long, conflicts_with = "email")]
    no_email: bool,
    /// An http or https URL that is told of events
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Call no webhook
    #[arg(long, conflicts_with = "webhook")]
    no_webhook: bool,
    /// The language to write to the holder in
    #[arg(long)]
    language: Option<String>,
    #[command(flatten)]
    id: SendId,
}

impl Limits {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let Self::Set(it) = self;
        let key = input::account("account", &it.account)?;
        // The account's currency only the bank knows; what is wrong in any currency is told before
        // it is asked. None has more digits than CLF.
        input::limit(&it.overdraft, input::currency("CLF")?)?;
        let bank = session.bank().await?;
        let account = bank.account(key).await?;
        let overdraft_limit = input::limit(&it.overdraft, account.currency)?;
        let account_id = account.account_id;
        let id = session.id(&it.id);
        bank.set_limits(id, SetLimits { spending: None, account_id, overdraft_limit }).await?;
        show_account(session, &bank, id, account_id).await
    }
}

impl Holder {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let Self::Update(it) = self;
        let key = input::account("account", &it.account)?;
        let name = input::checked(it.name.as_deref(), input::holder_name)?;
        let email = input::checked(it.email.as_deref(), input::email)?;
        let webhook = input::checked(it.webhook.as_deref(), input::webhook)?;
        let language = input::checked(it.language.as_deref(), input::language)?;
        let bank = session.bank().await?;
        let account = bank.account(key).await?;
        let mut holder = account.holder;
        holder.name = name.unwrap_or(holder.name);
        holder.email = email.or(holder.email).filter(|_| !it.no_email);
        holder.webhook = webhook.or(holder.webhook).filter(|_| !it.no_webhook);
        holder.language = language.unwrap_or(holder.language);
        let account_id = account.account_id;
        let id = session.id(&it.id);
        bank.update_holder(id, UpdateHolder { account_id, holder }).await?;
        show_account(session, &bank, id, account_id).await
    }
}
