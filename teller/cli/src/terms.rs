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
    /// Set how far below zero an account may go, and the limits of its spending; unnamed limits
    /// stay
    Set(Set),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Holder {
    /// Change the holder's name or contact channels; unnamed ones stay
    Update(Update),
}

/// The options of which one must be there where `--overdraft` is not.
const SPENDING: [&str; 4] = ["transfer", "daily", "monthly", "minimum_balance"];

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The account: id, IBAN or external reference
    account: String,
    /// The overdraft limit
    #[arg(
        long,
        value_name = "AMOUNT",
        allow_negative_numbers = true,
        required_unless_present_any = SPENDING
    )]
    overdraft: Option<String>,
    /// The limit of one transfer; `none`: no limit
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    transfer: Option<String>,
    /// The limit of one day's debits; `none`: no limit
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    daily: Option<String>,
    /// The limit of one month's debits; `none`: no limit
    #[arg(long, value_name = "AMOUNT", allow_negative_numbers = true)]
    monthly: Option<String>,
    /// The minimum balance; `none`: no minimum
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
    /// The holder's e-mail address
    #[arg(long)]
    email: Option<String>,
    /// Write no e-mail
    #[arg(long, conflicts_with = "email")]
    no_email: bool,
    /// The http or https URL of the holder's webhook
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
        let Self::Set(limits) = self;
        let key = input::account("account", &limits.account)?;
        // The bank alone knows the account's currency; a value that is wrong in any currency is
        // refused before the bank is asked. No currency has more digits than CLF.
        limits.change(AccountId(Uuid::nil()), input::currency("CLF")?)?;
        let bank = session.bank().await?;
        let account = bank.account(key).await?;
        let account_id = account.account_id;
        let command = limits.change(account_id, account.currency)?;
        let id = session.id(&limits.id);
        bank.change_limits(id, command).await?;
        show_account(session, &bank, id, account_id).await
    }
}

impl Set {
    /// The command. The bank leaves unnamed limits as they are, so two clerks who change different
    /// limits at once do not undo each other's change, and the same command again changes nothing.
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
        let overdraft_limit = overdraft.map(|text| input::limit(text, currency)).transpose()?;
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
        let Self::Update(update) = self;
        let key = input::account("account", &update.account)?;
        let name = input::checked(update.name.as_deref(), input::holder_name)?;
        let email = input::checked(update.email.as_deref(), input::email)?;
        let webhook = input::checked(update.webhook.as_deref(), input::webhook)?;
        let language = input::checked(update.language.as_deref(), input::language)?;
        let bank = session.bank().await?;
        let account = bank.account(key).await?;
        let mut holder = account.holder;
        holder.name = name.unwrap_or(holder.name);
        holder.email = email.or(holder.email).filter(|_| !update.no_email);
        holder.webhook = webhook.or(holder.webhook).filter(|_| !update.no_webhook);
        holder.language = language.unwrap_or(holder.language);
        let account_id = account.account_id;
        let id = session.id(&update.id);
        bank.update_holder(id, UpdateHolder { account_id, holder }).await?;
        show_account(session, &bank, id, account_id).await
    }
}
