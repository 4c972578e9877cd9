//! `teller account ...`

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use shared_events::{
    AccountId, Amount, MessageId,
    accounts::{
        Account, AccountKey, AccountStatus, Blocks, CloseAccount, EraseHolder, FreezeAccount,
        Holder, ListAccounts, OpenAccount, UnfreezeAccount,
    },
};
use teller_client::{
    Teller,
    input::{self, InvalidInput},
};

use crate::{
    account_history::History,
    failure::Failure,
    output::{Column, Text, card, digits, note, or_empty, table},
    session::{SendId, Session, account_id},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Open an account, and wait until money can move on it
    Open(Open),
    /// Let no money move on an account, or change what a frozen one refuses
    Freeze(Freeze),
    /// Let money move again on a frozen account
    Unfreeze(Unfreeze),
    /// Close an account for ever; its balance must be zero
    Close(Close),
    /// Erase the data of a closed account's holder for ever; another principal has to approve it
    ///
    /// The holder's name and addresses are erased, and the texts of all payments of the account.
    /// The account must have been closed for as long as the bank keeps data of closed accounts.
    /// Until another principal has approved the command (teller approvals) nothing is erased, and
    /// the command ends with 5
    Erase(Erase),
    /// Show one account
    Show(Show),
    /// List accounts
    List(List),
    /// Show who has changed what of an account, and with whose approval
    History(History),
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    /// The holder's full name
    #[arg(long)]
    name: String,
    /// The currency, such as EUR
    #[arg(long)]
    currency: String,
    /// The holder's e-mail address
    #[arg(long)]
    email: Option<String>,
    /// The http or https URL of the holder's webhook
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// The language to write to the holder in
    #[arg(long, default_value = "en")]
    language: String,
    /// The product
    #[arg(long, default_value = "current")]
    product: String,
    /// The overdraft limit
    #[arg(long, value_name = "AMOUNT", default_value = "0")]
    overdraft: String,
    /// The account's name in another system
    #[arg(long, value_name = "REFERENCE")]
    external_reference: Option<String>,
    /// The branch, brand or partner that keeps the account [default: main]
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    /// Do not wait until money can move
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    id: SendId,
}

#[derive(Debug, Args)]
pub(crate) struct Freeze {
    /// The account: id, IBAN or external reference
    account: String,
    /// The reason, for the record
    #[arg(long)]
    reason: String,
    /// The direction to refuse
    #[arg(long, value_enum, default_value_t)]
    blocks: Direction,
    #[command(flatten)]
    id: SendId,
}

/// Which money a freeze refuses.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum Direction {
    /// Money that would leave the account
    Debits,
    /// Money that would reach the account
    Credits,
    /// All of it
    #[default]
    Both,
}

impl Direction {
    const fn blocks(self) -> Blocks {
        match self {
            Self::Debits => Blocks::Debits,
            Self::Credits => Blocks::Credits,
            Self::Both => Blocks::Both,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Unfreeze {
    /// The account: id, IBAN or external reference
    account: String,
    #[command(flatten)]
    id: SendId,
}

#[derive(Debug, Args)]
pub(crate) struct Close {
    /// The account: id, IBAN or external reference
    account: String,
    /// The account that receives the balance first: id, IBAN or external reference
    #[arg(long, value_name = "ACCOUNT")]
    payout: Option<String>,
    /// Do not wait for the ledger's decision
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    id: SendId,
}

#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// The account: id, IBAN or external reference
    account: String,
    #[command(flatten)]
    id: SendId,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The account: id, IBAN or external reference
    account: String,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those in this status: pending, active, frozen, closing, closed or erased
    #[arg(long)]
    status: Option<String>,
    /// Only accounts whose external reference begins with this text
    #[arg(long, value_name = "PREFIX")]
    external_reference: Option<String>,
    /// The largest number of results
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: usize,
    /// Show all
    #[arg(long, conflicts_with = "limit")]
    all: bool,
}

impl Command {
    pub(crate) async fn run(self, session: &mut Session) -> Result<(), Failure> {
        match self {
            Self::Open(command) => command.run(session).await,
            Self::Freeze(command) => command.run(session).await,
            Self::Unfreeze(command) => command.run(session).await,
            Self::Close(command) => command.run(session).await,
            Self::Erase(command) => command.run(session).await,
            Self::Show(command) => command.run(session).await,
            Self::List(command) => command.run(session).await,
            Self::History(command) => command.run(session).await,
        }
    }
}

impl Open {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        // One id to keep: the account's is the command's.
        let id = self.id.or_new();
        let command = self.command(AccountId(id.0))?;
        let bank = session.bank().await?;
        session.announce(id);
        let opened = bank.open_account(id, command).await?;
        let account = match self.no_wait {
            true => bank.account(AccountKey::AccountId(opened.account_id)).await?,
            false => bank.until_active(opened.account_id).await?,
        };
        show_changed(session, id, account)
    }

    fn command(&self, account_id: AccountId) -> Result<OpenAccount, InvalidInput> {
        let currency = input::currency(&self.currency)?;
        Ok(OpenAccount {
            account_id,
            holder: Holder {
                name: input::holder_name(&self.name)?,
                email: input::checked(self.email.as_deref(), input::email)?,
                webhook: input::checked(self.webhook.as_deref(), input::webhook)?,
                language: input::language(&self.language)?,
            },
            product: input::product(&self.product)?,
            currency,
            overdraft_limit: input::limit(&self.overdraft, currency)?,
            external_reference: input::checked(
                self.external_reference.as_deref(),
                input::external_reference,
            )?,
            branch: input::checked(self.branch.as_deref(), input::branch)?,
        })
    }
}

impl Freeze {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let reason = input::freeze_reason(&self.reason)?;
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        let id = session.id(&self.id);
        let blocks = self.blocks.blocks();
        bank.freeze(id, FreezeAccount { account_id, reason, blocks }).await?;
        let account = bank.account(AccountKey::AccountId(account_id)).await?;
        // One that is pending or closing is frozen later, or never was.
        if account.status == AccountStatus::Frozen && account.blocks == Some(blocks) {
            bank.until_ledger_refuses(account_id, Some(blocks)).await?;
        }
        show_changed(session, id, account)
    }
}

impl Unfreeze {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        let id = session.id(&self.id);
        bank.unfreeze(id, UnfreezeAccount { account_id }).await?;
        let account = bank.account(AccountKey::AccountId(account_id)).await?;
        if account.status == AccountStatus::Active {
            bank.until_ledger_refuses(account_id, None).await?;
        }
        show_changed(session, id, account)
    }
}

impl Close {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let payout =
            self.payout.as_deref().map(|account| input::account("payout", account)).transpose()?;
        let bank = session.bank().await?;
        let payout = match payout {
            Some(key) => Some(account_id(&bank, key).await?),
            None => None,
        };
        let account_id = account_id(&bank, key).await?;
        let id = session.id(&self.id);
        let closing = bank.close(id, CloseAccount { account_id, payout }).await?;
        if self.no_wait {
            return show_account(session, &bank, id, account_id).await;
        }
        let account = bank.until_closed(&closing).await?;
        show_changed(session, id, account)
    }
}

impl Erase {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let bank = session.bank().await?;
        let account_id = account_id(&bank, key).await?;
        let id = session.id(&self.id);
        bank.erase_holder(id, EraseHolder { account_id }).await?;
        show_account(session, &bank, id, account_id).await
    }
}

impl Show {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let key = input::account("account", &self.account)?;
        let account = session.bank().await?.account(key).await?;
        session.out.show(&account, || describe(&account))?;
        Ok(())
    }
}

impl List {
    async fn run(self, session: &mut Session) -> Result<(), Failure> {
        let filter = ListAccounts {
            status: self.status.as_deref().map(status).transpose()?,
            external_reference_prefix: self.external_reference,
            ..ListAccounts::default()
        };
        let limit = if self.all { usize::MAX } else { self.limit };
        let (accounts, more) = session.bank().await?.list_accounts(filter, limit).await?;
        session.out.show(&accounts, || list(&accounts))?;
        if more {
            note(&format!("the first {limit}; --limit COUNT or --all shows more"));
        }
        Ok(())
    }
}

fn status(text: &str) -> Result<AccountStatus, InvalidInput> {
    AccountStatus::from_code(text).ok_or_else(|| {
        InvalidInput::new("status", "must be pending, active, frozen, closing, closed or erased")
    })
}

/// An account after a command changed it.
#[derive(Serialize)]
struct Changed {
    id: MessageId,
    account: Account,
}

/// Shows an account as the command `id` left it.
pub(crate) async fn show_account(
    session: &mut Session,
    bank: &Teller,
    id: MessageId,
    account_id: AccountId,
) -> Result<(), Failure> {
    let account = bank.account(AccountKey::AccountId(account_id)).await?;
    show_changed(session, id, account)
}

fn show_changed(session: &mut Session, id: MessageId, account: Account) -> Result<(), Failure> {
    let changed = Changed { id, account };
    session.out.show(&changed, || describe(&changed.account))?;
    Ok(())
}

fn describe(account: &Account) -> Text {
    let spending = account.spending.unwrap_or_default();
    let limit = |amount: Option<Amount>| {
        amount.map_or_else(String::new, |amount| digits(amount, account.currency))
    };
    card(&[
        ("account", account.account_id.to_string()),
        ("iban", account.iban.to_string()),
        ("external reference", or_empty(account.external_reference.as_ref())),
        ("status", account.status.as_str().to_owned()),
        ("holder", account.holder.name.clone()),
        ("email", or_empty(account.holder.email.as_ref())),
        ("webhook", or_empty(account.holder.webhook.as_ref())),
        ("language", account.holder.language.clone()),
        ("product", account.product.clone()),
        ("currency", account.currency.to_string()),
        ("overdraft limit", digits(account.overdraft_limit, account.currency)),
        ("limit of a transfer", limit(spending.transfer)),
        ("limit of a day", limit(spending.daily)),
        ("limit of a month", limit(spending.monthly)),
        ("minimum balance", limit(spending.minimum_balance)),
        ("refuses", account.blocks.map_or_else(String::new, |blocks| blocks.as_str().to_owned())),
    ])
}

fn list(accounts: &[Account]) -> Text {
    let columns = [
        Column::Left("account"),
        Column::Left("iban"),
        Column::Left("reference"),
        Column::Left("holder"),
        Column::Left("status"),
        Column::Left("currency"),
        Column::Right("overdraft"),
    ];
    let row = |account: &Account| {
        vec![
            account.account_id.to_string(),
            account.iban.to_string(),
            or_empty(account.external_reference.as_ref()),
            account.holder.name.clone(),
            account.status.as_str().to_owned(),
            account.currency.to_string(),
            digits(account.overdraft_limit, account.currency),
        ]
    };
    table(&columns, accounts.iter().map(row))
}
