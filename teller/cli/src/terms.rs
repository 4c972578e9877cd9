//! `teller limits ...` and `teller holder ...`

use clap::{Args, Subcommand};
use shared_events::{
    AccountId, Currency,
    accounts::{ChangeLimits, SpendingLimit, UpdateHolder},
};
use teller_client::input::{self, InvalidInput};
use uuid::Uuid;

use crate::{
    account::show_account,
    failure::Failure,
    session::{SendId, Session},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Limits {
    /// Set how far below zero an account may go, and what else it may spend; what is not given
    /// stays
    Set(Set),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Holder {
    /// Change the holder's name or how to reach them; what is not given stays
    Update(Update),
}

/// The options of which one must be there where `--overdraft` is not.
const SPENDING: [&str; 4] = ["transfer", "daily", "monthly", "minimum_balance"];

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The account: id, IBAN or external reference
    account: String,
    /// How far below zero it may go
    #[arg(
        long,
        value_name = "AMOUNT",
        allow_negative_numbers = true,
        required_unless_present_any = SPENDING
    )]
    overdraft: Option<String>,
    /// The most of one transfer; `none`: without limit
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    transfer: Option<String>,
    /// The most that leaves it on one day; `none`: without limit
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    daily: Option<String>,
    /// The most that leaves it in one month; `none`: without limit
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    monthly: Option<String>,
    /// The least that must stay on it; `none`: nothing must
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    minimum_balance: Option<String>,
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
        it.change(AccountId(Uuid::nil()), input::currency("CLF")?)?;
        let bank = session.bank().await?;
        let account = bank.account(key).await?;
        let account_id = account.account_id;
        let command = it.change(account_id, account.currency)?;
        let id = session.id(&it.id);
        bank.change_limits(id, command).await?;
        show_account(session, &bank, id, account_id).await
    }
}

impl Set {
    /// What is asked: the bank leaves what is not named as it is, so two who change different
    /// limits at once do not undo each other's change, and the same again is the same.
    fn change(
        &self,
        account_id: AccountId,
        currency: Currency,
    ) -> Result<ChangeLimits, InvalidInput> {
        let mut lift = vec![];
        let mut limit = |field, given: &Option<String>, name| match given.as_deref() {
            None => Ok(None),
            Some("none") => {
                lift.push(name);
                Ok(None)
            }
            Some(amount) => input::limit_of(field, amount, currency).map(Some),
        };
        let transfer = limit("transfer", &self.transfer, SpendingLimit::Transfer)?;
        let daily = limit("daily", &self.daily, SpendingLimit::Daily)?;
        let monthly = limit("monthly", &self.monthly, SpendingLimit::Monthly)?;
        let least = SpendingLimit::MinimumBalance;
        let minimum_balance = limit("minimum-balance", &self.minimum_balance, least)?;
        let overdraft = self.overdraft.as_deref();
        let overdraft_limit = overdraft.map(|it| input::limit(it, currency)).transpose()?;
        Ok(ChangeLimits {
            account_id,
            overdraft_limit,
            transfer,
            daily,
            monthly,
            minimum_balance,
            lift,
        })
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
